"""DMARC of each domain that our mail is from, and whether we prove that it is (RFC 9989)."""

from collections.abc import Iterator, Sequence

from delivery.arriving import dmarc_walk
from delivery.arriving.dmarc_walk import Governing, Policy, Source, Walk
from delivery.arriving.names import Names
from foundation import findings
from foundation.findings import Finding, Record
from foundation.i18n import N_

_GONE = ("pct", "rf", "ri")
"""Tags of RFC 7489 that mean nothing any more."""


async def examine(
    names: Names, *, author: str, signer: str, returns: str, contact: str
) -> Sequence[Finding]:
    """The policy of `author`'s domain, its reports, and alignment with who signs and who bounces.

    `signer` is blank when we don't sign for that domain, and `returns` when a service puts in an
    envelope sender of its own. `contact` is who might be told. Raises `names.Unanswered`.
    """
    walk = await dmarc_walk.walk(names, author)
    doubled = [_doubled(name) for name in walk.doubled]
    if walk.governing is None:
        missing = _none(author, contact)
        return [*doubled, *([] if doubled else [missing])]
    policy = walk.governing.policy(is_there=await names.is_there(author))
    if policy is None:
        return [*doubled, _void(author, walk.governing)]
    troubles = [
        *doubled,
        *_oddities(walk.governing),
        *await _reports(names, walk.governing, contact),
    ]
    return [
        *(troubles or [_well(author, walk.governing, policy)]),
        await _alignment(names, author, walk, policy, signer=signer, returns=returns),
    ]


def _well(author: str, governing: Governing, policy: Policy) -> Finding:
    own = N_("DMARC of %(domain)s (%(policy)s): %(text)s")
    above = N_("DMARC of %(domain)s (%(policy)s) is that of %(other)s: %(text)s")
    return findings.good(
        "dmarc",
        own if governing.source is Source.DOMAIN else above,
        domain=author,
        other=governing.domain,
        policy=policy.value,
        text=governing.text,
    )


def _none(author: str, contact: str) -> Finding:
    return findings.bad(
        "dmarc",
        N_("%(domain)s has no DMARC record; large providers ask for one."),
        N_("Add this TXT record. It asks for reports and has nothing refused yet."),
        domain=author,
    ).publishing(_suggested(author, contact))


def _suggested(domain: str, contact: str) -> Record:
    return Record(
        name=f"_dmarc.{domain}",
        kind="TXT",
        content=f"v=DMARC1; p=none; rua=mailto:{_reader(domain, contact)}",
    )


def _with_reports(governing: Governing, contact: str) -> Record:
    kept = governing.text.rstrip("; ")
    return Record(
        name=f"_dmarc.{governing.domain}",
        kind="TXT",
        content=f"{kept}; rua=mailto:{_reader(governing.domain, contact)}",
    )


def _reader(domain: str, contact: str) -> str:
    """Who might read reports: the site's contact where that is of the domain."""
    return contact if contact.rpartition("@")[2].lower() == domain else f"dmarc@{domain}"


def _doubled(name: str) -> Finding:
    return findings.bad(
        "dmarc",
        N_("There are several DMARC records at _dmarc.%(domain)s; receivers take none of them."),
        N_("Leave one."),
        domain=name,
    )


def _void(author: str, governing: Governing) -> Finding:
    return findings.bad(
        "dmarc",
        N_("DMARC of %(domain)s holds no policy that can be read, so it counts as none: %(text)s"),
        N_("Let it say p=none, p=quarantine or p=reject."),
        domain=author,
        text=governing.text,
    )


def _oddities(governing: Governing) -> Iterator[Finding]:
    gone = [f"{name}={governing.stands[name]}" for name in _GONE if name in governing.stands]
    if gone:
        yield findings.warn(
            "dmarc",
            N_("DMARC of %(domain)s says %(tags)s, which means nothing any more (RFC 9989)."),
            N_("Take that out; t=y says that a policy is on trial."),
            domain=governing.domain,
            tags=", ".join(gone),
        )
    unreadable = [
        f"{name}={governing.stands[name]}"
        for name in ("p", "sp", "np")
        if name in governing.stands and governing.stands[name].lower() not in list(Policy)
    ]
    if unreadable or "p" not in governing.stands:
        yield findings.warn(
            "dmarc",
            N_("DMARC of %(domain)s has no policy to be read, so it counts as none: %(text)s"),
            N_("Let it say p=none, p=quarantine or p=reject."),
            domain=governing.domain,
            text=governing.text,
        )
    if governing.is_trial:
        yield findings.warn(
            "dmarc",
            N_("DMARC of %(domain)s is on trial (t=y): its policy is taken one step more mildly."),
            N_("Take t=y out when the reports show that all your own mail passes."),
            domain=governing.domain,
        )


