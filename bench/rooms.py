"""How soon the pages of the staff room come, on a site with years behind it, on both engines."""

import asyncio
import contextlib
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from bench import house, old_site
from bench.measure import Figure
from foundation.ground import Ground
from tests.world import databases, web

LIMIT_MS = 100.0
_TIMES = 9
_PAGES: Mapping[str, tuple[str, Mapping[str, str] | None]] = {
    "overview": ("/staff", None),
    "people": ("/staff/people", None),
    "people, a second page": ("/staff/people?after=500000", None),
    "people by a name": ("/staff/people?q=family77", None),
    "people by part of an address": ("/staff/people?q=person77777", None),
    "people on a topic": ("/staff/people?topic=action-alerts", None),
    "people confirmed": ("/staff/people?standing=confirmed", None),
    "people suppressed": ("/staff/people?standing=suppressed", None),
    "a person": ("/staff/people/40", None),
    "campaigns": ("/staff/campaigns", None),
    "a campaign and its report": ("/staff/campaigns/{last}", None),
    "a campaign to write": ("/staff/campaigns/new?bulletin={last}", None),
    "recipients of a campaign": ("/staff/campaigns/{last}/recipients", None),
    "bulletins": ("/staff/bulletins", None),
    "a bulletin": ("/staff/bulletins/{last}", None),
    "its preview": ("/staff/bulletins/{last}/preview", None),
    "issues": ("/staff/issues", None),
    "inbox": ("/staff/inbox", None),
    "series": ("/staff/series", None),
    "came back": ("/staff/returns", None),
    "members": ("/staff/members", None),
    "forms": ("/staff/forms", None),
    "partners": ("/staff/partners", None),
    "the log": ("/staff/audit", None),
    "find": ("/staff/find", {"q": "bulletin 4"}),
}


async def run(*, people: int, campaigns: int) -> list[Figure]:
    """Medians of each page, asked for by one person at a time."""
    found: list[Figure] = []
    for engine in ("SQLite", "PostgreSQL"):
        with tempfile.TemporaryDirectory() as name:
            async with _site(Path(name), engine) as ground:
                await old_site.build(ground, size=people, campaigns=campaigns)
                found += await _asked(ground, engine, last=campaigns)
    return found


async def _asked(ground: Ground, engine: str, *, last: int) -> list[Figure]:
    figures: list[Figure] = []
    async with web.browsing(ground) as door:
        staff = await door.as_staff()
        for name, (path, form) in _PAGES.items():
            address = path.format(last=last)
            taken: list[float] = []
            for _ in range(_TIMES):
                began = time.perf_counter()
                answer = await (staff.post(address, form) if form else staff.get(address))
                taken.append((time.perf_counter() - began) * 1000)
                if answer.status != 200:
                    raise AssertionError(f"{address}: {answer.status}")
            figures.append(
                Figure(
                    name=f"{engine}: {name}",
                    value=statistics.median(taken),
                    unit="ms",
                    limit=LIMIT_MS,
                    times=_TIMES,
                )
            )
    return figures


@contextlib.asynccontextmanager
async def _site(folder: Path, engine: str) -> AsyncIterator[Ground]:
    if engine == "SQLite":
        async with house.opened(folder) as ground:
            yield ground
        return
    (folder / "server").mkdir()
    server = await asyncio.to_thread(databases.PostgresServer, folder / "server")
    try:
        async with house.opened(folder, url=await server.fresh()) as ground:
            yield ground
    finally:
        await asyncio.to_thread(server.stop)
