"""What our own relay answers while we send, in the same words as what comes back later.

Only a reply about the address or mailbox itself has a consequence for its reader: anything else may
be about us, or about the relay's bad day.
"""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import consequences
from delivery.bounces import classifier
from delivery.bounces.reasons import BounceReason
from delivery.consequences import Thing, Told
from delivery.identifying import About
from delivery.letter import Kind, Result, Verdict
from delivery.models import BounceKind, Delivery, Proof, QueuedNotice
from foundation import rows
from foundation.ground import Ground
from subscribers.models import Subscriber

RELAY = "relay"
"""Stands in `Return.via`."""
_ABOUT_THE_READER = frozenset(
    {
        BounceReason.USER_UNKNOWN,
        BounceReason.DOMAIN_UNKNOWN,
        BounceReason.ADDRESS_MOVED,
        BounceReason.MAILBOX_DISABLED,
        BounceReason.NOT_ACCEPTING,
        BounceReason.SUSPENDED,
        BounceReason.MAILBOX_FULL,
    }
)


async def take(ground: Ground, session: AsyncSession, *, results: Iterable[Result]) -> None:
    """Keep why mail failed for good, and what follows, in the recorder's transaction."""
    failed = {
        (result.kind, result.id): result
        for result in results
        if result.verdict is Verdict.FAILED and result.reply.code
    }
    if not failed:
        return
    things = [
        *await _deliveries(session, [row for kind, row in failed if kind is Kind.DELIVERY]),
        *await _notices(session, [row for kind, row in failed if kind is Kind.NOTICE]),
    ]
    told = [(about, _told(failed[kind, row])) for kind, row, about in things]
    numbers = await consequences.kept(ground, session, told)
    digests = [consequences.digest(about, said, now=ground.clock.now()) for about, said in told]
    consequent = [
        Thing(about=about, told=said, return_id=numbers[digest])
        for (about, said), digest in zip(told, digests, strict=True)
        if digest in numbers and _is_about_the_reader(said)
    ]
    await consequences.act(ground, session, consequent)


def _told(result: Result) -> Told:
    """In the relay's words; one that was put off for too long is no dead mailbox."""
    reply = result.reply
    judged = classifier.classify_reply(reply.code, reply.text)
    is_given_up = reply.code < 500 and judged.kind is not BounceKind.BLOCK
    return Told(
        via=RELAY,
        kind=BounceKind.SOFT if is_given_up else judged.kind,
        status=judged.status,
        reason=judged.reason,
        reply_code=reply.code,
        diagnostic=reply.text,
        occurred_at=result.at,
    )


def _is_about_the_reader(told: Told) -> bool:
    """A bare 550 may be about us: the reply has to hold an enhanced code of its own."""
    is_said = bool(told.status) and told.status in told.diagnostic
    is_bounce = told.kind in (BounceKind.HARD, BounceKind.SOFT)
    return is_said and is_bounce and told.reason in _ABOUT_THE_READER


async def _deliveries(
    session: AsyncSession, numbers: Sequence[int]
) -> list[tuple[Kind, int, About]]:
    statement = (
        sa.select(Delivery, Subscriber)
        .outerjoin(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
        .where(col(Delivery.id).in_(sa.select(_NUMBERS.number(0))))
        .order_by(col(Delivery.id))
    )
    found = await session.execute(statement, {"numbers": rows.packed([each] for each in numbers)})
    return [
        (
            Kind.DELIVERY,
            row.id,
            About(subject=f"d:{row.id}", proof=Proof.RELAY, delivery=row, person=person),
        )
        for row, person in found.all()
    ]


async def _notices(session: AsyncSession, numbers: Sequence[int]) -> list[tuple[Kind, int, About]]:
    """There are few: each is asked for by itself."""
    found = []
    for number in sorted(numbers):
        row = await session.get(QueuedNotice, number)
        if row is None:
            continue
        person = await session.get(Subscriber, row.subscriber_id) if row.subscriber_id else None
        about = About(subject=f"n:{number}", proof=Proof.RELAY, notice=row, person=person)
        found.append((Kind.NOTICE, number, about))
    return found


_NUMBERS = rows.Rows("numbers")
