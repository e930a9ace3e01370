"""Takes the sealed entries that a tablet at a table sends, many at once, each exactly once.

Called by `kiosk_pages.py`. An answer names what the tablet may forget: what was taken, and what
never can be. Nothing of a person is logged.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from foundation import errors, logs
from foundation.ground import Ground
from subscribers import gatherings, sealing, tabling
from subscribers.intake import SignUpRequest
from subscribers.sealing import Sealed
from subscribers.tabling import Entry

MOST_AT_ONCE = 25
_OLDEST = timedelta(days=90)
_log = logs.get("kiosk")


@dataclass(kw_only=True, slots=True)
class Received:
    """What became of a batch, by the numbers of its entries."""

    taken: list[str] = field(default_factory=list)
    """Kept, now or before."""
    refused: list[str] = field(default_factory=list)
    """Read, but wrong in a way that nobody can mend any more."""
    unreadable: list[str] = field(default_factory=list)
    """Sealed for another key: the tablet keeps them until somebody looks."""


async def receive(ground: Ground, *, form: str, batch: Sequence[Sealed], network: str) -> Received:
    """Take entries in their order. Raises `errors.NotFound` when the form is gone."""
    received = Received()
    for sealed in batch[:MOST_AT_ONCE]:
        try:
            said = await asyncio.to_thread(sealing.opened, ground, sealed)
        except errors.Invalid:
            received.unreadable.append(sealed.number)
            continue
        try:
            entry = await _entry(ground, sealed, said, form=form, network=network)
            await tabling.take(ground, entry=entry)
        except errors.Invalid as problem:
            _log.warning("an entry is refused", fields=sorted(problem.fields))
            received.refused.append(sealed.number)
            continue
        received.taken.append(sealed.number)
    return received


async def _entry(
    ground: Ground, sealed: Sealed, said: Mapping[str, object], *, form: str, network: str
) -> Entry:
    source = _line(said, "source")
    async with ground.db.reading() as session:
        gathering = await gatherings.by_code(session, source) if source else None
    return Entry(
        request=SignUpRequest(
            email=_line(said, "email"),
            first_name=_line(said, "first_name"),
            last_name=_line(said, "last_name"),
            postal_code=_line(said, "postal_code"),
            topics=_lines(said, "topics"),
            language=_line(said, "language"),
            tags=_lines(said, "tags"),
            source=source,
            form=form,
            network=network,
            via="kiosk",
            is_from_public=True,
        ),
        typed_at=_moment(said, now=ground.clock.now()),
        number=sealed.number,
        gathering=gathering,
    )


def _line(said: Mapping[str, object], name: str) -> str:
    value = said.get(name)
    return value.strip() if isinstance(value, str) else ""


def _lines(said: Mapping[str, object], name: str) -> list[str]:
    value = said.get(name)
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _moment(said: Mapping[str, object], *, now: datetime) -> datetime:
    """When it was typed, by the tablet's clock; now where that can't be true."""
    try:
        typed = datetime.fromisoformat(_line(said, "typed_at")).astimezone(UTC)
    except (ValueError, OverflowError):
        return now
    return typed if now - _OLDEST < typed <= now else now
