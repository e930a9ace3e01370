"""What a sending process did, written down before it does it: an append-only file of its own.

Before the last dot of a message goes to the relay, INTENT is written; after the reply, RESULT. One
`os.write` a record, so a killed process leaves whole records but for the last. The file is locked
by its process (`flock`), so whoever can lock it knows that the process is gone and may replay it.
What crashes leave behind is told in docs/decisions/0001-ledger-and-journal.md.
"""

import enum
import fcntl
import os
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from foundation import errors
from foundation.i18n import N_


class Kind(enum.StrEnum):
    """What a record is about."""

    DELIVERY = "d"
    """A row of the ledger."""
    NOTICE = "n"
    """A row of the outbox."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a relay answered; `code` 0 stands for no answer at all."""

    code: int
    text: str = ""
    relay: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a journal says last about one row: `reply` is None when only the intent is there."""

    kind: Kind
    number: int
    reply: Reply | None


class Journal:
    """The journal of this process. Opening it fails while another process has it."""

    def __init__(self, path: Path, *, fsync_interval_s: float = 1.0) -> None:
        self.path = path
        self._fsync_interval_s = fsync_interval_s
        self._synced_at = time.monotonic()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise
        self._size = os.fstat(self._file).st_size

    def intend(self, kind: Kind, number: int) -> None:
        """The last dot of this row's message is about to be written.

        Raises `errors.Busy` when the record can't be kept (a full disk): then don't write the dot.
        """
        self._append(f"I {kind} {number}")

    def result(self, kind: Kind, number: int, reply: Reply) -> None:
        """What the relay answered. Raises `errors.Busy` when it can't be kept."""
        text = " ".join(reply.text.split())[:200]
        self._append(f"R {kind} {number} {reply.code} {reply.relay or '-'} {text}")

    def entries(self) -> list[Entry]:
        """The last word about each row, from the beginning of the file."""
        os.lseek(self._file, 0, os.SEEK_SET)
        with os.fdopen(os.dup(self._file), "rb") as file:
            return list(_last_words(file.read()))

    def clear(self) -> None:
        """Forget everything; to be called when all of it is in the ledger."""
        if self._size:
            os.ftruncate(self._file, 0)
            self._size = 0

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def remove(self) -> None:
        """Delete the file; to be called when all of it is in the ledger."""
        self.path.unlink(missing_ok=True)
        self.close()

    def _append(self, words: str) -> None:
        text = words.encode("utf-8", "replace")
        record = b"%08x %s\n" % (zlib.crc32(text), text)
        try:
            self._write(record)
            if time.monotonic() - self._synced_at >= self._fsync_interval_s:
                os.fsync(self._file)
                self._synced_at = time.monotonic()
        except OSError as problem:
            raise errors.Busy(
                N_("The sending journal can't be written: %(problem)s. Nothing was lost."),
                problem=problem.strerror or str(problem),
            ) from problem

    def _write(self, record: bytes) -> None:
        written = os.write(self._file, record)
        if written != len(record):
            # Half a record would swallow the next one.
            os.ftruncate(self._file, self._size)
            raise OSError("no space for a whole record")
        self._size += written


def _last_words(content: bytes) -> Iterator[Entry]:
    found: dict[tuple[Kind, int], Reply | None] = {}
    for line in content.split(b"\n"):
        checksum, _, text = line.partition(b" ")
        try:
            if int(checksum, 16) != zlib.crc32(text):
                continue
            mark, kind, number, *rest = text.decode().split(" ", 5)
        except ValueError:
            continue
        key = (Kind(kind), int(number))
        if mark == "I":
            found[key] = None
        else:
            code, relay, *words = rest
            found[key] = Reply(int(code), words[0] if words else "", "" if relay == "-" else relay)
    for (kind, row), reply in found.items():
        yield Entry(kind, row, reply)
