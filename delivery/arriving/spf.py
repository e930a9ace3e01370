"""SPF of the return path: whether the record can be gone by, and lets our mail through."""

from collections.abc import Iterable, Iterator, Sequence

from delivery.arriving import spf_check, spf_record, spf_walk
from delivery.arriving.names import Names
from delivery.arriving.outgoing import Outgoing, Reach
from delivery.arriving.providers import Provider
from delivery.arriving.spf_check import MOST_LOOK_UPS, MOST_VOID, Result
from delivery.arriving.spf_record import Kind, Qualifier
from delivery.arriving.spf_walk import Flaw, Trouble, Walk
from foundation import findings
from foundation.arriving import Address
from foundation.findings import Finding, Record
from foundation.i18n import N_

_NEARLY = 9
"""Look-ups with which a record is a step away from none: those who are included add terms, too."""
_WIDE = {4: 16, 6: 32}
"""Networks with a shorter prefix are more than anybody sends from."""


async def examine(
    names: Names, *, domain: str, sender: str, outgoing: Outgoing
) -> Sequence[Finding]:
    """Everything about the SPF record of a domain; `sender` is an envelope sender there.

    Raises `names.Unanswered`.
    """
    texts = spf_record.among(await names.texts(domain))
    if not texts:
        return [_none(domain, outgoing)]
    if len(texts) > 1:
        return [_several(domain, len(texts))]
    try:
        record = spf_record.parse(texts[0])
    except spf_record.Unreadable as problem:
        return [_unreadable(domain, problem.term)]
    walk = await spf_walk.follow(names, domain, record)
    troubles = [*_faults(domain, walk), *_looseness(domain, record, texts[0])]
    found = troubles or [_well(domain, texts[0], walk)]
    if not any(each.is_bad for each in troubles):
        return [
            *found,
            *await _lets_through(names, domain, sender, texts[0], outgoing),
            *_services(domain, walk, outgoing),
        ]
    return found


def _well(domain: str, text: str, walk: Walk) -> Finding:
    return findings.good(
        "spf",
        N_("SPF of %(domain)s is in order, with %(count)s of 10 look-ups: %(text)s"),
        domain=domain,
        count=walk.look_ups,
        text=text,
    )


def _none(domain: str, outgoing: Outgoing) -> Finding:
    return findings.bad(
        "spf",
        N_("%(domain)s has no SPF record, so nobody can tell who may send for it."),
        N_("Add this TXT record, with every address and service that your mail leaves from."),
        domain=domain,
    ).publishing(Record(name=domain, kind="TXT", content=f"v=spf1 {_suggested(outgoing)} ~all"))


def _suggested(outgoing: Outgoing) -> str:
    terms = [
        *(f"include:{each.include}" for each in outgoing.providers),
        *(_term(address) for address in outgoing.addresses),
    ]
    return " ".join(dict.fromkeys(terms)) or "mx"


def _term(address: Address) -> str:
    return f"ip{address.version}:{address}"


def _several(domain: str, count: int) -> Finding:
    return findings.bad(
        "spf",
        N_("%(domain)s has %(count)s SPF records; receivers then take none of them."),
        N_("Join them into one."),
        domain=domain,
        count=count,
    )


def _unreadable(domain: str, term: str) -> Finding:
    return findings.bad(
        "spf",
        N_("SPF of %(domain)s can't be read at “%(term)s”, so receivers go by none of it."),
        N_("Mend that term, or take it out."),
        domain=domain,
        term=term,
    )


