"""The form in which staff write a series: read into a plan, and filled from one."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from campaigns import audience_rules, audiences, series_plans, staff_forms
from campaigns.series_plans import Plan
from campaigns.staff_forms import FieldSpec, Widget
from foundation import errors
from foundation.i18n import N_
from foundation.web.forms import Form

WORDS = (
    FieldSpec(
        name="subject",
        label=N_("Subject"),
        hint=N_("{number}, {volume} and {date} are put in when an edition is drafted."),
        limit=300,
    ),
    FieldSpec(name="preheader", label=N_("What inboxes show behind it"), limit=300),
    FieldSpec(name="title", label=N_("Headline in the mail"), hint=N_("Empty: the subject")),
    FieldSpec(name="opening", label=N_("Text at the beginning"), widget=Widget.RICH),
    FieldSpec(name="closing", label=N_("Text at the end"), widget=Widget.RICH),
)
_NUMBERS = {
    "least": (0, series_plans.MAX_ITEMS),
    "most": (1, series_plans.MAX_ITEMS),
    "partner_most": (0, series_plans.MAX_ITEMS),
    "oldest_days": (1, 366),
    "volume": (1, 9999),
    "next_number": (1, 9999),
}
_RULE_NUMBERS = {"weekday": (0, 6), "day": (1, 31), "closes_days": (0, 21)}
_SECTION_NUMBERS = {"least": (0, series_plans.MAX_ITEMS), "most": (1, series_plans.MAX_ITEMS)}
"""Names of number fields, each with the least and the most that can be typed."""
_RULE_LINES = ("pattern", "at", "zone", "starts_on", "closes_at")
_SENDER = ("from_name", "from_address", "reply_to", "relay")
_MEND = N_("Something needs to be mended before this can be kept.")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]$")
_SECTION_TEXTS = ("kind", "issue", "least", "most", "near")
_SECTION_PLACE = re.compile(r"sections\D+(\d+)\D+(\w+)$")


def read(form: Form, languages: Iterable[str]) -> Plan:
    """The plan that was typed. Raises `errors.Invalid` that names the form's fields."""
    audience = audience_of(form)
    values: dict[str, Any] = {
        "name": form.line("name", limit=120, required=True),
        "issue": form.line("issue", limit=80, required=True),
        "mode": form.line("mode"),
        "fallback": form.line("fallback"),
        "owner": form.line("owner"),
        "credits": form.flag("credits"),
        "is_yearly": form.flag("is_yearly"),
        "rule": _rule(form),
        "editions": _editions(form, languages),
        "sections": _sections(form, languages),
        "audience": {
            name: value for name, value in audience_rules.stored(audience).items() if value
        },
        "campaign": {name: form.line(name) for name in _SENDER},
        **_numbers(form, _NUMBERS),
    }
    if not audiences.is_to_somebody(audience):
        form.problems["topics"] = errors.Invalid(N_("Choose one topic at least, or the members."))
    if not values["editions"]:
        form.problems["main"] = errors.Invalid(N_("Give it a subject in one language at least."))
    if not values["sections"]:
        form.problems["section-0-kind"] = errors.Invalid(N_("Choose what the first section takes."))
    form.check()
    try:
        return series_plans.parse(values)
    except errors.Invalid as problem:
        fields = {_field_name(place): said for place, said in problem.fields.items()}
        raise errors.Invalid(_MEND, fields=fields) from problem


def values_of(plan: Plan) -> dict[str, str]:
    """A plan as the values of the form's lines and choices."""
    kept = plan.model_dump(mode="json")
    values = {name: str(kept[name]) for name in (*_NUMBERS, "name", "issue", "mode", "fallback")}
    values |= {"owner": plan.owner, "which": str(plan.rule.which)}
    values |= {name: str(kept["rule"][name]) for name in (*_RULE_NUMBERS, *_RULE_LINES)}
    values |= {name: kept["campaign"][name] for name in _SENDER}
    for code, words in kept["editions"].items():
        values |= {f"{name}-{code}": text for name, text in words.items()}
    for place, section in enumerate(kept["sections"]):
        stem = f"section-{place}-"
        values |= {
            f"{stem}place": str(place + 1),
            **{f"{stem}{name}": str(section[name]) for name in _SECTION_TEXTS},
            f"{stem}carries_over": "1" if section["carries_over"] else "",
            f"{stem}kinds": " ".join(section["kinds"]),
            **{f"{stem}heading-{code}": text for code, text in section["headings"].items()},
        }
    for name in ("credits", "is_yearly"):
        values[name] = "1" if kept[name] else ""
    return values


