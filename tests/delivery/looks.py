"""Letters that a worker holds, and commits beside its last looks."""

import sqlalchemy as sa
from sqlalchemy import event
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import ledger
from delivery.letter import Envelope, Kind, Lease, Letter
from delivery.models import Delivery
from foundation.ground import Ground
from subscribers import suppression
from subscribers.models import SuppressionReason
from tests.world import mailing, people


def no_envelope(_is_8bit: bool) -> Envelope:
    """The look needs none."""
    return Envelope(mail_from="", rcpt_to="", pieces=(), size=0, needs_smtputf8=False)


async def leased(ground: Ground, *addresses: str) -> list[Letter]:
    """Letters to these people, held by worker 1."""
    for address in addresses:
        await people.subscribed(ground, email=address)
    topic = await people.topic(ground, "secure-communities")
    await mailing.start(ground, topics=[topic.id])
    lease = Lease.starting(ground.clock.now(), seconds=60)
    async with ground.db.transaction() as session:
        rows = await ledger.claim(
            session, worker_id=1, limit=10, now=ground.clock.now(), until=lease.until
        )
    return [letter_of(row, topic.id, lease) for row in rows]


def letter_of(row: ledger.Claimed, topic: int, lease: Lease) -> Letter:
    """What is to be sent to a row."""
    return Letter(
        kind=Kind.DELIVERY,
        id=row.id,
        attempt=1,
        lease=lease,
        topics=(topic,),
        compose=no_envelope,
    )


async def suppressed(ground: Ground, address: str) -> None:
    """Somebody else suppresses an address, and commits that."""
    async with ground.db.transaction() as session:
        await suppression.add(
            ground,
            session,
            email_key=address,
            reason=SuppressionReason.BY_HAND,
            via="test",
        )


def statements_from_now_on(ground: Ground) -> list[str]:
    """A list to which each statement is added that the database gets."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(ground.db.engine.sync_engine, "before_cursor_execute", note)
    return asked


async def written(session: AsyncSession, letter: Letter) -> None:
    """Something about a delivery that concerns no look."""
    await session.execute(
        sa.update(Delivery).where(col(Delivery.id) == letter.id).values(reply_text="said")
    )
