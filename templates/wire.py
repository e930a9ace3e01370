"""Text as octets of a mail body, in pieces that can be cut and spliced.

Quoted-printable (RFC 2045 §6.7): every piece starts at the beginning of a line and, where another
follows, ends with a soft break, so pieces that were encoded apart join to one valid body.

Unchanged (7bit or 8bit, RFC 2045 §2.7 and §2.8): pieces are the text's own UTF-8. `measured` says
whether they can go like that, and what each hole between them can take.

Either way no line begins with a dot or with "From ", so neither SMTP transparency (RFC 5321 §4.5.2)
nor an mbox file has anything to change.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

BOUNDARY = "=_handbill_part"
"""What parts of a body stand between; neither form of text can hold it at the start of a line."""
LINE_CHARACTERS = 75
"""Encoded characters before the `=` of a soft break; RFC 2045 §6.7 (5) allows 76 with it."""
SOFT_BREAK = b"=\r\n"

# Blanks at the end of a line must be encoded (RFC 2045 §6.7 (3)).
_ENCODED = re.compile(r"[^!-<>-~ \t]+|[ \t]\Z")
_BREAKS = re.compile(r"\r\n?")


def piece(text: str) -> bytes:
    """Encode `text` so that another piece can follow it; empty text gives no octets."""
    encoded = last_piece(text)
    return encoded if not encoded or encoded.endswith(b"\r\n") else encoded + SOFT_BREAK


def last_piece(text: str) -> bytes:
    """Encode `text`, which may have line breaks of any kind, with nothing to follow it."""
    lines = _BREAKS.sub("\n", text).split("\n")
    return "\r\n".join([_line(line) for line in lines]).encode("ascii")


def _line(line: str) -> str:
    """One line of text as one or more lines of at most 76 characters."""
    encoded = _ENCODED.sub(_hexed, line)
    finished: list[str] = []
    at = 0
    while at < len(encoded):
        first = ""
        if encoded[at] == "." or encoded.startswith("From ", at):
            first, at = f"={ord(encoded[at]):02X}", at + 1
        end = at + LINE_CHARACTERS - len(first)
        if end < len(encoded):
            # An escape is three characters; its `=` may be one or two before the end.
            end -= (encoded[end - 1] == "=") + 2 * (encoded[end - 2] == "=")
        finished.append(first + encoded[at:end])
        at = end
    return "=\r\n".join(finished)


def _hexed(found: re.Match[str]) -> str:
    return "".join([f"={octet:02X}" for octet in found[0].encode("utf-8")])


LONGEST_LINE = 998
"""Octets of a line without its end (RFC 5322 §2.1.1)."""
LEAST_ROOM = 160
"""Octets that every hole of unchanged text can take; most values are addresses with a token."""

_TROUBLE = (b".", b"From ", b"--" + BOUNDARY.encode())
"""What no line of unchanged text may begin with."""
_FIRST = bytes(each[0] for each in _TROUBLE)
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Hole(NamedTuple):
    """What the value in a hole of unchanged text has to fit."""

    room: int
    """Octets."""
    begins_line: bool
    """Whether the value may stand at the beginning of a line."""
    is_ascii: bool
    """Whether the text around is ASCII, and is declared to be."""

    def takes(self, octets: bytes) -> bool:
        """Whether they can stand there; a blank value always can."""
        if self.begins_line and octets and octets[0] in _FIRST:
            return False
        return len(octets) <= self.room and not (self.is_ascii and not octets.isascii())


class Measured(NamedTuple):
    """Unchanged text that can go out like that."""

    is_ascii: bool
    holes: tuple[Hole, ...]


def unchanged(text: str) -> bytes:
    """The text itself, with CRLF line ends."""
    return _BREAKS.sub("\n", text).replace("\n", "\r\n").encode("utf-8")


def measured(pieces: Sequence[bytes | None]) -> Measured | None:
    """What the holes (None) between unchanged pieces can take; None when a line can't go out.

    A line may be too long, hold a control character, or begin with what servers would change.
    """
    texts = [piece for piece in pieces if piece is not None]
    if any(map(_CONTROLS.search, texts)):
        return None
    is_ascii = all(text.isascii() for text in texts)
    holes: list[Hole] = []
    for line in _lines(pieces):
        number = line.count(None)
        room = LONGEST_LINE - sum(len(piece) for piece in line if piece is not None)
        room //= max(1, number)
        leading = _leading_holes(line)
        if room < (LEAST_ROOM if number else 0) or leading is None:
            return None
        holes += [Hole(room, place < leading, is_ascii) for place in range(number)]
    return Measured(is_ascii, tuple(holes))


def _lines(pieces: Sequence[bytes | None]) -> list[list[bytes | None]]:
    lines: list[list[bytes | None]] = [[]]
    for piece in pieces:
        if piece is None:
            lines[-1].append(None)
            continue
        first, *others = piece.split(b"\r\n")
        if first:
            lines[-1].append(first)
        lines.extend([other] if other else [] for other in others)
    return lines


def _leading_holes(line: Sequence[bytes | None]) -> int | None:
    """How many holes stand before the line's first text; None when that text is trouble there."""
    leading = 0
    while leading < len(line) and line[leading] is None:
        leading += 1
    beginning = b""
    for piece in line[leading:]:
        if piece is None:
            # The value might complete what the text begins.
            return None if any(each.startswith(beginning) for each in _TROUBLE) else leading
        beginning += piece
        if beginning.startswith(_TROUBLE):
            return None
    return leading
