"""When a series comes out: a rule in plain terms, its days by RFC 5545, its moments in a zone.

`dateutil.rrule` works out the days; times of day are put to them here, by the clock on the wall:
one that the clocks skip moves forward, one that they show twice is the first (RFC 5545 §3.3.5). A
rule has one time a day, so that a day is what an edition is known by.
"""

import enum
import itertools
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import pydantic
from babel import dates
from pydantic import Field, StringConstraints, field_validator

from campaigns.block_models import Piece
from foundation import clock
from foundation.frozen import frozen
from foundation.i18n import N_, Translator

AHEAD = 12
"""Dates that a dry run shows."""

Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""A time of day, such as 09:00."""


class Pattern(enum.StrEnum):
    """How often a series comes out."""

    WEEKLY = "weekly"
    """Every week on a weekday."""
    FORTNIGHTLY = "fortnightly"
    """Every second week on a weekday, counted from the first day."""
    MONTHLY_WEEKDAY = "monthly-weekday"
    """On the first, second, third, fourth or last of a weekday in each month."""
    MONTHLY_DAY = "monthly-day"
    """On a day of each month; its last day where the month is shorter."""
    MONTHLY_WORKDAY = "monthly-workday"
    """On the first or last day from Monday to Friday of each month."""


class Rule(Piece):
    """When a series comes out, and when its content closes."""

    pattern: Pattern
    weekday: Annotated[int, Field(ge=0, le=6)] = 0
    """0 is Monday."""
    which: Literal[1, 2, 3, 4, -1] = 1
    """Which of the month; -1 is the last."""
    day: Annotated[int, Field(ge=1, le=31)] = 1
    at: Clock = "09:00"
    zone: str = ""
    """The site's when blank."""
    starts_on: date
    """No edition before it; fortnights are counted from it."""
    closes_days: Annotated[int, Field(ge=0, le=21)] = 0
    """How many days before it is sent the content closes."""
    closes_at: Clock = "09:00"

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        return clock.known_zone(value) if value else value

    @pydantic.model_validator(mode="after")
    def _closes_before(self) -> "Rule":
        if self.closes_days == 0 and self.closes_at > self.at:
            raise ValueError("content has to close before it is sent")
        return self


@frozen
class Occurrence:
    """One edition's date."""

    day: date
    closes_at: datetime
    sends_at: datetime


def occurrences(rule: Rule, *, zone: str, after: date | None = None) -> Iterator[Occurrence]:
    """The dates of a rule in order, those after a day; `zone` is the site's."""
    tzinfo = ZoneInfo(rule.zone or zone)
    for day in _days(rule, after):
        sends_at = moment(day, rule.at, tzinfo)
        closes_at = moment(day - timedelta(days=rule.closes_days), rule.closes_at, tzinfo)
        # On the night that clocks change an earlier time of day can be the later moment.
        yield Occurrence(day=day, closes_at=min(closes_at, sends_at), sends_at=sends_at)


def coming(
    rule: Rule, *, zone: str, now: datetime, after: date | None = None
) -> Iterator[Occurrence]:
    """Those whose content has not closed yet."""
    return itertools.dropwhile(
        lambda each: each.closes_at <= now, occurrences(rule, zone=zone, after=after)
    )


def moment(day: date, at: str, tzinfo: ZoneInfo) -> datetime:
    """A day's wall-clock time as an instant.

    Fold 0 is the first of a repeated time, and takes a skipped one by the offset before the gap,
    which moves it forward by the gap (PEP 495; RFC 5545 §3.3.5 asks for both).
    """
    return datetime.combine(day, time.fromisoformat(at), tzinfo).replace(fold=0).astimezone(UTC)


