"""Counts how often forms are seen and started, and by nobody in particular.

Called by `public_steps.py`. No cookie is set and no address kept: a step adds one to a number in
memory, and the numbers are written in groups. A network that sends very many is not counted for the
rest of the minute; it is known in memory alone, by a hash whose key is thrown away each minute.
"""

import asyncio
import contextlib
import functools
import hashlib
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import date

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import errors, logs, rows
from foundation.frozen import frozen
from foundation.ground import Ground
from subscribers import widget_health
from subscribers.partner_models import Step, StepCount

_log = logs.get("steps")

_MINUTE_S = 60
_NETWORKS = 20_000
"""Networks that are told apart within a minute; more than that is an attack, and counts nothing."""
_WAITING = 5_000
"""Numbers that wait in memory; what comes to further pages is counted without its page."""
_STRAYS = 200
"""Sites that are not listed and wait to be written."""
PAGES_A_DAY = 200
"""Pages told apart for a form of a partner on one day; the rest is counted without its page."""


@frozen
class Place:
    """Where a step was taken."""

    partner_id: int
    """0: none."""
    form_id: int
    """0: the form at `/subscribe`."""
    page: str
    language: str
    day: date


Counts = Mapping[tuple[Place, Step], int]


class Steps:
    """The numbers of one process that were not written yet."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._waiting: Counter[tuple[Place, Step]] = Counter()
        self._strays: Counter[tuple[int, str]] = Counter()
        self._networks: Counter[bytes] = Counter()
        self._minute = -1
        self._key = b""

    def count(
        self,
        step: Step,
        *,
        partner_id: int,
        form_id: int,
        page: str,
        language: str,
        network: str,
    ) -> None:
        """Add one, unless too many came from the network."""
        if not self._may(network):
            return
        zone = self._ground.settings.site.tzinfo
        place = Place(
            partner_id=partner_id,
            form_id=form_id,
            page=page,
            language=language,
            day=self._ground.clock.now().astimezone(zone).date(),
        )
        if (place, step) not in self._waiting and len(self._waiting) >= _WAITING:
            place = replace(place, page="")
        self._waiting[place, step] += 1

    def stray(self, *, partner_id: int, origin: str) -> None:
        """A partner's form was used on a site that is not listed, see `widget_health`."""
        if (partner_id, origin) in self._strays or len(self._strays) < _STRAYS:
            self._strays[partner_id, origin] += 1

    async def write(self) -> None:
        """Add what waits to the tables; while those can't be reached it waits on."""
        taken, self._waiting = self._waiting, Counter()
        strays, self._strays = self._strays, Counter()
        if not taken and not strays:
            return
        try:
            async with self._ground.db.transaction() as session:
                await _add(session, taken)
                await widget_health.note_strays(self._ground, session, strays)
        except errors.Busy as problem:
            self._waiting += taken
            self._strays += strays
            _log.warning("counted steps wait", said=str(problem))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write every `[partners] steps_write_s`, and what is left at the end."""
        writing = asyncio.create_task(self._write_again_and_again())
        try:
            yield
        finally:
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writing
            await self.write()

    async def _write_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(self._ground.settings.partners.steps_write_s)
            # A write that has begun is finished before this ends.
            await asyncio.shield(self.write())

    def _may(self, network: str) -> bool:
        minute = int(self._ground.clock.now().timestamp()) // _MINUTE_S
        if minute != self._minute:
            self._minute, self._key = minute, secrets.token_bytes(16)
            self._networks.clear()
        digest = hashlib.blake2b(network.encode(), key=self._key, digest_size=12).digest()
        if digest not in self._networks and len(self._networks) >= _NETWORKS:
            return False
        self._networks[digest] += 1
        return self._networks[digest] <= self._ground.settings.partners.steps_per_network_per_minute


async def _add(session: AsyncSession, counts: Counts) -> None:
    summed: dict[Place, dict[Step, int]] = {}
    pages = await _known_pages(session, counts)
    for (place, step), number in counts.items():
        known = pages.setdefault((place.partner_id, place.form_id, place.day), set())
        if len(known) < PAGES_A_DAY:
            known.add(place.page)
        where = place if place.page in known else replace(place, page="")
        of_step = summed.setdefault(where, dict.fromkeys(Step, 0))
        of_step[step] += number
    # Sorted, so that processes that meet at the same numbers wait in one order only.
    listed = sorted(
        (*_where(place), of_step[Step.SEEN], of_step[Step.STARTED])
        for place, of_step in summed.items()
    )
    dialect = session.get_bind().dialect.name
    numbered = rows.packed((place, *row) for place, row in enumerate(listed))
    await session.execute(_addition(dialect), {"counted": numbered})


def _where(place: Place) -> tuple[int, str, int, str, str]:
    return place.partner_id, place.day.isoformat(), place.form_id, place.page, place.language


@functools.cache
def _addition(dialect: str) -> sa.Executable:
    """Adds to all numbers by one statement, so that any number of processes add up."""
    listed = rows.Rows("counted")
    return rows.insertion(
        dialect,
        StepCount,
        listed,
        {
            "partner_id": listed.number(1),
            "day": listed.day(2),
            "form_id": listed.number(3),
            "page": listed.text(4),
            "language": listed.text(5),
            "seen": listed.number(6),
            "started": listed.number(7),
        },
    ).on_conflict_do_update(
        index_elements=["partner_id", "day", "form_id", "page", "language"],
        set_={
            "seen": sa.text("step_counts.seen + excluded.seen"),
            "started": sa.text("step_counts.started + excluded.started"),
        },
    )


async def _known_pages(
    session: AsyncSession, counts: Counts
) -> dict[tuple[int, int, date], set[str]]:
    """The pages that have a number already, by partner, form and day (the primary key serves)."""
    known: dict[tuple[int, int, date], set[str]] = {}
    for partner_id, form_id, day in {(p.partner_id, p.form_id, p.day) for p, _ in counts}:
        pages = await session.scalars(
            sa.select(col(StepCount.page))
            .where(
                col(StepCount.partner_id) == partner_id,
                col(StepCount.day) == day,
                col(StepCount.form_id) == form_id,
            )
            .distinct()
        )
        known[partner_id, form_id, day] = set(pages)
    return known
