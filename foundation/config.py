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
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import pydantic
from pydantic import Field, PrivateAttr, field_validator, model_validator

from foundation import clock, errors, i18n, relaying
from foundation.arriving import Arriving
from foundation.i18n import N_
from foundation.reaching import Reaching
from foundation.receiving import Imap, Listener, Maildir
from foundation.relaying import DOMAIN_LIMITS, RELAY, DomainLimit, Section
from foundation.webhook_sources import WebhookSource

PREFIX = "HANDBILL_"
Relay = relaying.Relay
Tls = relaying.Tls


class Site(Section):
    """Who we are, as readers see it."""

    name: str = "Handbill"
    url: str = "http://localhost:8080"
    postal_address: str = ""
    contact_email: str = ""
    language: str = "en"
    languages: list[str] = ["en", "es"]
    zone: str = "America/New_York"
    accent: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] = "#8c2f1b"
    logo_url: str = ""

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        return clock.known_zone(value)

    @field_validator("url", "logo_url")
    @classmethod
    def _is_web_address(cls, value: str) -> str:
        if value and not re.match(r"^https?://[^\s/]+", value):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _languages_exist(self) -> "Site":
        for code in (self.language, *self.languages):
            if code not in i18n.available():
                there_are = ", ".join(i18n.available())
                raise ValueError(f"language {code!r} has no texts; there are {there_are}")
        return self

    @property
    def tzinfo(self) -> ZoneInfo:
        """The site's zone."""
        return ZoneInfo(self.zone)


