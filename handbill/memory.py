"""How a process keeps its memory: in one heap that all its threads share."""

import contextlib
import ctypes

_M_ARENA_MAX = -8
"""glibc's number for the setting, from <malloc.h>."""


def share_one_heap() -> None:
    """To be called before there are threads.

    glibc gives threads heaps of their own, eight for each core (mallopt(3)), and what is freed in
    one is no use to the others: with a dozen threads that wait for SQLite most of the time, a
    service that sends took 12 MB more, and ever more. Where the C library is another (musl), it
    has one heap in any case.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
