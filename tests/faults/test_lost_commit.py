"""The connection to PostgreSQL breaks between a commit and the answer to it."""

from pathlib import Path

import pytest

from foundation.clock import SystemClock
from tests.world import deafening, grounds, mailing, sink
from tests.world.databases import PostgresServer

PEOPLE = 6
FEWEST_COMMITS = 4
"""A row for the worker, a claim, results, and giving up at the end."""


@pytest.mark.slow
async def test_whichever_commit_is_not_answered_everybody_gets_one(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    url = await postgres.fresh()
    async with sink.running() as server, deafening.leading_to(url) as way:
        settings = grounds.settings(
            url=way.url, folder=tmp_path, changes={}, relay_port=server.port
        )
        async with grounds.standing(settings, SystemClock()) as ground:
            topic = await mailing.crowd(ground, PEOPLE)
            way.lost.set()
            while way.lost.is_set():
                way.lost.clear()
                way.loses += 1
                way.is_counting, way.commits = False, 0
                made = await mailing.start(ground, topics=[topic], campaign_id=way.loses)
                way.is_counting = True
                async with mailing.sending(ground):
                    await mailing.stand(ground, made.id, sent=PEOPLE)
                assert set(server.taken.values()) == {1}, f"commit {way.loses}"
                assert all(row.worker_id is None for row in await mailing.rows(ground, made.id))
                server.taken.clear()
            assert way.loses > FEWEST_COMMITS
    await postgres.drop(url)
