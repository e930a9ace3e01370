"""Transactions on SQLite that go through at a stretch: in one thread, from first to last statement.

By the ordinary way a statement goes from the loop to the connection's thread and back four times,
and waits each time for a loop that is busy with requests just when many write at once. Here a
whole transaction is handed over once, and its answer comes back once. Others call
`Database.at_a_stretch`.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlmodel.ext.asyncio.session import AsyncSession

Answer = TypeVar("Answer")
Work = Callable[[AsyncSession], Coroutine[Any, Any, Answer]]
"""Asks and changes by a session, and waits for nothing else."""


class Stretches:
    """The thread of a process that does so, over an engine that answers without a loop."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stretches")

    async def through(self, work: Work[Answer]) -> Answer:
        """Have `work` done, and what it changed kept, or nothing if it raises."""
        running = asyncio.get_running_loop().run_in_executor(self._thread, self._through, work)
        try:
            return await asyncio.shield(running)
        finally:
            # Whoever gives it up leaves the place to the next writer only when it is free.
            await asyncio.wait([running])

    async def close(self) -> None:
        """Give back the connection and the thread."""
        await asyncio.to_thread(self._thread.shutdown)
        self.engine.dispose()

    def _through(self, work: Work[Answer]) -> Answer:
        session = _AtOnce(expire_on_commit=False)
        with session.sync_session as plain:
            plain.bind = self.engine
            with plain.begin():
                return _ended(work(session))


class _AtOnce(AsyncSession):
    """A session whose answers are there when they are asked for, so that nothing is waited for."""

    async def exec(self, *asked: Any, **options: Any) -> Any:
        return self.sync_session.exec(*asked, **options)

    async def execute(self, *asked: Any, **options: Any) -> Any:
        return self.sync_session.execute(*asked, **options)

    async def scalar(self, *asked: Any, **options: Any) -> Any:
        return self.sync_session.scalar(*asked, **options)

    async def scalars(self, *asked: Any, **options: Any) -> Any:
        return self.sync_session.scalars(*asked, **options)

    async def get(self, *asked: Any, **options: Any) -> Any:
        return self.sync_session.get(*asked, **options)

    async def flush(self, *asked: Any) -> None:
        self.sync_session.flush(*asked)


def _ended(doing: Coroutine[Any, Any, Answer]) -> Answer:
    """What comes of a coroutine that never waits."""
    try:
        doing.send(None)
    except StopIteration as end:
        found: Answer = end.value
        return found
    doing.close()
    raise RuntimeError("what goes through at a stretch can wait for its session alone")
