"""A message plan: everything that is the same for all recipients, encoded once, with slots between.

The compiler makes one per edition; delivery freezes it with a dispatch, thaws it in a worker, and
splices one body per recipient. Filling a slot is all the work that is left: each knows how to
escape and encode a value for the place where it stands. A slot's piece and its neighbours start
and end at line boundaries (see `templates/wire.py`), so any run can be exchanged for another per
recipient, and another transfer encoding only changes how pieces are made.
"""

import html as std_html
import json
import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import quote

from foundation.i18n import N_
from templates import problems, wire

FORMAT = 1
"""The version of the frozen form; raise it when its meaning changes."""

# "=_" can't occur in quoted-printable text, so no part can hold the boundary (RFC 2045 §6.7).
BOUNDARY = "=_handbill_part"
_OPENING = (
    "--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
)


class Place(StrEnum):
    """Where a slot stands, which decides how its value is escaped."""

    HEADER = "header"
    """In the subject."""
    HTML = "html"
    """Between HTML tags."""
    ATTRIBUTE = "attribute"
    """In a quoted HTML attribute, as text or as a whole address."""
    URL_PART = "url-part"
    """Inside an address of the HTML or the text part; percent-encoded."""
    TEXT = "text"
    """In the text part."""
    PIXEL = "pixel"
    """A whole image element that counts an opening, or nothing when the value is blank."""


_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_CONTROLS_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_CLEARLY_CLEAN = re.compile(r"[!-~](?:[ -~]*[!-~])?")
# Values that no place but URL_PART and PIXEL has to change, and that fit a line as they are.
_PLAIN = re.compile(r"[A-Za-z0-9/][A-Za-z0-9:/?#@!$()*+,;._~%-]*")


def clean(value: str) -> str:
    """A value as one line of real characters: no controls, line breaks or lone surrogates."""
    if _CLEARLY_CLEAN.fullmatch(value):
        return value
    whole = value.encode("utf-8", "replace").decode("utf-8")
    return _CONTROLS.sub(" ", whole).strip()


def scrubbed(text: str) -> str:
    """A longer text without controls and lone surrogates; line breaks and tabs stay."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return _CONTROLS_IN_TEXT.sub(" ", whole)


@dataclass(frozen=True, slots=True)
class Slot:
    """A hole in a plan: which value goes there, how, and what stands in for a blank one."""

    name: str
    place: Place
    default: str = ""

    def fill(self, value: str) -> str:
        """The text that stands in the slot for `value`."""
        return _ESCAPES[self.place](clean(value) or clean(self.default))

    def encode(self, value: str) -> bytes:
        """The octets that stand in the slot of a body for `value`."""
        return wire.piece(self.fill(value))

    @property
    def keeps_plain(self) -> bool:
        """Whether a value of plain characters stands here just as it is."""
        return self.place not in (Place.URL_PART, Place.PIXEL)


def _plain(value: str) -> bytes | None:
    """The octets for a value that needs no escaping anywhere, or None when it may need some."""
    if not _PLAIN.fullmatch(value):
        return None
    room = wire.LINE_CHARACTERS
    if len(value) <= room:
        return value.encode("ascii") + b"=\r\n"
    folded = "=\r\n".join([value[at : at + room] for at in range(0, len(value), room)])
    return None if "\n." in folded else folded.encode("ascii") + b"=\r\n"


def _pixel(value: str) -> str:
    if not value:
        return ""
    address = std_html.escape(value)
    return (
        f'<img src="{address}" alt="" width="1" height="1" role="presentation" '
        'style="display:block;width:1px;height:1px;border:0">'
    )


_ESCAPES: Mapping[Place, Callable[[str], str]] = {
    Place.HEADER: str,
    Place.HTML: std_html.escape,
    Place.ATTRIBUTE: std_html.escape,
    Place.URL_PART: lambda value: quote(value, safe=""),
    Place.TEXT: str,
    Place.PIXEL: _pixel,
}

Segment = str | Slot
Segments = tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """An address that a plan's readers are led to through `click:<number>`."""

    number: int
    url: str
    label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The compiled form of one edition or notice."""

    language: str
    subject_segments: Segments
    text_segments: Segments
    html_segments: Segments
    links: tuple[Link, ...] = ()
    concerns: tuple[problems.Concern, ...] = ()
    """What should be looked at before this goes out."""
    slot_names: frozenset[str] = field(init=False, compare=False)
    """Every value that a recipient needs."""
    _pieces: tuple[bytes, ...] = field(init=False, compare=False, repr=False)
    _fillers: "tuple[_Filler, ...]" = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Encode what is the same for everybody."""
        everything = (*self.subject_segments, *self.text_segments, *self.html_segments)
        names = frozenset(part.name for part in everything if isinstance(part, Slot))
        pieces, fillers = _encoded(self.text_segments, self.html_segments)
        object.__setattr__(self, "slot_names", names)
        object.__setattr__(self, "_pieces", pieces)
        object.__setattr__(self, "_fillers", fillers)

    @property
    def content_type_header(self) -> str:
        """The value of the message's Content-Type header."""
        return f'multipart/alternative; boundary="{BOUNDARY}"'

    def missing(self, names: Iterable[str]) -> tuple[str, ...]:
        """The values this plan needs that are not among `names`, in order."""
        return tuple(sorted(self.slot_names.difference(names)))

    def filled(self, values: Mapping[str, str]) -> "Plan":
        """The same plan with the slots that `values` names filled for everybody: fewer are left."""
        return replace(
            self,
            subject_segments=_filled(self.subject_segments, values),
            text_segments=_filled(self.text_segments, values),
            html_segments=_filled(self.html_segments, values),
        )

    def body(self, values: Mapping[str, str]) -> bytes:
        """The message's body for one recipient: text, then HTML; CRLF, ASCII, lines of ≤ 76.

        `values` must hold every name of `slot_names` (check with `missing` before sending).
        No line begins with a dot, so the body can go into SMTP DATA as it is.
        """
        pieces = list(self._pieces)
        for name, plain_places, other_places in self._fillers:
            value = values[name]
            octets = _plain(value) if plain_places else None
            for position, slot in plain_places:
                pieces[position] = octets or slot.encode(value)
            for position, slot in other_places:
                pieces[position] = slot.encode(value)
        return b"".join(pieces)

    def subject(self, values: Mapping[str, str]) -> str:
        """The subject for one recipient: one line, whatever the values hold."""
        return clean(_joined(self.subject_segments, values))

    def html(self, values: Mapping[str, str]) -> str:
        """The HTML part for one recipient, as for a preview or the view in a browser."""
        return _joined(self.html_segments, values)

    def text(self, values: Mapping[str, str]) -> str:
        """The text part for one recipient."""
        return _joined(self.text_segments, values)

    def freeze(self) -> bytes:
        """The plan as octets that any later version can thaw."""
        record = {
            "format": FORMAT,
            "language": self.language,
            "subject": _listed(self.subject_segments),
            "text": _listed(self.text_segments),
            "html": _listed(self.html_segments),
            "links": [[link.number, link.url, link.label] for link in self.links],
            "concerns": [[each.code, each.msgid, dict(each.values)] for each in self.concerns],
        }
        return zlib.compress(
            json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8"), 6
        )

    @classmethod
    def thaw(cls, frozen: bytes) -> "Plan":
        """The plan that `freeze` kept; `PlanProblem` when it is damaged or from a later version."""
        try:
            record = json.loads(zlib.decompress(frozen))
            if record["format"] != FORMAT:
                raise problems.PlanProblem(
                    N_("This message plan has format %(found)s, but only %(known)s can be read."),
                    found=record["format"],
                    known=FORMAT,
                )
            return cls(
                language=record["language"],
                subject_segments=_segments(record["subject"]),
                text_segments=_segments(record["text"]),
                html_segments=_segments(record["html"]),
                links=tuple(Link(*link) for link in record["links"]),
                concerns=tuple(
                    problems.Concern(code=code, msgid=msgid, values=values)
                    for code, msgid, values in record["concerns"]
                ),
            )
        except (zlib.error, ValueError, KeyError, TypeError) as error:
            raise problems.PlanProblem(
                N_("This message plan is damaged: %(detail)s."), detail=str(error)
            ) from error


