"""`handbill serve` takes mail in beside everything else that it does, and stops in good order."""

import socket
from pathlib import Path

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery.models import Return
from foundation.clock import SystemClock
from tests.delivery.inbound import given
from tests.world import grounds, mailing, service, talker
from tests.world.smtp import Catcher


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def test_the_service_takes_mail_by_every_way_that_is_set_up(
    database_url: str, tmp_path: Path, smtp: Catcher
) -> None:
    port, box = free_port(), tmp_path / "Maildir"
    for name in ("new", "cur", "tmp"):
        (box / name).mkdir(parents=True)
    settings = grounds.settings(
        url=database_url,
        folder=tmp_path,
        changes={
            "listener": {"enabled": True, "port": port},
            "maildir": {"path": str(box), "poll_s": 0.05},
        },
        relay_port=smtp.port,
    )
    async with grounds.standing(settings, SystemClock()) as ground:
        first = await given.mailed(ground, smtp)
        second = await given.mailed(ground, smtp, campaign_id=2)
        (box / "new" / "1").write_bytes(given.bounce(first))
        async with service.running(settings, tmp_path) as serving:
            async with talker.talking(port) as client:
                await client.begin(second.mail_from)
                assert (await client.send(given.bounce(second)))[:3] == "250"

            async def is_so(session: AsyncSession) -> bool:
                rows = (await session.exec(select(Return))).all()
                return {row.via for row in rows} == {"listener", "maildir"}

            await mailing.until(ground, is_so)
            async with talker.talking(port) as idle:
                assert await serving.stop() == 0
                assert (await idle.all_that_is_left()).startswith("421 4.3.2")
