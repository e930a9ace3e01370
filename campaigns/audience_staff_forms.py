"""The part of a form in which staff choose people by conditions, one line for each.

A line `3` of the group `none_of` is sent as `c3-group`, `c3-kind` and the fields of its kind. What
is not filled in yet counts for nothing, so that people can be counted while a line is written.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from datetime import date
from typing import Any

from campaigns import audience_problems, audience_rules
from campaigns.audience_rules import Audience, Condition, Rules
from foundation import errors
from foundation.frozen import frozen
from foundation.i18n import N_
from foundation.web.forms import Form
from subscribers import unasked
from subscribers.member_models import ContactDuty

GROUPS: Mapping[str, str] = {
    "all_of": N_("Only people who fit all of these"),
    "any_of": N_("Only people who fit one of these, at least"),
    "none_of": N_("But nobody who fits one of these"),
}
KINDS: Mapping[str, str] = {
    "segment": N_("in a segment"),
    "postal-code": N_("postal code"),
    "town": N_("town"),
    "near": N_("near a place"),
    "language": N_("language"),
    "topic": N_("another topic"),
    "joined": N_("when they joined"),
    "source": N_("source of the sign-up"),
    "form": N_("form of the sign-up"),
    "partner": N_("partner of the sign-up"),
    "tag": N_("tag"),
    "field": N_("field of your own"),
    "received": N_("got a campaign"),
    "opened": N_("opened a campaign"),
    "clicked": N_("followed a link in a campaign"),
    "not-mailed": N_("were sent nothing for a while"),
    "counted": N_("agreed to be counted by name"),
    "member": N_("contacts of members"),
}
"""Kinds of conditions as they are offered, those that are chosen most first."""
SIMPLE_KINDS = {kind: words for kind, words in KINDS.items() if kind != "segment"}
"""Of a segment itself."""
_MOST_LINES = 60


@frozen
class Line:
    """One condition as the form shows it."""

    number: int
    group: str
    kind: str
    text: str = ""
    name: str = ""
    count: str = ""
    since: str = ""
    before: str = ""
    chosen: Sequence[str] = ()
    is_new: bool = False
    """It was added just now: typing goes on there."""

    @property
    def stem(self) -> str:
        """How the names of its fields begin."""
        return f"c{self.number}"


@frozen
class Typed:
    """What a form holds of conditions: its lines, and those that can be read."""

    lines: Sequence[Line] = ()
    groups: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    focus: str = ""
    """The group from which a line was taken just now."""


def read(form: Form) -> Typed:
    """The lines that were sent, with one more or one less where a button says so.

    What can't be read is among the form's problems, under the name of its line.
    """
    verb, _, about = form.line("action").partition(":")
    lines = [
        _line(form, number) for number in range(_MOST_LINES) if f"c{number}-kind" in form.values
    ]
    kept = [
        each
        for each in lines
        if each.kind in KINDS and each.group in GROUPS
        if not (verb == "remove" and about == str(each.number))
    ]
    groups: dict[str, list[dict[str, Any]]] = {group: [] for group in GROUPS}
    for line in kept:
        try:
            values = _READERS[line.kind](line)
            if values is not None:
                groups[line.group].append(_checked(line, {"kind": line.kind, **values}))
        except errors.Invalid as problem:
            form.problems[line.stem] = problem
    kind = form.line(f"add-{about}")
    if verb == "add" and about in GROUPS and kind in KINDS and len(kept) < _MOST_LINES:
        number = max((each.number for each in kept), default=-1) + 1
        kept.append(Line(number=number % _MOST_LINES, group=about, kind=kind, is_new=True))
    taken = next((each.group for each in lines if about == str(each.number)), "")
    return Typed(lines=kept, groups=groups, focus=taken if verb == "remove" else "")


def _checked(line: Line, found: dict[str, Any]) -> dict[str, Any]:
    """A condition as it is kept. Raises `errors.Invalid` in words for whoever typed it."""
    asked = [line.name, *found.get("tags", ())]
    if any(unasked.is_unasked(each) for each in asked):
        raise errors.Invalid(
            N_("Nobody is asked for their immigration status here, and nobody is chosen by it.")
        )
    try:
        audience_problems.read(Audience, {line.group: [found]})
    except errors.Invalid as problem:
        raise errors.Invalid(
            N_("This can't be read: something in it is too long, too large, or out of place.")
        ) from problem
    return found


def lines_of(rules: Audience | Rules) -> list[Line]:
    """What is kept, as lines."""
    groups = audience_rules.unfolded(rules)
    flat = [
        (group, condition)
        for group, conditions in (
            ("all_of", groups.all_of),
            ("any_of", groups.any_of),
            ("none_of", groups.none_of),
        )
        for condition in conditions
    ]
    return [
        Line(number=number, group=group, kind=condition.kind, **_shown(condition))
        for number, (group, condition) in enumerate(flat)
    ]


def _line(form: Form, number: int) -> Line:
    stem = f"c{number}-"
    return Line(
        number=number,
        group=form.line(f"{stem}group"),
        kind=form.line(f"{stem}kind"),
        text=form.line(f"{stem}text", limit=4000),
        name=form.line(f"{stem}name", limit=50),
        count=form.line(f"{stem}count", limit=6),
        since=form.line(f"{stem}since", limit=10),
        before=form.line(f"{stem}before", limit=10),
        chosen=form.lines(f"{stem}chosen", limit=audience_rules.MOST_VALUES),
    )


def _shown(condition: Condition) -> dict[str, Any]:
    """The fields of a line that holds a condition."""
    rest = condition.model_dump(mode="json", exclude={"kind", "version"})
    shown: dict[str, Any] = {}
    for name, value in rest.items():
        if value is None:
            continue
        if name in ("codes", "towns", "sources", "tags", "values"):
            shown["text"] = ", ".join(value)
        elif name == "place":
            shown["text"] = value
        elif name in ("miles", "days", "last", "last_days"):
            shown["count"] = str(value)
        elif name in ("since", "before", "name"):
            shown[name] = value
        elif name == "segment":
            shown["chosen"] = [str(value)]
        else:
            shown["chosen"] = [str(each) for each in value]
    return shown


_Values = dict[str, Any] | None


def _texts(name: str) -> Callable[[Line], _Values]:
    def read_texts(line: Line) -> _Values:
        found = _listed(line.text)
        return {name: found} if found else None

    return read_texts


def _choices(name: str) -> Callable[[Line], _Values]:
    return lambda line: {name: list(line.chosen)} if line.chosen else None


def _near(line: Line) -> _Values:
    if not line.text:
        return None
    return {"place": line.text, **({"miles": _count(line)} if line.count else {})}


def _own_field(line: Line) -> _Values:
    values = _listed(line.text)
    return {"name": line.name, "values": values} if line.name and values else None


def _joined(line: Line) -> _Values:
    found: dict[str, Any] = {
        name: _day(text) for name, text in (("since", line.since), ("before", line.before)) if text
    }
    if line.count:
        found["last_days"] = _count(line)
    return found or None


def _of_campaigns(line: Line) -> _Values:
    found: dict[str, Any] = {}
    if line.chosen:
        found["campaigns"] = _numbers(line.chosen)
    if line.count:
        found["last"] = _count(line)
    return found or None


def _duties(line: Line) -> _Values:
    return {"duties": [each.value for each in ContactDuty if each in line.chosen]}


def _segment(line: Line) -> _Values:
    found = _numbers(line.chosen[:1])
    return {"segment": found[0]} if found else None


_READERS: Mapping[str, Callable[[Line], _Values]] = {
    "segment": _segment,
    "postal-code": _texts("codes"),
    "town": _texts("towns"),
    "near": _near,
    "language": _choices("languages"),
    "topic": _choices("topics"),
    "joined": _joined,
    "source": _texts("sources"),
    "form": _choices("forms"),
    "partner": lambda line: {"partners": _numbers(line.chosen)} if line.chosen else None,
    "tag": _texts("tags"),
    "field": _own_field,
    "received": _of_campaigns,
    "opened": _of_campaigns,
    "clicked": _of_campaigns,
    "not-mailed": lambda line: {"days": _count(line)} if line.count else None,
    "counted": lambda _: {},
    "member": _duties,
}
"""Kind → what a line says besides; None while it is not filled in."""


def _listed(text: str) -> list[str]:
    parts = (part.strip() for part in text.replace(";", ",").split(","))
    return list(dict.fromkeys(part for part in parts if part))


def _numbers(typed: Iterable[str]) -> list[int]:
    return [int(each) for each in typed if each.isascii() and each.isdecimal() and len(each) < 16]


def _count(line: Line) -> int:
    if not (line.count.isascii() and line.count.isdecimal() and int(line.count)):
        raise errors.Invalid(N_("Type a whole number."))
    return int(line.count)


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as problem:
        raise errors.Invalid(N_("Choose a day.")) from problem
