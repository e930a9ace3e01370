"""Reads `config.toml` and the environment into typed settings, and names what is wrong in them.

The file at the top of the project lists every setting with its default; `HANDBILL_DATABASE__URL` in
the environment sets `[database] url`. A secret `x` may be read from a file named by `x_file`.
"""

import enum
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pydantic
from pydantic import PrivateAttr, field_validator

from foundation import errors, relaying
from foundation.arriving import Arriving
from foundation.i18n import N_
from foundation.reaching import Reaching
from foundation.receiving import Imap, Listener, Maildir
from foundation.relaying import DOMAIN_LIMITS, HOST, RELAY, DomainLimit, Relay, Section
from foundation.sections import (
    Bounces,
    Coalition,
    DatabaseSettings,
    Delivery,
    Desk,
    Kiosk,
    Log,
    Mail,
    Partners,
    Preflight,
    Print,
    Release,
    Retention,
    Scheduler,
    Security,
    SeriesSettings,
    Server,
    SignupSettings,
    Site,
    Tracking,
    Trials,
    Widget,
)
from foundation.webhook_sources import WebhookSource

PREFIX = "HANDBILL_"

_TABLES: dict[str, type[Section]] = {
    "relay": Relay,
    "domain_limit": DomainLimit,
    "webhook_source": WebhookSource,
}
"""Sections of which there may be several: `[[relay]]`."""
_NAMED = {RELAY: "relay", HOST: "domain_limit"}
"""How the name of one of several starts, where it is asked for by name → which they are."""


class Origin(enum.StrEnum):
    """What fixes a setting, so that nobody changes it in the browser."""

    FILE = "file"
    """The file says something else than the default."""
    ENVIRONMENT = "environment"
    """A variable says it, whatever it says."""


class Settings(Section):
    """Everything that can be set.

    Sections never change. `put` lays another in the place of one while the program runs, so whoever
    reads `ground.settings` when they need something has what an owner changed in the browser.
    """

    _given: dict[str, Section] = PrivateAttr(default_factory=dict)
    """Sections as file and environment have them, of those that were replaced."""
    _variables: Mapping[tuple[str, str], str] = PrivateAttr(default_factory=dict)
    """Which variable of the environment set what."""

    webhook_source: list[WebhookSource] = []
    site: Site = Site()
    server: Server = Server()
    database: DatabaseSettings = DatabaseSettings()
    security: Security = Security()
    mail: Mail = Mail()
    relay: list[Relay] = [Relay()]
    domain_limit: list[DomainLimit] = list(DOMAIN_LIMITS)
    delivery: Delivery = Delivery()
    listener: Listener = Listener()
    imap: Imap = Imap()
    maildir: Maildir = Maildir()
    arriving: Arriving = Arriving()
    bounces: Bounces = Bounces()
    signup: SignupSettings = SignupSettings()
    partners: Partners = Partners()
    widget: Widget = Widget()
    coalition: Coalition = Coalition()
    kiosk: Kiosk = Kiosk()
    print: Print = Print()
    tracking: Tracking = Tracking()
    preflight: Preflight = Preflight()
    outward: Reaching = Reaching()
    series: SeriesSettings = SeriesSettings()
    desk: Desk = Desk()
    trials: Trials = Trials()
    release: Release = Release()
    retention: Retention = Retention()
    scheduler: Scheduler = Scheduler()
    log: Log = Log()

    @field_validator("relay")
    @classmethod
    def _relays_differ(cls, value: list[Relay]) -> list[Relay]:
        if not value:
            raise ValueError("there has to be one at least")
        relaying.check_names([relay.name for relay in value])
        relaying.check_routes(value)
        return value

    @field_validator("webhook_source")
    @classmethod
    def _sources_differ(cls, value: list[WebhookSource]) -> list[WebhookSource]:
        relaying.check_names([source.name for source in value])
        return value

    @field_validator("domain_limit")
    @classmethod
    def _limits_differ(cls, value: list[DomainLimit]) -> list[DomainLimit]:
        relaying.check_names([limit.name for limit in value])
        relaying.check_domains(value)
        return value

    def section(self, name: str) -> Section:
        """A section as it counts now; `relay:NAME` is a relay, `host:NAME` a limit of a host."""
        table, one = _one_of(name)
        found: Section
        if table:
            found = next(each for each in getattr(self, table) if each.name == one)
        else:
            found = getattr(self, name)
        return found

    def given(self, section: str) -> Section:
        """A section as file and environment have it."""
        return self._given.get(section) or self.section(section)

    def put(self, section: str, changed: Section) -> None:
        """From now on `changed` counts instead of the section as it was given."""
        present = self.section(section)
        self._given.setdefault(section, present)
        table, _ = _one_of(section)
        if table:
            every = [changed if each is present else each for each in getattr(self, table)]
            self.__dict__[table] = every
        else:
            self.__dict__[section] = changed

    def remember(self, variables: Mapping[tuple[str, str], str]) -> None:
        """Keep which variables of the environment set what."""
        self._variables = dict(variables)

    def fixed_by(self, section: str, key: str) -> Origin | None:
        """What decides about a setting before the browser does, if anything."""
        given = self.given(section)
        if self.variable(section, key):
            return Origin.ENVIRONMENT
        default = type(given).model_fields[key].get_default(call_default_factory=True)
        is_said = key in given.model_fields_set and getattr(given, key) != default
        # A file that lists a setting with its default decides nothing: ours lists them all.
        return Origin.FILE if is_said else None

    def variable(self, section: str, key: str) -> str:
        """The variable of the environment that set something; of several, only of the first."""
        table, one = _one_of(section)
        if table and one == getattr(self, table)[0].name:
            section = table
        return self._variables.get((section, key), "")

    @property
    def return_path_domain(self) -> str:
        """The domain of the envelope sender; the From domain unless set."""
        return self.mail.return_path_domain or self.mail.from_address.rpartition("@")[2]

    @property
    def from_name(self) -> str:
        """The name in From; the site's unless set."""
        return self.mail.from_name or self.site.name


