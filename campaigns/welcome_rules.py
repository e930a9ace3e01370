"""When the steps of a welcome are due, for one person: nothing here asks a database.

A step has a number of days after confirming and a local hour. It goes out within its hour's grace
or waits for the next day's, so that nobody is written to at night because the service was down.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from campaigns.welcome_models import WelcomeStep

LEAST_GRACE = timedelta(hours=1)
WAIT_FOR_MENDING = timedelta(days=7)
"""A step that can't be made is waited for so long, and then passed over."""


def moment(step: WelcomeStep, began_at: datetime, zone: ZoneInfo) -> datetime:
    """When a step is due for somebody who confirmed at `began_at`: never before that."""
    local = began_at.astimezone(zone)
    due = _at(local + timedelta(days=step.days), step.hour, zone)
    return due if due >= began_at else _at(local + timedelta(days=step.days + 1), step.hour, zone)


def coming(
    steps: Iterable[WelcomeStep], done: Collection[int], began_at: datetime, zone: ZoneInfo
) -> tuple[WelcomeStep, datetime] | None:
    """The next step for somebody, and when it is due; None when nothing is to come.

    A step that was added when its day had passed for them already is not for them.
    """
    ahead = [
        (due, step.id, step)
        for step in steps
        if step.id not in done and (due := moment(step, began_at, zone)) >= step.created_at
    ]
    if not ahead:
        return None
    due, _, step = min(ahead, key=lambda each: each[:2])
    return step, due


def opening(step: WelcomeStep, now: datetime, zone: ZoneInfo, grace: timedelta) -> datetime:
    """The earliest moment from `now` on at which a step that is due may go out."""
    today = _at(now.astimezone(zone), step.hour, zone)
    if now < today:
        return today
    return now if now <= today + max(grace, LEAST_GRACE) else tomorrow(step, now, zone)


def tomorrow(step: WelcomeStep, now: datetime, zone: ZoneInfo) -> datetime:
    """The step's hour on the local day after `now`'s."""
    return _at(now.astimezone(zone) + timedelta(days=1), step.hour, zone)


def day(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Where the local day of `now` begins, and where the next one does."""
    local = now.astimezone(zone)
    return _at(local, 0, zone), _at(local + timedelta(days=1), 0, zone)


def _at(local: datetime, hour: int, zone: ZoneInfo) -> datetime:
    """An hour of a local day; one that the clocks skip moves on by the gap."""
    return datetime.combine(local.date(), time(hour), tzinfo=zone).astimezone(UTC)
