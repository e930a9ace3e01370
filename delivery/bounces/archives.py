"""Messages out of files and folders, one at a time: single ones, mbox, Maildir, ZIP and tar.

However many there are and however large, one is held in memory, and of that only what is read of it
(`reading.MAX_OCTETS`).
"""

import contextlib
import gzip
import lzma
import os
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from delivery.bounces.reading import MAX_OCTETS
from foundation import errors
from foundation.i18n import N_

_LINE = 65_536
_FROM = re.compile(rb"From .{0,1000}\d\d:\d\d.{0,100}\d{4}")
"""Begins a message of an mbox: who sent it and when (RFC 4155)."""
_PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
_TAR_MARK = b"ustar"
_TAR_MARK_AT = 257
_MAILDIR = ("cur", "new")
_BROKEN = (
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


class Stream(Protocol):
    """What octets are read from."""

    def read(self, size: int, /) -> bytes:
        """So many octets or fewer."""

    def readline(self, size: int, /) -> bytes:
        """A line, or so many octets of it."""


Problems = Callable[[errors.Refused], None]
"""Is told what can't be read, or not to its end; the rest is read all the same."""


def messages(
    path: Path, *, problems: Problems, stream: Stream | None = None
) -> Iterator[tuple[str, bytes]]:
    """The messages in a file, a folder, or the `stream` that goes by the path's name.

    Each with its name: the file's, and its place in it where it holds several.
    """
    if stream is not None:
        yield from _told(path, _in_stream(stream, str(path)), problems)
    elif path.is_dir():
        yield from _told(path, _in_folder(path, problems), problems)
    else:
        yield from _told(path, _in_file(path), problems)


def _told(
    path: Path, found: Iterator[tuple[str, bytes]], problems: Problems
) -> Iterator[tuple[str, bytes]]:
    try:
        yield from found
    except _BROKEN as problem:
        problems(
            errors.Refused(
                N_("%(file)s can't be read: %(problem)s"), file=str(path), problem=str(problem)
            )
        )


def _in_folder(folder: Path, problems: Problems) -> Iterator[tuple[str, bytes]]:
    """Those of a Maildir, or of any folder and those within."""
    is_maildir = all((folder / name).is_dir() for name in _MAILDIR)
    for place in [folder / name for name in _MAILDIR] if is_maildir else [folder]:
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.is_file():
                    yield from _told(Path(entry.path), _in_file(Path(entry.path)), problems)
                elif entry.is_dir(follow_symlinks=False):
                    inside = _in_folder(Path(entry.path), problems)
                    yield from _told(Path(entry.path), inside, problems)


def _in_file(path: Path) -> Iterator[tuple[str, bytes]]:
    with path.open("rb") as stream:
        head = stream.read(_TAR_MARK_AT + len(_TAR_MARK))
        stream.seek(0)
        if head.startswith(b"PK\x03\x04"):
            yield from _in_zip(path)
        elif head.startswith(_PACKED) or head[_TAR_MARK_AT:] == _TAR_MARK:
            yield from _in_tar(path)
        else:
            yield from _in_stream(stream, str(path))


def _in_zip(path: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if not member.is_dir():
                with archive.open(member) as stream:
                    yield from _in_stream(stream, f"{path}!{member.filename}")


def _in_tar(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        archive = tarfile.open(path, mode="r|*")  # noqa: SIM115 - closed below
    except tarfile.ReadError:
        with gzip.open(path) as unpacked:
            yield from _in_stream(unpacked, str(path))
        return
    with contextlib.closing(archive):
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            if stream is not None:
                yield from _in_stream(stream, f"{path}!{member.name}")
            # tarfile keeps every member that it has seen; its type information leaves this out.
            archive.members.clear()  # type: ignore[attr-defined]


def _in_stream(stream: Stream, name: str) -> Iterator[tuple[str, bytes]]:
    """The message that it holds, or those of an mbox."""
    first = stream.readline(_LINE)
    if not _FROM.match(first):
        yield name, first + _rest(stream, MAX_OCTETS - len(first))
        return
    found = _of_mbox(stream, first)
    one = next(found)
    other = next(found, None)
    yield (name if other is None else f"{name}#1"), one
    if other is not None:
        yield f"{name}#2", other
    for number, octets in enumerate(found, start=3):
        yield f"{name}#{number}", octets


def _rest(stream: Stream, size: int) -> bytes:
    """What follows, up to so many octets; a stream may give less at a time."""
    pieces: list[bytes] = []
    while size > 0 and (piece := stream.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _of_mbox(stream: Stream, first: bytes) -> Iterator[bytes]:
    """Messages of an mbox: each begins with a line `From …` after an empty one."""
    lines, size, is_after_blank = [first], len(first), False
    while line := stream.readline(_LINE):
        if is_after_blank and _FROM.match(line):
            yield b"".join(lines)
            lines, size = [], 0
        if size < MAX_OCTETS:
            lines.append(line)
            size += len(line)
        is_after_blank = not line.strip()
    yield b"".join(lines)
