"""A message plan: all that is the same for all recipients, encoded once, with slots between.

The compiler makes one per edition; delivery freezes it with a dispatch, thaws it in a worker, and
splices one body per recipient (see `templates/runs.py`). Sections that only some readers see are
chosen by the reader's answers to the plan's conditions.
"""

import functools
import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from foundation.frozen import frozen
from foundation.i18n import N_
from templates import conditions, problems, runs, slots, wire
from templates.conditions import Answers, Condition, Reader
from templates.slots import Place, Plain, Section, Segment, Segments, Slot

FORMAT = 3
"""The version of the frozen form; raise it when its meaning changes."""
_READ = frozenset({1, 2, FORMAT})
"""The versions that can be thawed; 1 had no sections, 2 nothing that is near."""
_KEPT_LINES = 256


@dataclass(frozen=True, slots=True)
class Link:
    """An address that a plan's readers are led to through `click:<number>`."""

    number: int
    url: str
    label: str


@frozen
class Plan:
    """The compiled form of one edition or notice."""

    language: str
    subject_segments: tuple[Plain, ...]
    text_segments: Segments
    html_segments: Segments
    links: tuple[Link, ...] = ()
    concerns: tuple[problems.Concern, ...] = ()
    """What should be looked at before this goes out."""
    conditions: tuple[Condition, ...] = ()
    """Which a section's number names."""
    slot_names: frozenset[str] = field(init=False, compare=False)
    """Every value that a recipient needs."""
    answers: Callable[[Reader], Answers] = field(init=False, compare=False, repr=False)
    """For each of the conditions, whether it holds for a reader."""
    subject: Callable[[runs.Values], str] = field(init=False, compare=False, repr=False)
    """The subject for one recipient: one line, whatever the values hold."""
    _variant: runs.Variants = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Compile the conditions; octets are made when they are first needed."""
        everything = (*self.subject_segments, *self.text_segments, *self.html_segments)
        names = frozenset(
            part.name for part in slots.shown(everything, None) if isinstance(part, Slot)
        )
        object.__setattr__(self, "slot_names", names)
        object.__setattr__(self, "answers", conditions.compiled(self.conditions))
        object.__setattr__(self, "subject", _line(self.subject_segments))
        object.__setattr__(
            self,
            "_variant",
            runs.prepared(self.text_segments, self.html_segments, self.everything),
        )

    @property
    def nobody(self) -> Answers:
        """The answers that hide every section for some: what anybody at all may see."""
        return tuple([condition.is_ordinary for condition in self.conditions])

    @property
    def everything(self) -> Answers:
        """The answers that show every section, each once."""
        return tuple([not condition.is_copy for condition in self.conditions])

    @property
    def content_type_header(self) -> str:
        """The value of the message's Content-Type header."""
        return f'multipart/alternative; boundary="{wire.BOUNDARY}"'

    @property
    def asks_membership(self) -> bool:
        """Whether an answer depends on who speaks for a member."""
        return any(condition.asks_membership for condition in self.conditions)

    def missing(self, names: Iterable[str]) -> tuple[str, ...]:
        """The values this plan needs that are not among `names`, in order."""
        return tuple(sorted(self.slot_names.difference(names)))

    def filled(self, values: Mapping[str, str]) -> "Plan":
        """The same plan with the slots that `values` names filled for everybody: fewer are left."""
        return replace(
            self,
            subject_segments=slots.filled_plain(self.subject_segments, values),
            text_segments=slots.filled(self.text_segments, values),
            html_segments=slots.filled(self.html_segments, values),
        )

    def body(
        self, values: runs.Values, answers: Answers | None = None, *, is_8bit: bool = False
    ) -> bytes:
        """The message's body for one recipient: text, then HTML, with CRLF line ends.

        `values` must hold every name of `slot_names` (check with `missing` before sending). Without
        `answers`, every section is shown. It is ASCII in lines of at most 76 characters; with
        `is_8bit`, octets beyond ASCII may stand in it as they are, in lines of at most 998, where
        text and values are fit for that. No line begins with a dot, so the body can go into SMTP
        DATA as it is.
        """
        return b"".join(self.pieces(values, answers, is_8bit=is_8bit)[0])

    def pieces(
        self, values: runs.Values, answers: Answers | None = None, *, is_8bit: bool = False
    ) -> tuple[Sequence[bytes], bool]:
        """What `body` joins, and whether octets beyond ASCII are among it."""
        variant = self._variant(answers, is_8bit)
        pieces = variant.fill(values)
        if pieces is None:
            # One of the values can't stand there as it is.
            return self.pieces(values, answers)
        return pieces, variant.is_8bit

    def html(self, values: Mapping[str, str], answers: Answers | None = None) -> str:
        """The HTML part for one recipient, as for a preview or the view in a browser."""
        return self._joined(self.html_segments, values, answers)

    def text(self, values: Mapping[str, str], answers: Answers | None = None) -> str:
        """The text part for one recipient."""
        return self._joined(self.text_segments, values, answers)

    def _joined(
        self, segments: Segments, values: Mapping[str, str], answers: Answers | None
    ) -> str:
        shown = self.everything if answers is None else answers
        return slots.joined(slots.shown(segments, shown), values)

    def freeze(self) -> bytes:
        """The plan as octets that any later version can thaw."""
        record = {
            "format": FORMAT,
            "language": self.language,
            "subject": _listed(self.subject_segments),
            "text": _listed(self.text_segments),
            "html": _listed(self.html_segments),
            "conditions": [asdict(condition) for condition in self.conditions],
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
            if record["format"] not in _READ:
                raise problems.PlanProblem(
                    N_("This message plan has format %(found)s, but only %(known)s can be read."),
                    found=record["format"],
                    known=FORMAT,
                )
            return cls(
                language=record["language"],
                subject_segments=tuple(map(_plain, record["subject"])),
                text_segments=_segments(record["text"]),
                html_segments=_segments(record["html"]),
                conditions=tuple(map(_condition, record.get("conditions", ()))),
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


def _line(segments: tuple[Plain, ...]) -> Callable[[runs.Values], str]:
    """What fills a line; as a rule many readers have the same."""
    names = [part.name for part in segments if isinstance(part, Slot)]

    @functools.lru_cache(maxsize=_KEPT_LINES)
    def line(*values: runs.Value) -> str:
        texts = [value if isinstance(value, str) else value.decode("ascii") for value in values]
        return slots.clean(slots.joined(segments, dict(zip(names, texts, strict=True))))

    def filled(values: runs.Values) -> str:
        return line(*map(values.__getitem__, names))

    return filled


def _condition(record: Mapping[str, Any]) -> Condition:
    also = record.get("also")
    return Condition(
        towns=tuple(record["towns"]),
        postal_codes=tuple(record["postal_codes"]),
        members=record["members"],
        zip_codes=record.get("zip_codes", ""),
        is_reversed=record["is_reversed"],
        also=_condition(also) if also else None,
        is_copy=record.get("is_copy", False),
        is_ordinary=record.get("is_ordinary", False),
    )


_Listed = str | list[str] | dict[str, Any]
"""A text, a slot, or a section with what is in it, as JSON."""


def _listed(segments: Iterable[Segment]) -> list[_Listed]:
    return [_one_listed(part) for part in segments]


def _one_listed(part: Segment) -> _Listed:
    if isinstance(part, Section):
        return {"if": part.condition, "then": _listed(part.segments)}
    return part if isinstance(part, str) else [part.name, part.place.value, part.default]


def _segments(listed: Iterable[_Listed]) -> Segments:
    return tuple(
        Section(part["if"], tuple(map(_plain, part["then"])))
        if isinstance(part, dict)
        else _plain(part)
        for part in listed
    )


def _plain(part: str | list[str]) -> Plain:
    return part if isinstance(part, str) else Slot(part[0], Place(part[1]), part[2])
