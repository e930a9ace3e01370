"""How soon the pages of the staff room come, on a site with years behind it, on both engines."""

import asyncio
import contextlib
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import house, old_site
from bench.measure import Figure
from campaigns import audiences, breakdowns
from foundation.ground import Ground
from subscribers import growth
from tests.world import databases, web

ENGINES = ("SQLite", "PostgreSQL")
LIMIT_MS = 100.0
COUNT_LIMIT_MS = 2000.0
_TIMES = 9
_COUNTS = 3
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
    "its whole report": ("/staff/campaigns/{last}/report", None),
    "a campaign to write": ("/staff/campaigns/new?bulletin={last}", None),
    "recipients of a campaign": ("/staff/campaigns/{last}/recipients", None),
    "recipients by a name": ("/staff/campaigns/{last}/everybody?q=family77", None),
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
_AUDIENCES: Mapping[str, Mapping[str, Any]] = {
    "everybody on a topic counted": {},
    "people of a town counted": {"all_of": [{"kind": "town", "towns": ["Boston"]}]},
    "people who came by a source counted": {"all_of": [{"kind": "source", "sources": ["archive"]}]},
    "people who got none of three counted": {"none_of": [{"kind": "received", "last": 3}]},
}


async def run(
    engines: Sequence[str] = ENGINES, *, people: int, campaigns: int, kept: Path | None = None
) -> list[Figure]:
    """Medians of each page and count, asked for by one person at a time; see `_site` on `kept`."""
    found: list[Figure] = []
    for engine in engines:
        async with _site(engine, people=people, campaigns=campaigns, kept=kept) as ground:
            found += await _asked(ground, engine, last=campaigns)
            found += await _counted(ground, engine)
    return found


async def _asked(ground: Ground, engine: str, *, last: int) -> list[Figure]:
    figures: list[Figure] = []
    async with web.browsing(ground) as door:
        staff = await door.as_staff()
        for name, (path, form) in _PAGES.items():
            address = path.format(last=last)

            async def ask(address: str = address, form: Mapping[str, str] | None = form) -> None:
                answer = await (staff.post(address, form) if form else staff.get(address))
                if answer.status != 200:
                    raise AssertionError(f"{address}: {answer.status}")

            figures.append(await _figure(f"{engine}: {name}", ask, _TIMES, LIMIT_MS))
    return figures


async def _counted(ground: Ground, engine: str) -> list[Figure]:
    """How long whoever writes an audience waits for its number, while the page stands there."""
    figures: list[Figure] = []
    for name, conditions in _AUDIENCES.items():
        wanted = audiences.parse({"topics": ["secure-communities"], **conditions})

        async def count(wanted: audiences.Audience = wanted) -> None:
            await audiences.count(ground, wanted, languages=["en", "es"])

        figures.append(await _figure(f"{engine}: {name}", count, _COUNTS, COUNT_LIMIT_MS))
    return figures


async def _figure(
    name: str, act: Callable[[], Awaitable[None]], times: int, limit_ms: float
) -> Figure:
    taken: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        await act()
        taken.append((time.perf_counter() - began) * 1000)
    value = statistics.median(taken)
    return Figure(name=name, value=value, unit="ms", limit=limit_ms, times=times)


@contextlib.asynccontextmanager
async def _site(
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
            # What the scheduler counts within minutes of a start.
            await growth.work(ground)
            await breakdowns.work(ground)
            yield ground


def _text_of(file: Path) -> str:
    return file.read_text() if file.exists() else ""
