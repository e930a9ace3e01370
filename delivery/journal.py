"""What a sending process did, written down before it does it: an append-only file of its own.

Before the last dot of a message goes to the relay, an intent is written; after the reply, a result.
One `os.write` a record, so a killed process leaves whole records behind. The process holds a lock
on the file (`flock`) as long as it lives; whoever can lock it knows that the process is gone and
may replay it. docs/decisions/0001-ledger-and-journal.md tells what each crash leaves.
"""

import contextlib
import fcntl
import functools
import json
import os
import secrets
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from delivery.letter import Kind, Reply, Result, Verdict
from foundation import errors
from foundation.frozen import frozen
from foundation.i18n import N_

FORMAT = 1
REWRITE_AT_BYTES = 4_000_000
"""A journal that grew beyond this keeps only what the ledger does not have yet."""

Key = tuple[Kind, int, int]
"""Kind, row and attempt."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The last that a journal says about a row: without a result, only the intent is there."""

    attempt: int
    result: Result | None


@frozen
class Replay:
    """All that a journal says."""

    entries: Mapping[tuple[Kind, int], Entry]
    is_whole: bool
    """Whether nothing can be missing: no damage before its end, and no loss of power since."""


class Journal:
    """The journal of this process; make it with `create`."""

    def __init__(self, path: Path, file: int, *, is_synced: bool) -> None:
        self.path = path
        self._file = file
        self._is_synced = is_synced
        self._size = os.fstat(file).st_size
        self._header_size = 0
        self._is_dirty = False
        self._unwritten: list[bytes] = []
        self._in_use = threading.Lock()

    @classmethod
    def create(cls, folder: Path, *, is_synced: bool = False) -> "Journal":
        """A new journal in `folder`, locked; `is_synced` promises a sync after each record.

        Raises `errors.Busy` when the folder can't be written.
        """
        path = folder / f"{secrets.token_hex(12)}.journal"
        with _disk_trouble_is_said():
            folder.mkdir(parents=True, exist_ok=True)
            file = _new_file(path)
            journal = cls(path, file, is_synced=is_synced)
            journal._open()
            return journal

    @property
    def size_bytes(self) -> int:
        """How long the file is."""
        return self._size

    def intend(self, key: Key) -> None:
        """The last dot of this message is about to be written.

        Raises `errors.Busy` when the record can't be kept: then the dot must not be written.
        """
        try:
            self._append(_intent(key))
        except OSError as problem:
            raise _busy(problem) from problem

    def conclude(self, result: Result) -> None:
        """What came of an intended message; it is written along with the next intent, or by `keep`.

        Until then a crash leaves the intent alone, as it would a moment before the reply came.
        """
        self._unwritten.append(_result(result))

    @property
    def is_behind(self) -> bool:
        """Whether `keep` has something to write."""
        return bool(self._unwritten)

    def keep(self) -> None:
        """Write what was concluded. Raises `errors.Busy` when it can't be kept."""
        with _disk_trouble_is_said():
            self._append(b"")

    def probe(self) -> None:
        """Raises `errors.Busy` as long as nothing can be written."""
        with _disk_trouble_is_said():
            self._append(_line('["P"]'))

    def sync(self) -> None:
        """Force what was written to the disk; may take long, so call it in a thread.

        Raises `errors.Busy`.
        """
        with _disk_trouble_is_said(), self._in_use:
            if self._is_dirty:
                self._is_dirty = False
                os.fdatasync(self._file)

    def clear(self) -> None:
        """Forget everything; to be called when nothing is open and all of it is in the ledger.

        Should power be lost before that reaches the disk, the old records come back; the numbers of
        their attempts tell a replay that they are old.
        """
        self._unwritten.clear()
        if self._size > self._header_size:
            os.ftruncate(self._file, self._header_size)
            self._size = self._header_size

    def rewrite(self, *, intents: Iterable[Key], results: Iterable[Result]) -> None:
        """Keep only these: open intents, and results that are not in the ledger yet.

        The new file is locked before it takes the old one's name, so that there is no moment at
        which a living process's journal could be taken over. Raises `errors.Busy`.
        """
        with _disk_trouble_is_said():
            fresh = self.path.with_suffix(".new")
            fresh.unlink(missing_ok=True)
            successor = Journal(fresh, _new_file(fresh), is_synced=self._is_synced)
            try:
                successor._open()
                successor._append(b"".join([*map(_intent, intents), *map(_result, results)]))
                os.fdatasync(successor._file)
                fresh.replace(self.path)
            except OSError:
                os.close(successor._file)
                fresh.unlink(missing_ok=True)
                raise
            with self._in_use:
                os.close(self._file)
                self._file, self._size = successor._file, successor._size
                self._is_dirty = False
            # All of that is among the results.
            self._unwritten.clear()

    def retire(self) -> None:
        """Delete the file; to be called when all of it is in the ledger."""
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let go of the file, which stays for whoever replays it."""
        with contextlib.suppress(OSError):
            self._append(b"")
        with self._in_use:
            os.close(self._file)

    def _open(self) -> None:
        """Write the header, by which a replay knows what it can rely on."""
        self._append(_header(is_synced=self._is_synced))
        self._header_size = self._size

    def _append(self, record: bytes) -> None:
        """Write what was concluded and not written yet, and a record behind it."""
        octets = b"".join([*self._unwritten, record]) if self._unwritten else record
        if not octets:
            return
        written = os.write(self._file, octets)
        if written != len(octets):
            # Half a record would look like damage and hide what follows.
            os.ftruncate(self._file, self._size)
            raise OSError("there is no space for a whole record")
        self._unwritten.clear()
        self._size += written
        self._is_dirty = True


class Abandoned:
    """The journal of a process that is gone, locked by us; make it with `take_over`."""

    def __init__(self, path: Path, file: int) -> None:
        self._path = path
        self._file = file

    def replay(self) -> Replay:
        """What it says."""
        with os.fdopen(os.dup(self._file), "rb") as file:
            file.seek(0)
            return _read(file.read())

    def retire(self) -> None:
        """Delete it; to be called when all of it is in the ledger."""
        self._path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let go of it; somebody else may take it over."""
        os.close(self._file)


