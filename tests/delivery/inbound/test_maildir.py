"""A Maildir is read file by file, whatever other programs do in it at the same time."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import intake_state, returns
from delivery.inbound import maildir as inbound_maildir
from delivery.inbound.maildir import DONE, OTHER, Maildir
from delivery.returns import Ingested
from foundation.config import Settings
from foundation.ground import Ground
from tests.delivery import reports
from tests.delivery.inbound import given
from tests.world import grounds, mailing
from tests.world.smtp import Catcher

LETTER = reports.letter(to="returns", subject="Hello")


@pytest.fixture
def settings(
    database_url: str, tmp_path: Path, smtp: Catcher, request: pytest.FixtureRequest
) -> Settings:
    """As everywhere, with a Maildir in the test's folder."""
    marker = request.node.get_closest_marker("settings")
    changes: dict[str, Any] = dict(marker.kwargs) if marker else {}
    changes["maildir"] = {"path": str(tmp_path / "Maildir"), **changes.get("maildir", {})}
    for name in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / name).mkdir(parents=True)
    return grounds.settings(
        url=database_url, folder=tmp_path, changes=changes, relay_port=smtp.port
    )


@pytest.fixture
def box(settings: Settings) -> Path:
    """The folder."""
    return Path(settings.maildir.path)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


async def read_once(ground: Ground) -> None:
    """One round."""
    await Maildir(ground).read(asyncio.Event())


