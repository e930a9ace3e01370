"""The values that fill the slots of one recipient's message."""

from dataclasses import dataclass
from datetime import datetime

from foundation.ground import Ground
from foundation.tokens import Purpose
from subscribers import people
from subscribers.models import Subscriber
from templates.plan import Plan

_STEP_S = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Sending:
    """What a recipient's links are about."""

    dispatch_id: int
    delivery_id: int
    topic_id: int
    """The one topic that the dispatch is about; 0 when it is about several."""
    started_at: datetime
    """Of the dispatch: tokens count time from there."""


def for_delivery(
    ground: Ground, plan: Plan, *, sending: Sending, subscriber: Subscriber
) -> dict[str, str]:
    """Merge values and links of one recipient.

    Only if the person agreed to be counted by name do links carry the delivery's number; without
    that they count for the campaign's totals alone (`foundation.tokens.Purpose.CLICK`).
    """
    counted = sending.delivery_id if subscriber.allows_tracking else 0
    passed = ground.clock.now() - sending.started_at
    step = max(0, int(passed.total_seconds()) // _STEP_S)
    values = people.merge_values(subscriber)
    values["unsubscribe_url"] = ground.link(
        "/unsubscribe", Purpose.UNSUBSCRIBE, subscriber.id, sending.delivery_id, sending.topic_id
    )
    values["preferences_url"] = ground.link("/preferences", Purpose.PREFERENCES, subscriber.id)
    values["view_url"] = ground.link(
        "/view", Purpose.VIEW, sending.dispatch_id, subscriber.id, sending.delivery_id
    )
    is_tracked = ground.settings.tracking.enabled
    for link in plan.links:
        values[f"click:{link.number}"] = (
            ground.link("/r", Purpose.CLICK, sending.dispatch_id, link.number, counted, step)
            if is_tracked
            else link.url
        )
    values["open_pixel_url"] = (
        ground.link("/o", Purpose.OPEN, sending.dispatch_id, counted, step) + ".gif"
        if is_tracked
        else ""
    )
    return _complete(plan, values)


def for_view(ground: Ground, plan: Plan, values: dict[str, str]) -> dict[str, str]:
    """Values for reading a plan outside a mail: links lead straight on, nothing is counted."""
    plain = {
        **{f"click:{link.number}": link.url for link in plan.links},
        "open_pixel_url": "",
        "unsubscribe_url": ground.url("/subscribe"),
        "preferences_url": ground.url("/subscribe"),
        "view_url": ground.url("/archive"),
    }
    return _complete(plan, {**plain, **values})


def _complete(plan: Plan, values: dict[str, str]) -> dict[str, str]:
    """Own fields that this person does not have are blank; the plan's defaults step in."""
    for name in plan.slot_names:
        values.setdefault(name, "")
    return values
