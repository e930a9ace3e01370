"""Answers that take equally long, so that their time tells nothing about an address.

What is done for a known, an unknown and a barred address differs by a statement or two.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

_Answer = TypeVar("_Answer")


async def no_sooner_than(seconds: float, work: Awaitable[_Answer]) -> _Answer:
    """Do `work`, and let it take `seconds` at least, however it ends; waiting costs nothing."""
    end = end_of(seconds)
    try:
        return await work
    finally:
        await wait_until(end)


def end_of(seconds: float) -> float:
    """The moment, by the loop's clock, when so much time from now is over."""
    return asyncio.get_running_loop().time() + seconds


async def wait_until(end: float) -> None:
    """Wait for a moment, unless it is over."""
    left = end - asyncio.get_running_loop().time()
    if left > 0:
        await asyncio.sleep(left)
