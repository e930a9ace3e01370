"""What follows from mail that came back: the ledger's mark, suppression, a person's tally.

Hard ends mail to the address at once, soft only when it happened again and again with nothing
taken in between, a complaint ends every mail, a block is never the reader's fault. Each thing has
its consequence once, by however many ways it comes.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery.identifying import About
from delivery.models import BounceKind, Delivery, Proof, Return
from foundation import logs, tables
from foundation.frozen import frozen
from foundation.ground import Ground
from subscribers import suppression
from subscribers.models import Subscriber, Suppression, SuppressionReason
from subscribers.suppression import Order

BOUNCES = (BounceKind.HARD, BounceKind.BLOCK, BounceKind.SOFT)
"""What can be wrong with a mail that came back, the worst first."""
UNBELIEVED = (Proof.NONE.value, Proof.DISMISSED.value)
"""What stands in `Return.proof` of something that has no consequence."""
_LASTING = {
    BounceKind.HARD: SuppressionReason.HARD_BOUNCE,
    BounceKind.COMPLAINT: SuppressionReason.COMPLAINT,
}


@frozen
class Told:
    """What was said about one mail."""

    via: str
    kind: BounceKind
    status: str = ""
    reason: str = ""
    reply_code: int | None = None
    diagnostic: str = ""
    occurred_at: datetime | None = None
    evidence: bytes = b""


@frozen
class Thing:
    """Something that is known to be true, kept under its number."""

    about: About
    told: Told
    return_id: int


async def keep(ground: Ground, session: AsyncSession, about: About, told: Told) -> bool:
    """Keep what came back and let it have its consequence; whether it was new.

    What is not proven is kept, counted, and has none.
    """
    if about.proof is Proof.NONE:
        return await _kept_unproven(ground, session, about, told)
    return bool(await keep_all(ground, session, [(about, told)]))


async def keep_all(
    ground: Ground, session: AsyncSession, told: Sequence[tuple[About, Told]]
) -> int:
    """The same of many things that are proven; how many were new."""
    numbers = await kept(ground, session, told)
    now = ground.clock.now()
    first: dict[str, tuple[About, Told]] = {}
    for about, each in told:
        first.setdefault(digest(about, each, now=now), (about, each))
    things = [
        Thing(about=about, told=each, return_id=numbers[key])
        for key, (about, each) in first.items()
        if key in numbers
    ]
    await act(ground, session, things)
    return len(things)


async def act(ground: Ground, session: AsyncSession, things: Sequence[Thing]) -> None:
    """The consequences of things that are known to be true, in the order of `things`.

    Rows are held in one order, whoever tells of the same people at once: mails, then people.
    """
    await _mark(session, things, now=ground.clock.now())
    people = await _held(session, things)
    standing = await _stand(ground, session, people, things)
    orders = []
    for thing in things:
        person = people.get(thing.about.person.id) if thing.about.person is not None else None
        if person is None:
            continue
        told, delivery = thing.told, thing.about.delivery
        reason = _LASTING.get(told.kind)
        if told.kind is BounceKind.SOFT and _tally(ground, session, person, standing):
            reason = SuppressionReason.SOFT_BOUNCES
        is_complaint = reason is SuppressionReason.COMPLAINT
        if reason is None or (not is_complaint and standing.is_over(person, thing.about)):
            continue
        orders.append(
            Order(
                person=person,
                reason=reason,
                note=" ".join(filter(None, (told.status, told.reason))),
                via="complaint" if is_complaint else "bounce",
                dispatch_id=delivery.dispatch_id if delivery is not None else None,
                return_id=thing.return_id,
            )
        )
    await suppression.add_all(ground, session, orders)


async def kept(
    ground: Ground, session: AsyncSession, told: Sequence[tuple[About, Told]]
) -> Mapping[str, int]:
    """Keep many things that are proven, without their consequence; the new ones by digest."""
    if not told:
        return {}
    statement = (
        tables.insert_for(session, Return)
        .on_conflict_do_nothing(index_elements=["digest"])
        .returning(col(Return.digest), col(Return.id))
    )
    values = [_values(ground, about, each) for about, each in told]
    values.sort(key=lambda each: str(each["digest"]))
    return dict((await session.execute(statement, values)).all())


async def _kept_unproven(ground: Ground, session: AsyncSession, about: About, told: Told) -> bool:
    """Whether it is new; that the same was said before is counted."""
    insert = tables.insert_for(session, Return).values(_values(ground, about, told))
    counted = insert.on_conflict_do_update(
        index_elements=["digest"], set_={"times": Return.times + 1}
    ).returning(col(Return.times))
    return bool((await session.execute(counted)).scalar_one() == 1)


def _values(ground: Ground, about: About, told: Told) -> dict[str, Any]:
    now = ground.clock.now()
    delivery, notice, person = about.delivery, about.notice, about.person
    # Of somebody who was erased, nothing that may name them comes back this way.
    is_known = person is not None or notice is not None
    most = ground.settings.bounces.evidence_max_bytes
    return {
        "delivery_id": delivery.id if delivery is not None else None,
        "dispatch_id": delivery.dispatch_id if delivery is not None else None,
        "notice_id": notice.id if notice is not None else None,
        "subscriber_id": person.id if person is not None else None,
        "domain": person.email_key.rpartition("@")[2] if person is not None else "",
        "via": told.via,
        "proof": about.proof.value,
        "kind": told.kind.value,
        "status": _plain(told.status, 20),
        "reason": _plain(told.reason, 40),
        "reply_code": told.reply_code,
        "diagnostic": logs.masked(_plain(told.diagnostic, 500)) if is_known else "",
        "digest": digest(about, told, now=now),
        "times": 1,
        "evidence": told.evidence[:most] or None if is_known else None,
        "occurred_at": told.occurred_at,
        "received_at": now,
    }


def digest(about: About, told: Told, *, now: datetime) -> str:
    """What it is about and what it means: two ways of telling the same have the same.

    Where no mail is known that it is about, the same about a person on one day is one thing.
    """
    if not is_by_day(about):
        return f"{about.subject}:{told.kind}"
    day = (told.occurred_at or now).date().isoformat()
    unproven = "?" if about.proof is Proof.NONE else ""
    return f"{unproven}{about.subject}:{told.kind}:{day}"


def is_by_day(about: About) -> bool:
    """Whether only a person is known, and no mail that it is about."""
    return about.subject.startswith("s:")


async def _mark(session: AsyncSession, things: Sequence[Thing], *, now: datetime) -> None:
    """The worst that is known of a mail stays, in whatever order it is told."""
    kinds: dict[BounceKind, list[int]] = defaultdict(list)
    for thing in things:
        if thing.about.delivery is not None:
            kinds[thing.told.kind].append(thing.about.delivery.id)
    if sum(map(len, kinds.values())) > 1:
        every = {number for numbers in kinds.values() for number in numbers}
        await session.execute(_in_order(every))
    for kind, numbers in kinds.items():
        mark = sa.update(Delivery).where(col(Delivery.id).in_(numbers))
        if kind is BounceKind.COMPLAINT:
            mark = mark.where(col(Delivery.complained_at).is_(None)).values(complained_at=now)
        elif kind in BOUNCES:
            better = ["", *(each.value for each in BOUNCES[BOUNCES.index(kind) + 1 :])]
            mark = mark.where(col(Delivery.bounce).in_(better)).values(bounce=kind.value)
        else:
            continue
        await session.execute(mark.execution_options(synchronize_session=False))


def _in_order(numbers: Collection[int]) -> sa.Select[int]:
    """Holds mails until the end, in the order in which everybody does (PostgreSQL).

    Not their keys: whoever keeps something that refers to them need not wait.
    """
    key = col(Delivery.id)
    found = sa.select(key).where(key.in_(sorted(numbers))).order_by(key)
    return found.with_for_update(key_share=True)


async def _held(session: AsyncSession, things: Sequence[Thing]) -> Mapping[int, Subscriber]:
    """The people they are about, held: what comes at once is taken one after the other."""
    numbers = {each.about.person.id for each in things if each.about.person is not None}
    statement = (
        select(Subscriber)
        .where(col(Subscriber.id).in_(sorted(numbers)))
        .order_by(col(Subscriber.id))
        # Their keys are shared by now with all who keep something about them, in `kept`.
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    rows = (await session.exec(statement)).all() if numbers else []
    return {row.id: row for row in rows}


def _plain(text: str, most: int) -> str:
    """One line that any database and page can hold: anybody can write anything into a bounce."""
    readable = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(readable.split())[:most]


@frozen
class _Standing:
    """What was known of some people before."""

    lifted_at: Mapping[int, datetime]
    """When they, or staff, said last that they can be mailed again."""
    got_through: set[int]
    """To whom a mail since their first soft bounce went, and did not come back."""

    def is_over(self, person: Subscriber, about: About) -> bool:
        """Whether it is about a mail from before it was said that they can be mailed again."""
        sent_at = about.delivery.sent_at if about.delivery is not None else None
        lifted_at = self.lifted_at.get(person.id)
        return sent_at is not None and lifted_at is not None and lifted_at > sent_at


async def _stand(
    ground: Ground,
    session: AsyncSession,
    people: Mapping[int, Subscriber],
    things: Sequence[Thing],
) -> _Standing:
    if not people:
        return _Standing(lifted_at={}, got_through=set())
    lifted = await session.execute(
        sa.select(col(Suppression.subscriber_id), sa.func.max(col(Suppression.lifted_at)))
        .where(
            col(Suppression.subscriber_id).in_(list(people)),
            col(Suppression.lifted_at).is_not(None),
        )
        .group_by(col(Suppression.subscriber_id))
    )
    soft = {
        thing.about.person.id
        for thing in things
        if thing.told.kind is BounceKind.SOFT and thing.about.person is not None
    }
    return _Standing(
        lifted_at={number: at for number, at in lifted if number is not None and at is not None},
        got_through=await _got_through(ground, session, soft),
    )


def _tally(ground: Ground, session: AsyncSession, person: Subscriber, standing: _Standing) -> bool:
    """Count a soft bounce; whether it was one too many."""
    settings = ground.settings.bounces
    now = ground.clock.now()
    if person.id in standing.got_through:
        standing.got_through.discard(person.id)
        person.soft_bounces, person.first_soft_bounce_at = 0, None
    person.soft_bounces += 1
    person.first_soft_bounce_at = person.first_soft_bounce_at or now
    session.add(person)
    since = now - person.first_soft_bounce_at
    is_long = since >= timedelta(days=settings.soft_days)
    return person.soft_bounces >= settings.soft_limit and is_long


async def _got_through(ground: Ground, session: AsyncSession, numbers: Collection[int]) -> set[int]:
    """To whom a mail since the first soft bounce was taken and did not come back."""
    if not numbers:
        return set()
    before = ground.clock.now() - timedelta(days=ground.settings.bounces.settled_days)
    statement = (
        sa.select(col(Delivery.subscriber_id))
        .join(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
        .where(
            col(Delivery.subscriber_id).in_(numbers),
            col(Delivery.bounce) == "",
            col(Delivery.sent_at) > col(Subscriber.first_soft_bounce_at),
            col(Delivery.sent_at) < before,
        )
        .distinct()
    )
    return {number for number in await session.scalars(statement) if number is not None}
