"""A site of a million people to measure the staff room at: for once, or kept from run to run."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from bench import furniture, house, old_site
from campaigns import breakdowns
from foundation.ground import Ground
from subscribers import growth
from tests.world import databases

POSTGRESQL = "PostgreSQL"
ENGINES = ("SQLite", POSTGRESQL)


@contextlib.asynccontextmanager
async def site(
    engine: str, *, people: int, campaigns: int, folder: Path | None
) -> AsyncIterator[Ground]:
    """A site of that size: for once, or the one that lies in `folder`, built if need be.

    A site that is kept is brought to the newest schema when it is used again.
    """
    with contextlib.ExitStack() as stack:
        root = folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        place, built = root / engine, root / f"{engine}.built"
        name = await asyncio.to_thread(_text_of, built)
        await asyncio.to_thread(place.mkdir, parents=True, exist_ok=True)
        url = ""
        if engine == POSTGRESQL:
            server = await asyncio.to_thread(databases.PostgresServer, place)
            stack.callback(server.stop)
            url = server.url(name) if name else await server.empty()
        async with house.opened(place, url=url) as ground:
            if not name:
                await old_site.build(ground, size=people, campaigns=campaigns)
                await asyncio.to_thread(built.write_text, ground.db.engine.url.database or "")
            await furniture.furnish(ground)
            # What the scheduler counts within minutes of a start.
            await growth.work(ground)
            await breakdowns.work(ground)
            yield ground


def _text_of(file: Path) -> str:
    return file.read_text() if file.exists() else ""
