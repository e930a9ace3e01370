"""Suppresses addresses that the relay itself calls dead while we are sending."""

from collections.abc import Iterable

from sqlmodel.ext.asyncio.session import AsyncSession

from delivery.bounces import classifier
from delivery.letter import Kind, Result, Verdict
from delivery.models import Delivery, QueuedNotice
from foundation.ground import Ground
from subscribers import suppression
from subscribers.models import SuppressionReason


async def take(ground: Ground, session: AsyncSession, *, results: Iterable[Result]) -> None:
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