class Server(Section):
    """The web server."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    trusted_proxies: list[str] = []
    max_body_bytes: Annotated[int, Field(ge=10_000)] = 1_048_576
    max_upload_bytes: Annotated[int, Field(ge=10_000)] = 10_485_760
    max_webhook_bytes: Annotated[int, Field(ge=10_000)] = 10_485_760
    secure_cookies: bool = True


class DatabaseSettings(Section):
    """Where everything is kept."""

    url: str = "sqlite:///var/handbill.db"
    url_file: str = ""
    busy_timeout_s: Annotated[float, Field(gt=0)] = 5.0
    pool_size: Annotated[int, Field(ge=1, le=100)] = 10


RoleName = Literal["owner", "editor", "author", "translator", "viewer", "partner"]


class Security(Section):
    """Keys, sessions and passwords."""

    secret_keys: list[str] = []
    secret_key_file: str = "var/secret.key"  # noqa: S105 - a path
    session_days: Annotated[int, Field(ge=1)] = 14
    signin_link_minutes: Annotated[int, Field(ge=5)] = 60
    invitation_days: Annotated[int, Field(ge=1, le=60)] = 7
    signin_attempts_per_hour: Annotated[int, Field(ge=1)] = 20
    password_min_length: Annotated[int, Field(ge=8)] = 12
    second_step_roles: list[RoleName] = []

    @field_validator("secret_keys")
    @classmethod
    def _long_enough(cls, value: list[str]) -> list[str]:
        if any(len(key) < 32 for key in value):
            raise ValueError("each key needs at least 32 characters")
        return value


_DKIM_KEY = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?=.+")


class Mail(Section):
    """What stands on every mail."""

    from_name: str = ""
    from_address: str = "bulletin@localhost.localdomain"
    reply_to: str = ""
    return_path_domain: str = ""
    list_domain: str = ""
    staff_address: str = ""
    dkim_domain: str = ""
    dkim_keys: list[str] = []

    @field_validator("dkim_keys")
    @classmethod
    def _names_and_files(cls, value: list[str]) -> list[str]:
        if not all(_DKIM_KEY.fullmatch(key) for key in value):
            raise ValueError("each key is written as selector=file")
        return value


class Delivery(Section):
    """How campaigns are sent."""

    journal_dir: str = "var/journal"
    processes: Annotated[int, Field(ge=0, le=16)] = 1
    batch_size: Annotated[int, Field(ge=1, le=10_000)] = 1000
    lease_s: Annotated[int, Field(ge=10)] = 120
    record_interval_s: Annotated[float, Field(gt=0)] = 0.2
    fsync_interval_s: Annotated[float, Field(ge=0)] = 1.0
    retry_minutes: list[int] = [5, 15, 60, 240, 480, 960, 1440]
    give_up_hours: Annotated[int, Field(ge=1)] = 96
    relay_rest_s: Annotated[float, Field(gt=0)] = 15.0
    notice_share: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    back_off_least_per_minute: Annotated[int, Field(ge=1)] = 6
    back_off_step_s: Annotated[float, Field(gt=0)] = 60.0
    back_off_forget_minutes: Annotated[float, Field(gt=0)] = 60.0
    uncertain: Literal["hold", "resend"] = "hold"
    late_start_hours: Annotated[int, Field(ge=0)] = 6
    node: str = ""


class Bounces(Section):
    """What is done about mail that came back."""

    soft_limit: Annotated[int, Field(ge=1)] = 3
    soft_days: Annotated[float, Field(ge=0)] = 14.0
    settled_days: Annotated[float, Field(gt=0)] = 3.0
    evidence_max_bytes: Annotated[int, Field(ge=0)] = 100_000
    blocks_in_a_row: Annotated[int, Field(ge=1)] = 5
    block_hold_minutes: list[Annotated[int, Field(ge=1)]] = [60, 240, 720]
    block_share_percent: Annotated[float, Field(gt=0, le=100)] = 20.0
    complaint_alarm_percent: Annotated[float, Field(gt=0, le=100)] = 0.1
    complaint_pause_percent: Annotated[float, Field(gt=0, le=100)] = 0.3
    hard_pause_percent: Annotated[float, Field(gt=0, le=100)] = 5.0
    least_sent: Annotated[int, Field(ge=1)] = 200
    least_complaints: Annotated[int, Field(ge=1)] = 3
    least_hard: Annotated[int, Field(ge=1)] = 10


class SignupSettings(Section):
    """Limits that keep the sign-up form from being used against strangers."""

    confirmations_per_address_per_hour: Annotated[int, Field(ge=1)] = 1
    confirmations_per_address_per_day: Annotated[int, Field(ge=1)] = 3
    submissions_per_network_per_hour: Annotated[int, Field(ge=1)] = 60
    confirmations_per_hour: Annotated[int, Field(ge=1)] = 2000
    submissions_per_form_per_hour: Annotated[int, Field(ge=1)] = 1000
    submissions_per_partner_per_hour: Annotated[int, Field(ge=1)] = 1000
    confirmations_per_domain_per_hour: Annotated[int, Field(ge=1)] = 100
    min_seconds_on_form: Annotated[float, Field(ge=0)] = 2.0
    answer_after_s: Annotated[float, Field(ge=0, le=5)] = 0.25
    challenge: Literal["auto", "always", "never"] = "auto"
    challenge_from_per_10_minutes: Annotated[int, Field(ge=1)] = 150
    challenge_rounds: Annotated[int, Field(ge=5_000, le=50_000_000)] = 500_000
    disposable: Literal["take", "hold", "refuse"] = "hold"
    disposable_domains: list[str] = []
    welcome_domains: list[str] = []
    confirm_link_days: Annotated[int, Field(ge=1)] = 14

    @field_validator("disposable_domains", "welcome_domains")
    @classmethod
    def _in_small_letters(cls, value: list[str]) -> list[str]:
        return [domain.strip().lower() for domain in value]


class Partners(Section):
    """Partners' pages, and what is counted on them."""

    steps_write_s: Annotated[float, Field(gt=0)] = 10.0
    steps_per_network_per_minute: Annotated[int, Field(ge=1)] = 120
    fewer_than: Annotated[int, Field(ge=1)] = 10
    silent_days: Annotated[int, Field(ge=1)] = 7
    silent_least_seen: Annotated[int, Field(ge=1)] = 50
    silent_least_sent: Annotated[int, Field(ge=1)] = 5
    collapse_percent: Annotated[float, Field(gt=0, le=100)] = 50.0
    collapse_least_sent: Annotated[int, Field(ge=1)] = 20
    stray_origins_at_most: Annotated[int, Field(ge=0)] = 5


class Widget(Section):
    """The sign-up form on other people's pages."""

    keep_s: Annotated[int, Field(ge=0, le=86_400)] = 60


class Coalition(Section):
    """How the coalition keeps in touch with its members."""

    renew_after_days: Annotated[int, Field(ge=30)] = 365
    renewal_reminder_days: Annotated[int, Field(ge=1)] = 21


class Kiosk(Section):
    """The form on a tablet at a table."""

    idle_s: Annotated[int, Field(ge=10, le=600)] = 45


class Print(Section):
    """Bulletins as handbills to print."""

    paper: Literal["us-letter", "a4"] = "us-letter"


class Tracking(Section):
    """Counting opens and clicks."""

    enabled: bool = True
    machine_window_s: Annotated[int, Field(ge=0)] = 20


