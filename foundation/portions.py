"""Long lists, worked through a few entries at a time: the event loop is never held for long.

A thousand rows of a claim take ten milliseconds. Meanwhile no reply of a relay would be heard, and
its connections would stand idle.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

_AT_ONCE = 32

Entry = TypeVar("Entry")


async def of(entries: Sequence[Entry]) -> AsyncIterator[Sequence[Entry]]:
    """All entries in their order, some in each portion; between two portions others have a turn."""
    for begins in range(0, len(entries), _AT_ONCE):
        if begins:
            await asyncio.sleep(0)
        yield entries[begins : begins + _AT_ONCE]
