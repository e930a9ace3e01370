"""Processes that are forked from the first one, before it has threads or an event loop.

What is loaded is shared until one of them writes to it.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Collection
from typing import NoReturn

from foundation import logs

_log = logs.get("forking")


def forked(life: Callable[[], None], *, name: str, deaf_to: Collection[signal.Signals] = ()) -> int:
    """Have another process do `life` and end, whatever comes of it; returns its number.

    It does not hear the signals it is `deaf_to`; `name` is what the log calls it.
    """
    _say_all()
    process = os.fork()
    if not process:
        _be(life, name, deaf_to)
    return process


def has_ended(process: int) -> bool:
    """Whether a process that was forked is over; it is asked for its status, so that it can go."""
    try:
        return os.waitpid(process, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return True


def _be(life: Callable[[], None], name: str, deaf_to: Collection[signal.Signals]) -> NoReturn:
    status = 1
    try:
        for number in deaf_to:
            signal.signal(number, signal.SIG_IGN)
        life()
        status = 0
    except Exception as problem:  # noqa: BLE001 - nobody else would tell
        _log.error("a forked process failed", process=name, exc_info=problem)
    finally:
        _say_all()
        os._exit(status)


def _say_all() -> None:
    """What was printed and not written yet would be written by both."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
