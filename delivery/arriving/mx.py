"""Whether mail to the return path finds its way: MX records and what stands behind them."""

import ipaddress
from collections.abc import Iterator, Sequence

from delivery.arriving import outgoing
from delivery.arriving.names import MailHost, Names
from delivery.arriving.outgoing import Reach
from foundation import findings
from foundation.arriving import Address
from foundation.findings import Finding, Record
from foundation.frozen import frozen
from foundation.i18n import N_


@frozen
class _Host:
    """A mail server, and what is known of it."""

    name: str
    alias: str
    addresses: Sequence[Address]

    @property
    def is_reached(self) -> bool:
        return outgoing.reach_of(self.addresses) is Reach.OUTSIDE


async def examine(names: Names, *, domain: str, host: str) -> Sequence[Finding]:
    """Everything about the MX of a domain; `host` is a name that might stand there.

    Raises `names.Unanswered`.
    """
    records = await names.mail_hosts(domain)
    if any(not each.name for each in records):
        return [_refuses_mail(domain, host, is_alone=len(records) == 1)]
    if not records:
        found = await names.addresses(domain)
        return [_by_address(domain, host, found) if found else _nowhere(domain, host)]
    hosts = [await _known(names, each) for each in records]
    troubles = list(_troubles(domain, hosts))
    return troubles or [
        findings.good(
            "mx",
            N_("Mail that comes back to %(domain)s goes to %(hosts)s."),
            domain=domain,
            hosts=", ".join(each.name for each in hosts),
        )
    ]


async def _known(names: Names, record: MailHost) -> _Host:
    alias = await names.alias(record.name)
    return _Host(name=record.name, alias=alias, addresses=await names.addresses(record.name))


def _record(domain: str, host: str) -> Record:
    return Record(name=domain, kind="MX", content=f"10 {host}.")


def _nowhere(domain: str, host: str) -> Finding:
    return findings.bad(
        "mx",
        N_("Mail that comes back to %(domain)s has nowhere to go."),
        N_(
            "Add an MX record that names your mail server, or set [mail] return_path_domain to a "
            "domain that has one."
        ),
        domain=domain,
    ).publishing(_record(domain, host))


def _by_address(domain: str, host: str, found: Sequence[Address]) -> Finding:
    return findings.warn(
        "mx",
        N_(
            "%(domain)s has no MX record. Mail goes to its address %(address)s instead, but some "
            "hosts take nothing from a domain without one."
        ),
        N_("Add an MX record that names your mail server."),
        domain=domain,
        address=str(found[0]),
    ).publishing(_record(domain, host))


def _refuses_mail(domain: str, host: str, *, is_alone: bool) -> Finding:
    said = N_("%(domain)s says that it takes no mail at all (MX “.”), so nothing comes back.")
    if not is_alone:
        said = N_("%(domain)s says that it takes no mail (MX “.”), and names servers all the same.")
    return findings.bad(
        "mx",
        said,
        N_("Name your mail server instead, and nothing else."),
        domain=domain,
    ).publishing(_record(domain, host))


def _troubles(domain: str, hosts: Sequence[_Host]) -> Iterator[Finding]:
    for host in hosts:
        values = {"domain": domain, "host": host.name}
        if _is_address(host.name):
            yield findings.bad(
                "mx",
                N_("The MX record of %(domain)s holds an address (%(host)s), and takes a name."),
                N_("Give the mail server a name with an A or AAAA record, and name that."),
                **values,
            )
        elif not host.addresses:
            tell = findings.warn if any(each.addresses for each in hosts) else findings.bad
            yield tell(
                "mx",
                N_("%(host)s, a mail server of %(domain)s, has no address."),
                N_("Give it an A or AAAA record, or take it out of the MX records."),
                **values,
            )
        elif not host.is_reached:
            tell = findings.warn if any(each.is_reached for each in hosts) else findings.bad
            yield tell(
                "mx",
                N_("%(host)s, a mail server of %(domain)s, can't be reached from outside."),
                N_("Give it a public address, or name another server."),
                **values,
            )
        if host.alias:
            yield findings.warn(
                "mx",
                N_(
                    "%(host)s, a mail server of %(domain)s, is another name (CNAME) for %(alias)s, "
                    "which not everybody follows."
                ),
                N_("Let the MX record name %(alias)s itself."),
                alias=host.alias,
                **values,
            )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
