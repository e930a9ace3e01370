"""The whole service is killed while it sends and takes sign-ups, and is started again."""

from pathlib import Path

import pytest
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery.models import DeliveryState, NoticeState, QueuedNotice
from foundation.clock import SystemClock
from foundation.ground import Ground
from handbill.demo.browser import Browser
from tests.world import grounds, mailing, service, sink
from tests.world.sink import Connection, Sink

PEOPLE = 800
CONNECTIONS = 3
BEFORE, AFTER = "before@example.org", "after@example.org"
FEW = 60
"""Fewer than lie on a sender's desk; so many may go out while a notice comes there."""


async def sign_up(url: str, email: str) -> None:
    """As a supporter does; returns when the service has said that a mail is on its way."""
    async with Browser(url) as browser:
        page = await browser.open("/subscribe")
        await browser.send(page.form("/subscribe"), email=email)


def take_and_say_nothing(connection: Connection) -> None:
    """So that the kill comes between a last dot and its reply."""
    connection.take()
    connection.hold()


async def is_at_hand(session: AsyncSession) -> bool:
    """Whether no mail to one person waits to be taken up."""
    waiting = select(QueuedNotice).where(
        QueuedNotice.state == NoticeState.QUEUED, col(QueuedNotice.worker_id).is_(None)
    )
    return (await session.exec(waiting)).first() is None


async def check_everybody(ground: Ground, server: Sink) -> int:
    """Each recipient of the bulletin, and each sign-up; returns how many are uncertain."""
    uncertain = 0
    for row in await mailing.rows(ground):
        taken = server.taken[mailing.address(row.subscriber_id or 0)]
        if row.state == DeliveryState.UNCERTAIN:
            uncertain += 1
            assert taken <= 1, "mailed twice"
        else:
            assert (row.state, taken) == (DeliveryState.SENT, 1), "skipped, or mailed twice"
    async with ground.db.reading() as session:
        notices = (await session.exec(select(QueuedNotice).order_by(col(QueuedNotice.id)))).all()
    assert [notice.to_address for notice in notices] == [BEFORE, AFTER]
    for notice in notices:
        if notice.state == NoticeState.UNCERTAIN:
            uncertain += 1
            assert server.taken[notice.to_address] <= 1
        else:
            assert (notice.state, server.taken[notice.to_address]) == (NoticeState.SENT, 1)
    return uncertain


@pytest.mark.storage
@pytest.mark.slow
async def test_when_the_whole_service_is_killed_everybody_gets_one_and_so_does_each_sign_up(
    database_url: str, tmp_path: Path
) -> None:
    async with sink.running() as server:
        settings = grounds.settings(
            url=database_url,
            folder=tmp_path,
            changes={
                "relay": {"connections": CONNECTIONS},
                "delivery": {"batch_size": 100, "lease_s": 3600},
            },
            relay_port=server.port,
        )
        async with grounds.standing(settings, SystemClock()) as ground:
            topic = await mailing.crowd(ground, PEOPLE)
            await mailing.start(ground, topics=[topic])
            async with service.running(settings, tmp_path) as serving:
                await server.reached(PEOPLE // 3)
                server.acts["dot"] = take_and_say_nothing
                await server.reached(server.total + 1)
                await sign_up(serving.url, BEFORE)
                await serving.kill()
            await server.left()
            assert (await mailing.counts(ground)).uncertain == 0, "nobody has settled it yet"
            held = sink.Holding()
            server.acts["dot"] = held
            async with service.running(settings, tmp_path) as serving:
                await held.reached()
                before = server.total
                await sign_up(serving.url, AFTER)
                await mailing.until(ground, is_at_hand)
                server.acts.clear()
                held.accept()
                await server.reached_by(AFTER)
                assert server.total - before <= FEW, "a sign-up does not wait for the bulletin"
                await mailing.stand(ground, queued=0, deferred=0)
                assert await serving.stop() == 0
            uncertain = await check_everybody(ground, server)
            assert 1 <= uncertain <= CONNECTIONS
            assert not any((tmp_path / "journal").iterdir())
