"""What follows from mail that came back: the ledger's mark, suppression, a person's tally.

Hard ends mail to the address at once, soft only when it happened again and again with nothing
taken in between, a complaint ends every mail, a block is never the reader's fault. Each thing has
its consequence once, by however many ways it comes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

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
    number = await _kept(ground, session, about, told)
    if number is None:
        return False
    if about.proof is not Proof.NONE:
        await act(ground, session, about, told, return_id=number)
    return True


async def act(
    ground: Ground, session: AsyncSession, about: About, told: Told, *, return_id: int
) -> None:
    """The consequence of something that is known to be true."""
    if about.delivery is not None:
        _mark(ground, about.delivery, told.kind)
        session.add(about.delivery)
    person = about.person
    if person is None:
        return
    reason = _LASTING.get(told.kind)
    if told.kind is BounceKind.SOFT and await _tally(ground, session, person.id):
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
        via="bounce",
        dispatch_id=about.delivery.dispatch_id if about.delivery is not None else None,
        return_id=return_id,
    )


async def _kept(ground: Ground, session: AsyncSession, about: About, told: Told) -> int | None:
    """The number of the new row; None when the same was known."""
    now = ground.clock.now()
    delivery, person = about.delivery, about.person
    is_proven = about.proof is not Proof.NONE
    insert = tables.insert_for(session, Return).values(
        delivery_id=delivery.id if delivery is not None else None,
        dispatch_id=delivery.dispatch_id if delivery is not None else None,
        notice_id=about.notice.id if about.notice is not None else None,
        subscriber_id=person.id if person is not None else None,
        domain=person.email_key.rpartition("@")[2] if person is not None else "",
        via=told.via,
        proof=about.proof.value,
        kind=told.kind.value,
        status=told.status,
        reason=told.reason,
        reply_code=told.reply_code,
        diagnostic=logs.masked(_plain(told.diagnostic))[:500],
        digest=digest(about, told, now=now),
        times=1,
        evidence=told.evidence[: ground.settings.bounces.evidence_max_bytes] or None,
        occurred_at=told.occurred_at,
        received_at=now,
    )
    if is_proven:
        insert = insert.on_conflict_do_nothing(index_elements=["digest"])
        return (await session.execute(insert.returning(col(Return.id)))).scalar_one_or_none()
    counted = insert.on_conflict_do_update(
        index_elements=["digest"], set_={"times": Return.times + 1}
    ).returning(col(Return.id), col(Return.times))
    number, times = (await session.execute(counted)).one()
    return int(number) if times == 1 else None


def _plain(text: str) -> str:
    """On one line, without what PostgreSQL can't keep (NUL) or a terminal would obey."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def digest(about: About, told: Told, *, now: datetime) -> str:
    """What it is about and what it means: two ways of telling the same have the same.

    Where no mail is known that it is about, the same about a person on one day is one thing.
    """
    if not about.subject.startswith("s:"):
        return f"{about.subject}:{told.kind}"
    day = (told.occurred_at or now).date().isoformat()
    unproven = "?" if about.proof is Proof.NONE else ""
    return f"{unproven}{about.subject}:{told.kind}:{day}"


def _mark(ground: Ground, row: Delivery, kind: BounceKind) -> None:
    """The worst that is known of a mail stays, in whatever order it is told."""
    if kind is BounceKind.COMPLAINT:
        row.complained_at = row.complained_at or ground.clock.now()
    elif kind in BOUNCES and kind.value not in _as_bad(row.bounce):
        row.bounce = kind.value


def _as_bad(bounce: str) -> list[str]:
    """Kinds that are no worse than one that is known."""
    values = [kind.value for kind in BOUNCES]
    return values[values.index(bounce) :] if bounce in values else []


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


async def _tally(ground: Ground, session: AsyncSession, subscriber_id: int) -> bool:
    """Count a soft bounce; whether it was one too many."""
    settings = ground.settings.bounces
    # Held until the end: two that come at once are counted one after the other (PostgreSQL).
    person = await session.get_one(Subscriber, subscriber_id, with_for_update=True)
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
