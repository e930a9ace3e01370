"""Answers that take equally long, so that their time tells nothing about an address.

What is done for a known, an unknown and a barred address differs by a statement or two.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

_Answer = TypeVar("_Answer")


async def no_sooner_than(seconds: float, work: Awaitable[_Answer]) -> _Answer:
    """Do `work`, and let it take `seconds` at least, however it ends; waiting costs nothing."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    try:
        return await work
    finally:
        left = end - loop.time()
        if left > 0:
            await asyncio.sleep(left)
