"""Acts on mail that came back: the ledger, the person's tally, suppression, unsubscribing.

Whom a message is about is known only from our sealed envelope sender; an address that a message
merely names proves nothing, so a forged bounce suppresses nobody. Mail to the unsubscribe address
of List-Unsubscribe (RFC 2369) has its token in the subject, and proves itself by that alone.
"""

import asyncio
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import holdings
from delivery.bounces import classifier
from delivery.bounces.returned import Recipient, Returned
from delivery.letter import Kind, Result, Verdict
from delivery.models import BounceKind, Delivery, QueuedNotice, Return
from foundation import errors, tables
from foundation.ground import Ground
from foundation.tokens import Purpose
from subscribers import suppression, unsubscribe
from subscribers.models import Subscriber, SuppressionReason
from subscribers.unsubscribe import Unsubscribed

SOFT_LIMIT = 3
"""Soft bounces in a row, over at least `SOFT_SPAN`, that end in suppression."""
SOFT_SPAN = timedelta(days=14)
_SETTLED = timedelta(days=3)
"""After so long a mail that was taken is not going to come back."""
_MAX_EVIDENCE = 100_000
_SEALED = re.compile(r"[\w-]{16,100}", re.ASCII)
"""What may be a token in the subject of a mail to the unsubscribe address."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ingested:
    """What was understood and whether anything was done."""

    returned: Returned
    is_ours: bool
    """Carries a token that we sealed."""
    is_new: bool
    """Not seen before, by any way."""
    asks_to_leave: bool = False
    """Was sent to the unsubscribe address with its token, and has been obeyed."""


async def ingest(ground: Ground, octets: bytes) -> Ingested:
    """Take a message that came back; the same one twice counts once."""
    returned = await asyncio.to_thread(classifier.classify, octets)
    if returned.kind in (BounceKind.NONE, BounceKind.AUTO_REPLY):
        left = await _unsubscribe(ground, returned.subject)
        if left is not None:
            return Ingested(
                returned=returned, is_ours=True, is_new=left.has_changed, asks_to_leave=True
            )
    try:
        number, is_notice = ground.tokens.open_from_address(Purpose.RETURN_PATH, returned.token)
    except (errors.BadToken, ValueError):
        return Ingested(returned=returned, is_ours=False, is_new=False)
    async with ground.db.transaction() as session:
        is_new = await _keep(ground, session, octets, returned, number, bool(is_notice))
    return Ingested(returned=returned, is_ours=True, is_new=is_new)


async def _unsubscribe(ground: Ground, subject: str) -> Unsubscribed | None:
    """Obey the token in a subject, as the page behind the same link would; None without one."""
    for word in _SEALED.findall(subject)[:5]:
        try:
            return await unsubscribe.by_token(ground, token=word, via="mail", elsewhere=(holdings,))
        except errors.BadToken:
            continue
    return None


async def take_refusals(
    ground: Ground, session: AsyncSession, *, results: Iterable[Result]
) -> None:
    """Suppress addresses that the relay itself called dead, in the recorder's transaction.

    Only where the enhanced code says so: a bare 550 may be about us.
    """
    dead = {
        (result.kind, result.id): result.reply
        for result in results
        if result.verdict is Verdict.FAILED
        and classifier.is_dead(result.reply.code, result.reply.text)
    }
    for (kind, row), reply in dead.items():
        found = (
            await session.get(Delivery, row)
            if kind is Kind.DELIVERY
            else await session.get(QueuedNotice, row)
        )
        if found is None or found.subscriber_id is None:
            continue
        await suppression.add(
            ground,
            session,
            subscriber_id=found.subscriber_id,
            reason=SuppressionReason.HARD_BOUNCE,
            note=reply.text,
            via="bounce",
            dispatch_id=found.dispatch_id if isinstance(found, Delivery) else None,
        )


async def tidy(ground: Ground) -> None:
    """Blank evidence that is older than `[retention] bounce_evidence_days`."""
    before = ground.clock.now() - timedelta(days=ground.settings.retention.bounce_evidence_days)
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(Return).where(col(Return.received_at) < before).values(evidence=None)
        )


async def _keep(
    ground: Ground,
    session: AsyncSession,
    octets: bytes,
    returned: Returned,
    number: int,
    is_notice: bool,
) -> bool:
    row: Delivery | QueuedNotice | None = (
        await session.get(QueuedNotice, number)
        if is_notice
        else await session.get(Delivery, number)
    )
    subscriber_id = row.subscriber_id if row is not None else None
    about = _about(returned)
    digest = hashlib.sha256(
        f"{number}:{int(is_notice)}:{returned.kind}:{about.status}".encode()
    ).hexdigest()
    insert = (
        tables.insert_for(session, Return)
        .values(
            delivery_id=number if isinstance(row, Delivery) else None,
            subscriber_id=subscriber_id,
            kind=returned.kind.value,
            status=about.status,
            reason=about.reason,
            digest=digest,
            evidence=octets[:_MAX_EVIDENCE],
            received_at=ground.clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["digest"])
        .returning(col(Return.id))
    )
    if (await session.execute(insert)).first() is None:
        return False
    if isinstance(row, Delivery):
        _mark(ground, row, returned.kind)
        session.add(row)
    if subscriber_id is not None:
        dispatch_id = row.dispatch_id if isinstance(row, Delivery) else None
        await _act(ground, session, subscriber_id, returned.kind, about, dispatch_id)
    return True


def _about(returned: Returned) -> Recipient:
    """What the message says about the recipient whom the token names."""
    if returned.recipients:
        return returned.recipients[0]
    return Recipient(address="", kind=returned.kind)


def _mark(ground: Ground, row: Delivery, kind: BounceKind) -> None:
    if kind is BounceKind.COMPLAINT:
        row.complained_at = row.complained_at or ground.clock.now()
    elif kind in (BounceKind.HARD, BounceKind.SOFT, BounceKind.BLOCK):
        row.bounce = kind.value


async def _act(
    ground: Ground,
    session: AsyncSession,
    subscriber_id: int,
    kind: BounceKind,
    about: Recipient,
    dispatch_id: int | None,
) -> None:
    note = " ".join(filter(None, (about.status, about.reason)))
    reason = {
        BounceKind.HARD: SuppressionReason.HARD_BOUNCE,
        BounceKind.COMPLAINT: SuppressionReason.COMPLAINT,
    }.get(kind)
    if kind is BounceKind.SOFT and await _tally(ground, session, subscriber_id):
        reason = SuppressionReason.SOFT_BOUNCES
    if reason is not None:
        await suppression.add(
            ground,
            session,
            subscriber_id=subscriber_id,
            reason=reason,
            note=note,
            via="bounce",
            dispatch_id=dispatch_id,
        )


async def _tally(ground: Ground, session: AsyncSession, subscriber_id: int) -> bool:
    """Count a soft bounce; whether it was one too many."""
    person = await session.get_one(Subscriber, subscriber_id)
    now = ground.clock.now()
    if await _got_through(session, person, before=now - _SETTLED):
        person.soft_bounces, person.first_soft_bounce_at = 0, None
    person.soft_bounces += 1
    person.first_soft_bounce_at = person.first_soft_bounce_at or now
    session.add(person)
    return person.soft_bounces >= SOFT_LIMIT and now - person.first_soft_bounce_at >= SOFT_SPAN


async def _got_through(session: AsyncSession, person: Subscriber, *, before: datetime) -> bool:
    """Whether a mail since the first soft bounce was taken and did not come back."""
    if person.first_soft_bounce_at is None:
        return False
    statement = sa.select(
        sa.exists().where(
            col(Delivery.subscriber_id) == person.id,
            col(Delivery.bounce) == "",
            col(Delivery.sent_at) > person.first_soft_bounce_at,
            col(Delivery.sent_at) < before,
        )
    )
    return bool((await session.execute(statement)).scalar_one())
