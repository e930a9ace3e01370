"""Reads a Maildir: what was acted on is moved away or deleted, everything else is put aside.

Other programs may move, mark or delete files at any moment, and other processes of ours may read
the same folder: a file that is gone was somebody else's, and a message that two read counts once.
"""

import asyncio
import contextlib
import itertools
import os
import stat
from collections.abc import Container
from pathlib import Path

from delivery.inbound.inlet import KEPT_BYTES, Inlet
from delivery.inbound.models import Way
from delivery.inbound.stories import StoryDesk
from delivery.shift import pause
from foundation import errors, logs
from foundation.ground import Ground

_log = logs.get("maildir")

DONE = ".handbill-done"
"""Of messages that were acted on; a folder that IMAP servers show (Maildir++)."""
OTHER = ".handbill-other"
"""Of messages that are none of ours, or could not be read: for a person to look at."""
_ONE_ROUND = 500
"""How many names are held at once, however many files there are."""


class Maildir:
    """The folder, as one process reads it."""

    def __init__(self, ground: Ground, desk: StoryDesk | None = None) -> None:
        self._settings = ground.settings.maildir
        self._folder = Path(self._settings.path)
        self._inlet = Inlet(ground, Way.MAILDIR, desk)

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop` is set."""
        while not stop.is_set():
            try:
                await self.read(stop)
                await self._inlet.is_well()
            except errors.Busy as problem:
                _log.warning("a Maildir waits", said=str(problem))
            except OSError as problem:
                await self._inlet.has_trouble(f"{problem.filename}: {problem.strerror}")
            await pause(stop, self._settings.poll_s)

    async def read(self, stop: asyncio.Event) -> None:
        """Take every message that is there. Raises `errors.Busy`, and OSError for what stays."""
        trouble: OSError | None = None
        left_alone: set[Path] = set()
        for folder in (self._folder / "new", self._folder / "cur"):
            while found := await asyncio.to_thread(_some, folder, left_alone):
                for path in found:
                    if stop.is_set():
                        return
                    try:
                        await self._take(path)
                    except OSError as problem:
                        trouble = problem
                    # Whatever was not put away, because it changed under us, is for the next time.
                    left_alone.add(path)
        if trouble is not None:
            raise trouble

    async def _take(self, path: Path) -> None:
        octets = await asyncio.to_thread(_read, path)
        if octets is None:
            return
        try:
            is_ours = (await self._inlet.take(octets)).is_ours
        except errors.Busy:
            raise
        except Exception:  # noqa: BLE001 - one message must not end the others
            _log.exception("a message could not be read")
            is_ours = False
        await asyncio.to_thread(self._put_away, path, is_ours=is_ours)

    def _put_away(self, path: Path, *, is_ours: bool) -> None:
        with contextlib.suppress(FileNotFoundError):
            if is_ours and self._settings.afterwards == "delete":
                path.unlink()
                return
            target = self._folder / (DONE if is_ours else OTHER)
            for name in ("cur", "new", "tmp"):
                (target / name).mkdir(parents=True, exist_ok=True)
            unique, _, flags = path.name.partition(":2,")
            flags = "".join(sorted({*flags, "S"})) if is_ours else flags
            path.rename(target / "cur" / f"{unique}:2,{flags}")


def _some(folder: Path, without: Container[Path]) -> list[Path]:
    """Some of a folder's messages. Raises OSError, such as for a folder that is not there."""
    with os.scandir(folder) as entries:
        paths = (
            path
            for entry in entries
            if entry.is_file(follow_symlinks=False)
            and not entry.name.startswith(".")
            and (path := Path(entry.path)) not in without
        )
        return list(itertools.islice(paths, _ONE_ROUND))


def _read(path: Path) -> bytes | None:
    """The beginning of a file; None if it is gone, or is no file."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            return None
        return file.read(KEPT_BYTES)
