"""A local time in a named zone, as an instant: what clocks skip is refused, what they repeat asked.

Nights when clocks change have an hour that does not exist, or one that is there twice (RFC 5545
§3.3.5 leaves the choice to programs; we make none for the person).
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from babel import dates

from foundation import clock, errors
from foundation.i18n import N_, Translator

ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
    "America/Puerto_Rico",
    "UTC",
)
"""Zones that staff in the United States choose from; any other may be named."""


def resolve(at: str, zone: str, *, fold: int | None = None) -> datetime:
    """The instant (UTC) of a local time such as `2026-12-01T09:00` in a zone.

    `fold` 0 takes the first of a repeated time, 1 the second; None takes the first. Raises
    `errors.Invalid` with the wrong field: an unknown zone, no time, or a time that clocks skip.
    """
    tzinfo = _zone(zone)
    local = _local(at)
    chosen = local.replace(tzinfo=tzinfo, fold=fold or 0)
    back = chosen.astimezone(UTC).astimezone(tzinfo)
    if back.replace(tzinfo=None) != local:
        raise _invalid("at", _skipped(local, tzinfo))
    return chosen.astimezone(UTC)


def is_repeated(at: str, zone: str) -> bool:
    """Whether the clocks show a local time twice that night. Raises as `resolve`."""
    return resolve(at, zone, fold=0) != resolve(at, zone, fold=1)


def offered(*first: str) -> list[tuple[str, str]]:
    """Zones to choose from with what they are called, those that matter here first."""
    return [(each, each.replace("_", " ")) for each in dict.fromkeys((*first, *ZONES))]


def in_words(moment: datetime, zone: str, speaks: Translator) -> str:
    """An instant as people say it in a zone: the day in full, the time to the minute."""
    local = moment.astimezone(ZoneInfo(zone))
    day = dates.format_date(local, "full", locale=speaks.locale)
    minute = dates.format_time(local, "short", tzinfo=local.tzinfo, locale=speaks.locale)
    return f"{day}, {minute}".replace("\u202f", " ")


def local_text(moment: datetime, zone: str) -> str:
    """An instant as a local time of `zone`, in the form that `resolve` takes."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")


def _skipped(local: datetime, tzinfo: ZoneInfo) -> errors.HandbillError:
    before = local.replace(tzinfo=tzinfo, fold=1).astimezone(UTC)
    after = local.replace(tzinfo=tzinfo, fold=0).astimezone(UTC)
    shown = [each.astimezone(tzinfo).strftime("%H:%M") for each in sorted((before, after))]
    return errors.Invalid(
        N_(
            "The clocks go forward that night, so %(time)s does not exist. "
            "Choose %(earlier)s or %(later)s."
        ),
        time=local.strftime("%H:%M"),
        earlier=shown[0],
        later=shown[1],
    )


def _zone(name: str) -> ZoneInfo:
    if name not in clock.zone_names():
        raise _invalid("zone", errors.Invalid(N_("Choose a time zone, such as America/New_York.")))
    return ZoneInfo(name)


def _local(at: str) -> datetime:
    try:
        found = datetime.fromisoformat(at.strip())
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None or len(at.strip()) < len("2026-12-01T09:00"):
        raise _invalid("at", errors.Invalid(N_("Give day and time, such as 2026-12-01T09:00.")))
    return found.replace(second=0, microsecond=0)


def _invalid(field: str, problem: errors.HandbillError) -> errors.Invalid:
    return errors.Invalid(problem.msgid, fields={field: problem}, **problem.values)
