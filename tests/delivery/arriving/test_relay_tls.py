"""The way to a relay, tried as for sending: who could read along, and how long that stays so."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP
from cryptography import x509

from delivery.arriving import relay_tls
from delivery.arriving.outgoing import Place, Reach
from foundation.findings import Finding, Tone
from foundation.relaying import Relay, Tls
from tests.delivery.arriving.zones import said, tones
from tests.world import certificates, sink
from tests.world.certificates import Certificate
from tests.world.smtp import Catcher

LASTING = Certificate(days=(-1, 90))


@asynccontextmanager
async def serving(context: ssl.SSLContext | None, *, tls: str) -> AsyncIterator[int]:
    """A relay that speaks TLS at once, after STARTTLS, or not at all."""
    is_at_once = tls == "tls"
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(
            Catcher(),
            hostname="catcher.test",
            tls_context=None if is_at_once else context,
        ),
        "127.0.0.1",
        0,
        ssl=context if is_at_once else None,
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def place(port: int, *, reach: Reach = Reach.OUTSIDE, **relay: object) -> Place:
    """Where the relay is said to be."""
    values = {"host": "localhost", "hello_name": "sender.test", "timeout_s": 5, **relay}
    return Place(relay=Relay.model_validate({**values, "port": port}), reach=reach)


async def look(at: Place) -> Sequence[Finding]:
    """What is said of the way there, today."""
    return await relay_tls.examine(at, now=datetime.now(UTC))


@pytest.fixture
def trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose authority this machine trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return tmp_path


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_an_encrypted_way_with_a_good_certificate_is_green(trust: Path, tls: str) -> None:
    context = certificates.certified(trust, LASTING)
    async with serving(context, tls=tls) as port:
        found = await look(place(port, tls=tls))
    assert tones(found) == [("relay", Tone.GOOD), ("relay-tls", Tone.GOOD)]
    assert "TLSv1.3" in said(found)
    assert "89 days" in said(found)


@pytest.mark.parametrize(
    ("shows", "words"),
    [
        (Certificate(is_vouched_for=False), "self-signed"),
        (Certificate(name="elsewhere.example"), "mismatch"),
        (Certificate(days=(-9, -2)), "expired"),
    ],
)
async def test_a_certificate_that_proves_nothing_is_red(
    trust: Path, shows: Certificate, words: str
) -> None:
    async with serving(certificates.certified(trust, shows), tls="tls") as port:
        found = await look(place(port, tls="tls"))
    assert tones(found) == [("relay", Tone.BAD)]
    assert words in said(found).lower()


async def test_a_certificate_that_ends_soon_is_amber(trust: Path) -> None:
    context = certificates.certified(trust, Certificate(days=(-1, 8)))
    async with serving(context, tls="starttls") as port:
        found = await look(place(port, tls="starttls"))
    assert tones(found) == [("relay", Tone.GOOD), ("relay-tls", Tone.WARN)]
    assert "7 days" in said(found)


@pytest.mark.parametrize(
    ("shows", "words"),
    [(LASTING, "Its certificate is good"), (Certificate(is_vouched_for=False), "self-signed")],
)
async def test_a_certificate_that_is_not_checked_is_amber(
    trust: Path, shows: Certificate, words: str
) -> None:
    async with serving(certificates.certified(trust, shows), tls="tls") as port:
        found = await look(place(port, tls="tls", verify_certificate=False))
    assert ("relay-tls", Tone.WARN) in tones(found)
    assert words in said(found)


@pytest.mark.parametrize(
    ("reach", "code", "tone"),
    [
        (Reach.MACHINE, "relay-here", Tone.GOOD),
        (Reach.INSIDE, "relay-tls", Tone.WARN),
        (Reach.OUTSIDE, "relay-tls", Tone.BAD),
    ],
)
async def test_in_clear_it_depends_on_how_far_it_goes(reach: Reach, code: str, tone: Tone) -> None:
    async with serving(None, tls="none") as port:
        found = await look(place(port, reach=reach))
    assert tones(found) == [("relay", Tone.GOOD), (code, tone)]


async def test_a_relay_that_offers_encryption_is_told_how(trust: Path) -> None:
    context = certificates.certified(trust, LASTING)
    async with serving(context, tls="starttls") as port:
        found = await look(place(port, tls=Tls.NONE))
    assert 'tls = "starttls"' in said(found)


async def test_a_password_in_clear_is_red_even_inside() -> None:
    async with sink.running() as server:
        server.extensions = (*server.extensions, "AUTH PLAIN")
        server.acts["AUTH"] = sink.replying("235 2.7.0 welcome")
        at = place(server.port, reach=Reach.INSIDE, username="us", password="secret")
        found = await look(at)
    assert tones(found)[-1] == ("relay-tls", Tone.BAD)
    assert "password" in said(found)


async def test_a_relay_that_is_not_there_is_red_in_its_own_words() -> None:
    found = await look(place(9))
    assert tones(found) == [("relay", Tone.BAD)]
    assert "9" in said(found)


def test_days_are_never_negative(tmp_path: Path) -> None:
    certificates.certified(tmp_path, LASTING)
    octets = (tmp_path / "authority.pem").read_bytes()
    authority = x509.load_pem_x509_certificate(octets)
    assert relay_tls._days_left(authority, datetime.now(UTC) + timedelta(days=99)) == 0
