"""Where links lead: what following them said, plain http, and addresses that hide behind others."""

from collections.abc import Mapping
from dataclasses import field
from urllib.parse import urlsplit

from campaigns.compiling import Compiled, Looked
from campaigns.models import Bulletin
from campaigns.preflight import items, places
from campaigns.preflight.items import Item, Place
from campaigns.preflight.models import LinkCheck, Verdict
from foundation.findings import Tone
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_, NN_
from templates import content

SHORTENERS = frozenset(
    {
        *("adf.ly", "bit.ly", "bitly.com", "bl.ink", "buff.ly", "clck.ru", "cutt.ly", "dlvr.it"),
        *("fb.me", "goo.gl", "ift.tt", "is.gd", "lnkd.in", "ow.ly", "qr.ae", "rb.gy"),
        *("rebrand.ly", "s.id", "shorturl.at", "soo.gd", "t.co", "t.ly", "tiny.cc"),
        *("tinyurl.com", "trib.al", "v.gd"),
    }
)
"""Hosts whose addresses hide where they lead; spam filters distrust them."""
EXAMPLES = ("example", "test", "invalid", "example.com", "example.org", "example.net")
"""Names that stand for others and lead nowhere (RFC 2606, RFC 6761)."""
_AT_MOST = 20
"""Lines of one kind; of more links nobody reads."""

_TOLD: Mapping[Verdict, tuple[Tone, str]] = {
    Verdict.GONE: (Tone.BAD, N_("There is no page at %(url)s (%(status)s).")),
    Verdict.NO_HOST: (Tone.BAD, N_("There is no site of the name in %(url)s.")),
    Verdict.UNTRUSTED: (
        Tone.BAD,
        N_("Browsers warn of %(url)s: its certificate proves nothing."),
    ),
    Verdict.LOOPING: (Tone.BAD, N_("%(url)s leads on and on, and never to a page.")),
    Verdict.CLOSED: (
        Tone.WARN,
        N_("%(url)s does not let programs in (%(status)s): open it yourself."),
    ),
    Verdict.FAILING: (
        Tone.WARN,
        N_("%(url)s says that something is wrong with it (%(status)s): look again later."),
    ),
    Verdict.SILENT: (Tone.WARN, N_("Nobody answered at %(url)s: look again later.")),
    Verdict.PRIVATE: (
        Tone.WARN,
        N_("%(url)s is in a private network, so it was not followed: most readers can't open it."),
    ),
    Verdict.ODD: (Tone.WARN, N_("%(url)s is no address that browsers open.")),
}


@frozen
class Targets:
    """What a bulletin leads to and shows."""

    links: Mapping[str, Place] = field(default_factory=dict)
    """Address → the first place that has it."""
    pictures: Mapping[str, Place] = field(default_factory=dict)
    """The same for pictures that others serve."""

    @property
    def followed(self) -> list[str]:
        """The addresses that are worth following, each once."""
        every = dict.fromkeys((*self.links, *self.pictures))
        return [url for url in every if not is_example(url)]


def targets(ground: Ground, bulletin: Bulletin, looked: Looked) -> Targets:
    """Everything that the editions lead to and show, but for what differs from reader to reader."""
    links: dict[str, Place] = {}
    shown: dict[str, Place] = {}
    for compiled in looked.editions.values():
        for link in compiled.plan.links:
            if link.url not in links:
                links[link.url] = _place(bulletin, looked, compiled, link.url)
        for number, block in compiled.blocks:
            for image in content.images(block):
                if not image.src.startswith(ground.url("/")):
                    shown.setdefault(image.src, places.block(bulletin.id, looked, number))
    return Targets(links=links, pictures=shown)


def _place(bulletin: Bulletin, looked: Looked, compiled: Compiled, url: str) -> Place:
    # In rich text, an address stands as HTML has it.
    typed = url.replace("&", "&amp;")
    place = places.holding(bulletin.id, looked, compiled, url)
    if place == places.bulletin(bulletin.id):
        place = places.holding(bulletin.id, looked, compiled, typed)
    return place


