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

ENGINES = ("SQLite", "PostgreSQL")
LIMIT_MS = 100.0
_BUILT_S = 600.0
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


async def run(*, people: int, campaigns: int, kept: Path | None = None) -> list[Figure]:
    """Medians of each page, asked for by one person at a time; see `sites` about `kept`."""
    found: list[Figure] = []
    for engine in ENGINES:
        async with site(engine, people=people, campaigns=campaigns, kept=kept) as ground:
            found += await _asked(ground, engine, last=campaigns)
    return found


async def sites(*, people: int, campaigns: int, kept: Path | None) -> list[Figure]:
    """Build the sites and measure nothing but the time that this takes."""
    found: list[Figure] = []
    for engine in ENGINES:
        began = time.perf_counter()
        async with site(engine, people=people, campaigns=campaigns, kept=kept):
            took_s = time.perf_counter() - began
        found.append(Figure(name=f"{engine}: site", value=took_s, unit="s", limit=_BUILT_S))
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
async def site(
    engine: str, *, people: int, campaigns: int, kept: Path | None
) -> AsyncIterator[Ground]:
    """A site of that size: for once, or the one that lies in the folder `kept`, built if need be.

    A site that is kept is brought to the newest schema when it is used again.
    """
    with contextlib.ExitStack() as stack:
        root = kept or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder, built = root / engine, root / f"{engine}.built"
        name = await asyncio.to_thread(_text_of, built)
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        url = ""
        if engine == "PostgreSQL":
            server = await asyncio.to_thread(databases.PostgresServer, folder)
            stack.callback(server.stop)
            url = server.url(name) if name else await server.empty()
        async with house.opened(folder, url=url) as ground:
            if not name:
                await old_site.build(ground, size=people, campaigns=campaigns)
                await asyncio.to_thread(built.write_text, ground.db.engine.url.database or "")
            yield ground


def _text_of(file: Path) -> str:
    return file.read_text() if file.exists() else ""
