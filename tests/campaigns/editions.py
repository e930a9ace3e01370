"""A series with what it draws on, and a clock to go through its dates with."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlmodel import col, select

from campaigns import bulletins, issues, series, series_plans, series_runs, series_sending
from campaigns.models import Bulletin, Campaign, DevelopmentKind
from campaigns.series_models import Series, SeriesItem, SeriesRun
from campaigns.series_plans import Plan
from foundation.audit import COMMAND, Actor
from foundation.config import Settings
from foundation.ground import Ground
from subscribers.models import Partner
from tests.campaigns import newsroom
from tests.world import forking, grounds, people
from tests.world.clock import FakeClock

RULE = {
    "pattern": "fortnightly",
    "weekday": 3,
    "at": "09:00",
    "closes_days": 1,
    "closes_at": "17:00",
    "starts_on": "2026-09-03",
}


def plan(**changes: Any) -> Plan:
    """Every second Thursday at nine, in two languages; content closes at five the day before."""
    values: dict[str, Any] = {
        "name": "Neighbors",
        "issue": "secure-communities",
        "mode": "review",
        "rule": RULE,
        "editions": {
            "en": {"subject": "Neighbors no. {number}, {date}", "preheader": "Volume {volume}"},
            "es": {"subject": "Vecinos n.º {number}, {date}", "preheader": "Volumen {volume}"},
        },
        "sections": [
            {"headings": {"en": "What happened", "es": "Lo que pasó"}, "most": 3},
            {"kind": "events", "headings": {"en": "Come along", "es": "Acompáñenos"}, "most": 2},
        ],
        "audience": {"topics": ["secure-communities"]},
    }
    return series_plans.parse(values | changes)


async def made(ground: Ground, *, actor: Actor = COMMAND, **changes: Any) -> Series:
    """A series that was kept, with its topic."""
    await people.topic(ground)
    return await series.create(ground, actor=actor, plan=plan(**changes))


async def news(ground: Ground, headline: str, day: date, **more: Any) -> int:
    """Something that happened; returns its number."""
    async with ground.db.reading() as session:
        of = await issues.by_slug(session, "secure-communities")
    more["kind"] = DevelopmentKind(more.get("kind", "news"))
    draft = newsroom.news(
        headline, spanish=more.pop("spanish", f"{headline} (es)"), day=day, **more
    )
    return (await newsroom.development(ground, of, draft)).id


async def partner(ground: Ground, name: str) -> int:
    """A partner; returns its number."""
    async with ground.db.transaction() as session:
        found = Partner(key=name.lower(), name=name, created_at=ground.clock.now())
        session.add(found)
        await session.flush()
        return found.id


async def runs(ground: Ground, series_id: int) -> list[SeriesRun]:
    """What became of each date, in order."""
    statement = (
        select(SeriesRun).where(SeriesRun.series_id == series_id).order_by(col(SeriesRun.day))
    )
    async with ground.db.reading() as session:
        return list((await session.exec(statement)).all())


async def reasons(ground: Ground, run: SeriesRun) -> dict[str, str]:
    """Headline → why it was in or out of a run; those in stand first."""
    statement = select(SeriesItem).where(SeriesItem.run_id == run.id).order_by(col(SeriesItem.id))
    async with ground.db.reading() as session:
        found = (await session.exec(statement)).all()
    titles = [each.texts.get("en") or each.texts["es"] for each in found]
    why = [f"{'in' if each.is_in else 'out'}: {each.reason}" for each in found]
    return dict(zip(titles, why, strict=True))


async def bulletin(ground: Ground, run: SeriesRun) -> Bulletin:
    """The edition's bulletin."""
    async with ground.db.reading() as session:
        campaign = await session.get_one(Campaign, run.campaign_id)
        return await bulletins.get(session, campaign.bulletin_id)


async def crash(ground: Ground, now: datetime, *, writing: str = "") -> None:
    """A scheduler of another process that is killed when all is written and nothing committed.

    It drafts; with `writing` it sends, and dies where it commits a statement with these words.
    """
    given = {
        "settings": ground.settings.model_dump(mode="json"),
        "now": now.isoformat(),
        "writing": writing,
    }
    process = await forking.started(
        json.dumps(given), module="tests.campaigns.editions", environment=os.environ
    )
    assert await process.wait() == -signal.SIGKILL


def main() -> None:
    """Draft or send what is due, and be killed at a commit."""
    given = json.loads(sys.argv[1])
    clock = FakeClock(datetime.fromisoformat(given["now"]))
    ground = grounds.make(Settings.model_validate(given["settings"]), clock)
    is_written = not given["writing"]

    def write(_connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal is_written
        is_written |= given["writing"] in statement and not statement.startswith("SELECT")

    def die(connection: Connection) -> None:
        if is_written and connection.get_execution_options().get("sqlite_begin") == "IMMEDIATE":
            os.kill(os.getpid(), signal.SIGKILL)

    engine = ground.db.engine.sync_engine
    event.listen(engine, "before_cursor_execute", write)
    event.listen(engine, "commit", die)
    step = series_sending.send_drafted if given["writing"] else series_runs.draft_due
    asyncio.run(step(ground))


def outcomes(found: Sequence[SeriesRun]) -> dict[str, str]:
    """Day → what became of it."""
    return {each.day.isoformat(): f"{each.outcome} {each.reason}".strip() for each in found}