def _days(rule: Rule, after: date | None) -> Iterator[date]:
    # Half a megabyte, which only a site with series needs, and only when a date is over.
    from dateutil import rrule

    start = rule.starts_on
    if rule.pattern in (Pattern.WEEKLY, Pattern.FORTNIGHTLY):
        # The first of its weekday: a fortnight is counted from an edition, not from a week.
        start += timedelta(days=(rule.weekday - start.weekday()) % 7)
    days = rrule.rrule(dtstart=datetime.combine(start, time()), **_recurrence(rule))
    found = days.xafter(datetime.combine(after, time())) if after is not None else iter(days)
    return (each.date() for each in found)


def _recurrence(rule: Rule) -> dict[str, Any]:
    """The rule's parts as RFC 5545 §3.3.10 names them, for `dateutil.rrule`."""
    from dateutil import rrule

    match rule.pattern:
        case Pattern.WEEKLY:
            return {"freq": rrule.WEEKLY, "byweekday": rule.weekday}
        case Pattern.FORTNIGHTLY:
            return {"freq": rrule.WEEKLY, "interval": 2, "byweekday": rule.weekday}
        case Pattern.MONTHLY_WEEKDAY:
            return {
                "freq": rrule.MONTHLY,
                "byweekday": rrule.weekday(rule.weekday)(rule.which),
            }
        case Pattern.MONTHLY_WORKDAY:
            last = -1 if rule.which == -1 else 1
            return {"freq": rrule.MONTHLY, "byweekday": range(5), "bysetpos": last}
        case Pattern.MONTHLY_DAY:
            if rule.day <= 28:
                return {"freq": rrule.MONTHLY, "bymonthday": rule.day}
            # A plain BYMONTHDAY=31 leaves short months out; the last of 28 to 31 never does.
            return {
                "freq": rrule.MONTHLY,
                "bymonthday": range(28, rule.day + 1),
                "bysetpos": -1,
            }


_WORDS: Mapping[Pattern, str] = {
    Pattern.WEEKLY: N_("every %(weekday)s"),
    Pattern.FORTNIGHTLY: N_("every two weeks on %(weekday)s"),
    Pattern.MONTHLY_DAY: N_("on day %(day)s of the month"),
}
_WHICH: Mapping[int, str] = {
    1: N_("on the first %(weekday)s of the month"),
    2: N_("on the second %(weekday)s of the month"),
    3: N_("on the third %(weekday)s of the month"),
    4: N_("on the fourth %(weekday)s of the month"),
    -1: N_("on the last %(weekday)s of the month"),
}
_WORKDAY: Mapping[bool, str] = {
    True: N_("on the last day from Monday to Friday of the month"),
    False: N_("on the first day from Monday to Friday of the month"),
}


def in_words(rule: Rule, speaks: Translator, *, zone: str) -> str:
    """The rule as a person would say it, its time and zone too; `zone` is the site's."""
    said = speaks.gettext(N_("%(days)s at %(time)s (%(zone)s)"))
    at = dates.format_time(time.fromisoformat(rule.at), "short", locale=speaks.locale)
    return said % {
        "days": _days_in_words(rule, speaks),
        "time": at.replace("\u202f", " "),
        "zone": rule.zone or zone,
    }


def weekdays(speaks: Translator) -> list[str]:
    """What the days of a week are called, Monday first."""
    names = dates.get_day_names("wide", "format", locale=speaks.locale)
    return [names[number] for number in range(7)]


def _days_in_words(rule: Rule, speaks: Translator) -> str:
    if rule.pattern is Pattern.MONTHLY_WORKDAY:
        return speaks.gettext(_WORKDAY[rule.which == -1])
    if rule.pattern is Pattern.MONTHLY_DAY and rule.day == 31:
        return speaks.gettext(N_("on the last day of the month"))
    is_monthly = rule.pattern is Pattern.MONTHLY_WEEKDAY
    msgid = _WHICH[rule.which] if is_monthly else _WORDS[rule.pattern]
    return speaks.gettext(msgid) % {"weekday": weekdays(speaks)[rule.weekday], "day": rule.day}
