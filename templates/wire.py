"""Text as octets of a mail body: quoted-printable (RFC 2045 §6.7) that can be cut and spliced.

Every piece starts at the beginning of a line and, where another follows, ends with a soft break,
so pieces that were encoded apart join to one valid body. No line begins with a dot or with
"From ", so neither SMTP transparency (RFC 5321 §4.5.2) nor an mbox file has anything to change.
"""

import re

LINE_CHARACTERS = 75
"""Encoded characters before the `=` of a soft break; RFC 2045 §6.7 (5) allows 76 with it."""
SOFT_BREAK = b"=\r\n"

_LITERAL = {chr(code) for code in range(33, 127)} - {"="} | {" ", "\t"}
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
    finished: list[str] = []
    current: list[str] = []
    room = LINE_CHARACTERS
    for place, character in enumerate(line):
        encoded = _character(character, is_last=place == len(line) - 1)
        if len(encoded) > room:
            finished.append("".join(current))
            current, room = [], LINE_CHARACTERS
        if not current and (character == "." or line.startswith("From ", place)):
            encoded = _hexed(character)
        current.append(encoded)
        room -= len(encoded)
    finished.append("".join(current))
    return "=\r\n".join(finished)


def _character(character: str, *, is_last: bool) -> str:
    # Blanks at the end of a line must be encoded (RFC 2045 §6.7 (3)).
    if character in _LITERAL and not (is_last and character in " \t"):
        return character
    return _hexed(character)


def _hexed(character: str) -> str:
    return "".join(f"={octet:02X}" for octet in character.encode("utf-8"))
