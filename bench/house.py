"""A site to measure: a database of its own with many people, and a bulletin as coalitions send."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from foundation import migrations, sections
from foundation.clock import SystemClock
from foundation.config import Settings
from foundation.ground import Ground
from foundation.sections import Server
from subscribers.models import Subscriber
from templates.plan import Plan
from tests.world import grounds, mailing

CONNECTIONS = 10
_SECTION = (
    "<h2>What we learned in {month}</h2><p>Dear {{{{ subscriber.first_name | "
    'default_if_blank("friend") }}}}, the board heard how many families in '
    '{{{{ subscriber.town | default_if_blank("your town") }}}} the program has parted, and '
    '<a href="https://news.example/{month}">what the sheriff answered</a>. '
    "Two thirds of those who were taken had no conviction, or one for driving without a "
    'licence. <a href="https://act.example/{month}">Write to your council</a> before it meets.</p>'
)
_MONTHS = ("June", "July", "August", "September", "October")
_TOWNS = ("Boston", "Worcester", "Springfield", "Lowell", "")


def settings(
    folder: Path, *, url: str = "", port: int = 9, changes: Mapping[str, Any] | None = None
) -> Settings:
    """A SQLite file in `folder`, unless `url` names another; mail goes to `port`."""
    values: dict[str, Any] = {**(changes or {})}
    values["relay"] = {"connections": CONNECTIONS, **values.get("relay", {})}
    values["server"] = {"page_patience_s": Server().page_patience_s, **values.get("server", {})}
    values["delivery"] = {"record_interval_s": 0.2, **values.get("delivery", {})}
    # As they are shipped: tests want their scheduler to look a hundred times as often.
    values["scheduler"] = sections.Scheduler().model_dump()
    return grounds.settings(
        url=url or f"sqlite:///{folder / 'bench.db'}",
        folder=folder,
        changes=values,
        relay_port=port,
    )


@contextlib.asynccontextmanager
async def opened(
    folder: Path, *, url: str = "", port: int = 9, changes: Mapping[str, Any] | None = None
) -> AsyncIterator[Ground]:
    """A migrated database by these `settings`."""
    wanted = settings(folder, url=url, port=port, changes=changes)
    async with grounds.standing(wanted, SystemClock()) as ground:
        await migrations.migrate(ground.db)
        yield ground


async def crowd(ground: Ground, people: int) -> int:
    """So many confirmed people; returns the topic's number.

    Every second reads Spanish, and every tenth agreed to be counted by name.
    """
    topic = await mailing.crowd(ground, people)
    number = col(Subscriber.id)
    varied = sa.update(Subscriber).values(
        language=sa.case((number % 2 == 0, "es"), else_="en"),
        town=sa.case(*((number % len(_TOWNS) == place, town) for place, town in enumerate(_TOWNS))),
        allows_tracking=number % 10 == 0,
    )
    async with ground.db.transaction() as session:
        await session.execute(varied)
    return topic


def bulletins(ground: Ground) -> Mapping[str, Plan]:
    """In two languages, of five sections with two links each: 18 KB on the wire."""
    html = "".join(_SECTION.format(month=month) for month in _MONTHS)
    return {
        language: mailing.plan(ground, language=language, html=html) for language in ("en", "es")
    }
