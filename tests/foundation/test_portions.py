"""Whoever works through a long list leaves the event loop to others in between."""

import asyncio
import itertools

from foundation import portions


async def test_all_entries_come_in_their_order() -> None:
    entries = list(range(1000))
    assert [entry async for some in portions.of(entries) for entry in some] == entries
    assert [list(some) async for some in portions.of(range(3))] == [[0, 1, 2]]
    assert [some async for some in portions.of(list[int]())] == []


async def test_others_have_a_turn_after_each_portion() -> None:
    turns: list[int] = []
    done = 0

    async def others() -> None:
        while True:
            turns.append(done)
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    async for some in portions.of(range(1000)):
        done += len(some)
    beside.cancel()
    assert len(turns) >= 10
    assert max(later - earlier for earlier, later in itertools.pairwise(turns)) <= 100