async def _reports(names: Names, governing: Governing, contact: str) -> list[Finding]:
    """Whether anybody is told about forged mail, and whoever is told has agreed (RFC 9990 §4)."""
    if not governing.reports_to:
        return [
            findings.warn(
                "dmarc",
                N_("DMARC of %(domain)s names nobody who gets reports (rua=)."),
                N_("Add rua=, so that you learn who sends in your name, like this."),
                domain=governing.domain,
            ).publishing(_with_reports(governing, contact))
        ]
    told = [each.rpartition("@")[2].lower().rstrip(".") for each in governing.reports_to]
    return [
        _not_agreed(governing.domain, domain)
        for domain in dict.fromkeys(told)
        if not await _agreed(names, governing.domain, domain)
    ]


async def _agreed(names: Names, domain: str, told: str) -> bool:
    """Whether a domain may have reports about another."""
    ours = await dmarc_walk.walk(names, domain)
    theirs = await dmarc_walk.walk(names, told)
    if ours.organisation == theirs.organisation:
        return True
    texts = await names.texts(f"{domain}._report._dmarc.{told}")
    return any(text.replace(" ", "").startswith("v=DMARC1") for text in texts)


def _not_agreed(domain: str, told: str) -> Finding:
    return findings.warn(
        "dmarc",
        N_("DMARC of %(domain)s sends reports to %(told)s, which has not said that it takes them."),
        N_("Whoever runs %(told)s has to publish this TXT record; until then no report comes."),
        domain=domain,
        told=told,
    ).publishing(Record(name=f"{domain}._report._dmarc.{told}", kind="TXT", content="v=DMARC1"))


async def _alignment(
    names: Names, author: str, walk: Walk, policy: Policy, *, signer: str, returns: str
) -> Finding:
    """Whether a signature or an envelope sender of ours counts for what stands in From."""
    stands = walk.governing.stands if walk.governing is not None else {}
    signs = bool(signer) and await _aligned(
        names, author, walk, signer, is_strict=stands.get("adkim", "").lower() == "s"
    )
    bounces = bool(returns) and await _aligned(
        names, author, walk, returns, is_strict=stands.get("aspf", "").lower() == "s"
    )
    values = {"domain": author, "signer": signer, "returns": returns}
    if signs and bounces:
        said = N_("From %(domain)s goes with our signature (%(signer)s) and SPF (%(returns)s).")
        return findings.good("alignment", said, **values)
    if signs:
        said = N_("From %(domain)s goes with our signature (%(signer)s), which is enough.")
        return findings.good("alignment", said, **values)
    if bounces:
        return findings.warn(
            "alignment",
            N_(
                "From %(domain)s goes with SPF of %(returns)s, but we don't sign for it; forwarded "
                "mail then proves nothing, unless the relay signs for %(domain)s."
            ),
            N_("Sign with a key of that domain: `handbill dkim new`, [mail] dkim_domain."),
            **values,
        )
    return _unaligned(policy, values, is_signed=bool(signer))


async def _aligned(names: Names, author: str, walk: Walk, other: str, *, is_strict: bool) -> bool:
    if author == other or is_strict:
        return author == other
    return (await dmarc_walk.walk(names, other)).organisation == walk.organisation


def _unaligned(policy: Policy, values: dict[str, str], *, is_signed: bool) -> Finding:
    said = N_(
        "Nothing of ours proves that mail from %(domain)s is from there: neither who signs "
        "(%(signer)s) nor the return path (%(returns)s) goes with it."
    )
    if not is_signed:
        said = N_(
            "Nothing of ours proves that mail from %(domain)s is from there, unless the relay "
            "signs for that domain."
        )
    advice = N_(
        "Sign with a key of that domain (`handbill dkim new`, [mail] dkim_domain), or send from an "
        "address that goes with the return path."
    )
    if is_signed or policy is not Policy.NONE:
        return findings.bad("alignment", said, advice, **values)
    return findings.warn("alignment", said, advice, **values)
