"""A figure of how long something takes, told as soon as it is known."""

import statistics
import time
from collections.abc import Awaitable, Callable

from bench.measure import Figure


async def figure(
    name: str, act: Callable[[], Awaitable[None]], times: int, limit_ms: float
) -> Figure:
    """The median of so many times."""
    taken: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        await act()
        taken.append((time.perf_counter() - began) * 1000)
    value = statistics.median(taken)
    mark = "over" if value > limit_ms else ""
    print(f"{value:8.1f} ms  {name}  {mark}".rstrip(), flush=True)
    return Figure(name=name, value=value, unit="ms", limit=limit_ms, times=times)