def _faults(domain: str, walk: Walk) -> Iterator[Finding]:
    """What makes receivers go by none of it, or may do so tomorrow."""
    for trouble in walk.troubles:
        yield _fault(domain, trouble)
    if walk.look_ups > MOST_LOOK_UPS:
        yield findings.bad(
            "spf",
            N_("SPF of %(domain)s needs %(count)s look-ups; receivers give up after 10."),
            N_(
                "Take out what you don't send by any more, and name addresses (ip4:, ip6:) instead "
                "of a, mx and include: where you can."
            ),
            domain=domain,
            count=walk.look_ups,
        )
    elif walk.look_ups >= _NEARLY:
        yield findings.warn(
            "spf",
            N_("SPF of %(domain)s needs %(count)s of the 10 look-ups that receivers make."),
            N_("Take something out before a service that you include adds one of its own."),
            domain=domain,
            count=walk.look_ups,
        )
    if walk.voids:
        tell = findings.bad if len(walk.voids) > MOST_VOID else findings.warn
        yield tell(
            "spf",
            N_("SPF of %(domain)s names hosts that are not in the DNS: %(hosts)s."),
            N_("Take them out: after two such look-ups receivers go by none of the record."),
            domain=domain,
            hosts=", ".join(walk.voids),
        )
    if walk.unanswered:
        yield findings.warn(
            "spf",
            N_("SPF of %(domain)s names %(hosts)s, and no name server told us about that."),
            N_("Look again later; if it stays so, take it out."),
            domain=domain,
            hosts=", ".join(walk.unanswered),
        )


def _fault(domain: str, trouble: Trouble) -> Finding:
    values = {"domain": domain, "other": trouble.domain, "term": trouble.term}
    said = {
        Flaw.MISSING: N_(
            "SPF of %(domain)s includes %(other)s, which has no SPF record; receivers then go by "
            "none of it."
        ),
        Flaw.SEVERAL: N_(
            "SPF of %(domain)s includes %(other)s, which has several SPF records; receivers then "
            "go by none of it."
        ),
        Flaw.UNREADABLE: N_(
            "SPF of %(domain)s includes %(other)s, where “%(term)s” can't be read; receivers then "
            "go by none of it."
        ),
        Flaw.LOOP: N_("SPF of %(domain)s goes in a circle by way of %(other)s."),
        Flaw.MANY_HOSTS: N_(
            "SPF of %(domain)s names the mail servers of %(other)s, which are more than ten; "
            "receivers then go by none of it."
        ),
    }
    return findings.bad(
        "spf",
        said[trouble.flaw],
        N_("Take %(other)s out of the record, or have it mended there."),
        **values,
    )


def _looseness(domain: str, record: spf_record.Record, text: str) -> Iterator[Finding]:
    """What lets more through than it should, or says nothing."""
    everybody = record.all
    if everybody is not None and everybody.qualifier is Qualifier.PASS:
        yield findings.bad(
            "spf",
            N_("SPF of %(domain)s lets everybody send for it, forgers too: it ends in “+all”."),
            N_("Let it end in “~all” or “-all”."),
            domain=domain,
        )
    elif (everybody is None and not record.redirect) or (
        everybody is not None and everybody.qualifier is Qualifier.NEUTRAL
    ):
        yield findings.warn(
            "spf",
            N_("SPF of %(domain)s says nothing about forgers: %(text)s"),
            N_("Let it end in “~all”, and in “-all” when you are sure that it names all senders."),
            domain=domain,
            text=text,
        )
    behind = record.mechanisms[record.mechanisms.index(everybody) + 1 :] if everybody else ()
    if behind or (everybody and record.redirect):
        yield findings.warn(
            "spf",
            N_("What stands behind “all” in SPF of %(domain)s never counts: %(text)s"),
            N_("Let “all” come last."),
            domain=domain,
            text=text,
        )
    if any(each.kind is Kind.PTR for each in record.mechanisms):
        yield findings.warn(
            "spf",
            N_("SPF of %(domain)s uses “ptr”, which is slow and which many receivers pass over."),
            N_("Name addresses (ip4:, ip6:) or hosts (a:) instead."),
            domain=domain,
        )
    for each in record.mechanisms:
        network = each.network
        if network is not None and network.prefixlen < _WIDE[network.version]:
            yield findings.warn(
                "spf",
                N_("SPF of %(domain)s lets all of %(network)s send for it."),
                N_("Name only the addresses that you send from."),
                domain=domain,
                network=network.with_prefixlen,
            )


