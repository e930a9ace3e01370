"""What the sending thread does with its time, looked at after each millisecond of it."""

import collections
import signal
from types import FrameType

from bench.measure import Rate

_EVERY_S = 0.001
_FILES = {
    "read": ("delivery/composing.py", "delivery/rechecking.py", "subscribers/recipients.py"),
    "splice": ("delivery/splicing.py", "delivery/message.py", "delivery/dkim.py", "templates/"),
    "journal": ("delivery/journal.py",),
    "ledger": ("delivery/ledger.py", "delivery/outbox.py", "foundation/database.py"),
    "SMTP": ("delivery/line.py", "delivery/connection.py", "delivery/relay.py"),
}
"""The innermost of these on the stack says what is done; work for none of them is the loop's."""


async def of(work: Rate) -> str:
    """Do the work once more; shares as "splice 30%, SMTP 25%, …"."""
    found: collections.Counter[str] = collections.Counter()

    def look(_number: int, frame: FrameType | None) -> None:
        found[_share(frame)] += 1

    before = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, _EVERY_S, _EVERY_S)
    try:
        await work()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    total = found.total() or 1
    return ", ".join(f"{name} {count / total:.0%}" for name, count in found.most_common())


def _share(frame: FrameType | None) -> str:
    while frame is not None:
        for name, files in _FILES.items():
            if any(part in frame.f_code.co_filename for part in files):
                return name
        frame = frame.f_back
    return "event loop"
