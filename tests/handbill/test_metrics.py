"""Totals in the form that Prometheus reads."""

from datetime import timedelta

import pytest

from delivery import dispatch, ledger
from delivery.letter import Kind, Reply, Result, Verdict
from foundation.ground import Ground
from handbill import metrics
from tests.world import mailing


@pytest.mark.storage
async def test_recipients_are_counted_by_state_until_their_dispatch_is_over(
    ground: Ground,
) -> None:
    now = ground.clock.now()
    topic = await mailing.crowd(ground, 6)
    made = await mailing.start(ground, topics=[topic])
    verdicts = (Verdict.SENT, Verdict.SENT, Verdict.FAILED, Verdict.DEFERRED)
    async with ground.db.transaction() as session:
        until = now + timedelta(minutes=2)
        rows = await ledger.claim(session, worker_id=1, limit=5, now=now, until=until)
        reply = Reply(250, "2.0.0 Ok", "main")
        results = [
            Result(Kind.DELIVERY, row.id, 1, verdict, now, reply=reply, due_at=until)
            for row, verdict in zip(rows, verdicts, strict=False)
        ]
        await ledger.record(session, worker_id=1, results=results)
    assert await told(ground) == {"queued": 2, "sent": 2, "failed": 1, "deferred": 1}
    async with ground.db.transaction() as session:
        await dispatch.cancel(session, dispatch_id=made.id)
    assert not any((await told(ground)).values())


async def told(ground: Ground) -> dict[str, int]:
    """What it says of recipients whose dispatch is not over."""
    text, _ = await metrics.told(ground.db)
    begins = b'handbill_deliveries_running{state="'
    lines = [line.removeprefix(begins) for line in text.splitlines() if line.startswith(begins)]
    return {
        state.decode(): int(float(count))
        for state, count in (line.split(b'"} ', maxsplit=1) for line in lines)
    }
