"""Does for many at once what each of them asks for: one transaction and one commit for all.

Whoever comes while a turn is under way goes along with the next one, so turns grow with the load
and nobody is answered before what they asked for is kept. `Ground.together` holds the queues.
"""

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from foundation import errors, logs

_log = logs.get("together")

MOST = 500
"""So many at a time, so that a turn holds nobody else up for long."""
_APART_S = 0.02
"""While many come, turns begin no sooner after one another, so that more go along with each."""

Asked = TypeVar("Asked")
Done = TypeVar("Done")
_Context = TypeVar("_Context")
_Waiting = tuple[Asked, asyncio.Future[Done] | None]
Work = Callable[[Sequence[Asked]], Awaitable[Sequence[Done | errors.HandbillError]]]
"""Does what several ask for: for each, in their order, what came of it or what it was refused for.

When it raises, none of it was done.
"""


class Queue(Generic[Asked, Done]):
    """Those who wait for one kind of work."""

    def __init__(
        self, work: Work[Asked, Done], *, apart_s: float = _APART_S, lies_ready: bool = False
    ) -> None:
        self._work = work
        self._apart_s = apart_s
        self._lies_ready = lies_ready
        """Whether a full turn is handed over while the one before it is under way."""
        self._waiting: list[_Waiting[Asked, Done]] = []
        self._turns: asyncio.Task[None] | None = None
        self._first_came = self._turn_came = 0.0
        self._is_over = asyncio.Event()

    @property
    def is_crowded(self) -> bool:
        """Whether many come, and what they leave is done soon enough without their waiting for it.

        In quiet times a turn is had at once; and while turns take long, more than a moment's work
        could be lost with the process.
        """
        return self._turns is not None and self._behind_s() <= self._apart_s

    async def ask(self, asked: Asked) -> Done:
        """Have it done in the next turn; raises what it was refused for."""
        answer: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        self._enter(asked, answer)
        return await answer

    async def hand(self, asked: Asked) -> None:
        """Have it done, and wait for it unless the queue is crowded."""
        if self.is_crowded:
            self.leave(asked)
        else:
            await self.ask(asked)

    def leave(self, asked: Asked) -> None:
        """Have it done in the next turn, and don't wait for it; a refusal is only logged."""
        self._enter(asked, None)

    async def settle(self) -> None:
        """Do what is left over now, for who stops; nothing waits between turns any more."""
        self._is_over.set()
        if self._turns is not None:
            await self._turns

    def _behind_s(self) -> float:
        """For how long whoever came first of those who are not answered has been there."""
        came = self._turn_came or (self._first_came if self._waiting else 0.0)
        return asyncio.get_running_loop().time() - came if came else 0.0

    def _enter(self, asked: Asked, answer: asyncio.Future[Done] | None) -> None:
        if not self._waiting:
            self._first_came = asyncio.get_running_loop().time()
        self._waiting.append((asked, answer))
        if self._turns is None:
            # It ends by itself with the last who waits, and holds none up that went away.
            self._turns = asyncio.create_task(self._take_turns())

    async def _take_turns(self) -> None:
        loop = asyncio.get_running_loop()
        before: asyncio.Task[None] | None = None
        try:
            while self._waiting:
                began = loop.time()
                taken, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                self._turn_came = self._first_came
                if self._lies_ready and len(self._waiting) >= MOST:
                    turn = asyncio.create_task(self._turn(taken))
                    if before is not None:
                        await before
                    before = turn
                    continue
                await self._turn(taken)
                if before is not None:
                    await before
                    before = None
                self._turn_came = 0.0
                left_s = began + self._apart_s - loop.time()
                if 1 < len(taken) < MOST and left_s > 0:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._is_over.wait(), left_s)
        finally:
            self._turns, self._turn_came = None, 0.0

    async def _turn(self, taken: Sequence[_Waiting[Asked, Done]]) -> None:
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

    def hand_over(
        self, work: Callable[..., Any], instead: Callable[..., Any], context: object
    ) -> None:
        """Have another process do by `instead` what is asked of `work` from now on."""
        doing = functools.partial(instead, context)
        self._queues[work] = Queue(doing, lies_ready=True)

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


def _answer(taken: Sequence[_Waiting[Asked, Done]], results: Sequence[Done | Exception]) -> None:
    for (_, answer), result in zip(taken, results, strict=True):
        if answer is None:
            if isinstance(result, Exception):
                _log.warning("what nobody waited for could not be done", problem=repr(result))
        elif answer.done():
            continue  # whoever asked went away
        elif isinstance(result, Exception):
            answer.set_exception(result)
        else:
            answer.set_result(result)
