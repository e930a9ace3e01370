"""A site to measure: a database of its own with many people, and a bulletin as coalitions send."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from foundation import database, migrations
from foundation.clock import SystemClock
from foundation.ground import Ground
from templates.plan import Plan
from tests.world import grounds, mailing

CONNECTIONS = 10
_SECTION = (
    "<h2>What we learned in {month}</h2><p>Dear {{{{ subscriber.first_name | "
    'default_if_blank("friend") }}}}, the board heard how many families the program has parted, '
    'and <a href="https://news.example/{month}">what the sheriff answered</a>. '
    "Two thirds of those who were taken had no conviction, or one for driving without a "
    'licence. <a href="https://act.example/{month}">Write to your council</a> before it meets.</p>'
)
_MONTHS = ("June", "July", "August", "September", "October")


@contextlib.asynccontextmanager
async def opened(
    folder: Path, *, port: int = 9, mail: Mapping[str, Any] | None = None
) -> AsyncIterator[Ground]:
    """A migrated SQLite database in `folder`, its mail going to `port`; settings of `[mail]`."""
    url = f"sqlite:///{folder / 'bench.db'}"
    wanted = grounds.settings(
        url=url,
        folder=folder,
        changes={
            "relay": {"connections": CONNECTIONS},
            "delivery": {"record_interval_s": 0.2},
            "mail": mail or {},
        },
        relay_port=port,
    )
    async with grounds.standing(wanted, SystemClock()) as ground:
        await _migrate(ground.db)
        yield ground


def bulletin(ground: Ground) -> Plan:
    """Five sections, each with two links."""
    return mailing.plan(ground, html="".join(_SECTION.format(month=month) for month in _MONTHS))


async def _migrate(db: database.Database) -> None:
    await migrations.migrate(db)
