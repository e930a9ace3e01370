"""A plan's two parts as runs of octets with holes, put together once for each kind of readers.

Static text is encoded once for each transfer encoding, a section's apart from what is around it.
Readers with the same answers share a variant: few long pieces with a hole for each slot, so that a
body is one `b"".join`. In quoted-printable every piece starts and ends at a line boundary, so any
value fits any hole. As it is (8bit), text may stand only in lines that SMTP takes unchanged: a part
whose static text does not is quoted-printable in that variant, and a value that does not fit its
hole is told to the caller, who then takes the quoted-printable variant (docs/decisions/0009).
"""

import functools
import re
from collections.abc import Callable, Iterable, Mapping
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

# Values that no place but URL_PART and PIXEL has to change, and that fit a line as they are.
_PLAIN = re.compile(r"[A-Za-z0-9/][A-Za-z0-9:/?#@!$()*+,;._~%-]*")

Piece = bytes | Slot
_Encode = Callable[[str], bytes | None]


class _Filler(NamedTuple):
    """What a value of one name fills."""

    name: str
    coded: tuple[tuple[int, Slot], ...]
    """Holes of quoted-printable where a plain value stands as it is."""
    direct: tuple[tuple[int, _Encode], ...]
    """Holes of 8bit text where a plain value of at most `room` characters stands as it is."""
    room: int
    others: tuple[tuple[int, _Encode], ...]
    """All other holes, each with what makes octets of a value, or None when it does not fit."""


class Variant(NamedTuple):
    """A body for all readers who see the same sections."""

    pieces: tuple[bytes, ...]
    """Octets that are the same for all, and an empty piece for each hole."""
    fillers: tuple[_Filler, ...]

    def splice(self, values: Mapping[str, str]) -> bytes | None:
        """One body; None when a value can't stand in it as it is."""
        pieces = list(self.pieces)
        for name, coded, direct, room, others in self.fillers:
            value = values[name]
            if coded:
                octets = _coded(value)
                for position, slot in coded:
                    pieces[position] = octets or wire.piece(slot.fill(value))
            if direct:
                plain = value.encode() if len(value) <= room and _PLAIN.fullmatch(value) else None
                for position, encode in direct:
                    found = encode(value) if plain is None else plain
                    if found is None:
                        return None
                    pieces[position] = found
            for position, encode in others:
                found = encode(value)
                if found is None:
                    return None
                pieces[position] = found
        return b"".join(pieces)


Variants = Callable[[Answers | None, bool], Variant]
"""The variant for some answers (None shows all), as 8bit or not."""


def prepared(text: Segments, html: Segments) -> Variants:
    """A plan's variants; its octets are made when they are first needed, and kept."""
    parts = (("plain", text), ("html", html))

    @functools.cache
    def encoded(is_8bit: bool) -> tuple[tuple[_Run, ...], ...]:
        return tuple(tuple(_runs(segments, is_8bit=is_8bit)) for _, segments in parts)

    @functools.lru_cache(maxsize=_KEPT)
    def variant(answers: Answers | None, is_8bit: bool) -> Variant:
        assembly = _Assembly()
        for number, (kind, _) in enumerate(parts):
            chosen = _chosen(encoded(is_8bit)[number], answers)
            measured = wire.measured([_static(piece) for piece in chosen]) if is_8bit else None
            if measured is not None:
                assembly.add_direct(kind, chosen, measured)
            else:
                assembly.add_coded(kind, _chosen(encoded(False)[number], answers))
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


def _chosen(runs: Iterable[_Run], answers: Answers | None) -> list[Piece]:
    """The pieces of the runs that are shown."""
    return [
        piece
        for condition, pieces in runs
        if condition is None or answers is None or answers[condition]
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
        slots = [slot for _, slot in self._coded] + [slot for _, slot, _ in self._direct]
        names = dict.fromkeys(slot.name for slot in slots)
        return Variant(tuple(self._pieces), tuple(map(self._filler, names)))

    def _open(self, kind: str, encoding: str) -> None:
        opening = _OPENING.format(boundary=wire.BOUNDARY, kind=kind, encoding=encoding)
        self._pieces[-1] += opening.encode()

    def _hole(self) -> int:
        self._pieces += (b"", b"")
        return len(self._pieces) - 2

    def _filler(self, name: str) -> _Filler:
        coded = [each for each in self._coded if each[1].name == name]
        direct = [_Direct(*each) for each in self._direct if each[1].name == name]
        simple = [each for each in direct if each.is_simple]
        return _Filler(
            name=name,
            coded=tuple(each for each in coded if each[1].keeps_plain),
            direct=tuple((each.position, each.encode) for each in simple),
            room=min((each.hole.room for each in simple), default=0),
            others=(
                *(
                    (position, functools.partial(_piece_of, slot))
                    for position, slot in coded
                    if not slot.keeps_plain
                ),
                *((each.position, each.encode) for each in direct if not each.is_simple),
            ),
        )


class _Direct(NamedTuple):
    """A hole of unchanged text."""

    position: int
    slot: Slot
    hole: wire.Hole

    @property
    def is_simple(self) -> bool:
        """Whether any plain value that is short enough fits."""
        return self.slot.keeps_plain and not self.hole.begins_line

    def encode(self, value: str) -> bytes | None:
        """The octets for a value, or None when they don't fit."""
        octets = self.slot.fill(value).encode()
        return octets if self.hole.takes(octets) else None


def _coded(value: str) -> bytes | None:
    """The piece for a value that needs no escaping anywhere, or None when it may need some."""
    if not _PLAIN.fullmatch(value):
        return None
    room = wire.LINE_CHARACTERS
    if len(value) <= room:
        return value.encode("ascii") + b"=\r\n"
    folded = "=\r\n".join([value[at : at + room] for at in range(0, len(value), room)])
    return None if "\n." in folded else folded.encode("ascii") + b"=\r\n"


def _piece_of(slot: Slot, value: str) -> bytes:
    return wire.piece(slot.fill(value))
