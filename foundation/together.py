"""Does for many at once what each of them asks for: one transaction and one commit for all.

Whoever comes while a turn is under way goes along with the next one, so turns grow with the load
and nobody is answered before what they asked for is kept. `Ground.together` holds the queues.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from foundation import errors

_MOST = 500
"""So many at a time, so that a turn holds nobody else up for long."""
_APART_S = 0.02
"""While many come, turns begin no sooner after one another, so that more go along with each."""

Asked = TypeVar("Asked")
Done = TypeVar("Done")
_Context = TypeVar("_Context")
Work = Callable[[Sequence[Asked]], Awaitable[Sequence[Done | errors.HandbillError]]]
"""Does what several ask for: for each, in their order, what came of it or what it was refused for.

When it raises, none of it was done.
"""


class Queue(Generic[Asked, Done]):
    """Those who wait for one kind of work."""

    def __init__(self, work: Work[Asked, Done]) -> None:
        self._work = work
        self._waiting: list[tuple[Asked, asyncio.Future[Done]]] = []
        self._turns: asyncio.Task[None] | None = None

    async def ask(self, asked: Asked) -> Done:
        """Have it done in the next turn; raises what it was refused for."""
        answer: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        if self._turns is None:
            # It ends by itself with the last who waits, and holds none up that went away.
            self._turns = asyncio.create_task(self._take_turns())
        return await answer

    async def _take_turns(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                began = loop.time()
                taken, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                await self._turn(taken)
                if 1 < len(taken) < _MOST:
                    await asyncio.sleep(began + _APART_S - loop.time())
        finally:
            self._turns = None

    async def _turn(self, taken: Sequence[tuple[Asked, asyncio.Future[Done]]]) -> None:
        try:
            results = await self._work([asked for asked, _ in taken])
        except Exception as problem:  # noqa: BLE001 - whoever asked is told
            if len(taken) == 1 or isinstance(problem, errors.Busy):
                _answer(taken, [problem] * len(taken))
                return
            # One of them does not go: the others must not suffer for it.
            for each in taken:
                await self._turn([each])
        else:
            _answer(taken, results)


class Together:
    """The queues of a process, one for each kind of work."""

    def __init__(self) -> None:
        self._queues: dict[Any, Queue[Any, Any]] = {}

    async def ask(
        self,
        work: Callable[
            [_Context, Sequence[Asked]], Awaitable[Sequence[Done | errors.HandbillError]]
        ],
        context: _Context,
        asked: Asked,
    ) -> Done:
        """Have `work(context, […])` done for `asked` and whoever else asks for it now."""
        queue = self._queues.get(work)
        if queue is None:
            queue = self._queues[work] = Queue(functools.partial(work, context))
        found: Done = await queue.ask(asked)
        return found


def _answer(
    taken: Sequence[tuple[Asked, asyncio.Future[Done]]], results: Sequence[Done | Exception]
) -> None:
    for (_, answer), result in zip(taken, results, strict=True):
        if answer.done():
            continue  # whoever asked went away
        if isinstance(result, Exception):
            answer.set_exception(result)
        else:
            answer.set_result(result)
