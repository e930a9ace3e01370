"""A message as parts within parts (RFC 5322, RFC 2045), out of any octets, in bounded time.

Python's own parser goes a level of calls deeper for each level of parts, and takes time that grows
with the square of what some headers hold. This one reads broken mail as far as it makes sense: the
wrong line ends, a boundary that is not there, text where headers should be. It never raises.
"""

import html
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from delivery.bounces import charsets
from foundation.frozen import frozen

MAX_OCTETS = 1_000_000
"""What a message says about itself stands before what it returns."""
_MAX_PARTS = 100
_MAX_HEADERS = 400
_MAX_VALUE = 4_000
_MAX_TEXT = 200_000
_NAME = re.compile(rb"([\x21-\x39\x3b-\x7e]{1,80})[ \t]*:")
_PARAMETER = re.compile(r';\s*([\w*-]{1,40})\s*=\s*(?:"([^"]{0,200})"|([^\s;"]{1,200}))')
_DELIMITER = re.compile(rb"^--([^\s]{3,70})[ \t]*\n(?:content-|\n)", re.IGNORECASE | re.MULTILINE)
_TAG = re.compile(r"<[^<>]{0,2000}>")
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/h\d|/li|/td|hr)\b[^<>]{0,200}>", re.IGNORECASE)
_UNSEEN = re.compile(r"<(style|script|title)\b[^<>]{0,300}>[^<]{0,20000}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Headers:
    """The headers of a part, or a group of a report's fields; names count without their case."""

    pairs: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """The first header's text, on one line; blank when it is not there."""
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> list[str]:
        """Every such header's text."""
        wanted = name.lower()
        return [
            " ".join(charsets.header(value).split())
            for known, value in self.pairs
            if known == wanted
        ]

    def __contains__(self, name: str) -> bool:
        wanted = name.lower()
        return any(known == wanted for known, _ in self.pairs)


@frozen
class Part:
    """A message or a part of one."""

    headers: Headers
    content_type: str
    parameters: dict[str, str]
    body: bytes
    """Without its transfer encoding; empty where there are parts."""
    parts: list["Part"] = field(default_factory=list)

    def walk(self, *, into_messages: bool = False) -> Iterator["Part"]:
        """This part and all within; a message that is attached is named, its inside left out."""
        yield self
        for part in self.parts:
            if part.is_message and not into_messages:
                yield part
            else:
                yield from part.walk(into_messages=into_messages)

    @property
    def is_message(self) -> bool:
        """Whether it holds another message, whole or its headers."""
        return self.content_type in _MESSAGES

    def text(self) -> str:
        """What a reader would see."""
        found = charsets.text(self.body[:_MAX_TEXT], self.parameters.get("charset", ""))
        return _seen(found) if self.content_type == "text/html" else found


_MESSAGES = frozenset(
    {
        "message/rfc822",
        "message/global",
        "message/news",
        "text/rfc822-headers",
        "text/rfc822",
        "message/rfc822-headers",
        "message/global-headers",
    }
)


def read(octets: bytes) -> Part:
    """The message in these octets."""
    octets = octets[:MAX_OCTETS].replace(b"\0", b"")
    lines = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").lstrip(b"\n")
    return _part(lines, [_MAX_PARTS])


def headers(octets: bytes) -> tuple[Headers, bytes]:
    """The headers at the head of lines, and what follows them."""
    pairs: list[tuple[str, str]] = []
    at = 0
    while at < len(octets):
        end = octets.find(b"\n", at)
        end = len(octets) if end < 0 else end
        line = octets[at:end]
        if not line.strip():
            return _headers(pairs), octets[end + 1 :]
        if line[:1] in b" \t" and pairs:
            name, value = pairs[-1]
            if len(value) < _MAX_VALUE:
                pairs[-1] = (name, value + "\n" + _readable(line))
        elif name_found := _NAME.match(line):
            if len(pairs) < _MAX_HEADERS:
                value = _readable(line[name_found.end() :])
                pairs.append((name_found[1].decode("ascii").lower(), value))
        elif at > 0 or not line.startswith((b"From ", b">From ")):
            # What is no header is no header's end either way: the text begins here.
            return _headers(pairs), octets[at:]
        at = end + 1
    return _headers(pairs), b""


def _headers(pairs: list[tuple[str, str]]) -> Headers:
    return Headers(tuple(pairs))


def _readable(octets: bytes) -> str:
    return charsets.text(octets[:_MAX_VALUE])


def groups(text: bytes) -> list[Headers]:
    """Groups of fields with blank lines between them (RFC 3464 §2.1)."""
    found: list[Headers] = []
    for group in re.split(rb"\n[ \t]*\n+", text.strip(b"\n"), maxsplit=2_000)[:1_001]:
        fields, _ = headers(group.strip(b"\n"))
        if fields.pairs:
            found.append(fields)
    return found


def _part(octets: bytes, left: list[int]) -> Part:
    """The part in these octets; `left` counts down how many more there may be, also how deep."""
    left[0] -= 1
    said, body = headers(octets)
    content_type, parameters = _content_type(said)
    parts: list[Part] = []
    if content_type.startswith("multipart/"):
        for piece in _pieces(body, parameters.get("boundary", "")):
            if left[0] <= 0:
                break
            parts.append(_part(piece, left))
    else:
        body = _decoded(body, said.get("Content-Transfer-Encoding").lower())
        if content_type in _MESSAGES and left[0] > 0:
            parts.append(_part(body.lstrip(b"\n"), left))
    return Part(
        headers=said,
        content_type="text/plain"
        if content_type.startswith("multipart/") and not parts
        else content_type,
        parameters=parameters,
        body=b"" if parts else body,
        parts=parts,
    )


def _content_type(said: Headers) -> tuple[str, dict[str, str]]:
    value = said.get("Content-Type")
    kind = value.partition(";")[0].strip().lower()
    parameters: dict[str, str] = {}
    for name, quoted, bare in _PARAMETER.findall(value):
        parameters.setdefault(name.lower().rstrip("*"), quoted or bare)
    if "/" not in kind:
        kind = "text/plain"
    return kind, parameters


def _pieces(body: bytes, boundary: str) -> list[bytes]:
    """What stands between the delimiters of a multipart (RFC 2046 §5.1.1)."""
    lines = b"\n" + body
    begins = _delimiters(lines, boundary.encode("utf-8", "replace"))
    if not begins:
        guess = _DELIMITER.search(body)
        begins = _delimiters(lines, guess[1]) if guess else []
    ends = [*begins, (len(lines), 0)]
    return [
        lines[begin:end] for (_, begin), (end, _) in itertools.pairwise(ends) if begin < len(lines)
    ]


def _delimiters(lines: bytes, boundary: bytes) -> list[tuple[int, int]]:
    """Where each delimiter begins, and the line after it; none after the closing one."""
    found: list[tuple[int, int]] = []
    delimiter = b"\n--" + boundary
    at = lines.find(delimiter) if boundary else -1
    while at >= 0 and len(found) <= _MAX_PARTS:
        end = lines.find(b"\n", at + 1)
        rest = lines[at + len(delimiter) : end if end >= 0 else None].strip()
        if rest == b"--" or (end < 0 and not rest):
            found.append((at, len(lines)))
            break
        if not rest:
            found.append((at, end + 1))
        at = lines.find(delimiter, at + 1)
    return found


def _decoded(body: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        return charsets.unbase64(body)
    return charsets.unquoted(body) if encoding == "quoted-printable" else body


def _seen(source: str) -> str:
    """The text of a page: without tags, a line for each block."""
    without = _BREAK.sub("\n", _UNSEEN.sub("", source))
    return html.unescape(_TAG.sub(" ", without))