async def _lets_through(
    names: Names, domain: str, sender: str, text: str, outgoing: Outgoing
) -> list[Finding]:
    """What SPF says about each address that mail leaves from."""
    if not outgoing.addresses and not outgoing.providers:
        return [_unknown(outgoing)]
    return [
        _judged(
            await spf_check.check(names, address=address, sender=sender),
            domain,
            address,
            text,
            outgoing,
        )
        for address in outgoing.addresses
    ]


def _unknown(outgoing: Outgoing) -> Finding:
    relays = ", ".join(each.relay.name for each in outgoing.places)
    advice = N_(
        "Put the public addresses that it sends from into [arriving] sending_addresses; then SPF "
        "and reverse DNS are looked at for them."
    )
    if any(each.reach is Reach.NOWHERE for each in outgoing.places):
        said = N_("The relay's name (%(relays)s) has no address, so SPF can't be tried out.")
    else:
        said = N_(
            "From here nobody can see which address the mail leaves from after the relay "
            "(%(relays)s), so SPF can't be tried out."
        )
    return findings.neutral("spf-address", said, advice, relays=relays)


def _judged(
    result: Result, domain: str, address: Address, text: str, outgoing: Outgoing
) -> Finding:
    values = {"domain": domain, "address": str(address)}
    if result is Result.PASS:
        return findings.good(
            "spf-address", N_("SPF of %(domain)s lets %(address)s send."), **values
        )
    if result is Result.TEMPERROR:
        return findings.warn(
            "spf-address",
            N_("Whether SPF of %(domain)s lets %(address)s send, no name server told us."),
            N_("Look again later."),
            **values,
        )
    publish = Record(name=domain, kind="TXT", content=amended(text, _term(address)))
    if outgoing.is_certain:
        return findings.bad(
            "spf-address",
            N_("SPF of %(domain)s does not let %(address)s send, where our mail leaves from."),
            N_("Let the record name that address, like this."),
            **values,
        ).publishing(publish)
    return findings.warn(
        "spf-address",
        N_("SPF of %(domain)s does not let %(address)s send, where the relay is."),
        N_(
            "If mail leaves from there, let the record name it, like this. If it leaves from "
            "elsewhere, put those addresses into [arriving] sending_addresses."
        ),
        **values,
    ).publishing(publish)


def _services(domain: str, walk: Walk, outgoing: Outgoing) -> Iterator[Finding]:
    """Whether what each known service asks for is included."""
    for provider in outgoing.providers:
        yield _service(domain, walk.followed, provider)


def _service(domain: str, followed: Iterable[str], provider: Provider) -> Finding:
    values = {"domain": domain, "provider": provider.name, "include": provider.include}
    if provider.include in followed:
        return findings.good(
            "spf-address", N_("SPF of %(domain)s includes %(provider)s."), **values
        )
    if provider.rewrites:
        return findings.neutral(
            "spf-address",
            N_(
                "%(provider)s puts in an envelope sender of its own, and SPF of that counts, "
                "unless you set up one of your domain there."
            ),
            N_("If you did, let SPF of %(domain)s hold “include:%(include)s”."),
            **values,
        )
    return findings.bad(
        "spf-address",
        N_("SPF of %(domain)s does not include %(provider)s, which sends our mail."),
        N_("Add “include:%(include)s” before “all”."),
        **values,
    )


def amended(text: str, term: str) -> str:
    """A record with one more term, before the one that decides about everybody else."""
    terms = text.split(" ")
    at = next(
        (
            number
            for number, each in enumerate(terms)
            if each.lower().lstrip("+-~?") == "all" or each.lower().startswith("redirect=")
        ),
        len(terms),
    )
    return " ".join([*terms[:at], term, *terms[at:]])
