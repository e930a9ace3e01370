"""The sample content of the demo, read from the TOML files beside this one into typed values.

`load(today)` is called once by `handbill/demo/seed.py`. It promises that every text is there in
English and Spanish, and turns relative days (`days_ago = 4`, `"+6d 18:30"`) into dates.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from campaigns.models import DevelopmentKind

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "es")

_RELATIVE = re.compile(r"\+(\d+)d (\d\d:\d\d)")

T = TypeVar("T")


def _both(texts: Mapping[str, T]) -> Mapping[str, T]:
    if set(texts) != set(LANGUAGES):
        raise ValueError(f"texts in {' and '.join(LANGUAGES)} are needed, not in {sorted(texts)}")
    return texts


class _Sample(BaseModel):
    """Unknown keys are refused, values can't be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Words = Annotated[str, Field(min_length=1)]


class _Bilingual(_Sample):
    texts: dict[str, dict[str, Words]]

    @field_validator("texts")
    @classmethod
    def _in_both_languages(cls, value: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        _both(value)
        if set(value["en"]) != set(value["es"]):
            raise ValueError("both languages need the same texts")
        return value


class Part(_Bilingual):
    """A part of the issue's page: a question, a reason, a program, a link…"""

    key: str = ""
    url: str = ""


class Figure(_Bilingual):
    """A number, the place that it is about, and its source."""

    key: str
    value: str
    place: Literal["nation", "boston"]
    source_name: str
    source_url: str


class Issue(_Bilingual):
    """The issue with everything on its page but developments and materials."""

    slug: str
    process: list[Part]
    position: Part
    reasons: list[Part]
    figures: list[Figure]
    questions: list[Part]
    programs: list[Part]
    links: list[Part]


class Development(_Bilingual):
    """One dated thing that happened; `date` is filled in from `days_ago` for the recent ones."""

    key: str
    date: date
    kind: Literal["news", "statistic", "public-meeting", "ruling", "material", "action"]
    place: str
    source_name: str
    source_url: str

    @model_validator(mode="before")
    @classmethod
    def _dated(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        values = dict(value)
        if "days_ago" in values:
            today: date = (info.context or {})["today"]
            values["date"] = today - timedelta(days=values.pop("days_ago"))
        return values


class HandoutSection(_Sample):
    """A numbered section of a handout."""

    title: Words
    points: list[Words]


class Handout(_Sample):
    """The words of a handout in one language."""

    file_name: str
    lead: Words
    closing: Words
    sections: list[HandoutSection]


class Material(_Bilingual):
    """A material with the words of its handout in each language."""

    slug: str
    handout: dict[str, Handout]

    @field_validator("handout")
    @classmethod
    def _handout_is_whole(cls, value: dict[str, Handout]) -> dict[str, Handout]:
        _both(value)
        return value


class Site(_Sample):
    """What the coalition is called and where it is."""

    name: str
    postal_address: str
    contact_email: str
    from_address: str


class Topic(_Bilingual):
    """Something to subscribe to."""

    slug: str
    kind: Literal["issue", "general"]


class Form(_Bilingual):
    """A sign-up form; `partner` says that it stands on the partner's page."""

    slug: str
    name: str
    topics: list[str]
    asks: list[str]
    partner: bool = False


class Partner(_Bilingual):
    """The partner organisation, with the words of its page."""

    name: str


class Member(_Sample):
    """An organisation's application, in its own words and language, and how it was answered."""

    name: str
    website: str
    town: str
    languages: list[str]
    language: Literal["en", "es"]
    mission: str
    contact_name: str
    contact_email: str
    contact_role: str
    decision: Literal["approved", "declined", "waiting"]
    reason: str = ""


class Signatory(_Sample):
    """An organisation outside that signs the statement, and what the office makes of it."""

    organisation: str
    town: str
    name: str
    email: str
    language: Literal["en", "es"]
    days_ago: int
    decision: Literal["shown", "waiting"]


class Coalition(_Sample):
    """The made-up coalition."""

    site: Site
    topics: list[Topic]
    forms: list[Form]
    partner: Partner
    members: list[Member]
    signatories: list[Signatory]

    @property
    def partner_key(self) -> str:
        """The partner's key, which its form is called by, too."""
        return next(form.slug for form in self.forms if form.partner)


class People(_Sample):
    """What made-up subscribers are made of."""

    first_names_en: list[str]
    first_names_es: list[str]
    last_names: list[str]
    domains: list[str]
    towns: dict[str, list[str]]


class Feed(_Sample):
    """A feed that is paused."""

    url: str
    name: str
    include: list[str]


class Story(_Sample):
    """Something that came in, in its own language."""

    headline: str
    summary: str
    source_name: str
    source_url: str
    language: Literal["en", "es"]
    days_ago: int
    kind: DevelopmentKind | None = None
    place: str = ""
    dropped_because: str = ""


class Inbox(_Sample):
    """What waits on the desk."""

    feed: Feed
    stories: list[Story]


class Content(_Sample):
    """Everything."""

    coalition: Coalition
    issue: Issue
    developments: list[Development]
    materials: list[Material]
    people: People
    bulletins: dict[str, dict[str, Any]]
    """`sent`, `scheduled` and `draft`, as `campaigns/documents.py` takes them, with their dates."""
    series: dict[str, Any]
    """As `campaigns/series_plans.py` takes it, but for the day from which it runs."""
    inbox: Inbox


def load(today: date) -> Content:
    """The sample content as it looks on `today`. Raises pydantic's error for a mistake in it."""
    return Content.model_validate(
        {
            "coalition": _read("coalition"),
            "issue": _read("issue"),
            "developments": _read("developments")["developments"],
            "materials": _read("materials")["materials"],
            "people": _read("people"),
            "bulletins": {
                name: _dated(_read(f"bulletins/{name}"), today)
                for name in ("sent", "scheduled", "draft")
            },
            "series": _read("series"),
            "inbox": _read("inbox"),
        },
        context={"today": today},
    )


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text below `value` with its path, for checks that read all of them."""
    if isinstance(value, BaseModel):
        value = dict(value)
    if isinstance(value, Mapping):
        for key, entry in value.items():
            yield from texts(entry, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)):
        for number, entry in enumerate(value):
            yield from texts(entry, f"{path}[{number}]")
    elif isinstance(value, str):
        yield path, value


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def _dated(value: Any, today: date) -> Any:
    """The document with moments such as `"+6d 18:30"` as dates."""
    if isinstance(value, list):
        return [_dated(entry, today) for entry in value]
    if isinstance(value, dict):
        return {key: _dated(entry, today) for key, entry in value.items()}
    relative = _RELATIVE.fullmatch(value) if isinstance(value, str) else None
    if relative is None:
        return value
    day = today + timedelta(days=int(relative[1]))
    return datetime.fromisoformat(f"{day}T{relative[2]}").isoformat(timespec="minutes")
