"""Whether each relay can be used, and whether nobody reads along on the way there.

Connects, greets, secures and signs in as for sending, and leaves again without a message.
"""

import ssl
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from cryptography import x509

from delivery import opening
from delivery.arriving.outgoing import Place, Reach
from delivery.connection import Connection
from delivery.line import Line
from delivery.opening import RelayTrouble
from foundation import findings
from foundation.findings import Finding
from foundation.frozen import frozen
from foundation.i18n import N_
from foundation.relaying import Relay

CONNECT_S = 10.0
_SOON_DAYS = 14
_OLD = ("SSLv3", "TLSv1", "TLSv1.1")


@frozen
class _Seen:
    """What a connection showed."""

    extensions: Mapping[str, str]
    version: str = ""
    """Of TLS; blank in clear."""
    certificate: x509.Certificate | None = None


async def examine(place: Place, *, now: datetime) -> Sequence[Finding]:
    """Everything about the way to one relay."""
    relay = place.relay
    values = {"name": relay.name, "place": f"{relay.host}:{relay.port}"}
    try:
        seen = await _visit(relay)
    except RelayTrouble as trouble:
        return [_unusable(trouble, values)]
    usable = findings.good("relay", N_("The relay “%(name)s” at %(place)s answers."), **values)
    if not seen.version:
        return [usable, _in_clear(place, seen, values)]
    doubts = [
        *await _unchecked(relay, values),
        *_age(seen, now, values),
    ]
    return [usable, *(doubts or [_secured(seen, now, values)])]


async def _visit(relay: Relay) -> _Seen:
    """Raises `RelayTrouble`."""
    quick = relay.model_copy(update={"timeout_s": min(relay.timeout_s, CONNECT_S)})
    opened = await opening.connect(quick)
    secured: ssl.SSLObject | None = opened.transport.get_extra_info("ssl_object")
    seen = _Seen(extensions=opened.extensions)
    if secured is not None:
        octets = secured.getpeercert(binary_form=True)
        seen = _Seen(
            extensions=opened.extensions,
            version=secured.version() or "TLS",
            certificate=x509.load_der_x509_certificate(octets) if octets else None,
        )
    await Connection(
        Line(opened.transport, timeout_s=quick.timeout_s), quick, opened.extensions
    ).quit()
    return seen


def _unusable(trouble: RelayTrouble, values: Mapping[str, str]) -> Finding:
    said = trouble.said
    if "certificate" in said.lower():
        return findings.bad(
            "relay",
            N_("The certificate of “%(name)s” at %(place)s does not prove who it is: %(said)s"),
            N_(
                "Have its certificate renewed, or set [[relay]] host to the name in it. Nothing is "
                "sent there until then."
            ),
            said=said,
            **values,
        )
    return findings.bad(
        "relay",
        N_("The relay “%(name)s” at %(place)s can't be used: %(problem)s"),
        N_("Check [[relay]] host, port, tls, username and password, and the firewall."),
        problem=said,
        **values,
    )


def _in_clear(place: Place, seen: _Seen, values: Mapping[str, str]) -> Finding:
    relay = place.relay
    if place.reach is Reach.MACHINE:
        return findings.good(
            "relay-here",
            N_("The way to “%(name)s” does not leave this machine, so it needs no encryption."),
            **values,
        )
    advice = N_("Ask whoever runs the relay for a port with TLS, and set [[relay]] tls.")
    if "starttls" in seen.extensions:
        advice = N_('It offers encryption: set [[relay]] tls = "starttls".')
    if relay.username:
        return findings.bad(
            "relay-tls",
            N_("Mail goes to “%(name)s” in clear, and so does the password."),
            advice,
            **values,
        )
    tell = findings.warn if place.reach is Reach.INSIDE else findings.bad
    return tell(
        "relay-tls",
        N_("Mail goes to “%(name)s” at %(place)s in clear: others can read it on the way."),
        advice,
        **values,
    )


def _secured(seen: _Seen, now: datetime, values: Mapping[str, str]) -> Finding:
    if seen.certificate is None:
        return findings.good(
            "relay-tls", N_("The way to “%(name)s” is encrypted (%(version)s)."),
            version=seen.version, **values,
        )  # fmt: skip
    return findings.good(
        "relay-tls",
        N_(
            "The way to “%(name)s” is encrypted (%(version)s), and its certificate is good for "
            "another %(count)s days."
        ),
        version=seen.version,
        count=_days_left(seen.certificate, now),
        **values,
    )


async def _unchecked(relay: Relay, values: Mapping[str, str]) -> Sequence[Finding]:
    """Where certificates are not checked: whether they could be."""
    if relay.verify_certificate:
        return []
    said = N_("Whether “%(name)s” is who it says is not checked, so others may stand in between.")
    try:
        await _visit(relay.model_copy(update={"verify_certificate": True}))
    except RelayTrouble as trouble:
        return [
            findings.warn(
                "relay-tls",
                N_(
                    "Whether “%(name)s” is who it says is not checked, and its certificate would "
                    "not prove it: %(said)s"
                ),
                N_("Have it get a certificate for its name, then set verify_certificate = true."),
                said=trouble.said,
                **values,
            )
        ]
    return [
        findings.warn(
            "relay-tls",
            said,
            N_("Its certificate is good: set [[relay]] verify_certificate = true."),
            **values,
        )
    ]


def _age(seen: _Seen, now: datetime, values: Mapping[str, str]) -> Iterator[Finding]:
    if seen.version in _OLD:
        yield findings.warn(
            "relay-tls",
            N_("The way to “%(name)s” is encrypted by %(version)s, which is broken."),
            N_("Have the relay's software renewed: TLS 1.2 is the least."),
            version=seen.version,
            **values,
        )
    if seen.certificate is not None:
        days = _days_left(seen.certificate, now)
        if days < _SOON_DAYS:
            yield findings.warn(
                "relay-tls",
                N_("The certificate of “%(name)s” ends in %(count)s days; then nothing is sent."),
                N_("See that it is renewed in time."),
                count=days,
                **values,
            )


def _days_left(certificate: x509.Certificate, now: datetime) -> int:
    return max(0, (certificate.not_valid_after_utc - now).days)
