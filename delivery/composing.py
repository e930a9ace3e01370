"""Turns claimed rows into letters: plans thawed once per dispatch, people read once per batch."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import outbox, routing
from delivery.ledger import Claimed
from delivery.letter import Envelope, Kind, Lease, Letter
from delivery.limit import Limit
from delivery.models import Dispatch, DispatchPlan, QueuedNotice, Variant
from delivery.routing import Route
from delivery.splicing import Splicer
from foundation import errors, i18n, portions
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.looks import Look
from subscribers import recipients
from subscribers.recipients import Recipient
from templates.plan import Plan

_KEPT = 8
"""Dispatches whose plans are kept thawed."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    topics: tuple[int, ...]
    languages: Sequence[str]
    """The default first: it serves whoever speaks none of the others."""
    splicers: Mapping[str, Mapping[str, Splicer]]
    """By `Variant`, then by language."""
    asks_membership: bool
    """Whether a section is for contacts of members, or for all but those."""
    relays: Route
    is_signed: bool

    def splicer(self, row: Claimed) -> Splicer:
        """What makes the message for a row, in its form and language."""
        known = self.splicers[row.variant]
        return known.get(row.language) or known[i18n.match(row.language, self.languages)]


class Composer:
    """Knows the dispatches that are being sent."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._dispatches: dict[int, _Prepared] = {}

    async def letters(
        self,
        session: AsyncSession,
        claimed: Sequence[Claimed],
        *,
        lease: Lease,
        group: Callable[[str], Limit | None],
    ) -> list[Letter]:
        """One letter a row; what it needs is read now, its octets are made later.

        `group` gives the limit of an address's host.
        """
        numbers = {row.dispatch_id for row in claimed}
        for number in sorted(numbers):
            await self._prepare(session, number)
        ids = [row.subscriber_id for row in claimed if row.subscriber_id is not None]
        people = await recipients.by_id(
            session,
            ids,
            with_membership=any(self._dispatches[number].asks_membership for number in numbers),
        )
        letters: list[Letter] = []
        async for some in portions.of(claimed):
            letters += [
                self._letter(row, people.get(row.subscriber_id or 0), lease=lease, group=group)
                for row in some
            ]
        return letters

    def _letter(
        self,
        row: Claimed,
        person: Recipient | None,
        *,
        lease: Lease,
        group: Callable[[str], Limit | None],
    ) -> Letter:
        prepared = self._dispatches[row.dispatch_id]
        return Letter(
            kind=Kind.DELIVERY,
            id=row.id,
            attempt=row.attempts + 1,
            lease=lease,
            topics=prepared.topics,
            first_attempt_at=row.first_attempt_at,
            compose=_erased
            if person is None
            else functools.partial(prepared.splicer(row).envelope, person, row.id),
            relays=prepared.relays,
            group=group(person.email) if person is not None else None,
            is_signed=prepared.is_signed,
        )

    def notices(
        self,
        claimed: Sequence[QueuedNotice],
        *,
        look: Look,
        lease: Lease,
        group: Callable[[str], Limit | None],
    ) -> list[Letter]:
        """One letter a notice, as mails look when it is claimed."""
        settings = self._ground.settings
        relays = routing.route(settings.relay, from_address=settings.mail.from_address)
        return [
            Letter(
                kind=Kind.NOTICE,
                id=notice.id,
                attempt=notice.attempts + 1,
                lease=lease,
                first_attempt_at=notice.created_at if notice.attempts else None,
                compose=functools.partial(self._notice, notice, look),
                relays=relays,
                group=group(notice.to_address),
            )
            for notice in claimed
        ]

    async def _prepare(self, session: AsyncSession, dispatch_id: int) -> None:
        if dispatch_id in self._dispatches:
            return
        found = await session.get_one(Dispatch, dispatch_id)
        session.expunge(found)
        plans = await session.execute(
            sa.select(
                col(DispatchPlan.language), col(DispatchPlan.plan), col(DispatchPlan.plan_b)
            ).where(col(DispatchPlan.dispatch_id) == dispatch_id)
        )
        firsts: dict[str, Splicer] = {}
        seconds: dict[str, Splicer] = {}
        for language, frozen, frozen_b in plans.all():
            firsts[language] = Splicer(self._ground, found, Plan.thaw(frozen))
            if frozen_b is not None:
                named = found.model_copy(update={"from_name": found.from_name_b or found.from_name})
                seconds[language] = Splicer(self._ground, named, Plan.thaw(frozen_b))
        every = (*firsts.values(), *seconds.values())
        while len(self._dispatches) >= _KEPT:
            del self._dispatches[next(iter(self._dispatches))]
        self._dispatches[dispatch_id] = _Prepared(
            topics=tuple(found.topics),
            languages=sorted(firsts, key=lambda language: language != found.default_language),
            splicers={
                variant.value: seconds if variant.is_second else firsts for variant in Variant
            },
            asks_membership=any(splicer.asks_membership for splicer in every),
            relays=routing.route(
                self._ground.settings.relay, from_address=found.from_address, named=found.relay
            ),
            is_signed=any(splicer.is_signing for splicer in every),
        )

    def _notice(self, notice: QueuedNotice, look: Look, _is_8bit: bool) -> Envelope:
        """Always in quoted-printable: notices are few, and their pieces are not kept."""
        return outbox.compose(self._ground, notice, look)


class Erased(errors.NotFound):
    """Whoever a letter was for was erased between the claim and now."""


def _erased(_is_8bit: bool) -> Envelope:
    raise Erased(N_("The person is gone."))
