"""Everything that is looked at, by the question that it answers."""

import functools
from collections.abc import Awaitable, Callable, Iterator, Sequence

from delivery import dkim, routing
from delivery.arriving import (
    dkim_records,
    dmarc,
    extras,
    headers,
    hosts,
    identity,
    mx,
    relay_tls,
    spf,
    standing,
    ways,
)
from delivery.arriving.known import Known
from delivery.arriving.names import Names
from delivery.arriving.outgoing import Outgoing
from delivery.arriving.questions import Question
from foundation import addresses, errors
from foundation.config import Settings
from foundation.findings import Finding, Tone
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

Act = Callable[[], Awaitable[Sequence[Finding]]]


@frozen
class Check:
    """One thing to look at."""

    question: Question
    about: str
    """A domain or a relay, for the case that nothing comes of it."""
    act: Act


def every(
    ground: Ground, *, names: Names | None, known: Known, outgoing: Outgoing
) -> Iterator[Check]:
    """All of them; those that need name servers only where there are any."""
    settings = ground.settings
    yield from _on_the_way(ground, outgoing)
    yield from _signing(ground, names, known)
    yield _check(Question.LINKS, settings.site.url, identity.links, names, settings)
    yield _check(Question.RETURNS, "", _ways_in, known)
    yield _check(Question.STANDING, "", _standing, known)
    yield from _of_authors(names, settings, known, outgoing)
    if names is not None:
        yield from _of_returns(names, settings, outgoing)
        yield from _of_addresses(names, settings, outgoing)


def _check(
    question: Question, about: str, act: Callable[..., Awaitable[Sequence[Finding]]],
    *values: object, **named: object,
) -> Check:  # fmt: skip
    return Check(question=question, about=about, act=functools.partial(act, *values, **named))


def _on_the_way(ground: Ground, outgoing: Outgoing) -> Iterator[Check]:
    now = ground.clock.now()
    for place in outgoing.places:
        yield _check(Question.RELAY, place.relay.name, relay_tls.examine, place, now=now)


def _signing(ground: Ground, names: Names | None, known: Known) -> Iterator[Check]:
    yield _check(Question.SIGNED, dkim.domain(ground.settings), _keys, names, ground.settings)
    yield _check(Question.SIGNED, "", _one_click, ground, known)


async def _keys(names: Names | None, settings: Settings) -> Sequence[Finding]:
    """Whether the keys can be used, and whether they are published."""
    try:
        dkim.keys(settings)
    except errors.ConfigProblem as problem:
        return [
            Finding(
                code="dkim",
                tone=Tone.BAD,
                msgid="%(problem)s",
                values={"problem": problem},
                advice=N_("Nothing is served or sent until this is mended."),
            )
        ]
    return await dkim_records.examine(names, settings) if names is not None else []


async def _one_click(ground: Ground, known: Known) -> Sequence[Finding]:
    """For each address that we write as; the same is said once."""
    found: list[Finding] = []
    if _can_sign(ground.settings):
        for author in known.authors:
            found += headers.examine(ground, author=author)
    return found


def _can_sign(settings: Settings) -> bool:
    try:
        dkim.keys(settings)
    except errors.ConfigProblem:
        return False
    return True


async def _ways_in(known: Known) -> Sequence[Finding]:
    if known.ways is None or known.standing is None:
        return [ways.of_webhook(hook) for hook in known.hooks]
    return list(ways.examine(known.ways, known.hooks, returned=known.standing.returned))


async def _standing(known: Known) -> Sequence[Finding]:
    return list(standing.examine(known.standing)) if known.standing is not None else []


def _of_authors(
    names: Names | None, settings: Settings, known: Known, outgoing: Outgoing
) -> Iterator[Check]:
    authors = {identity.domain_of(each): each for each in reversed(known.authors)}
    for domain, author in authors.items():
        yield _check(Question.DOMAIN, domain, _author, names, settings, author, outgoing)
        if names is not None and not identity.is_reserved(settings, domain):
            yield _check(Question.STANDING, domain, extras.of_author, names, domain)


async def _author(
    names: Names | None, settings: Settings, author: str, outgoing: Outgoing
) -> Sequence[Finding]:
    """Whether an address may stand in From, and what its domain says of mail like ours."""
    domain = identity.domain_of(author)
    if identity.is_reserved(settings, domain):
        return [identity.nobodys(author)]
    if names is None:
        return []
    if not await identity.is_ours(names, settings, domain):
        return [identity.nobodys(author)]
    signer = dkim.for_author(settings, author) if _can_sign(settings) else None
    return [
        identity.author(author),
        *await dmarc.examine(
            names,
            author=domain,
            signer=signer.domain if signer is not None and signer.keys else "",
            returns="" if _is_rewritten(settings, author, outgoing) else _returns(settings),
            contact=settings.site.contact_email,
        ),
    ]


def _is_rewritten(settings: Settings, author: str, outgoing: Outgoing) -> bool:
    """Whether any relay for an address puts in an envelope sender of its own."""
    route = routing.route(settings.relay, from_address=author)
    return any(
        place.provider.rewrites
        for place in outgoing.places
        if place.provider is not None and place.relay.name in route
    )


def _returns(settings: Settings) -> str:
    return addresses.a_labels(settings.return_path_domain).lower()


def _of_returns(names: Names, settings: Settings, outgoing: Outgoing) -> Iterator[Check]:
    domain = _returns(settings)
    yield _check(Question.DOMAIN, domain, _spf, names, settings, outgoing)
    yield _check(Question.RETURNS, domain, _mx, names, settings)


async def _spf(names: Names, settings: Settings, outgoing: Outgoing) -> Sequence[Finding]:
    domain = _returns(settings)
    if not await identity.is_ours(names, settings, domain):
        return []
    return await spf.examine(names, domain=domain, sender=f"b+sample@{domain}", outgoing=outgoing)


async def _mx(names: Names, settings: Settings) -> Sequence[Finding]:
    domain = _returns(settings)
    if not await identity.is_ours(names, settings, domain):
        return []
    host = settings.listener.hello_name or f"mail.{domain}"
    return [
        *await mx.examine(names, domain=domain, host=host),
        *await ways.reaches_listener(names, settings, domain=domain),
        *await extras.of_returns(names, domain),
    ]


def _of_addresses(names: Names, settings: Settings, outgoing: Outgoing) -> Iterator[Check]:
    shown = ", ".join(map(str, outgoing.addresses))
    lists = settings.arriving.blocklists
    yield _check(Question.RELAY, shown, hosts.reverse, names, outgoing)
    yield _check(Question.RELAY, "", hosts.greeting, names, outgoing.places)
    yield _check(Question.STANDING, shown, hosts.blocklists, names, outgoing, lists)