def look(ground: Ground, found: Targets, checks: Mapping[str, LinkCheck]) -> list[Item]:
    """What is known of every link."""
    if not found.links:
        return [items.good("links", N_("There are no links to follow."))]
    told = [
        *_followed(found, checks),
        *_plain(ground, found, checks),
        *_short(found, checks),
        *_examples(found),
    ]
    return [*told, *_rest(ground, found, checks, is_quiet=bool(told))]


def _followed(found: Targets, checks: Mapping[str, LinkCheck]) -> list[Item]:
    """What is wrong with links and pictures that were followed, what stops it first."""
    every = {**found.pictures, **found.links}
    told = []
    for url in found.followed:
        check = checks.get(url)
        if check is None or check.verdict == Verdict.GOOD:
            continue
        tone, words = _TOLD[Verdict(check.verdict)]
        values = {"url": url, "status": str(check.status)}
        told.append(
            Item(code="link", tone=tone, msgid=words, values=values, place=every[url], about=url)
        )
    return told


def _plain(ground: Ground, found: Targets, checks: Mapping[str, LinkCheck]) -> list[Item]:
    """Links that anybody on the way can read and change; this site's own are one line."""
    own = ground.settings.site.url + "/"
    told = [
        items.warn(
            "link-plain",
            N_("%(url)s is plain http: whoever is on the way can read and change what comes."),
            place=place,
            about=url,
            url=url,
        )
        for url, place in found.links.items()
        if url.startswith("http://") and not (url + "/").startswith(own)
    ]
    told += [
        items.warn(
            "link-plain",
            N_("%(url)s leads on to plain http, at %(final)s."),
            place=place,
            about=url,
            url=url,
            final=checks[url].final_url,
        )
        for url, place in found.links.items()
        if url.startswith("https://")
        and url in checks
        and checks[url].final_url.startswith("http://")
    ]
    if own.startswith("http://") and any((url + "/").startswith(own) for url in found.links):
        told.append(
            items.warn(
                "link-plain-own",
                N_("This site's own address is plain http: %(url)s."),
                place=places.setting("site", "url"),
                url=ground.settings.site.url,
            )
        )
    return told[:_AT_MOST]


def _short(found: Targets, checks: Mapping[str, LinkCheck]) -> list[Item]:
    told = []
    for url, place in found.links.items():
        if (urlsplit(url).hostname or "").removeprefix("www.") not in SHORTENERS:
            continue
        check = checks.get(url)
        if check is not None and check.verdict == Verdict.GOOD and check.final_url:
            words = N_("%(url)s hides where it leads, and filters distrust it: use %(final)s.")
            told.append(
                items.warn(
                    "link-short", words, place=place, about=url, url=url, final=check.final_url
                )
            )
        else:
            words = N_("%(url)s hides where it leads, and filters distrust it.")
            told.append(items.warn("link-short", words, place=place, about=url, url=url))
    return told[:_AT_MOST]


def _examples(found: Targets) -> list[Item]:
    words = N_("%(url)s is a name that stands for others: nothing is there.")
    return [
        items.warn("link-example", words, place=place, about=url, url=url)
        for url, place in found.links.items()
        if is_example(url)
    ][:_AT_MOST]


def _rest(
    ground: Ground, found: Targets, checks: Mapping[str, LinkCheck], *, is_quiet: bool
) -> list[Item]:
    """Of those that nothing is wrong with: how many were followed, and which were not."""
    wanted = found.followed
    unknown = [url for url in wanted if url not in checks]
    if not wanted:
        return []
    if unknown and not ground.settings.preflight.links:
        return [items.neutral("links", N_("Links were not followed, as the settings say."))]
    if unknown:
        words = NN_(
            "%(count)s address was not followed yet.", "%(count)s addresses were not followed yet."
        )
        return [items.neutral("links", words, count=len(unknown))]
    if is_quiet:
        return []
    words = NN_("%(count)s address leads to a page.", "%(count)s addresses lead to pages.")
    return [items.good("links", words, count=len(wanted))]


def is_example(url: str) -> bool:
    """Whether an address is of a name that can't exist, or was set aside for examples."""
    host = (urlsplit(url).hostname or "").lower()
    return any(f".{host}".endswith(f".{name}") for name in EXAMPLES)