class Preflight(Section):
    """What is looked at before a campaign goes out."""

    links: bool = True
    links_at_most: Annotated[int, Field(ge=1, le=1000)] = 100
    link_timeout_s: Annotated[float, Field(gt=0)] = 8.0
    links_fresh_hours: Annotated[float, Field(ge=0)] = 6.0
    look_limit_s: Annotated[float, Field(gt=0)] = 60.0
    spamassassin: bool = True
    spamassassin_timeout_s: Annotated[float, Field(gt=0)] = 25.0


class SeriesSettings(Section):
    """Bulletins that draft themselves."""

    grace_hours: Annotated[float, Field(ge=0)] = 24.0
    retry_minutes: Annotated[float, Field(gt=0)] = 15.0
    failures_before_pause: Annotated[int, Field(ge=1)] = 3


class Desk(Section):
    """What comes in for bulletins, and the feeds that are read for it."""

    feed_every_minutes: Annotated[int, Field(ge=15, le=10_080)] = 60
    feed_timeout_s: Annotated[float, Field(gt=0)] = 30.0
    feed_max_bytes: Annotated[int, Field(ge=10_000, le=50_000_000)] = 5_000_000
    feed_stories: Annotated[int, Field(ge=1, le=2000)] = 300
    feed_failures_before_pause: Annotated[int, Field(ge=1)] = 8
    same_story_days: Annotated[int, Field(ge=0, le=90)] = 7
    keep_days: Annotated[int, Field(ge=30)] = 400
    address: str = ""
    senders: list[str] = []
    checking_server: str = ""

    @field_validator("address")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if value and value.count("@") != 1:
            raise ValueError("it has to be an address such as desk@example.org")
        return value.strip().lower()

    @field_validator("senders")
    @classmethod
    def _are_senders(cls, value: list[str]) -> list[str]:
        if not all(each.count("@") == 1 for each in value):
            raise ValueError("each has to be an address, or a domain such as @example.org")
        return [each.strip().lower() for each in value]


class Trials(Section):
    """When trying two forms of a bulletin is stopped."""

    unsubscribe_stop_percent: Annotated[float, Field(gt=0, le=100)] = 2.0
    complaint_stop_percent: Annotated[float, Field(gt=0, le=100)] = 0.3
    least_unsubscribed: Annotated[int, Field(ge=1)] = 5
    least_complaints: Annotated[int, Field(ge=1)] = 3


class Release(Section):
    """What has to happen before a campaign goes out, and who is told when it does."""

    approvers: Annotated[int, Field(ge=1, le=10)] = 1
    undo_s: Annotated[int, Field(ge=0, le=3600)] = 30
    alert_minutes: Annotated[int, Field(ge=1, le=240)] = 15
    tell: list[str] = []

    @field_validator("tell")
    @classmethod
    def _are_addresses(cls, value: list[str]) -> list[str]:
        if not all(each.count("@") == 1 for each in value):
            raise ValueError("each has to be an address such as office@example.org")
        return [each.strip() for each in value]


class Retention(Section):
    """How long what is not needed for ever is kept."""

    network_days: Annotated[int, Field(ge=0)] = 30
    unconfirmed_days: Annotated[int, Field(ge=1)] = 30
    sent_notices_days: Annotated[int, Field(ge=1)] = 30
    bounce_evidence_days: Annotated[int, Field(ge=0)] = 90
    sessions_days: Annotated[int, Field(ge=1)] = 30


class Scheduler(Section):
    """How often due things are looked for."""

    tick_s: Annotated[float, Field(gt=0)] = 5.0


class Log(Section):
    """What the service writes about itself."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"


_TABLES: dict[str, type[Section]] = {
    "relay": Relay,
    "domain_limit": DomainLimit,
    "webhook_source": WebhookSource,
}
"""Sections of which there may be several: `[[relay]]`."""


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
        """A section as it counts now; `relay:NAME` is a relay."""
        found: Section
        if name.startswith(RELAY):
            found = next(each for each in self.relay if each.name == name.removeprefix(RELAY))
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
        if section.startswith(RELAY):
            relays = [changed if each is present else each for each in self.relay]
            self.__dict__["relay"] = relays
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
        """The variable of the environment that set something; of relays, only of the first."""
        if section == f"{RELAY}{self.relay[0].name}":
            section = "relay"
        return self._variables.get((section, key), "")

    @property
    def return_path_domain(self) -> str:
        """The domain of the envelope sender; the From domain unless set."""
        return self.mail.return_path_domain or self.mail.from_address.rpartition("@")[2]

    @property
    def from_name(self) -> str:
        """The name in From; the site's unless set."""
        return self.mail.from_name or self.site.name


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
