"""Forms with a column for each language: how they are described, read and filled again.

A field `title` that is written in every language is sent as `title-en`, `title-es`…
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from aiohttp import web

from campaigns import audience_staff_forms, audiences, schedule
from campaigns.audiences import Audience
from campaigns.wording import Texts
from foundation import errors
from foundation.frozen import frozen
from foundation.i18n import N_
from foundation.web import forms, kit
from foundation.web.forms import Form
from subscribers.member_models import ContactDuty

_LONGEST_NUMBER = 16


class Widget(StrEnum):
    """How a field is typed."""

    LINE = "line"
    """A single line."""
    AREA = "area"
    """Several lines of plain text."""
    RICH = "rich"
    """Rich text, kept as HTML."""
    NUMBER = "number"
    """A whole number."""
    DATE = "date"
    """A day."""
    MOMENT = "datetime-local"
    """A local day and time."""
    SELECT = "select"
    """One of a list."""
    CHECKS = "checks"
    """Any of a list."""
    FLAG = "flag"
    """Yes or no."""
    ROWS = "rows"
    """A list of entries, each with the same few fields; they are sent as `items-en-1-title`…"""


@frozen
class FieldSpec:
    """A field of a form; `label` and `hint` are msgids."""

    name: str
    label: str
    widget: Widget = Widget.LINE
    hint: str = ""
    limit: int = 300
    is_required: bool = False
    rows: Sequence["FieldSpec"] = ()
    """The fields of an entry of a list."""
    most: int = 0
    """How many entries a list can have."""


def read_sides(
    form: Form, specs: Sequence[FieldSpec], languages: Iterable[str]
) -> dict[str, dict[str, str]]:
    """What was typed in each language; problems are noted on the form."""
    return {
        code: {
            spec.name: _read(form, spec, f"{spec.name}-{code}")
            for spec in specs
            if spec.widget is not Widget.ROWS
        }
        for code in languages
    }


def read_all(
    form: Form, specs: Sequence[FieldSpec], languages: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """The same with the entries of lists."""
    sides: dict[str, dict[str, Any]] = {
        code: dict(texts) for code, texts in read_sides(form, specs, languages).items()
    }
    for code, texts in sides.items():
        for spec in specs:
            if spec.widget is Widget.ROWS:
                texts[spec.name] = read_rows(form, spec, f"{spec.name}-{code}")
    return sides


def read_rows(form: Form, spec: FieldSpec, name: str) -> list[dict[str, str]]:
    """The entries of a list that hold anything; problems are noted on the form."""
    found = (
        {
            field.name: typed
            for field in spec.rows
            if (typed := _read(form, field, f"{name}-{number}-{field.name}"))
        }
        for number in range(1, spec.most + 1)
    )
    return [entry for entry in found if entry]


def read_shared(form: Form, spec: FieldSpec) -> str | list[str]:
    """What was typed for all languages: a text, or several that were ticked or typed in lines."""
    if spec.widget is Widget.CHECKS:
        return form.lines(spec.name)
    if spec.widget is Widget.AREA:
        return form.text(spec.name, limit=spec.limit).split()
    return form.line(spec.name, limit=spec.limit)


def row_values(name: str, entries: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The entries of a list as the values of its fields."""
    return {
        f"{name}-{number}-{field}": text
        for number, entry in enumerate(entries, start=1)
        for field, text in entry.items()
    }


def side_values(specs: Sequence[FieldSpec], texts: Texts) -> dict[str, str]:
    """Texts as the values of a form's fields."""
    return {
        f"{spec.name}-{code}": fields.get(spec.name, "")
        for code, fields in texts.items()
        for spec in specs
    }


def typed(form: Form) -> dict[str, str]:
    """What was sent, to fill the form again."""
    return dict(form.values.items())


def read_day(form: Form, name: str) -> date | None:
    """A day; None, and a problem on the form, when it is none."""
    raw = form.line(name, limit=40)
    try:
        return date.fromisoformat(raw)
    except ValueError:
        form.problems.setdefault(name, errors.Invalid(N_("Choose a day.")))
        return None


def moment(request: web.Request, form: Form, name: str) -> datetime | None:
    """The moment typed into a field, by the site's clock; None when it is empty or wrong.

    What is wrong is among the form's problems then.
    """
    typed = form.line(name, limit=40)
    if not typed:
        return None
    try:
        return schedule.resolve(typed, kit.ground(request).settings.site.zone)
    except errors.Invalid as problem:
        form.problems[name] = next(iter(problem.fields.values()), problem)
        return None


def version(form: Form) -> int:
    """The version that the page was made from; 0 fits none."""
    return form.number("version", default=0) or 0


async def file_of(request: web.Request, name: str) -> tuple[str, bytes] | None:
    """Name and content of a file of the form that was read; None when none was chosen."""
    return next(iter(await files_of(request, name)), None)


async def files_of(request: web.Request, name: str) -> list[tuple[str, bytes]]:
    """Names and contents of all files of a field of the form that was read."""
    return [
        (sent.filename, await asyncio.to_thread(sent.file.read))
        for sent in request.get(forms.FILES, ())
        if sent.name == name and sent.filename
    ]


def say(request: web.Request, problem: errors.HandbillError) -> dict[str, str]:
    """Field → words, for a page that is shown again."""
    speaks = kit.translator(request)
    if isinstance(problem, errors.Invalid) and problem.fields:
        return {name: each.say(speaks) for name, each in problem.fields.items()}
    return {"main": problem.say(speaks)}


def after_cursor(values: Mapping[str, str]) -> int | None:
    """The row number in `?after=`, or None."""
    raw = values.get("after", "")
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 18 else None


def _read(form: Form, spec: FieldSpec, name: str) -> str:
    if spec.widget in (Widget.AREA, Widget.RICH):
        return form.text(name, limit=50_000 if spec.widget is Widget.RICH else 4_000)
    return form.line(name, limit=spec.limit)


def audience(form: Form) -> Audience:
    """Who gets it, as chosen; the conditions that can't be read are among the form's problems."""
    return audiences.parse(
        {
            "topics": form.lines("topics"),
            "languages": form.lines("languages"),
            "members": form.flag("members"),
            "duties": [each.value for each in ContactDuty if each in form.lines("duties")],
            "received": _campaigns(form, "received"),
            "not_received": _campaigns(form, "not_received"),
            **audience_staff_forms.read(form).groups,
        }
    )


def _campaigns(form: Form, name: str) -> list[int]:
    typed = [each for each in form.lines(name) if each.isascii() and each.isdecimal()]
    return [int(each) for each in typed if len(each) < _LONGEST_NUMBER]
