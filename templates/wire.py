"""Text as octets of a mail body: quoted-printable (RFC 2045 §6.7) that can be cut and spliced.

Every piece starts at the beginning of a line and, where another follows, ends with a soft break,
so pieces that were encoded apart join to one valid body. No line begins with a dot or with
"From ", so neither SMTP transparency (RFC 5321 §4.5.2) nor an mbox file has anything to change.
"""

import re

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
