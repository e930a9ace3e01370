"""How each source of webhooks does; for staff pages and `doctor`.

Counts gather in the process and are written with the next thing that matters, or after ten
seconds: a flood of calls, forged ones too, is no flood of writes.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery.hooks.models import HookStatus, WaitingCall
from foundation import tables
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.webhook_sources import Provider

_APART = timedelta(seconds=10)
_COUNTS = ("taken", "repeated", "ignored", "refused")


@frozen
class SourceState:
    """One source of the settings."""

    name: str
    provider: Provider
    last_call_at: datetime | None
    """When the provider last called and was believed; None if it never did."""
    last_event_at: datetime | None
    """When it last said something that had a consequence."""
    taken: int
    repeated: int
    ignored: int
    refused: int
    """Calls that were not believed, or could not be read."""
    waiting: int
    """Calls with many events that are still to be acted on."""
    last_refusal_at: datetime | None
    refusal: str
    """Why, as a text to be translated; blank if none ever was."""
    trouble: str
    """What the provider said that needs somebody, as a text to be translated."""

    @property
    def is_refusing(self) -> bool:
        """The last call that was written down was not believed."""
        if self.last_refusal_at is None:
            return False
        return self.last_call_at is None or self.last_refusal_at > self.last_call_at


class Tally:
    """What this process has not written down yet of one source."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._counts = dict.fromkeys(_COUNTS, 0)
        self._written_at: datetime | None = None
        self._refused_at: datetime | None = None

    async def heard(
        self, ground: Ground, *, taken: int, repeated: int, ignored: int, trouble: str
    ) -> None:
        """A call was believed."""
        now = ground.clock.now()
        self._add(taken=taken, repeated=repeated, ignored=ignored)
        if not (taken or trouble or _is_long_ago(self._written_at, now)):
            return
        self._written_at = now
        values: dict[str, datetime | str] = {"last_call_at": now, "trouble": trouble}
        if taken:
            values["last_event_at"] = now
        await self._write(ground, values)

    async def refused(self, ground: Ground, *, said: str) -> None:
        """A call was not; `said` is why."""
        now = ground.clock.now()
        self._add(refused=1)
        if _is_long_ago(self._refused_at, now):
            self._refused_at = now
            await self._write(ground, {"last_refusal_at": now, "refusal": said})

    def _add(self, **counts: int) -> None:
        for name, count in counts.items():
            self._counts[name] += count

    async def _write(self, ground: Ground, values: dict[str, datetime | str]) -> None:
        counts, self._counts = self._counts, dict.fromkeys(_COUNTS, 0)
        blank = {"refusal": "", "trouble": ""}
        async with ground.db.transaction() as session:
            insert = tables.insert_for(session, HookStatus).values(
                name=self._name, **blank | values, **counts
            )
            added = {name: col(getattr(HookStatus, name)) + counts[name] for name in _COUNTS}
            await session.execute(
                insert.on_conflict_do_update(index_elements=["name"], set_={**values, **added})
            )


async def read(ground: Ground, session: AsyncSession) -> Sequence[SourceState]:
    """Every source of the settings, in their order."""
    known = {row.name: row for row in (await session.exec(select(HookStatus))).all()}
    counts = sa.select(col(WaitingCall.source), sa.func.count()).group_by(col(WaitingCall.source))
    waiting = {name: int(count) for name, count in (await session.execute(counts)).all()}
    found = []
    for source in ground.settings.webhook_source:
        row = known.get(source.name) or HookStatus(name=source.name)
        found.append(
            SourceState(
                name=source.name,
                provider=source.provider,
                last_call_at=row.last_call_at,
                last_event_at=row.last_event_at,
                taken=row.taken,
                repeated=row.repeated,
                ignored=row.ignored,
                refused=row.refused,
                waiting=waiting.get(source.name, 0),
                last_refusal_at=row.last_refusal_at,
                refusal=row.refusal,
                trouble=row.trouble,
            )
        )
    return found


def _is_long_ago(moment: datetime | None, now: datetime) -> bool:
    return moment is None or abs(now - moment) >= _APART
