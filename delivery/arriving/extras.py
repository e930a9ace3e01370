"""What is good to have and asked by nobody: BIMI, MTA-STS and reports on TLS."""

from collections.abc import Sequence

from delivery.arriving.names import Names
from foundation import findings
from foundation.findings import Finding
from foundation.frozen import frozen
from foundation.i18n import N_


@frozen
class _Extra:
    """A TXT record that may be there."""

    code: str
    prefix: str
    """What its name begins with."""
    version: str
    there: str
    missing: str


_OF_AUTHOR = (
    _Extra(
        code="bimi",
        prefix="default._bimi",
        version="v=BIMI1",
        there=N_("%(domain)s has a logo for mailboxes that show one (BIMI)."),
        missing=N_(
            "%(domain)s has no logo for mailboxes that show one (BIMI); nobody asks for it."
        ),
    ),
)
_OF_RETURNS = (
    _Extra(
        code="mta-sts",
        prefix="_mta-sts",
        version="v=STSv1",
        there=N_("%(domain)s says that mail to it has to come encrypted (MTA-STS)."),
        missing=N_("%(domain)s does not say that mail to it has to come encrypted (MTA-STS)."),
    ),
    _Extra(
        code="tls-rpt",
        prefix="_smtp._tls",
        version="v=TLSRPTv1",
        there=N_("%(domain)s is told when mail to it could not come encrypted (TLS-RPT)."),
        missing=N_("%(domain)s is not told when mail to it could not come encrypted (TLS-RPT)."),
    ),
)


async def of_author(names: Names, domain: str) -> Sequence[Finding]:
    """For a domain that stands in From. Raises `names.Unanswered`."""
    return [await _look(names, domain, each) for each in _OF_AUTHOR]


async def of_returns(names: Names, domain: str) -> Sequence[Finding]:
    """For the domain of the return path. Raises `names.Unanswered`."""
    return [await _look(names, domain, each) for each in _OF_RETURNS]


async def _look(names: Names, domain: str, extra: _Extra) -> Finding:
    texts = await names.texts(f"{extra.prefix}.{domain}")
    if any(text.replace(" ", "").startswith(extra.version) for text in texts):
        return findings.good(extra.code, extra.there, domain=domain)
    return findings.neutral(extra.code, extra.missing, domain=domain)
