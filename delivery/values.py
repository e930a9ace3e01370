"""The values that fill a plan's slots where it is only read: in a preview, in the archive."""

from foundation.ground import Ground
from templates.plan import Plan


def for_view(ground: Ground, plan: Plan, values: dict[str, str]) -> dict[str, str]:
    """Values for reading a plan outside a mail: links lead straight on, nothing is counted."""
    plain = {
        **{f"click:{link.number}": link.url for link in plan.links},
        "open_pixel_url": "",
        "unsubscribe_url": ground.url("/subscribe"),
        "preferences_url": ground.url("/subscribe"),
        "view_url": ground.url("/archive"),
    }
    # Whatever else is not known is blank: the plan's defaults step in.
    return {**dict.fromkeys(plan.slot_names, ""), **plain, **values}
