"""Answers that take seconds, found beside the page that asks for them.

A page waits a moment. Where that is not enough it comes without the answer, and asks for it once
more: then it waits for as long as it takes. Whoever asks something else of the same place gives the
older question up, and the database stops working at it.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import errors
from foundation.database import Database
from foundation.i18n import N_

_KEPT_S = 5.0
"""So long an answer waits for the page that comes back for it."""

Answer = TypeVar("Answer")
Work = Callable[[AsyncSession], Coroutine[Any, Any, Answer]]


class GivenUp(errors.Conflict):
    """Something else was asked from the same place meanwhile."""

    def __init__(self) -> None:
        super().__init__(N_("Something newer was asked here meanwhile."))


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A question, and from where it comes."""

    place: Hashable
    """A page of somebody's; what was asked from there last counts."""
    question: Hashable
    is_again: bool = False
    """Whether the page was shown without the answer, and waits now for as long as it takes."""


class Asides:
    """The answers that a process is finding."""

    def __init__(self, db: Database, *, patience_s: float) -> None:
        self._db = db
        self._patience_s = patience_s
        self._tasks: dict[Hashable, asyncio.Task[Any]] = {}
        """By question."""
        self._asked: dict[Hashable, Hashable] = {}
        """Place → the question that was asked there last."""

    async def ask(self, asked: Asked, work: Work[Answer]) -> Answer | None:
        """What `work` finds; None while it is still looking. Raises what `work` raises.

        A question that is being answered already is not asked of the database twice. Whoever came
        again for an answer that was given up is told so: `GivenUp`.
        """
        self._turn_to(asked)
        task = self._tasks.get(asked.question)
        if task is None or (task.done() and not asked.is_again):
            task = self._tasks[asked.question] = asyncio.create_task(self._db.apart(work))
        await asyncio.wait([task], timeout=None if asked.is_again else self._patience_s)
        if not task.done():
            task.add_done_callback(lambda _: self._forget_later(asked, task))
            return None
        self._forget(asked, task)
        if task.cancelled():
            if asked.is_again:
                raise GivenUp
            return None
        found: Answer = task.result()
        return found

    async def close(self) -> None:
        """Stop looking, for a process that ends."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _turn_to(self, asked: Asked) -> None:
        """Give up what was asked from the same place, unless another place waits for it, too."""
        before = self._asked.get(asked.place)
        self._asked[asked.place] = asked.question
        if before in (None, asked.question) or before in self._asked.values():
            return
        if before in self._tasks:
            self._tasks.pop(before).cancel()

    def _forget_later(self, asked: Asked, task: asyncio.Task[Any]) -> None:
        if not task.cancelled():
            task.exception()  # a page that is closed does not come back for it
            asyncio.get_running_loop().call_later(_KEPT_S, self._forget, asked, task)
        else:
            self._forget(asked, task)

    def _forget(self, asked: Asked, task: asyncio.Task[Any]) -> None:
        if self._tasks.get(asked.question) is task:
            del self._tasks[asked.question]
        if self._asked.get(asked.place) == asked.question:
            del self._asked[asked.place]
