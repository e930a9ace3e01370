"""Sign-ups a second, beside a bare aiohttp handler that keeps one row of each by group commit."""

import asyncio
import contextlib
import itertools
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import sqlalchemy as sa
from aiohttp import web
from sqlmodel import col

from bench import house, load
from bench.measure import Result, Spent, compare
from delivery.models import QueuedNotice
from foundation.ground import Ground
from handbill import listening
from tests.world import people, service

GOAL = 0.5
_CONNECTIONS = 2_000
"""So many people at once: each waits a quarter of a second for the answer, whatever is done, so
that a thousand would never be more than four thousand a second."""
_TABLE = "CREATE TABLE rows (id INTEGER PRIMARY KEY, email TEXT, name TEXT, postal_code TEXT)"
_INSERT = "INSERT INTO rows (email, name, postal_code) VALUES (?, ?, ?)"
UNLIMITED = {
    "submissions_per_network_per_hour": 100_000_000,
    "confirmations_per_hour": 100_000_000,
    "confirmations_per_domain_per_hour": 100_000_000,
    "challenge_from_per_10_minutes": 100_000_000,
}
"""Everybody here comes from one network, and there are more than any site has."""
_Kept = tuple[str, str, str]


async def run(*, signups: int, times: int) -> list[Result]:
    """By one process, as the service is shipped, and with sign-ups kept by a process of their own.

    The yardstick is in this process, and so are we the first time; who sends is another one.
    """
    return [
        await _by_one(signups=signups, times=times),
        await _by_two(signups=signups, times=times),
    ]


async def _by_one(*, signups: int, times: int) -> Result:
    numbers = itertools.count()
    with tempfile.TemporaryDirectory() as folder:
        async with (
            house.opened(Path(folder), changes={"signup": UNLIMITED}) as ground,
            _bare(Path(folder) / "bare.db") as bare_port,
        ):
            await people.topic(ground)
            async with listening.open_web(ground, host="127.0.0.1", port=0) as port:
                spent = Spent(each=signups)
                found = await compare(
                    f"POST /subscribe, {_CONNECTIONS:,} people at once",
                    unit="sign-ups",
                    yardstick="a bare aiohttp handler, one row each by group commit",
                    ours=lambda: spent.on_ours(_rate(port, numbers, signups)),
                    theirs=lambda: spent.on_theirs(_rate(bare_port, numbers, signups)),
                    times=times,
                    goal=GOAL,
                )
            await _check(ground, signups * times)
    found.notes.append(spent.told())
    return found


async def _by_two(*, signups: int, times: int) -> Result:
    """A service as operators start it, but for sending."""
    numbers = itertools.count()
    changes = {"signup": {**UNLIMITED, "own_process": True}}
    with tempfile.TemporaryDirectory() as folder:
        async with (
            house.opened(Path(folder), changes=changes) as ground,
            _bare(Path(folder) / "bare.db") as bare_port,
        ):
            await people.topic(ground)
            async with service.running(
                ground.settings, Path(folder), options=["--no-worker"], is_forked=False
            ) as serving:
                port = int(serving.url.rpartition(":")[2])
                found = await compare(
                    "… with [signup] own_process",
                    unit="sign-ups",
                    yardstick="the same, by one process",
                    ours=lambda: _rate(port, numbers, signups),
                    theirs=lambda: _rate(bare_port, numbers, signups),
                    times=times,
                    goal=GOAL,
                )
            await _check(ground, signups * times)
    return found


async def _rate(port: int, numbers: Iterator[int], signups: int) -> float:
    wanted = list(itertools.islice(_forms(numbers), signups))
    return await load.from_outside(port, wanted, connections=_CONNECTIONS)


def _forms(numbers: Iterator[int]) -> Iterator[str]:
    """As people send them: an address, a name and a postal code each."""
    for number in numbers:
        yield (
            f"/subscribe email=person{number}%40host{number % 400}.example&first_name=Ana"
            f"&postal_code={number % 90_000 + 10_000}&topic=secure-communities&lang=es"
        )


async def _check(ground: Ground, expected: int) -> None:
    """Each is there, with its confirmation queued."""
    async with ground.db.reading() as session:
        queued = await session.scalar(
            sa.select(sa.func.count(sa.distinct(col(QueuedNotice.to_address))))
        )
    if queued != expected:
        raise AssertionError(f"{queued} of {expected} confirmations are queued")


@contextlib.asynccontextmanager
async def _bare(path: Path) -> AsyncIterator[int]:
    """The yardstick: who comes while a commit is under way is kept by the next one."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(_TABLE)
    waiting: asyncio.Queue[tuple[_Kept, asyncio.Future[None]]] = asyncio.Queue()

    async def answer(request: web.Request) -> web.Response:
        form = await request.post()
        kept = asyncio.get_running_loop().create_future()
        row = (str(form["email"]), str(form["first_name"]), str(form["postal_code"]))
        await waiting.put((row, kept))
        await kept
        return web.Response(status=303, headers={"Location": "/subscribe/sent"})

    async def write() -> None:
        while True:
            batch = [await waiting.get()]
            while not waiting.empty():
                batch.append(waiting.get_nowait())
            await asyncio.to_thread(_keep, connection, [row for row, _ in batch])
            for _, kept in batch:
                kept.set_result(None)

    app = web.Application()
    app.router.add_post("/subscribe", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    writer = asyncio.create_task(write())
    try:
        yield runner.addresses[0][1]
    finally:
        writer.cancel()
        await runner.cleanup()
        connection.close()


def _keep(connection: sqlite3.Connection, rows: Sequence[_Kept]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(_INSERT, rows)
    connection.execute("COMMIT")
