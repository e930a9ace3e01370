"""The doctor tries each way in as it is used, and says what is wrong and what to do."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from delivery.inbound import listener
from foundation.clock import SystemClock
from foundation.findings import Finding, Tone
from foundation.ground import Ground
from handbill import doctor_returns
from tests.world import certificates, grounds, imap
from tests.world.smtp import Catcher

OPEN = {"enabled": True, "port": 0}


async def found(ground: Ground, **sections: Any) -> dict[str, Finding]:
    """Findings by their code, with some sections changed."""
    settings = grounds.settings(
        url=ground.settings.database.url, folder=Path("unused"), changes=sections
    )
    return {each.code: each async for each in doctor_returns.examine(settings, clock=SystemClock())}


@pytest.fixture
async def server() -> AsyncIterator[imap.Server]:
    """A mailbox on another server."""
    async with imap.running() as started:
        yield started


async def test_without_a_way_in_it_is_said_what_there_could_be(ground: Ground) -> None:
    (only,) = (await found(ground)).values()
    assert (only.code, only.tone) == ("ways-in", Tone.NEUTRAL)
    assert "[imap]" in only.advise(ground.translator("es"))


@pytest.mark.parametrize(
    "protocol",
    [
        pytest.param(each, marks=pytest.mark.settings(listener={**OPEN, "protocol": each}))
        for each in ("smtp", "lmtp")
    ],
)
async def test_a_listener_is_heard_to_take_ours_and_nobody_elses(
    ground: Ground, protocol: str
) -> None:
    async with listener.listening(ground) as opened:
        said = await found(ground, listener={**OPEN, "port": opened.port, "protocol": protocol})
        assert said["listener"].tone is Tone.GOOD
    said = await found(ground, listener={**OPEN, "port": opened.port})
    assert said["listener"].tone is Tone.BAD
    assert "handbill serve" in said["listener"].advise(ground.translator("en"))


async def test_another_server_at_that_port_is_noticed(ground: Ground, smtp: Catcher) -> None:
    said = await found(ground, listener={**OPEN, "port": smtp.port})
    assert said["listener"].tone is Tone.WARN


async def test_a_certificate_is_good_runs_out_or_can_not_be_read(
    ground: Ground, tmp_path: Path
) -> None:
    file = tmp_path / "server.pem"
    tls = {**OPEN, "port": 9, "tls": "starttls", "certificate_file": str(file)}
    for days, tone in ((90, Tone.GOOD), (9, Tone.WARN), (-1, Tone.BAD)):
        certificates.certified(tmp_path, certificates.Certificate(days=(-2, days)))
        assert (await found(ground, listener=tls))["listener-certificate"].tone is tone
    file.write_text("nothing")
    assert (await found(ground, listener=tls))["listener-certificate"].tone is Tone.BAD


async def test_a_mailbox_is_looked_into(ground: Ground, server: imap.Server) -> None:
    section = {
        "host": "127.0.0.1", "port": server.port, "tls": "none",
        "username": imap.USER, "password": imap.PASSWORD,
    }  # fmt: skip
    assert "at once" in (await found(ground, imap=section))["imap"].msgid
    server.capabilities.remove("IDLE")
    assert "60 seconds" in (await found(ground, imap=section))["imap"].say(ground.translator("en"))
    missing = (await found(ground, imap={**section, "folders": ["Returns"]}))["imap"]
    assert missing.tone is Tone.BAD
    assert "no such folder" in missing.say(ground.translator("en"))


async def test_a_maildir_has_to_be_one(ground: Ground, tmp_path: Path) -> None:
    section = {"path": str(tmp_path)}
    assert (await found(ground, maildir=section))["maildir"].tone is Tone.BAD
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    assert (await found(ground, maildir=section))["maildir"].tone is Tone.GOOD
