"""Where TLS is demanded, mail goes out under it, to the server it was meant for, or not at all."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP
from sqlmodel import select

from delivery import worker
from delivery.models import RelayStatus
from foundation.config import Settings
from foundation.ground import Ground
from tests.world import grounds, mailing, sink
from tests.world.certificates import Certificate, certified
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher

Serving = Callable[..., AbstractAsyncContextManager[tuple[Ground, Catcher]]]


PROVES_NOTHING = {
    "nobody-vouches": (Certificate(is_vouched_for=False), "self-signed"),
    "another-host": (Certificate(name="elsewhere.example"), "mismatch"),
    "expired": (Certificate(days=(-9, -2)), "expired"),
    "not-yet": (Certificate(days=(2, 9)), "not yet valid"),
}
"""What a server shows, and what is said about it."""


@pytest.fixture
def serving(
    settings: Settings, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Serving:
    """A server that speaks TLS at once or after STARTTLS, and a ground that sends to it."""

    @asynccontextmanager
    async def start(
        *, tls: str, shows: Certificate, verify_certificate: bool = True
    ) -> AsyncIterator[tuple[Ground, Catcher]]:
        catcher, context = Catcher(), certified(tmp_path, shows)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        is_at_once = tls == "tls"
        server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(
                catcher,
                hostname="catcher.test",
                tls_context=None if is_at_once else context,
                require_starttls=not is_at_once,
            ),
            "127.0.0.1",
            0,
            ssl=context if is_at_once else None,
        )
        values = settings.relay[0].model_dump() | {
            "host": "localhost",
            "port": server.sockets[0].getsockname()[1],
            "tls": tls,
            "verify_certificate": verify_certificate,
        }
        relay = type(settings.relay[0]).model_validate(values)
        try:
            wanted = settings.model_copy(update={"relay": [relay]})
            async with grounds.standing(wanted, clock) as ground:
                topic = await mailing.crowd(ground, 1)
                await mailing.start(ground, topics=[topic])
                yield ground, catcher
        finally:
            server.close()

    return start


@pytest.mark.parametrize("tls", ["starttls", "tls"])
@pytest.mark.parametrize(("shows", "said"), PROVES_NOTHING.values(), ids=PROVES_NOTHING.keys())
async def test_a_certificate_that_proves_nothing_is_not_accepted(
    serving: Serving, tls: str, shows: Certificate, said: str
) -> None:
    async with serving(tls=tls, shows=shows) as (ground, catcher):
        await worker.run_until_idle(ground)
        assert not catcher.messages
        assert (await mailing.counts(ground)).queued == 1
        async with ground.db.reading() as session:
            (status,) = (await session.exec(select(RelayStatus))).all()
        assert status.is_resting
        assert "certificate" in status.said.lower()
        assert said in status.said.lower()


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_mail_goes_out_under_tls_to_a_server_that_proves_who_it_is(
    serving: Serving, tls: str
) -> None:
    async with serving(tls=tls, shows=Certificate()) as (ground, catcher):
        await worker.run_until_idle(ground)
        assert [each.rcpt_to for each in catcher.messages] == [mailing.address(1)]
        assert (await mailing.counts(ground)).sent == 1


async def test_where_the_settings_say_so_a_certificate_need_not_prove_anything(
    serving: Serving,
) -> None:
    shows = Certificate(is_vouched_for=False)
    async with serving(tls="starttls", shows=shows, verify_certificate=False) as (ground, catcher):
        await worker.run_until_idle(ground)
        assert [each.rcpt_to for each in catcher.messages] == [mailing.address(1)]


async def test_who_vouches_is_read_once_and_again_when_that_changed(
    serving: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, reads = ssl.create_default_context, []

    def read() -> ssl.SSLContext:
        reads.append(authority.read_bytes())
        return reading()

    async with serving(tls="starttls", shows=Certificate()) as (ground, catcher):
        authority = tmp_path / "authority.pem"
        right, written_ns = authority.read_bytes(), authority.stat().st_mtime_ns
        certified(tmp_path, Certificate())
        another = authority.read_bytes()
        monkeypatch.setattr(ssl, "create_default_context", read)
        for _ in range(2):
            await worker.run_until_idle(ground)
        assert (reads, catcher.messages) == ([another], [])
        authority.write_bytes(right)
        os.utime(authority, ns=(written_ns, written_ns))
        await worker.run_until_idle(ground)
        assert reads == [another, right]
        assert [each.rcpt_to for each in catcher.messages] == [mailing.address(1)]


async def test_message_after_message_goes_out_over_one_secured_connection(
    settings: Settings, clock: FakeClock, tmp_path: Path
) -> None:
    context = certified(tmp_path, Certificate())
    async with sink.running(tls=context) as server:
        values = settings.relay[0].model_dump() | {
            "port": server.port,
            "tls": "tls",
            "verify_certificate": False,
            "connections": 1,
        }
        relay = type(settings.relay[0]).model_validate(values)
        wanted = settings.model_copy(update={"relay": [relay]})
        async with grounds.standing(wanted, clock) as ground:
            topic = await mailing.crowd(ground, 12)
            await mailing.start(ground, topics=[topic])
            await worker.run_until_idle(ground)
            assert (await mailing.counts(ground)).sent == 12
        assert (server.total, server.accepted) == (12, 1)
