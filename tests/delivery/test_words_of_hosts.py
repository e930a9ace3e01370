"""What a host says is kept for all workers, whatever it says next, and whenever."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import allowances, blocks
from delivery.models import Allowance, Delivery
from foundation import errors
from foundation.ground import Ground
from tests.world import mailing, sink
from tests.world.clock import FakeClock
from tests.world.sink import Connection, Sink

Write = Callable[..., Awaitable[Any]]
TOO_FAST = ("450 4.7.28 unusual rate of mail", allowances, "slow_down", col(Allowance.said))
REFUSED = ("550 5.7.1 refused as spam", blocks, "hold", col(Allowance.held_said))


@pytest.mark.storage
@pytest.mark.settings(
    domain_limit=[{"name": "big", "domains": ["example.org"]}],
    relay={"connections": 2},
    bounces={"blocks_in_a_row": 1, "block_hold_minutes": [60, 60]},
)
@pytest.mark.parametrize("is_busy", [False, True], ids=["written", "busy"])
@pytest.mark.parametrize(
    ("reply", "module", "name", "kept"), [TOO_FAST, REFUSED], ids=["too-fast", "refuses-us"]
)
async def test_what_a_host_says_while_its_last_word_is_being_written_is_kept(
    ground: Ground,
    clock: FakeClock,
    server: Sink,
    monkeypatch: pytest.MonkeyPatch,
    reply: str,
    module: object,
    name: str,
    kept: sa.ColumnElement[str],
    is_busy: bool,
) -> None:
    monkeypatch.setattr("delivery.limits.LOOK_S", 0.01)  # how soon one that is busy is asked again
    held = sink.Holding()

    def refuse_once(connection: Connection) -> None:
        server.acts["RCPT"] = held
        connection.say(f"{reply}, once\r\n".encode())

    async def is_noted(session: AsyncSession) -> bool:
        said = sa.exists().where(col(Delivery.reply_text).contains("twice"))
        return bool(await session.scalar(sa.select(said)))

    async def is_kept(session: AsyncSession) -> bool:
        return bool(await session.scalar(sa.select(sa.exists().where(kept.contains("twice")))))

    write: Write = getattr(module, name)
    words: list[str] = []

    async def written(*args: Any, **kwargs: Any) -> Any:
        words.append(kwargs["said"])
        if len(words) > 1:
            return await write(*args, **kwargs)
        found = None if is_busy else await write(*args, **kwargs)
        # Only what is said after the hold for the first word is over is another refusal.
        await held.reached()
        clock.advance(minutes=90)
        server.acts.clear()
        held.release(f"{reply}, twice\r\n".encode())
        await mailing.until(ground, is_noted)
        if is_busy:
            raise errors.Busy("The database is locked.")
        return found

    monkeypatch.setattr(module, name, written)
    server.acts["RCPT"] = refuse_once
    topic = await mailing.crowd(ground, 2)
    await mailing.start(ground, topics=[topic])
    async with mailing.sending(ground):
        await mailing.until(ground, is_kept, within_s=20)
    assert [said.rpartition(" ")[2] for said in words] == ["once", "twice"]
