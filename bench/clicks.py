"""Redirects a second after a bulletin went out, beside a bare aiohttp handler that answers 302."""

import contextlib
import itertools
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import sqlalchemy as sa
from aiohttp import web
from sqlmodel import col

from bench import house, load
from bench.measure import Result, Spent, compare
from campaigns.models import HitTotal
from delivery.models import Delivery, DispatchLink
from foundation.ground import Ground
from foundation.tokens import Purpose
from handbill import listening
from subscribers.models import Subscriber
from tests.world import mailing

GOAL = 0.5
_PEOPLE = 5_000
_CONNECTIONS = 100
_LONG_AFTER = 1_000
"""Steps of ten seconds between the start and a mail; by then a click is no machine's."""


async def run(*, clicks: int, times: int) -> Result:
    """Both in this process; who clicks is another one. Every tenth reader is counted by name."""
    with tempfile.TemporaryDirectory() as folder:
        async with house.opened(Path(folder)) as ground, _bare() as bare_port:
            wanted = list(itertools.islice(itertools.cycle(await _links(ground)), clicks))
            async with listening.open_web(ground, host="127.0.0.1", port=0) as port:
                spent = Spent(each=clicks)
                found = await compare(
                    f"GET /r/…, {_CONNECTIONS} people at once",
                    unit="clicks",
                    yardstick="a bare aiohttp handler that answers 302",
                    ours=lambda: spent.on_ours(_load(port, wanted)),
                    theirs=lambda: spent.on_theirs(_load(bare_port, wanted)),
                    times=times,
                    goal=GOAL,
                )
            await _check(ground, clicks * times)
    found.notes.append(spent.told())
    return found


async def _load(port: int, wanted: Sequence[str]) -> float:
    return await load.from_outside(port, wanted, connections=_CONNECTIONS)


async def _links(ground: Ground) -> list[str]:
    """One link of each reader's mail; only who agreed to be counted has a number in it."""
    topic = await house.crowd(ground, _PEOPLE)
    order = await mailing.start(ground, topics=[topic], plans=house.bulletins(ground))
    agreed = (
        sa.select(col(Delivery.id), col(Subscriber.allows_tracking))
        .join(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
        .where(col(Delivery.dispatch_id) == order.id)
        .order_by(col(Delivery.id))
    )
    numbers = sa.select(col(DispatchLink.number)).where(col(DispatchLink.dispatch_id) == order.id)
    async with ground.db.reading() as session:
        links = itertools.cycle(list(await session.scalars(numbers)))
        mails = (await session.execute(agreed)).all()
    seal = ground.tokens.seal
    return [
        "/r/" + seal(Purpose.CLICK, order.id, next(links), number if is_named else 0, _LONG_AFTER)
        for number, is_named in mails
    ]


async def _check(ground: Ground, expected: int) -> None:
    """Every click was counted, by the time that the web had closed."""
    async with ground.db.reading() as session:
        counted = await session.scalar(sa.select(sa.func.sum(HitTotal.human + HitTotal.machine)))
    if counted != expected:
        raise AssertionError(f"{counted} of {expected} clicks were counted")


@contextlib.asynccontextmanager
async def _bare() -> AsyncIterator[int]:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "https://news.example/June"})

    app = web.Application()
    app.router.add_get("/r/{token}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
