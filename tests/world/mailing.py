"""A dispatch to many people, put into a database in bulk, and a process of its own to send it."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import dispatch, ledger, worker
from delivery.models import Delivery, Dispatch, Worker
from foundation import logs
from foundation.clock import SystemClock
from foundation.config import Settings
from foundation.ground import Ground
from subscribers.models import Subscriber, Subscription, SubscriptionState
from templates import compiler, content
from templates.plan import Plan
from tests.world import forking, grounds, people
from tests.world.forking import Forked
from tests.world.sink import Holding, Sink

Question = Callable[[AsyncSession], Awaitable[object]]
"""Something that the database can be asked until it says so."""


def address(number: int) -> str:
    """The address of the `number`th person, counted from 1."""
    return f"person{number}@example.org"


async def held_at(ground: Ground, server: Sink, command: str) -> tuple[Holding, asyncio.Task[None]]:
    """Begin to send all that is due; returns when a command waits for its reply.

    With who holds it back, and the sending that goes on from there.
    """
    held = Holding()
    server.acts[command] = held
    sending = asyncio.create_task(worker.run_until_idle(ground))
    await held.reached()
    return held, sending


async def crowd(ground: Ground, size: int, *, topic: str = "secure-communities") -> int:
    """So many confirmed people; returns the topic's number."""
    found = await people.topic(ground, topic)
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        connection = await session.connection()
        await connection.execute(
            sa.insert(Subscriber),
            [
                {
                    "email": address(number),
                    "email_key": address(number),
                    "first_name": "Ana",
                    "last_name": "",
                    "postal_code": "",
                    "town": "",
                    "language": "en",
                    "fields": {},
                    "allows_tracking": False,
                    "soft_bounces": 0,
                    "created_at": now,
                    "updated_at": now,
                }
                for number in range(1, size + 1)
            ],
        )
        await connection.execute(
            sa.insert(Subscription).from_select(
                ["subscriber_id", "topic_id", "state", "since"],
                sa.select(
                    col(Subscriber.id),
                    sa.literal(found.id),
                    sa.literal(SubscriptionState.CONFIRMED.value),
                    col(Subscriber.created_at),
                ),
            )
        )
    return found.id


HTML = (
    '<p>Dear {{ subscriber.first_name | default_if_blank("friend") }}, '
    '<a href="https://example.org/news">read on</a>.</p>'
)


def plan(
    ground: Ground,
    *,
    language: str = "en",
    subject: str = "Hello {{ subscriber.first_name }}",
    html: str = HTML,
    first_link: int = 0,
) -> Plan:
    """A short bulletin with one link, compiled; its number goes by the language unless given."""
    edition = content.Edition(
        language=language,
        subject=subject,
        title="What happened",
        blocks=(content.RichText(html=html),),
    )
    return compiler.compile_edition(
        edition,
        content.Brand.from_site(ground.settings.site),
        archive_url=ground.url("/archive/1"),
        translator=ground.translator(language),
        first_link=first_link or {"en": 1, "es": 101}.get(language, 201),
    )


async def start(
    ground: Ground,
    *,
    topics: Sequence[int],
    campaign_id: int = 1,
    plans: Mapping[str, Plan] | None = None,
    recipients: sa.Select[int, str] | None = None,
    from_name: str = "Bay State Coalition",
    from_address: str = "bulletin@coalition.example",
    reply_to: str = "",
    relay: str = "",
    excluded: Mapping[str, int] | None = None,
    trial: dispatch.Trial | None = None,
    not_before: Callable[[sa.ColumnElement[int]], sa.ColumnElement[datetime]] | None = None,
) -> Dispatch:
    """A dispatch to everybody there is, or to `recipients`."""
    everybody = sa.select(col(Subscriber.id), col(Subscriber.language))
    async with ground.db.transaction() as session:
        return await dispatch.start(
            ground,
            session,
            dispatch.Order(
                campaign_id=campaign_id,
                name="A bulletin",
                from_name=from_name,
                from_address=from_address,
                reply_to=reply_to,
                relay=relay,
                default_language="en",
                plans=plans or {"en": plan(ground)},
                topics=topics,
                recipients=everybody if recipients is None else recipients,
                excluded=excluded or {},
                trial=trial,
                not_before=not_before,
            ),
        )


async def counts(ground: Ground, dispatch_id: int = 1) -> ledger.Counts:
    """How a dispatch stands; what it says adds up to the audience that was frozen."""
    async with ground.db.reading() as session:
        found = await ledger.counts(session, dispatch_id)
        frozen = await session.get_one(Dispatch, dispatch_id)
        # What reports say without a look at all of it is the same.
        assert await ledger.standing(session, frozen) == found
    states = (found.queued, found.sent, found.deferred)
    ends = (found.failed, found.uncertain, found.cancelled)
    assert sum(states) + sum(ends) == found.audience == frozen.audience
    return found


async def rows(ground: Ground, dispatch_id: int = 1) -> list[Delivery]:
    """The ledger of a dispatch, in the order of its recipients."""
    statement = select(Delivery).where(Delivery.dispatch_id == dispatch_id)
    async with ground.db.reading() as session:
        return list((await session.exec(statement.order_by(col(Delivery.id)))).all())


async def until(
    ground: Ground,
    is_so: Question,
    *,
    within_s: float = 90.0,
) -> None:
    """Wait until the database says that something is so."""
    async with asyncio.timeout(within_s):
        while True:
            async with ground.db.reading() as session:
                if await is_so(session):
                    return
            await asyncio.sleep(0.02)


async def workers(ground: Ground, number: int) -> None:
    """Wait until so many processes send, or look for what to send."""
    running = sa.select(sa.func.count()).where(col(Worker.closed_at).is_(None))

    async def are_there(session: AsyncSession) -> bool:
        return await session.scalar(running) == number

    await until(ground, are_there)


async def stand(ground: Ground, dispatch_id: int = 1, **wanted: int) -> None:
    """Wait until a dispatch's counts are as `wanted`, such as `sent=3`."""

    async def is_so(session: AsyncSession) -> bool:
        found = await ledger.counts(session, dispatch_id)
        return all(getattr(found, name) == number for name, number in wanted.items())

    await until(ground, is_so)


@asynccontextmanager
async def sending(ground: Ground) -> AsyncIterator[None]:
    """A worker in this process, for as long as the block lasts; then it stops in good order."""
    stop = asyncio.Event()
    running = asyncio.create_task(worker.Worker(ground).run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def sending_process(settings: Settings, *, is_heard: bool = False, **options: Any) -> Forked:
    """A worker in a process of its own, over the same database; end it by a signal.

    What it says comes out of `stdout` if `is_heard`.
    """
    words = {"settings": settings.model_dump(mode="json"), **options}
    return await forking.started(
        json.dumps(words),
        module="tests.world.mailing",
        environment={**os.environ, "PYTHONWARNINGS": "ignore"},
        is_heard=is_heard,
    )


@asynccontextmanager
async def ended(process: Forked) -> AsyncIterator[Forked]:
    """See to it that a process is gone after the block, however that ends."""
    try:
        yield process
    finally:
        process.kill()
        await process.communicate()


def main() -> None:
    """What such a process does: limit its files if asked, then send until SIGTERM."""
    import resource

    from handbill import serving

    words = json.loads(sys.argv[1])
    settings = Settings.model_validate(words["settings"])
    logs.configure(level=words.get("log_level", "error"))
    if limit := words.get("file_bytes"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    async def send() -> None:
        stop = serving.stop_on_signals()
        async with grounds.standing(settings, SystemClock()) as ground:
            await worker.Worker(ground).run(stop)

    asyncio.run(send())
