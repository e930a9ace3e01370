"""A plan's two parts as runs of octets with holes, put together once for each kind of readers.

Static text is encoded once for each transfer encoding, a section's apart from what is around it.
Readers with the same answers share a variant: few long pieces with a hole for each slot, so that a
body is one `b"".join`. In quoted-printable every piece starts and ends at a line boundary, so any
value fits any hole. As it is (8bit), text may stand only in lines that SMTP takes unchanged: a part
whose static text does not is quoted-printable in that variant, and a value that does not fit its
hole is told to the caller, who then takes the quoted-printable variant (docs/decisions/0009).
"""

import functools
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from templates import wire
from templates.conditions import Answers
from templates.slots import Plain, Section, Segments, Slot

_OPENING = (
    "--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
    "Content-Transfer-Encoding: {encoding}\r\n\r\n"
)
_KEPT = 64
"""Variants of one plan that are kept; putting one together takes a few messages' time."""
_SHARED = frozenset(
    f"subscriber.{name}" for name in ("first_name", "last_name", "language", "postal_code", "town")
)
"""Values that many readers have in common: what they fill a hole with is kept."""
_KEPT_VALUES = 512

# What values of these begin with and consist of, no place but URL_PART and PIXEL has to change.
_BEGINNINGS = (string.ascii_letters + string.digits + "/").encode()
_PLAIN = _BEGINNINGS + b":?#@!$()*+,;._~%-"
# What can begin a line of unchanged text as well.
_LINE_BEGINNINGS = _BEGINNINGS.replace(b"F", b"")
# What an address begins with, of `http` and `https`.
_ADDRESS_BEGINNINGS = (b"h", b"H")

Value = str | bytes
"""What fills a slot: text, or the octets of an address for which `is_plain` holds."""
Values = Mapping[str, str] | Mapping[str, Value]
"""What fills each slot, by name."""
Piece = bytes | Slot
_Holes = tuple[tuple[int, Slot], ...]


class Coded(NamedTuple):
    """A body in quoted-printable for all readers who see the same sections."""

    pieces: tuple[bytes, ...]
    """Octets that are the same for all, and an empty piece for each hole."""
    fillers: tuple[tuple[str, _Holes, _Holes], ...]
    """A value's name, the holes where plain values stand as they are, and the others."""
    is_8bit: bool = False
    """Whether octets beyond ASCII are among them, whatever the values."""

    def fill(self, values: Values) -> list[bytes]:
        """The pieces of one body."""
        pieces = list(self.pieces)
        for name, plain_holes, other_holes in self.fillers:
            value = values[name]
            if isinstance(value, bytes):
                value = value.decode("ascii")
            octets = _coded(value) if plain_holes else None
            for position, slot in plain_holes:
                pieces[position] = octets or wire.piece(slot.fill(value))
            for position, slot in other_holes:
                pieces[position] = wire.piece(slot.fill(value))
        return pieces


_Encode = Callable[[str], bytes | None]
_EncodeAll = Callable[[str], Sequence[bytes] | None]


class _Filler(NamedTuple):
    """What a value of one name fills in an unchanged body."""

    name: str
    positions: tuple[int, ...]
    room: int
    """An address of at most so many octets can stand at all of them as it is; -1: none can."""
    encode: _EncodeAll
    """What stands at the positions for a value; None when it does not fit one of them."""


class Unchanged(NamedTuple):
    """A body of which one part at least goes out as it is."""

    pieces: tuple[bytes, ...]
    fillers: tuple[_Filler, ...]
    is_8bit: bool

    def fill(self, values: Values) -> list[bytes] | None:
        """The pieces of one body; None when a value can't stand in it as it is."""
        pieces = list(self.pieces)
        for name, positions, room, encode in self.fillers:
            value = values[name]
            if isinstance(value, bytes):
                if len(value) <= room:
                    for position in positions:
                        pieces[position] = value
                    continue
                value = value.decode("ascii")
            found = encode(value)
            if found is None:
                return None
            for position, octets in zip(positions, found, strict=True):
                pieces[position] = octets
        return pieces


