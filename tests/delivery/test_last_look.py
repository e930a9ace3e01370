"""The last look is never older than the last commit, whoever made it."""

import asyncio
from collections.abc import Iterable

import pytest

from delivery.letter import Letter
from delivery.models import Quiet
from delivery.rechecking import Look, Recheck
from foundation.ground import Ground
from tests.delivery.looks import leased, statements_from_now_on, suppressed, written


@pytest.mark.storage
async def test_a_suppression_committed_after_the_look_at_the_one_before_is_seen(
    ground: Ground,
) -> None:
    first, second = await leased(ground, "ana@example.org", "bo@example.org")

    def upcoming() -> Iterable[Letter]:
        return [second]

    recheck = Recheck(ground, worker_id=1, upcoming=upcoming)
    assert await recheck.look(first) is Look.GO
    await suppressed(ground, "bo@example.org")
    assert await recheck.look(second) is Look.SUPPRESSED
    await recheck.close()


async def test_while_nothing_is_committed_the_next_ones_need_no_query(ground: Ground) -> None:
    first, second = await leased(ground, "ana@example.org", "bo@example.org")
    recheck = Recheck(ground, worker_id=1, upcoming=lambda: [second])
    assert await recheck.look(first) is Look.GO
    asked = statements_from_now_on(ground)
    assert await recheck.look(second) is Look.GO
    assert asked == []
    await recheck.close()


@pytest.mark.storage
async def test_whoever_asks_about_the_same_message_at_the_same_time_is_answered(
    ground: Ground,
) -> None:
    (only,) = await leased(ground, "ana@example.org")
    recheck = Recheck(ground, worker_id=1, upcoming=lambda: [only])
    assert await asyncio.gather(*(recheck.look(only) for _ in range(3))) == [Look.GO] * 3
    await recheck.close()


async def test_a_commit_of_our_own_leaves_what_is_known_and_brings_answers_of_its_own(
    ground: Ground,
) -> None:
    first, second, third = await leased(ground, "ana@example.org", "bo@example.org", "cy@x.org")
    waiting = [second]
    recheck = Recheck(ground, worker_id=1, upcoming=lambda: waiting)
    await recheck.look(first)
    async with ground.db.transaction() as session:
        await written(session, first)
        mark = await recheck.mark(session, Quiet.CLAIM)
        found = await recheck.foresee(session, [third])
    await recheck.carry(mark, found)
    assert (recheck.known(second), recheck.known(third)) == (Look.GO, Look.GO)
    assert recheck.known(first) is None, "it is not waiting any more"
    await recheck.close()


async def test_a_look_beside_a_commit_of_our_own_is_answered_by_that(ground: Ground) -> None:
    first, second = await leased(ground, "ana@example.org", "bo@example.org")
    recheck = Recheck(ground, worker_id=1, upcoming=list)
    await recheck.look(first)
    async with ground.db.transaction() as session:
        await written(session, first)
        mark = await recheck.mark(session, Quiet.CLAIM)
        found = await recheck.foresee(session, [second])
        look = asyncio.create_task(recheck.look(second))
        asked = statements_from_now_on(ground)
    await recheck.carry(mark, found)
    assert await look is Look.GO
    assert asked == []
    await recheck.close()


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_commit_of_somebody_else_beside_ours_makes_every_answer_old(
    ground: Ground, when: str
) -> None:
    first, second = await leased(ground, "ana@example.org", "bo@example.org")
    recheck = Recheck(ground, worker_id=1, upcoming=lambda: [second])
    await recheck.look(first)
    if when == "before":
        await suppressed(ground, "bo@example.org")
    async with ground.db.transaction() as session:
        await written(session, first)
        mark = await recheck.mark(session, Quiet.CLAIM)
    if when == "after":
        await suppressed(ground, "bo@example.org")
    await recheck.carry(mark)
    assert recheck.known(second) is None
    assert await recheck.look(second) is Look.SUPPRESSED
    await recheck.close()
