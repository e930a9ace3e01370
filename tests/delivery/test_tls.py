"""Where TLS is demanded, mail goes out under it, to the server it was meant for, or not at all."""

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlmodel import select

from delivery import worker
from delivery.models import RelayStatus
from foundation.config import Settings
from foundation.ground import Ground
from tests.world import grounds, mailing
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher

Serving = Callable[..., AbstractAsyncContextManager[tuple[Ground, Catcher]]]


def certified(folder: Path, name: str) -> ssl.SSLContext:
    """A server's TLS with a certificate that nobody has signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(tz=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context


@pytest.fixture
def serving(settings: Settings, clock: FakeClock, tmp_path: Path) -> Serving:
    """A server that speaks TLS at once or after STARTTLS, and a ground that sends to it."""

    @asynccontextmanager
    async def start(*, tls: str, verify_certificate: bool) -> AsyncIterator[tuple[Ground, Catcher]]:
        catcher, context = Catcher(), certified(tmp_path, "localhost")
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
async def test_a_certificate_that_proves_nothing_is_not_accepted(
    serving: Serving, tls: str
) -> None:
    async with serving(tls=tls, verify_certificate=True) as (ground, catcher):
        await worker.run_until_idle(ground)
        assert not catcher.messages
        assert (await mailing.counts(ground)).queued == 1
        async with ground.db.reading() as session:
            (status,) = (await session.exec(select(RelayStatus))).all()
        assert status.is_resting
        assert "certificate" in status.said.lower()


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_mail_goes_out_under_tls(serving: Serving, tls: str) -> None:
    async with serving(tls=tls, verify_certificate=False) as (ground, catcher):
        await worker.run_until_idle(ground)
        assert [each.rcpt_to for each in catcher.messages] == [mailing.address(1)]
        assert (await mailing.counts(ground)).sent == 1
