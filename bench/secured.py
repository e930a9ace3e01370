"""Messages a second under TLS, beside ours without; both into a sink of our own."""

import datetime as dt
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench import house, workers
from bench import sink as sinks
from bench.measure import Result, compare
from bench.workers import Bulletins

GOAL = 0.7


async def run(*, people: int, times: int) -> Result:
    """After STARTTLS; connections are kept."""
    with tempfile.TemporaryDirectory() as name:
        certificate = _certificate(Path(name))
        folders = [Path(name) / each for each in ("plain", "secured")]
        for folder in folders:
            folder.mkdir()
        secured = {"relay": {"tls": "starttls", "verify_certificate": False}}
        async with (
            sinks.watched(is_ours=True) as plain_sink,
            sinks.watched(certificate=certificate) as secured_sink,
            house.opened(folders[0], port=plain_sink.port) as plain,
            house.opened(folders[1], port=secured_sink.port, changes=secured) as under_tls,
            workers.running(plain.settings, folders[0]),
            workers.running(under_tls.settings, folders[1]),
        ):
            ours = await Bulletins.prepared(under_tls, people=people, sink=secured_sink.process)
            theirs = await Bulletins.prepared(plain, people=people, sink=plain_sink.process)
            found = await compare(
                "sending under STARTTLS",
                unit="messages",
                yardstick="ours in clear, to the same sink",
                ours=ours.rate,
                theirs=theirs.rate,
                times=times,
                goal=GOAL,
            )
            found.notes.extend([f"under TLS {ours.told()}", f"in clear {theirs.told()}"])
            return found


def _certificate(folder: Path) -> Path:
    """A key with a certificate that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
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
    return file
