"""Certificates for servers of tests, good ones and others, and who vouches for them."""

import datetime as dt
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    """What a server shows."""

    name: str = "localhost"
    is_vouched_for: bool = True
    """Whether it was signed by whom this machine trusts, or by nobody but itself."""
    days: tuple[int, int] = (-1, 1)
    """From when until when it is valid, counted from today."""


def certified(folder: Path, wanted: Certificate) -> ssl.SSLContext:
    """A server's TLS; who vouches for it stands in `authority.pem`."""
    authority, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _signed("authority", authority, "authority", authority, days=(-9, 9), is_root=True)
    (folder / "authority.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    issuer = ("authority", authority) if wanted.is_vouched_for else (wanted.name, key)
    certificate = _signed(wanted.name, key, *issuer, days=wanted.days)
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


def _signed(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    days: tuple[int, int],
    is_root: bool = False,
) -> x509.Certificate:
    subject, by = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (name, issuer)
    )
    now = dt.datetime.now(tz=dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=days[0]))
        .not_valid_after(now + dt.timedelta(days=days[1]))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )
