"""Connections that asked for a letter in vain and wait until there is one."""

import asyncio
from collections import deque


class Takers:
    """Who waits longest is first."""

    def __init__(self, *, are_alike: bool) -> None:
        """`are_alike` if what one may take any other may, as with a single relay."""
        self._loop = asyncio.get_running_loop()
        self._are_alike = are_alike
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def wait(self, seconds: float) -> None:
        """Wait until there may be a letter. Raises `TimeoutError`."""
        taker = self._loop.create_future()
        self._waiting.append(taker)
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await taker
        finally:
            if taker in self._waiting:
                self._waiting.remove(taker)

    def wake(self) -> None:
        """Whoever asked in vain should ask again."""
        while self._waiting:
            self._wake_first()

    def wake_one(self) -> None:
        """There are some more letters: one connection that goes from one to the next may do.

        It takes less for each than several that take one each and wait again. Where they are not
        alike, nobody can say whose turn it is.
        """
        if self._are_alike:
            self._wake_first()
        else:
            self.wake()

    def _wake_first(self) -> None:
        while self._waiting:
            taker = self._waiting.popleft()
            if not taker.done():
                taker.set_result(None)
                return
