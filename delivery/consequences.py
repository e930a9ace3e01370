"""What follows from mail that came back: the ledger's mark, suppression, a person's tally.

Hard ends mail to the address at once, soft only when it happened again and again with nothing
taken in between, a complaint ends every mail, a block is never the reader's fault. Each thing has
its consequence once, by however many ways it comes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery.identifying import About
from delivery.models import BounceKind, Delivery, Proof, Return
from foundation import logs, tables
from foundation.ground import Ground
from subscribers import suppression
from subscribers.models import Subscriber, Suppression, SuppressionReason

BOUNCES = (BounceKind.HARD, BounceKind.BLOCK, BounceKind.SOFT)
"""What can be wrong with a mail that came back, the worst first."""
UNBELIEVED = (Proof.NONE.value, Proof.DISMISSED.value)
"""What stands in `Return.proof` of something that has no consequence."""
_LASTING = {
    BounceKind.HARD: SuppressionReason.HARD_BOUNCE,
    BounceKind.COMPLAINT: SuppressionReason.COMPLAINT,
}


@dataclass(frozen=True, kw_only=True, slots=True)
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


async def keep(ground: Ground, session: AsyncSession, about: About, told: Told) -> bool:
    """Keep what came back and let it have its consequence; whether it was new.

    What is not proven is kept, counted, and has none.
    """
    if about.proof is Proof.NONE:
        return await _kept_unproven(ground, session, about, told)
    numbers = await kept(ground, session, [(about, told)])
    for number in numbers.values():
        await act(ground, session, about, told, return_id=number)
    return bool(numbers)


async def act(
    ground: Ground, session: AsyncSession, about: About, told: Told, *, return_id: int
) -> None:
    """The consequence of something that is known to be true."""
    if about.delivery is not None:
        await _mark(session, about.delivery, told.kind, now=ground.clock.now())
    if about.person is None:
        return
    # Held until the end: two things that come at once are taken one after the other (PostgreSQL).
    person = await session.get(
        Subscriber, about.person.id, with_for_update=True, populate_existing=True
    )
    if person is None:
        return
    reason = _LASTING.get(told.kind)
    if told.kind is BounceKind.SOFT and await _tally(ground, session, person):
        reason = SuppressionReason.SOFT_BOUNCES
    if reason is None or (
        reason is not SuppressionReason.COMPLAINT and await _is_over(session, person, about)
    ):
        return
    await suppression.add(
        ground,
        session,
        subscriber_id=person.id,
        reason=reason,
        note=" ".join(filter(None, (told.status, told.reason))),
        via="complaint" if reason is SuppressionReason.COMPLAINT else "bounce",
        dispatch_id=about.delivery.dispatch_id if about.delivery is not None else None,
        return_id=return_id,
    )


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
    if not about.subject.startswith("s:"):
        return f"{about.subject}:{told.kind}"
    day = (told.occurred_at or now).date().isoformat()
    unproven = "?" if about.proof is Proof.NONE else ""
    return f"{unproven}{about.subject}:{told.kind}:{day}"


async def _mark(session: AsyncSession, row: Delivery, kind: BounceKind, *, now: datetime) -> None:
    """The worst that is known of a mail stays, in whatever order it is told."""
    mark = sa.update(Delivery).where(col(Delivery.id) == row.id)
    if kind is BounceKind.COMPLAINT:
        mark = mark.where(col(Delivery.complained_at).is_(None)).values(complained_at=now)
    elif kind in BOUNCES:
        better = ["", *(each.value for each in BOUNCES[BOUNCES.index(kind) + 1 :])]
        mark = mark.where(col(Delivery.bounce).in_(better)).values(bounce=kind.value)
    else:
        return
    await session.execute(mark)


def _plain(text: str, most: int) -> str:
    """One line that any database and page can hold: anybody can write anything into a bounce."""
    readable = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(readable.split())[:most]


async def _is_over(session: AsyncSession, person: Subscriber, about: About) -> bool:
    """Whether it is about a mail from before the person, or staff, said that they can be mailed."""
    sent_at = about.delivery.sent_at if about.delivery is not None else None
    if sent_at is None:
        return False
    statement = sa.select(
        sa.exists().where(
            col(Suppression.subscriber_id) == person.id, col(Suppression.lifted_at) > sent_at
        )
    )
    return bool((await session.execute(statement)).scalar_one())


async def _tally(ground: Ground, session: AsyncSession, person: Subscriber) -> bool:
    """Count a soft bounce; whether it was one too many."""
    settings = ground.settings.bounces
    now = ground.clock.now()
    if await _got_through(session, person, before=now - timedelta(days=settings.settled_days)):
        person.soft_bounces, person.first_soft_bounce_at = 0, None
    person.soft_bounces += 1
    person.first_soft_bounce_at = person.first_soft_bounce_at or now
    session.add(person)
    since = now - person.first_soft_bounce_at
    is_long = since >= timedelta(days=settings.soft_days)
    return person.soft_bounces >= settings.soft_limit and is_long


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
