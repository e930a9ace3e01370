"""Ledger rows a second when a dispatch starts, beside a plain `INSERT … SELECT` of as many rows."""

import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from bench import house
from bench.measure import Result, compare
from campaigns import audiences
from tests.world import mailing

_PLAIN = """
CREATE TABLE yardstick (
    id INTEGER PRIMARY KEY, dispatch_id INTEGER, subscriber_id INTEGER, language TEXT, state TEXT
)
"""
_FILL = """
INSERT INTO yardstick (dispatch_id, subscriber_id, language, state)
SELECT :number, id, language, 'queued' FROM subscribers
"""


async def run(*, people: int, times: int) -> Result:
    """Everybody confirmed on a topic, by the same query that campaigns use."""
    with tempfile.TemporaryDirectory() as folder:
        async with house.opened(Path(folder)) as ground:
            topic = await house.crowd(ground, people)
            plans = house.bulletins(ground)
            numbers = iter(range(1, 1000))
            async with ground.db.transaction() as session:
                await session.execute(sa.text(_PLAIN))
                audience = audiences.Audience(topics=["secure-communities"])
                resolved = await audiences.resolve(
                    ground, session, audience, languages=["en", "es"]
                )

            async def ours() -> float:
                number = next(numbers)
                began = time.perf_counter()
                made = await mailing.start(
                    ground,
                    topics=[topic],
                    campaign_id=number,
                    plans=plans,
                    recipients=audiences.select_recipients(resolved),
                )
                took_s = time.perf_counter() - began
                if made.audience != people:
                    raise AssertionError(f"{made.audience} of {people} are in the ledger")
                return people / took_s

            async def theirs() -> float:
                began = time.perf_counter()
                async with ground.db.transaction() as session:
                    await session.execute(sa.text(_FILL), {"number": next(numbers)})
                return people / (time.perf_counter() - began)

            return await compare(
                f"ledger snapshot, {people:,} people",
                unit="rows",
                yardstick="a plain INSERT … SELECT",
                ours=ours,
                theirs=theirs,
                times=times,
            )