_Places = tuple[tuple[int, Slot], ...]
_Filler = tuple[str, _Places, _Places]
"""A value's name, the pieces where plain values stand as they are, and the others."""


def _encoded(text: Segments, html: Segments) -> tuple[tuple[bytes, ...], tuple[_Filler, ...]]:
    """Both parts as octets with empty places, and what fills each place.

    Neighbouring octets that are the same for everybody are one piece, so that a body is few.
    """
    pieces: list[bytes] = [b""]
    slots: list[tuple[int, Slot]] = []
    for kind, segments in (("plain", text), ("html", html)):
        pieces[-1] += _OPENING.format(boundary=BOUNDARY, kind=kind).encode("ascii")
        for number, segment in enumerate(segments, start=1):
            if isinstance(segment, Slot):
                slots.append((len(pieces), segment))
                pieces.extend((b"", b""))
            elif number == len(segments):
                pieces[-1] += wire.last_piece(segment)
            else:
                pieces[-1] += wire.piece(segment)
        pieces[-1] += b"\r\n"
    pieces[-1] += f"--{BOUNDARY}--\r\n".encode("ascii")
    return tuple(pieces), _by_name(slots)


def _by_name(slots: list[tuple[int, Slot]]) -> tuple[_Filler, ...]:
    """A value that stands in many places is encoded once for all that take it as it is."""
    return tuple(
        (
            name,
            tuple(each for each in slots if each[1].name == name and each[1].keeps_plain),
            tuple(each for each in slots if each[1].name == name and not each[1].keeps_plain),
        )
        for name in dict.fromkeys(slot.name for _, slot in slots)
    )


def _joined(segments: Segments, values: Mapping[str, str]) -> str:
    return "".join(
        [part if isinstance(part, str) else part.fill(values[part.name]) for part in segments]
    )


def _filled(segments: Segments, values: Mapping[str, str]) -> Segments:
    """With neighbouring texts joined, so that they are encoded as one."""
    found: list[Segment] = []
    for part in segments:
        is_known = isinstance(part, Slot) and part.name in values
        text = part.fill(values[part.name]) if isinstance(part, Slot) and is_known else part
        if isinstance(text, str) and found and isinstance(found[-1], str):
            found[-1] += text
        else:
            found.append(text)
    return tuple(found)


def _listed(segments: Segments) -> list[str | list[str]]:
    return [
        part if isinstance(part, str) else [part.name, part.place.value, part.default]
        for part in segments
    ]


def _segments(listed: list[str | list[str]]) -> Segments:
    return tuple(
        part if isinstance(part, str) else Slot(part[0], Place(part[1]), part[2]) for part in listed
    )