Variant = Coded | Unchanged
Variants = Callable[[Answers | None, bool], Variant]
"""The variant for some answers (None shows all), as 8bit or not."""


def prepared(text: Segments, html: Segments, everything: Answers) -> Variants:
    """A plan's variants; its octets are made when they are first needed, and kept.

    Without answers, what shows `everything` is chosen.
    """
    parts = (("plain", text), ("html", html))

    @functools.cache
    def encoded(is_8bit: bool) -> tuple[tuple[_Run, ...], ...]:
        return tuple(tuple(_runs(segments, is_8bit=is_8bit)) for _, segments in parts)

    @functools.lru_cache(maxsize=_KEPT)
    def variant(answers: Answers | None, is_8bit: bool) -> Variant:
        assembly = _Assembly()
        seen = everything if answers is None else answers
        for number, (kind, _) in enumerate(parts):
            chosen = _chosen(encoded(is_8bit)[number], seen)
            measured = wire.measured([_static(piece) for piece in chosen]) if is_8bit else None
            if measured is not None:
                assembly.add_direct(kind, chosen, measured)
            else:
                assembly.add_coded(kind, _chosen(encoded(False)[number], seen))
        return assembly.variant()

    return variant


class _Run(NamedTuple):
    """Pieces that are shown together."""

    condition: int | None
    """None for those that everybody sees."""
    pieces: tuple[Piece, ...]


def _runs(segments: Segments, *, is_8bit: bool) -> Iterable[_Run]:
    for number, segment in enumerate(segments, start=1):
        is_last = number == len(segments)
        if isinstance(segment, Section):
            pieces = tuple(_piece(part, is_8bit=is_8bit) for part in segment.segments)
            yield _Run(segment.condition, pieces)
        else:
            yield _Run(None, (_piece(segment, is_8bit=is_8bit, is_last=is_last),))


def _piece(part: Plain, *, is_8bit: bool, is_last: bool = False) -> Piece:
    if isinstance(part, Slot):
        return part
    if is_8bit:
        return wire.unchanged(part)
    return wire.last_piece(part) if is_last else wire.piece(part)


def _chosen(runs: Iterable[_Run], answers: Answers) -> list[Piece]:
    """The pieces of the runs that are shown."""
    return [
        piece
        for condition, pieces in runs
        if condition is None or answers[condition]
        for piece in pieces
    ]


def _static(piece: Piece) -> bytes | None:
    return piece if isinstance(piece, bytes) else None


