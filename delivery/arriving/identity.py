"""Whether the domains that we show to readers are ours to show: in From, and in links."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from delivery.arriving.names import Names
from delivery.arriving.providers import FREE_MAIL
from foundation import addresses, findings
from foundation.config import Settings
from foundation.findings import Finding
from foundation.i18n import N_

_NOBODY = ("localdomain", "localhost", "invalid", "example", "test")
"""Domains below which no mail server outside will ever find anything (RFC 2606, RFC 6761)."""


def domain_of(address: str) -> str:
    """The domain of an address, as the DNS writes it."""
    return addresses.a_labels(address.rpartition("@")[2]).lower().rstrip(".")


def is_reserved(settings: Settings, domain: str) -> bool:
    """Whether nobody outside can look a domain up, whatever stands in the DNS here.

    Reserved names count where the settings name whom to ask: that is the world of a trial.
    """
    if settings.arriving.name_servers:
        return False
    return "." not in domain or domain.rpartition(".")[2] in _NOBODY


async def is_ours(names: Names, settings: Settings, domain: str) -> bool:
    """Whether anybody can look a domain up. Raises `names.Unanswered`."""
    return not is_reserved(settings, domain) and await names.is_there(domain)


def nobodys(address: str) -> Finding:
    """What is said of a domain that nobody can look up."""
    return findings.bad(
        "from",
        N_("Mail comes from %(address)s, a domain that nobody can look up."),
        N_("Set [mail] from_address to an address of your own domain."),
        address=address,
    )


def author(address: str) -> Finding:
    """Whether an address may stand in From, its domain being there."""
    if domain_of(address) in FREE_MAIL:
        return findings.bad(
            "from",
            N_(
                "Mail comes from %(address)s, but only %(domain)s itself may send for it; other "
                "hosts refuse it or take it for forged."
            ),
            N_("Send from an address of your own domain; answers may go there: [mail] reply_to."),
            address=address,
            domain=domain_of(address),
        )
    return findings.good("from", N_("Mail comes from %(address)s."), address=address)


async def links(names: Names | None, settings: Settings) -> Sequence[Finding]:
    """Whether readers get to us by our links. Raises `names.Unanswered`."""
    url = settings.site.url
    if not url.startswith("https://"):
        return [
            findings.bad(
                "site",
                N_("Links lead to %(url)s, which readers can't reach safely."),
                N_("Set [site] url to the https:// address that readers use."),
                url=url,
            )
        ]
    host = (urlsplit(url).hostname or "").rstrip(".")
    if names is not None and not await names.addresses(addresses.a_labels(host)):
        return [
            findings.bad(
                "site",
                N_("Links lead to %(url)s, but %(host)s has no address in the DNS."),
                N_("Give %(host)s an A or AAAA record, or mend [site] url."),
                url=url,
                host=host,
            )
        ]
    return [findings.good("site", N_("Links lead to %(url)s."), url=url)]
