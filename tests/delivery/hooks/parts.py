"""What providers' calls are made of: keys, certificates, a mail, a call that is ready to go."""

import base64
import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from tests.world.smtp import Received

TOPIC = "arn:aws:sns:us-east-1:123456789012:returned-mail"
SECRET = "a secret of more than sixteen characters"
SVIX = "whsec_" + base64.b64encode(b"another secret, of many octets").decode()
CERTIFICATE = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a1b2c3d.pem"
SUBSCRIBE = (
    "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription"
    f"&TopicArn={TOPIC}&Token=2336412f37fb687f5d51e6e241d09c805a5a57b30d712f794cc5f6a988666d92"
)
UNKNOWN_USER = "550 5.1.1 <ana@example.org>: Recipient address rejected: User unknown"
FULL = "452 4.2.2 The recipient's mailbox is over quota"
EPOCH = 1_793_632_443
"""2026-11-02T15:14:03Z, when all of it happened."""
Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """A mail of ours, as far as a provider knows it."""

    address: str = "ana@example.org"
    sender: str = "b+00@coalition.example"
    message_id: str = "<0@coalition.example>"
    campaign: str = "1"

    @classmethod
    def of(cls, mail: Received) -> "Mail":
        """What the relay got."""
        return cls(
            address=mail.rcpt_to,
            sender=mail.mail_from,
            message_id=mail.parsed["Message-ID"],
            campaign=mail.parsed["X-Handbill-Campaign"] or "",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """A call, ready to be posted."""

    headers: Mapping[str, str]
    body: bytes

    def altered(self) -> "Sent":
        """The same but for one bit of the body, inside a text."""
        at = self.body.index(b"ana") + 1
        return replace(
            self, body=self.body[:at] + bytes((self.body[at] ^ 1,)) + self.body[at + 1 :]
        )


@functools.cache
def rsa_key(number: int) -> rsa.RSAPrivateKey:
    """A key of SNS or Postal; another for another number."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048 + 8 * (number % 2))


@functools.cache
def ec_key(number: int) -> ec.EllipticCurvePrivateKey:
    """A key of SendGrid; another for another number."""
    return ec.generate_private_key((ec.SECP256R1(), ec.SECP256R1(), ec.SECP384R1())[number])


def public(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    """The public key as providers show it: base64 without a frame."""
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(der).decode()


def certificate(
    now: datetime, *, days: int = 30, began: int = 30, key: rsa.RSAPrivateKey | None = None
) -> bytes:
    """A self-made certificate of SNS, valid from `began` days before now to `days` after."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    key = key or rsa_key(0)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=began))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def based(octets: bytes) -> str:
    """Octets in base64."""
    return base64.b64encode(octets).decode()


def sign_ec(octets: bytes) -> str:
    """ECDSA as SendGrid does it."""
    return based(ec_key(0).sign(octets, ec.ECDSA(hashes.SHA256())))


def sign_rsa(octets: bytes) -> str:
    """RSA as Postal does it today."""
    return based(rsa_key(0).sign(octets, padding.PKCS1v15(), hashes.SHA256()))
