"""What staff decide about people whom a step of the welcome did not reach: send it again."""

from campaigns import retrying as campaigns_retrying
from campaigns import welcome, welcome_reports
from delivery import retrying
from delivery.listing import Choice
from delivery.models import DeliveryState
from foundation import audit, errors
from foundation.audit import Actor
from foundation.ground import Ground


async def retry(
    ground: Ground, *, actor: Actor, topic: str, step_id: int, state: DeliveryState
) -> int:
    """Queue a step anew for whom it failed, is put off or uncertain; returns how many they are.

    Whoever left, bounced or is suppressed is passed over. Raises `errors.Refused` when nobody is
    left to be tried, `errors.NotFound`.
    """
    step, _ = await welcome.content(ground, topic=topic, step_id=step_id)
    queued = 0
    async with ground.db.transaction() as session:
        for order in await welcome_reports.dispatches(session, step.id):
            done = await retrying.retry(
                session, dispatch_id=order, choice=Choice(state=state), now=ground.clock.now()
            )
            queued += done.queued
        if not queued:
            raise errors.Refused(campaigns_retrying.NOBODY)
        audit.record(
            session,
            actor=actor,
            at=ground.clock.now(),
            action="welcome.retried",
            object_kind="welcome",
            object_id=step.welcome_id,
            after={"step": step.id, "of": state.value, "people": queued},
        )
    return queued
