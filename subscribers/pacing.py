"""Answers that take equally long, so that their time tells nothing about an address.

What is done for a known, an unknown and a barred address differs by a statement or two.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator


@contextlib.asynccontextmanager
async def no_sooner_than(seconds: float) -> AsyncIterator[None]:
    """Let a block take `seconds` at least, however it ends."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    try:
        yield
    finally:
        await asyncio.sleep(max(0.0, end - loop.time()))
