"""What many ask for at the same time is done together, and nobody suffers for another."""

import asyncio
from collections.abc import Sequence

import pytest

from foundation import errors
from foundation.together import MOST, Queue

BAD, REFUSED = -1, -2


class Work:
    """Doubles numbers; one of them can't be done, another is refused."""

    def __init__(self) -> None:
        self.turns: list[list[int]] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def __call__(self, asked: Sequence[int]) -> Sequence[int | errors.HandbillError]:
        """One turn."""
        self.turns.append(list(asked))
        await self.may_go_on.wait()
        if BAD in asked:
            raise ValueError("this one does not go")
        return [errors.Invalid("no") if each == REFUSED else each * 2 for each in asked]


async def test_those_who_come_during_a_turn_go_along_with_the_next() -> None:
    work = Work()
    queue = Queue(work)
    work.may_go_on.clear()
    asking = [asyncio.create_task(queue.ask(1))]
    await asyncio.sleep(0)
    asking += [asyncio.create_task(queue.ask(number)) for number in (2, 3, 4)]
    await asyncio.sleep(0)
    assert not any(each.done() for each in asking), "answered before it was done"
    work.may_go_on.set()
    assert await asyncio.gather(*asking) == [2, 4, 6, 8]
    assert work.turns == [[1], [2, 3, 4]]


async def test_one_that_does_not_go_and_one_that_is_refused_are_nobody_elses_trouble() -> None:
    work = Work()
    queue = Queue(work)
    found = await asyncio.gather(
        *(queue.ask(number) for number in (1, BAD, 2, REFUSED, 3)), return_exceptions=True
    )
    assert [found[place] for place in (0, 2, 4)] == [2, 4, 6]
    assert isinstance(found[1], ValueError)
    assert isinstance(found[3], errors.Invalid)


async def test_a_database_that_is_busy_is_not_asked_again_for_each() -> None:
    tried = []

    async def busy(asked: Sequence[int]) -> Sequence[int]:
        tried.append(list(asked))
        raise errors.Busy("later")

    queue = Queue(busy)
    found = await asyncio.gather(*(queue.ask(n) for n in range(3)), return_exceptions=True)
    assert [type(each) for each in found] == [errors.Busy] * 3
    assert tried == [[0, 1, 2]]


async def test_what_is_left_is_done_when_the_process_stops() -> None:
    work = Work()
    queue = Queue(work, apart_s=3600)
    for number in range(3):
        queue.leave(number)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    queue.leave(3)
    assert queue.is_crowded
    async with asyncio.timeout(60):
        await queue.settle()
    assert work.turns == [[0, 1, 2], [3]]


@pytest.mark.parametrize(("apart_s", "is_soon_enough"), [(3600, True), (0, False)])
async def test_who_hands_something_over_waits_in_quiet_times_and_while_turns_take_long(
    apart_s: float, is_soon_enough: bool
) -> None:
    work = Work()
    queue = Queue(work, apart_s=apart_s)
    work.may_go_on.clear()
    first = asyncio.create_task(queue.hand(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = asyncio.create_task(queue.hand(2))
    await asyncio.sleep(0)
    assert not first.done()
    assert second.done() is is_soon_enough
    work.may_go_on.set()
    await queue.settle()
    await asyncio.gather(first, second)
    assert work.turns == [[1], [2]]


async def test_who_goes_away_does_not_end_it_for_others() -> None:
    work = Work()
    queue = Queue(work)
    work.may_go_on.clear()
    gone, waits = asyncio.create_task(queue.ask(1)), asyncio.create_task(queue.ask(2))
    await asyncio.sleep(0)
    gone.cancel()
    work.may_go_on.set()
    assert await waits == 4
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_where_turns_may_lie_ready_a_full_one_is_handed_over_before_the_last_is_done() -> (
    None
):
    work = Work()
    queue = Queue(work, lies_ready=True)
    work.may_go_on.clear()
    asking = [asyncio.create_task(queue.ask(number)) for number in range(3 * MOST)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert [len(turn) for turn in work.turns] == [MOST, MOST], "one under way, and one ready"
    work.may_go_on.set()
    assert await asyncio.gather(*asking) == [2 * number for number in range(3 * MOST)]
    assert [number for turn in work.turns for number in turn] == list(range(3 * MOST))
