"""Whom mail that came back is about, and how well that is known; docs/decisions has the table.

What only we and the receiving side can have seen proves itself: our sealed envelope sender first,
then our keyed Message-ID and the sealed links in what was returned. An address that is merely named
proves nothing, unless a provider whose word was verified names it.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import guessing
from delivery.guessing import Clues, Named
from delivery.models import Delivery, Proof, QueuedNotice
from foundation import errors
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.tokens import Purpose
from subscribers.models import Subscriber

_Row = TypeVar("_Row", Delivery, QueuedNotice, Subscriber)


@frozen
class About:
    """The mail and the person that it is about, as far as they are still there."""

    subject: str
    """Names it in a digest: `d:` a delivery, `n:` a notice, `s:` a person."""
    proof: Proof
    delivery: Delivery | None = None
    notice: QueuedNotice | None = None
    person: Subscriber | None = None


async def whom(ground: Ground, session: AsyncSession, clues: Clues) -> About | None:
    """Whom it is about by the best of its clues; None when that is nobody whom we know."""
    return (await whose(ground, session, [clues]))[0]


async def whose(
    ground: Ground, session: AsyncSession, clues: Sequence[Clues]
) -> Sequence[About | None]:
    """The same of many things, each in its place; all are looked up together."""
    sealed = [_sealed(ground, each) for each in clues]
    unsealed = [each for each, named in zip(clues, sealed, strict=True) if named is None]
    guessed = iter(await guessing.by_address(ground, session, unsealed))
    named = [each if each is not None else next(guessed) for each in sealed]
    rows = await _rows(session, [each for each in named if each is not None])
    return [rows.about(each) if each is not None else None for each in named]


def _sealed(ground: Ground, clues: Clues) -> Named | None:
    """What the first token of ours names."""
    for token in clues.tokens:
        try:
            number, is_notice = ground.tokens.open_from_address(Purpose.RETURN_PATH, token)
        except (errors.BadToken, ValueError):
            continue
        if is_notice:
            return Named(proof=Proof.TOKEN, notice=number)
        return Named(proof=Proof.TOKEN, delivery=number)
    for link in clues.links:
        try:
            person, number, _ = ground.tokens.open(Purpose.UNSUBSCRIBE, link)
        except (errors.BadToken, ValueError):
            continue
        if number:
            return Named(proof=Proof.HEADERS, delivery=number)
        return Named(proof=Proof.HEADERS, person=person)
    return None


@frozen
class _Rows:
    """What is still there of what was named."""

    deliveries: Mapping[int, Delivery]
    notices: Mapping[int, QueuedNotice]
    people: Mapping[int, Subscriber]

    def about(self, named: Named) -> About:
        delivery = self.deliveries.get(named.delivery or 0)
        notice = self.notices.get(named.notice or 0)
        row = delivery or notice
        number = named.person or (row.subscriber_id if row is not None else None)
        return About(
            subject=named.subject,
            proof=named.proof,
            delivery=delivery,
            notice=notice,
            person=self.people.get(number or 0),
        )


async def _rows(session: AsyncSession, named: Sequence[Named]) -> _Rows:
    deliveries = await _by_number(session, Delivery, {each.delivery for each in named})
    notices = await _by_number(session, QueuedNotice, {each.notice for each in named})
    numbers = {each.person for each in named}
    numbers |= {each.subscriber_id for each in deliveries.values()}
    numbers |= {each.subscriber_id for each in notices.values()}
    people = await _by_number(session, Subscriber, numbers)
    return _Rows(deliveries=deliveries, notices=notices, people=people)


async def _by_number(
    session: AsyncSession, table: type[_Row], numbers: Collection[int | None]
) -> Mapping[int, _Row]:
    wanted = sorted(number for number in numbers if number is not None)
    if not wanted:
        return {}
    found = await session.exec(select(table).where(col(table.id).in_(wanted)))
    return {row.id: row for row in found.all()}