def typed(form: Form) -> dict[str, str]:
    """What was sent, to fill the form again; several choices are one value."""
    values = staff_forms.typed(form)
    for name in {each for each in form.values if each.endswith("-kinds")}:
        values[name] = " ".join(form.lines(name))
    return values


def audience_of(values: Mapping[str, Any] | Form) -> audiences.Audience:
    """Who gets it, as typed or as kept."""
    if isinstance(values, Form):
        return staff_forms.audience(values)
    return audiences.parse(values)


def places(values: Mapping[str, str]) -> range:
    """The sections that the form shows: those that are there, and an empty one."""
    there = [int(found[1]) for name in values if (found := re.match(r"section-(\d)-kind$", name))]
    return range(min(max(there, default=-1) + 2, series_plans.MAX_SECTIONS))


def _rule(form: Form) -> dict[str, Any]:
    which = form.line("which")
    lines = {name: form.line(name) for name in _RULE_LINES}
    for name in ("at", "closes_at"):
        if not _TIME.match(lines[name]):
            form.problems[name] = errors.Invalid(N_("Type a time, such as 09:00."))
    staff_forms.read_day(form, "starts_on")
    is_late = form.number("closes_days", default=0) == 0 and lines["closes_at"] > lines["at"]
    if is_late:
        form.problems["closes_at"] = errors.Invalid(
            N_("Content has to close before the edition is sent.")
        )
    return {
        **lines,
        "which": int(which) if which in ("1", "2", "3", "4", "-1") else 1,
        **_numbers(form, _RULE_NUMBERS),
    }


def _editions(form: Form, languages: Iterable[str]) -> dict[str, dict[str, str]]:
    sides = staff_forms.read_sides(form, WORDS, languages)
    written = {code: fields for code, fields in sides.items() if any(fields.values())}
    for code, fields in written.items():
        if not fields["subject"]:
            form.problems[f"subject-{code}"] = errors.Invalid(N_("Give it a subject too."))
        for name, text in fields.items():
            unknown = series_plans.unknown_places(text)
            if unknown:
                form.problems[f"{name}-{code}"] = errors.Invalid(
                    N_("Nothing is put in for %(unknown)s; there are %(known)s."),
                    unknown=unknown[0],
                    known=", ".join(f"{{{each}}}" for each in series_plans.PLACES),
                )
    return written


def _sections(form: Form, languages: Iterable[str]) -> list[dict[str, Any]]:
    """The sections in the order of their places."""
    found: list[tuple[int, dict[str, Any]]] = []
    for place in range(series_plans.MAX_SECTIONS):
        stem = f"section-{place}-"
        kind = form.line(f"{stem}kind")
        if not kind:
            continue
        headings = {code: form.line(f"{stem}heading-{code}") for code in languages}
        section = {
            "kind": kind,
            "issue": form.line(f"{stem}issue"),
            "kinds": form.lines(f"{stem}kinds"),
            "headings": {code: text for code, text in headings.items() if text},
            "carries_over": form.flag(f"{stem}carries_over"),
            "near": form.line(f"{stem}near", limit=10),
            **_numbers(form, _SECTION_NUMBERS, stem=stem),
        }
        found.append((form.number(f"{stem}place", default=99) or 0, section))
    return [section for _, section in sorted(found, key=lambda each: each[0])]


def _numbers(
    form: Form, limits: Mapping[str, tuple[int, int]], *, stem: str = ""
) -> dict[str, int]:
    found = {}
    for name, (least, most) in limits.items():
        number = form.number(f"{stem}{name}")
        if number is None:
            continue
        if not least <= number <= most:
            form.problems[f"{stem}{name}"] = errors.Invalid(
                N_("Type a number from %(least)s to %(most)s."), least=least, most=most
            )
        found[name] = number
    return found


def _field_name(place: str) -> str:
    """`editions.es.subject` → `subject-es`, `rule.at` → `at`."""
    parts = place.split(".")
    if parts[0] == "editions" and len(parts) == 3:
        return f"{parts[2]}-{parts[1]}"
    section = _SECTION_PLACE.match(place)
    if section:
        return f"section-{int(section[1]) - 1}-{section[2]}"
    return "at" if place == "rule" else parts[-1]
