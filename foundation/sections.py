"""The sections of the settings: what each holds, and what it may hold.

Those of relays, ways in and the like stand with what they are about (`relaying.py`, `receiving.py`
and others); `config.py` puts all together and reads them. What each setting means is told in
`config.toml`, which a test compares with these.
"""

import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from foundation import clock, i18n
from foundation.relaying import Section


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
    page_patience_s: Annotated[float, Field(ge=0)] = 0.03


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
    batch_size: Annotated[int, Field(ge=1, le=10_000)] = 2000
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
    own_process: bool = False

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