class _Assembly:
    """Puts parts together; neighbouring octets become one piece, so that a body is few."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = [b""]
        self._coded: list[tuple[int, Slot]] = []
        self._direct: list[tuple[int, Slot, wire.Hole]] = []

    def add_coded(self, kind: str, pieces: Iterable[Piece]) -> None:
        """A part in quoted-printable."""
        self._open(kind, "quoted-printable")
        for piece in pieces:
            if isinstance(piece, bytes):
                self._pieces[-1] += piece
            else:
                self._coded.append((self._hole(), piece))
        self._pieces[-1] += b"\r\n"

    def add_direct(self, kind: str, pieces: Iterable[Piece], measured: wire.Measured) -> None:
        """A part as it is."""
        self._open(kind, "7bit" if measured.is_ascii else "8bit")
        holes = iter(measured.holes)
        for piece in pieces:
            if isinstance(piece, bytes):
                self._pieces[-1] += piece
            else:
                self._direct.append((self._hole(), piece, next(holes)))
        self._pieces[-1] += b"\r\n"

    def variant(self) -> Variant:
        """All of it; a value that stands in many places is encoded once where it can be."""
        self._pieces[-1] += f"--{wire.BOUNDARY}--\r\n".encode()
        pieces = tuple(self._pieces)
        slots = [slot for _, slot in self._coded] + [slot for _, slot, _ in self._direct]
        names = dict.fromkeys(slot.name for slot in slots)
        if self._direct:
            is_8bit = not all(piece.isascii() for piece in pieces)
            return Unchanged(pieces, tuple(map(self._filler, names)), is_8bit)
        return Coded(pieces, tuple((name, *self._coded_holes(name)) for name in names))

    def _open(self, kind: str, encoding: str) -> None:
        opening = _OPENING.format(boundary=wire.BOUNDARY, kind=kind, encoding=encoding)
        self._pieces[-1] += opening.encode()

    def _hole(self) -> int:
        self._pieces += (b"", b"")
        return len(self._pieces) - 2

    def _coded_holes(self, name: str) -> tuple[_Holes, _Holes]:
        """Those where a plain value stands as it is, and the others."""
        holes = [each for each in self._coded if each[1].name == name]
        return (
            tuple(each for each in holes if each[1].keeps_plain),
            tuple(each for each in holes if not each[1].keeps_plain),
        )

    def _filler(self, name: str) -> _Filler:
        direct = [each for each in self._direct if each[1].name == name]
        plain = [each for each in direct if each[1].keeps_plain]
        coded = [each for each in self._coded if each[1].name == name]
        others: tuple[tuple[int, _Encode], ...] = (
            *((at, _fitting(slot, hole)) for at, slot, hole in direct if not slot.keeps_plain),
            *((at, functools.partial(_piece_of, slot)) for at, slot in coded),
        )
        encode = _together(
            [_fitting(slot, hole) for _, slot, hole in plain],
            [each for _, each in others],
            beginnings=(
                _LINE_BEGINNINGS if any(hole.begins_line for _, _, hole in plain) else _BEGINNINGS
            ),
            room=min((hole.room for _, _, hole in plain), default=0),
        )
        return _Filler(
            name=name,
            positions=(*(at for at, _, _ in plain), *(at for at, _ in others)),
            room=-1 if others else min(hole.room for _, _, hole in plain),
            encode=functools.lru_cache(maxsize=_KEPT_VALUES)(encode) if name in _SHARED else encode,
        )


def is_plain(address: str) -> bool:
    """Whether an address can go into most holes just as it is, in octets (`Value`).

    Blanks, quotes, `&`, `=` and what is beyond ASCII can't; a token behind it always can.
    """
    octets = address.encode("utf-8", "replace")
    return octets[:1] in _ADDRESS_BEGINNINGS and not octets.translate(None, _PLAIN)


def _together(
    plain: Sequence[_Encode], others: Sequence[_Encode], *, beginnings: bytes, room: int
) -> _EncodeAll:
    """What fills all holes of one name: `plain` where most values stand as they are, `others`.

    With one of `beginnings`, a plain value of at most `room` octets stands in each of the first.
    """
    each = (*plain, *others)

    def encode(value: str) -> Sequence[bytes] | None:
        octets = value.encode("utf-8", "replace")
        stands = (
            octets
            and octets[0] in beginnings
            and len(octets) <= room
            and not octets.translate(None, _PLAIN)
        )
        found: list[bytes] = [octets] * len(plain) if stands else []
        for one in each[len(found) :]:
            filled = one(value)
            if filled is None:
                return None
            found.append(filled)
        return found

    return encode


def _coded(value: str) -> bytes | None:
    """The piece for a value that needs no escaping anywhere, or None when it may need some."""
    octets = value.encode("utf-8", "replace")
    if not octets or octets[0] not in _BEGINNINGS or octets.translate(None, _PLAIN):
        return None
    room = wire.LINE_CHARACTERS
    if len(octets) <= room:
        return octets + wire.SOFT_BREAK
    lines = [octets[at : at + room] for at in range(0, len(octets), room)]
    folded = wire.SOFT_BREAK.join(lines)
    return None if b"\n." in folded else folded + wire.SOFT_BREAK


def _piece_of(slot: Slot, value: str) -> bytes:
    return wire.piece(slot.fill(value))


def _fitting(slot: Slot, hole: wire.Hole) -> _Encode:
    """What gives the octets for a hole of unchanged text, or None when they don't fit."""

    def encode(value: str) -> bytes | None:
        octets = slot.fill(value).encode()
        return octets if hole.takes(octets) else None

    return encode
