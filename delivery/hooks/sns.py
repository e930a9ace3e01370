"""Verifies messages of Amazon SNS, and confirms the subscription of our address to a topic.

A signature proves only that SNS sent a message for some topic, which anybody can make: the topic's
name has to be ours, too. Certificates come by https from hosts of SNS alone; which host that is, is
read from the address by the strictest pattern that fits, and the address is put together anew from
what was read, so that no two parsers can differ about it.
"""

import re
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from delivery.hooks import proofs, signatures
from delivery.hooks.call import Fetch
from delivery.hooks.payload import Fields
from foundation import errors
from foundation.frozen import frozen
from foundation.i18n import N_

_HOST = r"https://(sns\.[a-z]{2}(?:-[a-z]+)+-\d{1,2}\.amazonaws\.com(?:\.cn)?)"
CERTIFICATE = re.compile(_HOST + r"(/SimpleNotificationService-[0-9A-Za-z]{1,64}\.pem)")
SUBSCRIBE = re.compile(_HOST + r"(/\?Action=ConfirmSubscription&[\w%&=.:~-]{1,2000})", re.ASCII)
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        *("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    ),
}
_SIGNED["UnsubscribeConfirmation"] = _SIGNED["SubscriptionConfirmation"]
"""What each type signs, in this order; a field that is not there is left out."""
_DIGESTS: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303
_KEPT = 16
_WINDOW = timedelta(minutes=1)
_FETCHES = 10
"""In a window: a stranger who writes messages with made-up certificates has us ask no more."""


@frozen
class _Certificate:
    key: rsa.RSAPublicKey
    valid_from: datetime
    valid_until: datetime


class Certificates:
    """Those that SNS signs with, each fetched once."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._known: dict[str, _Certificate] = {}
        self._fetched_at: list[datetime] = []

    async def key(self, url: str, *, now: datetime) -> rsa.RSAPublicKey:
        """The key of a certificate that is valid now.

        Raises `errors.Forbidden` for one that is none of SNS's or not valid now, `errors.Busy`
        when it can't be had.
        """
        address = trusted(CERTIFICATE, url)
        found = self._known.get(address)
        if found is None:
            found = _read(await self._fetched(address, now))
            while len(self._known) >= _KEPT:
                del self._known[next(iter(self._known))]
            self._known[address] = found
        if not found.valid_from <= now <= found.valid_until:
            raise errors.Forbidden(N_("The certificate of the signature is not valid now."))
        return found.key

    async def _fetched(self, address: str, now: datetime) -> bytes:
        self._fetched_at = [at for at in self._fetched_at if now - at < _WINDOW]
        if len(self._fetched_at) >= _FETCHES:
            raise errors.Busy(N_("Too many certificates were asked for; try again in a minute."))
        self._fetched_at.append(now)
        return await self._fetch(address)


async def check(
    message: Fields, *, topic: str, certificates: Certificates, now: datetime, tolerance_s: int
) -> str:
    """The type of a message that SNS sent for our topic. Raises as `Certificates.key`."""
    kind = message["Type"].raw
    digest = _DIGESTS.get(message["SignatureVersion"].raw)
    if kind not in _SIGNED or digest is None:
        raise proofs.forged()
    if message["TopicArn"].raw != topic:
        raise errors.Forbidden(N_("The message is for another topic; nothing was taken."))
    key = await certificates.key(message["SigningCertURL"].raw, now=now)
    signed = "".join(
        f"{name}\n{message[name].raw}\n" for name in _SIGNED[kind] if message[name].raw
    )
    signatures.check_rsa(key, signed.encode("utf-8", "replace"), message["Signature"].raw, digest)
    proofs.check_time(message["Timestamp"].moment, now=now, tolerance_s=tolerance_s)
    return kind


def subscribe_address(message: Fields) -> str:
    """What to fetch to confirm a subscription. Raises `errors.Forbidden`."""
    return trusted(SUBSCRIBE, message["SubscribeURL"].raw)


def trusted(pattern: re.Pattern[str], url: str) -> str:
    """An address of SNS, put together anew. Raises `errors.Forbidden` for any other."""
    found = pattern.fullmatch(url)
    if found is None:
        raise errors.Forbidden(N_("The message points to an address that is not Amazon's."))
    return f"https://{found[1]}{found[2]}"


def _read(octets: bytes) -> _Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(octets)
        key = certificate.public_key()
    except ValueError as problem:
        raise proofs.forged() from problem
    if not isinstance(key, rsa.RSAPublicKey):
        raise proofs.forged()
    return _Certificate(
        key=key,
        valid_from=certificate.not_valid_before_utc,
        valid_until=certificate.not_valid_after_utc,
    )