def take_over(path: Path) -> Abandoned | None:
    """Lock the journal of a process that is gone; None when it lives, or another has been quicker.

    Raises `FileNotFoundError` when there is no such file.
    """
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # A living process may have put a new file in the place of the one that we opened.
        is_current = os.fstat(file).st_ino == path.stat().st_ino
    except (BlockingIOError, FileNotFoundError):
        is_current = False
    if not is_current:
        os.close(file)
        return None
    return Abandoned(path, file)


def older(folder: Path, before: float) -> list[Path]:
    """The files of a folder of journals that nobody wrote to since `before` (seconds, POSIX)."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for path in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    found.append(path)
    return found


def clear_away(path: Path) -> None:
    """Delete a file of this folder that nobody holds and that says nothing about any message."""
    with contextlib.suppress(FileNotFoundError):
        abandoned = take_over(path)
        if abandoned is None:
            return
        if abandoned.replay().entries:
            abandoned.close()
        else:
            abandoned.retire()


def _new_file(path: Path) -> int:
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return file


def _header(*, is_synced: bool) -> bytes:
    return _line(json.dumps(["H", FORMAT, _boot(), is_synced], separators=(",", ":")))


def _intent(key: Key) -> bytes:
    kind, row, attempt = key
    return _line(f'["I","{kind}",{row},{attempt}]')


def _result(result: Result) -> bytes:
    kind, row, attempt, verdict, at, reason, reply, due_at = result
    due = due_at.timestamp() if due_at else "null"
    return _line(
        f'["R","{kind}",{row},{attempt},"{verdict}",{at.timestamp()},"{reason}",{due},{_said(reply)}]'
    )


@functools.lru_cache(maxsize=64)
def _said(reply: Reply) -> str:
    """The end of a result's record; most relays say the same of all messages."""
    return json.dumps(reply)[1:-1]


def _line(text: str) -> bytes:
    octets = text.encode("ascii")
    return b"%08x %s\n" % (zlib.crc32(octets), octets)


def _read(content: bytes) -> Replay:
    # A torn end is a record whose write never returned: nothing was done on the strength of it.
    lines = content.split(b"\n")[:-1]
    entries: dict[tuple[Kind, int], Entry] = {}
    records = [_record(line) for line in lines]
    header = records[0] if records else None
    is_whole = None not in records and header is not None and _is_unbroken(header)
    for record in records:
        if record is None or record[0] not in ("I", "R"):
            continue
        key, entry = _entry(record)
        entries[key] = entry
    return Replay(entries=entries, is_whole=is_whole)


def _record(line: bytes) -> list[Any] | None:
    checksum, _, text = line.partition(b" ")
    try:
        if int(checksum, 16) != zlib.crc32(text):
            return None
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, list) and found else None


def _is_unbroken(header: list[Any]) -> bool:
    """Whether what the process wrote must be there: not after a loss of power between syncs."""
    if header[:2] != ["H", FORMAT]:
        return False
    return bool(header[3]) or header[2] == _boot()


def _entry(record: list[Any]) -> tuple[tuple[Kind, int], Entry]:
    kind, row, attempt = Kind(record[1]), int(record[2]), int(record[3])
    if record[0] == "I":
        return (kind, row), Entry(attempt, None)
    verdict, at, reason, due_at, code, text, relay = record[4:]
    result = Result(
        kind=kind,
        id=row,
        attempt=attempt,
        verdict=Verdict(verdict),
        at=_moment(at),
        reason=reason,
        reply=Reply(code, text, relay),
        due_at=_moment(due_at) if due_at is not None else None,
    )
    return (kind, row), Entry(attempt, result)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def _boot() -> str:
    """Names this run of the machine, so that a replay knows whether power was lost since."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


@contextlib.contextmanager
def _disk_trouble_is_said() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise _busy(problem) from problem


def _busy(problem: OSError) -> errors.Busy:
    return errors.Busy(
        N_("The sending journal can't be written: %(problem)s. Nothing was lost."),
        problem=problem.strerror or str(problem),
    )