@asynccontextmanager
async def reading(ground: Ground) -> AsyncIterator[None]:
    """A process that reads it, for as long as the block lasts."""
    stop = asyncio.Event()
    running = asyncio.create_task(Maildir(ground).run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


@pytest.mark.storage
async def test_what_was_acted_on_is_moved_away_and_all_else_put_aside(
    ground: Ground, smtp: Catcher, box: Path
) -> None:
    mail = await given.mailed(ground, smtp)
    bounce = given.bounce(mail)
    (box / "new" / "1.bounce.host").write_bytes(bounce)
    (box / "cur" / "2.leave.host:2,R").write_bytes(given.asked(mail))
    (box / "cur" / "3.read.host:2,S").write_bytes(LETTER)
    (box / "new" / "4.letter.host").write_bytes(LETTER)
    (box / "tmp" / "5.half.host").write_bytes(bounce[:100])
    await read_once(ground)
    assert names(box / DONE / "cur") == ["1.bounce.host:2,S", "2.leave.host:2,RS"]
    assert names(box / OTHER / "cur") == ["3.read.host:2,S", "4.letter.host:2,"]
    assert [names(box / each) for each in ("new", "cur", "tmp")] == [[], [], ["5.half.host"]]
    assert (box / DONE / "cur" / "1.bounce.host:2,S").read_bytes() == bounce
    assert await given.suppressed(ground) == ["hard-bounce"]
    assert await given.subscriptions(ground) == ["unsubscribed"]
    (kept,) = await given.returned(ground)
    assert kept.via == "maildir"


@pytest.mark.settings(maildir={"afterwards": "delete"})
async def test_only_what_was_acted_on_is_deleted(ground: Ground, smtp: Catcher, box: Path) -> None:
    mail = await given.mailed(ground, smtp)
    (box / "new" / "1").write_bytes(given.bounce(mail))
    (box / "new" / "2").write_bytes(LETTER)
    await read_once(ground)
    assert names(box / DONE) == []
    assert names(box / OTHER / "cur") == ["2:2,"]


@pytest.mark.settings(maildir={"poll_s": 0.01})
async def test_what_arrives_later_is_seen(ground: Ground, smtp: Catcher, box: Path) -> None:
    mail = await given.mailed(ground, smtp)
    async with reading(ground):
        (box / "tmp" / "1").write_bytes(given.bounce(mail))
        (box / "tmp" / "1").rename(box / "new" / "1")

        async def is_so(_session: AsyncSession) -> bool:
            return names(box / DONE / "cur") == ["1:2,S"]

        await mailing.until(ground, is_so)
    assert await given.suppressed(ground) == ["hard-bounce"]


async def test_hundreds_of_files_are_read_in_several_goes(
    ground: Ground, smtp: Catcher, box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = await given.mailed(ground, smtp)
    monkeypatch.setattr(inbound_maildir, "_ONE_ROUND", 7)
    for number in range(40):
        (box / "new" / f"{number}").write_bytes(given.bounce(mail))
    await read_once(ground)
    assert len(names(box / DONE / "cur")) == 40
    assert len(await given.returned(ground)) == 1


@pytest.mark.storage
async def test_two_processes_and_a_mail_program_at_once_cost_nothing(
    ground: Ground, smtp: Catcher, box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = await given.mailed(ground, smtp)
    ingest = returns.ingest
    for number in range(10):
        (box / "new" / f"{number}").write_bytes(given.bounce(mail))

    async def meddled_with(
        ground: Ground, octets: bytes, *, via: str, envelope_to: str
    ) -> Ingested:
        """While a message is being stored, its owner looks into the folder, and reads it."""
        for path in sorted((box / "new").iterdir())[:1]:
            path.rename(box / "cur" / f"{path.name}:2,")
        for path in sorted((box / "cur").glob("*:2,"))[:1]:
            path.rename(path.with_name(f"{path.name}S"))
        return await ingest(ground, octets, via=via, envelope_to=envelope_to)

    with monkeypatch.context() as patch:
        patch.setattr(returns, "ingest", meddled_with)
        await asyncio.gather(read_once(ground), read_once(ground))
    await read_once(ground)
    assert len(names(box / DONE / "cur")) == 10
    assert [names(box / each) for each in ("new", "cur", OTHER)] == [[], [], []]
    assert len(await given.returned(ground)) == 1


async def test_what_is_no_message_is_left_alone(ground: Ground, box: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("not for us")
    (box / "new" / "link").symlink_to(tmp_path / "secret")
    (box / "new" / "folder").mkdir()
    (box / "new" / ".hidden").write_bytes(LETTER)
    os.mkfifo(box / "new" / "pipe")
    await read_once(ground)
    assert names(box / "new") == [".hidden", "folder", "link", "pipe"]


async def test_a_message_that_breaks_us_is_put_aside_and_the_others_are_read(
    ground: Ground, smtp: Catcher, box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = await given.mailed(ground, smtp)
    ingest = returns.ingest

    async def breaking(ground: Ground, octets: bytes, *, via: str, envelope_to: str) -> Ingested:
        if octets == b"breaks":
            raise ZeroDivisionError
        return await ingest(ground, octets, via=via, envelope_to=envelope_to)

    monkeypatch.setattr(returns, "ingest", breaking)
    (box / "new" / "1").write_bytes(b"breaks")
    (box / "new" / "2").write_bytes(given.bounce(mail))
    await read_once(ground)
    assert (names(box / OTHER / "cur"), names(box / DONE / "cur")) == (["1:2,"], ["2:2,S"])


@pytest.mark.settings(maildir={"poll_s": 0.01})
async def test_a_folder_that_is_not_there_is_said_and_read_when_it_is(
    ground: Ground, smtp: Catcher, box: Path
) -> None:
    mail = await given.mailed(ground, smtp)
    away = box.with_name("elsewhere")
    await asyncio.to_thread(box.rename, away)
    async with reading(ground):

        async def is_said(session: AsyncSession) -> bool:
            found = await intake_state.read(ground, session)
            return str(box) in found[0].said and not found[0].is_well

        await mailing.until(ground, is_said)
        (away / "new" / "1").write_bytes(given.bounce(mail))
        await asyncio.to_thread(away.rename, box)

        async def is_well(session: AsyncSession) -> bool:
            return (await intake_state.read(ground, session))[0].is_well

        await mailing.until(ground, is_well)
    assert names(box / DONE / "cur") == ["1:2,S"]