def _one_of(section: str) -> tuple[str, str]:
    """Of the name of one of several: which they are, and its own name; blank for any other."""
    for start, table in _NAMED.items():
        if section.startswith(start):
            return table, section.removeprefix(start)
    return "", ""


def load(path: Path | None, environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the file (defaults when `path` is None) and the environment.

    Raises `errors.ConfigProblem` that names the file, line and key, and what is allowed.
    """
    text = _read(path) if path else ""
    source = str(path) if path else "config.toml"
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise errors.ConfigProblem(
            N_("%(file)s is not valid TOML: %(problem)s"), file=source, problem=str(problem)
        ) from problem
    for section in _TABLES:
        if isinstance(values.get(section), dict):
            values[section] = [values[section]]
    from_environment = _apply_environment(
        values, environment if environment is not None else os.environ
    )
    try:
        settings = Settings.model_validate(values)
    except pydantic.ValidationError as problem:
        raise _explained(problem, text, source, from_environment) from problem
    whole = _with_secrets_from_files(settings)
    whole.remember(from_environment)
    return whole


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise errors.ConfigProblem(
            N_("%(file)s can't be read: %(problem)s"), file=str(path), problem=str(problem)
        ) from problem


def _apply_environment(
    values: dict[str, Any], environment: Mapping[str, str]
) -> dict[tuple[str, str], str]:
    """Lay `HANDBILL_SECTION__KEY` over the file's values; returns which variable set what."""
    origin: dict[tuple[str, str], str] = {}
    for variable, raw in sorted(environment.items()):
        section, separator, key = variable.removeprefix(PREFIX).lower().partition("__")
        if not variable.startswith(PREFIX) or not separator:
            continue
        if section in _TABLES:
            # The first of them.
            tables = values.setdefault(section, [])
            table = tables[0] if tables else {}
            tables[:1] = [table]
        else:
            table = values.setdefault(section, {})
        table[key] = _as_written(section, key, raw)
        origin[section, key] = variable
    return origin


def _as_written(section: str, key: str, raw: str) -> Any:
    """Lists come as comma-separated text; pydantic turns the rest into numbers and booleans."""
    model = _section_model(section)
    field = model.model_fields.get(key) if model else None
    if field is not None and str(field.annotation).startswith("list"):
        return [part.strip() for part in raw.split(",") if part.strip()]
    return raw


def _section_model(section: str) -> type[Section] | None:
    if section in _TABLES:
        return _TABLES[section]
    field = Settings.model_fields.get(section)
    annotation = field.annotation if field else None
    return annotation if isinstance(annotation, type) and issubclass(annotation, Section) else None


def _explained(
    problem: pydantic.ValidationError,
    text: str,
    source: str,
    origin: Mapping[tuple[str, str], str],
) -> errors.ConfigProblem:
    first = problem.errors()[0]
    places = [str(part) for part in first["loc"] if not isinstance(part, int)]
    section = places[0] if places else ""
    key = places[1] if len(places) > 1 else ""
    line = _line_of(text, section, key)
    where = origin.get((section, key)) or (f"{source}, line {line}" if line else source)
    name = f"[{section}] {key}".strip()
    if first["type"] == "extra_forbidden":
        model = _section_model(section) if key else Settings
        allowed = ", ".join(sorted(model.model_fields)) if model else ""
        return errors.ConfigProblem(
            N_("%(where)s: there is no setting %(name)s. Allowed here: %(allowed)s."),
            where=where,
            name=name,
            allowed=allowed,
        )
    return errors.ConfigProblem(
        N_("%(where)s: %(name)s is wrong: %(problem)s."),
        where=where,
        name=name,
        problem=first["msg"].removeprefix("Value error, "),
    )


def _line_of(text: str, section: str, key: str) -> int | None:
    current = ""
    found: int | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[\[?\s*([\w.-]+)\s*\]\]?", line)
        if header:
            current = header[1]
            if current == section and found is None:
                found = number
        elif (
            current == section and key and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line)
        ) or (not current and not key and re.match(rf"\s*{re.escape(section)}\s*=", line)):
            return number
    return found


def _with_secrets_from_files(settings: Settings) -> Settings:
    relays = [
        relay.model_copy(update={"password": _secret(relay.password_file)})
        if relay.password_file
        else relay
        for relay in settings.relay
    ]
    sources = [
        source.model_copy(update={"secret": _secret(source.secret_file)})
        if source.secret_file
        else source
        for source in settings.webhook_source
    ]
    updates: dict[str, Any] = {"relay": relays, "webhook_source": sources}
    if settings.imap.password_file:
        password = _secret(settings.imap.password_file)
        updates["imap"] = settings.imap.model_copy(update={"password": password})
    if settings.database.url_file:
        url = _secret(settings.database.url_file)
        updates["database"] = settings.database.model_copy(update={"url": url})
    return settings.model_copy(update=updates)


def _secret(path: str) -> str:
    return _read(Path(path)).strip()
