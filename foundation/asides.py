"""Answers that take seconds, found beside the page that asks for them.

A page begins to ask, goes on with what else it needs, and takes the answer when it is made. Where
that is not there in a moment, the page comes without it and asks for it once more: then it waits
for as long as it takes. Whoever asks something else of the same place gives the older question up,
and the database stops working at it.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import errors
from foundation.database import Database
from foundation.frozen import frozen
from foundation.i18n import N_

_KEPT_S = 5.0
"""So long an answer waits for the page that comes back for it."""

Answer = TypeVar("Answer")
Work = Callable[[AsyncSession], Coroutine[Any, Any, Answer]]


class GivenUp(errors.Conflict):
    """Something else was asked from the same place meanwhile."""

    def __init__(self) -> None:
        super().__init__(N_("Something newer was asked here meanwhile."))


@frozen
class Asked:
    """A question, and from where it comes."""

    place: Hashable
    """A page of somebody's; what was asked from there last counts."""
    question: Hashable
    is_again: bool = False
    """Whether the page was shown without the answer, and waits now for as long as it takes."""


@dataclass(kw_only=True, slots=True)
class _Finding:
    """A question that is being answered, or was a moment ago."""

    task: asyncio.Task[Any]
    shown_without: int = 0
    """How many parts of pages came without the answer, and come back for it."""


class Asking(Generic[Answer]):
    """A question that was begun; the answer is there for every part of a page that shows it."""

    def __init__(
        self, asides: "Asides", asked: Asked, finding: _Finding, *, patience_s: float
    ) -> None:
        self._asides = asides
        self._asked = asked
        self._finding = finding
        self._patience_s = patience_s
        self._until = asyncio.get_running_loop().time() + patience_s
        self._is_taken = False

    async def answer(self) -> Answer | None:
        """What is found; None while it is not. Raises what the work raises.

        The wait counts from when it was asked. Whoever came again for an answer that was given up
        is told so: `GivenUp`.
        """
        task = self._finding.task
        if self._asked.is_again:
            await asyncio.wait([task])
        elif self._patience_s:
            left_s = self._until - asyncio.get_running_loop().time()
            await asyncio.wait([task], timeout=max(0.0, left_s))
        if not self._asked.is_again and not (self._patience_s and task.done()):
            self._finding.shown_without += 1
            return None
        if not self._is_taken:
            self._is_taken = True
            self._asides.taken(self._asked, self._finding)
        if task.cancelled():
            if self._asked.is_again:
                raise GivenUp
            return None
        found: Answer = task.result()
        return found


class Asides:
    """The answers that a process is finding."""

    def __init__(self, db: Database, *, patience_s: float) -> None:
        self._db = db
        self._patience_s = patience_s
        """0: no page waits."""
        self._findings: dict[Hashable, _Finding] = {}
        """By question."""
        self._asked: dict[Hashable, Hashable] = {}
        """Place → the question that was asked there last."""
        self._at_work: set[asyncio.Task[Any]] = set()
        """Also those that were given up, until the database has stopped."""

    def begin(self, asked: Asked, work: Work[Answer]) -> Asking[Answer]:
        """Have `work` find it. What is being found already is not asked of the database twice."""
        self._turn_to(asked)
        finding = self._findings.get(asked.question)
        if finding is None or (finding.task.done() and not asked.is_again):
            finding = _Finding(task=asyncio.create_task(self._db.apart(work)))
            self._at_work.add(finding.task)
            finding.task.add_done_callback(self._at_work.discard)
            self._findings[asked.question] = finding
            finding.task.add_done_callback(lambda _: self._forget_later(asked, finding))
        return Asking(self, asked, finding, patience_s=self._patience_s)

    async def ask(self, asked: Asked, work: Work[Answer]) -> Answer | None:
        """Begin, and wait; see `Asking.answer`."""
        return await self.begin(asked, work).answer()

    async def close(self) -> None:
        """Stop looking, for a process that ends."""
        for task in self._at_work:
            task.cancel()
        if self._at_work:
            await asyncio.wait(set(self._at_work))

    def taken(self, asked: Asked, finding: _Finding) -> None:
        """A page has the answer; it is forgotten when none is still to come back for it."""
        if asked.is_again:
            finding.shown_without -= 1
        if finding.shown_without <= 0:
            self._forget(asked, finding)

    def _turn_to(self, asked: Asked) -> None:
        """Give up what was asked from the same place, unless another place waits for it, too."""
        before = self._asked.get(asked.place)
        self._asked[asked.place] = asked.question
        if before in (None, asked.question) or before in self._asked.values():
            return
        if before in self._findings:
            self._findings.pop(before).task.cancel()

    def _forget_later(self, asked: Asked, finding: _Finding) -> None:
        if not finding.task.cancelled():
            finding.task.exception()  # a page that is closed does not come back for it
            asyncio.get_running_loop().call_later(_KEPT_S, self._forget, asked, finding)
        else:
            self._forget(asked, finding)

    def _forget(self, asked: Asked, finding: _Finding) -> None:
        if self._findings.get(asked.question) is finding:
            del self._findings[asked.question]
            for place in [key for key, last in self._asked.items() if last == asked.question]:
                del self._asked[place]
