"""Whether each key that we sign with is published, and fit to be believed (RFC 6376 §3.6.1)."""

import re
from collections.abc import Iterator, Sequence

from cryptography.hazmat.primitives.asymmetric import rsa

from delivery import dkim
from delivery.arriving import tags
from delivery.arriving.names import Names
from delivery.signing_keys import Key
from foundation import findings
from foundation.config import Settings
from foundation.findings import Finding, Record
from foundation.i18n import N_

_STRONG_BITS = 2048
_WHITE = re.compile(r"\s+")
_IS_RECORD = re.compile(r"(^|;)\s*p\s*=", re.IGNORECASE)


async def examine(names: Names, settings: Settings) -> Sequence[Finding]:
    """Each of our selectors, or whose the signing is. Raises `names.Unanswered`.

    The keys have to be readable (`dkim.keys`).
    """
    keys, domain = dkim.keys(settings), dkim.domain(settings)
    if not keys:
        return [_not_ours(domain)]
    found: list[Finding] = []
    for key in keys:
        name = f"{key.selector}._domainkey.{domain}"
        found += _published(name, key, await names.texts(name))
    if not any(isinstance(key.private, rsa.RSAPrivateKey) for key in keys):
        found.append(_no_rsa(domain))
    return found


def _not_ours(domain: str) -> Finding:
    return findings.neutral(
        "dkim",
        N_("We sign nothing ourselves: the signature is the relay's, and only it knows its key."),
        N_(
            "Send a test to a mailbox of your own and look at its source: a DKIM-Signature there "
            "has to say d=%(domain)s. If none does, run `handbill dkim new`."
        ),
        domain=domain,
    )


def _published(name: str, key: Key, texts: Sequence[str]) -> Sequence[Finding]:
    """What stands under a selector, against the key that we have."""
    record = Record(name=name, kind="TXT", content=key.record)
    texts = [text for text in texts if _IS_RECORD.search(text) or "dkim1" in text.lower()]
    if not texts:
        return [_missing(name, record)]
    if len(texts) > 1:
        return [_several(name, len(texts), record)]
    stands = tags.parse(texts[0])
    public = _WHITE.sub("", stands.get("p", ""))
    if not public:
        return [_revoked(name, record)]
    ours = tags.parse(key.record)
    if public != ours["p"] or stands.get("k", "rsa").lower() != ours["k"]:
        return [_another(name, record)]
    troubles = [*_limits(name, stands, record), *_weakness(name, key)]
    return troubles or [findings.good("dkim", N_("DKIM: the key at %(name)s is ours."), name=name)]


def _missing(name: str, record: Record) -> Finding:
    return findings.bad(
        "dkim",
        N_("DKIM: our key is not at %(name)s, so receivers take its signatures for forged."),
        N_("Publish this TXT record."),
        name=name,
    ).publishing(record)


def _several(name: str, count: int, record: Record) -> Finding:
    return findings.bad(
        "dkim",
        N_("DKIM: there are %(count)s records at %(name)s, and which one counts is up to chance."),
        N_("Leave only this one. A long record may be several strings, but has to be one record."),
        name=name,
        count=count,
    ).publishing(record)


def _revoked(name: str, record: Record) -> Finding:
    return findings.bad(
        "dkim",
        N_("DKIM: the key at %(name)s is revoked (p= is empty), and we still sign with it."),
        N_("Make new keys (`handbill dkim new`), or publish this record again."),
        name=name,
    ).publishing(record)


def _another(name: str, record: Record) -> Finding:
    return findings.bad(
        "dkim",
        N_("DKIM: another key than ours is at %(name)s, so our signatures are taken for forged."),
        N_("Publish this TXT record instead, or sign under another selector."),
        name=name,
    ).publishing(record)


def _limits(name: str, stands: tags.Tags, record: Record) -> Iterator[Finding]:
    """What the record itself says against the key."""
    wrong = None
    if stands.get("v", "DKIM1") != "DKIM1":
        wrong = "v"
    elif "h" in stands and "sha256" not in _listed(stands["h"]):
        wrong = "h"
    elif "s" in stands and not {"*", "email"} & set(_listed(stands["s"])):
        wrong = "s"
    if wrong is not None:
        yield findings.bad(
            "dkim",
            N_("DKIM: “%(tag)s” at %(name)s does not let the key sign our mail."),
            N_("Take that tag out, as in this record."),
            name=name,
            tag=f"{wrong}={stands[wrong]}",
        ).publishing(record)
    if "y" in _listed(stands.get("t", "")):
        yield findings.warn(
            "dkim",
            N_("DKIM: the record at %(name)s says that it is a trial (t=y); it counts as none."),
            N_("Take t=y out once mail arrives with a good signature."),
            name=name,
        ).publishing(record)


def _weakness(name: str, key: Key) -> Iterator[Finding]:
    private = key.private
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size < _STRONG_BITS:
        yield findings.warn(
            "dkim",
            N_("DKIM: the key at %(name)s has only %(bits)s bits."),
            N_("Make new keys with `handbill dkim new`; large hosts want 2048 bits."),
            name=name,
            bits=private.key_size,
        )


def _no_rsa(domain: str) -> Finding:
    return findings.warn(
        "dkim",
        N_("DKIM: mail of %(domain)s is signed with Ed25519 alone, which many hosts can't check."),
        N_("Sign with an RSA key, too: `handbill dkim new` makes both."),
        domain=domain,
    )


def _listed(text: str) -> list[str]:
    return [part.strip().lower() for part in text.split(":")]
