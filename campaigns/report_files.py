"""A campaign's report to take along, nobody named: a document, or a row for each figure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from campaigns import breakdowns
from campaigns.breakdowns import Counted
from campaigns.leaving import Leaving
from campaigns.reports import Report
from delivery.models import Dispatch
from foundation import cells

_NAMES_SOMEBODY = ("uncertain_people",)


def whole(
    order: Dispatch, report: Report, counted: Counted | None, left: Leaving
) -> Mapping[str, Any]:
    """Everything, as plain values; moments in ISO 8601."""
    values = {
        name: value for name, value in report.as_dict().items() if name not in _NAMES_SOMEBODY
    }
    values["name"] = order.name
    values["leaving"] = {
        "people": left.people,
        "ways": dict(left.ways),
        "said": [{"reason": reason, "people": count} for reason, count in left.said],
        "said_nothing": left.silent,
    }
    if counted is not None:
        begins = breakdowns.hour_of(order.started_at)
        values["counted_at"] = counted.at.isoformat()
        values["sent_by_hour"] = {
            (begins + timedelta(hours=number)).isoformat(): count
            for number, count in enumerate(counted.sent_by_hour)
        }
        values["parts"] = {
            part.value: [asdict(row) for row in rows] for part, rows in counted.parts.items()
        }
    return values


def csv(document: Mapping[str, Any]) -> str:
    """Where a figure stands in the document, level by level with dots between, and the figure."""
    return cells.lines([("figure", "value"), *_flat("", document)])


def _flat(place: str, value: object) -> Iterator[Sequence[str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(f"{place}.{name}" if place else str(name), inner)
    elif isinstance(value, (list, tuple)):
        for number, inner in enumerate(value, start=1):
            yield from _flat(f"{place}.{number}", inner)
    else:
        yield (place, "" if value is None else str(value))
