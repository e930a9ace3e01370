"""Finds the DMARC record that counts for a domain, and where its organisation begins.

No list of public suffixes is asked: one walk up the tree of names, of eight questions at most,
finds both (RFC 9989 §4.10).
"""

import enum
import re
from collections.abc import Mapping, Sequence

from delivery.arriving import tags
from delivery.arriving.names import Names
from delivery.arriving.tags import Tags
from foundation.frozen import frozen

MOST = 8
"""Questions of one walk."""
_IS_RECORD = re.compile(r"v\s*=\s*DMARC1\s*(;|$)")
"""The version comes first, and capitals count (§4.7)."""


class Policy(enum.StrEnum):
    """What receivers are asked to do with mail that proves nothing."""

    NONE = "none"
    """Nothing in particular."""
    QUARANTINE = "quarantine"
    """Treat it with suspicion."""
    REJECT = "reject"
    """Refuse it."""


class Source(enum.StrEnum):
    """Whose record it is."""

    DOMAIN = "domain"
    """The domain's own."""
    ORGANISATION = "organisation"
    """That of the organisation's domain above it."""
    SUFFIX = "suffix"
    """That of those who give out such domains (`psd=y`)."""


@frozen
class Governing:
    """The record that counts for a domain."""

    domain: str
    """Where it stands, without `_dmarc`."""
    source: Source
    text: str
    stands: Tags

    @property
    def reports_to(self) -> Sequence[str]:
        """Addresses of daily reports."""
        places = self.stands.get("rua", "").split(",")
        mailtos = (place.strip().partition("!")[0] for place in places)
        return [each[7:] for each in mailtos if each.lower().startswith("mailto:") and "@" in each]

    @property
    def is_trial(self) -> bool:
        """Whether the policy is to be taken one step more mildly (`t=y`)."""
        return self.stands.get("t", "").lower() == "y"

    def policy(self, *, is_there: bool) -> Policy | None:
        """What it asks for the domain; None when the record is void (§4.10.1).

        `is_there` says whether the domain exists in the DNS.
        """
        wrong = [name for name in ("p", "sp", "np") if not _is_policy(self.stands.get(name))]
        if wrong or "p" not in self.stands:
            return Policy.NONE if self.reports_to else None
        names = ["p"]
        if self.source is not Source.DOMAIN:
            names = ["sp", "p"] if is_there else ["np", "sp", "p"]
        return Policy(next(self.stands[name].lower() for name in names if name in self.stands))


@frozen
class Walk:
    """What a walk from a domain came to."""

    organisation: str
    """Domains of the same one are aligned with each other, where that is not strict."""
    governing: Governing | None
    doubled: Sequence[str]
    """Domains with several records, none of which counts."""


async def walk(names: Names, domain: str) -> Walk:
    """Walk up from a domain. Raises `names.Unanswered`."""
    records: dict[str, str] = {}
    doubled = []
    for target in targets(domain):
        found = [text for text in await names.texts(f"_dmarc.{target}") if _IS_RECORD.match(text)]
        if len(found) > 1:
            doubled.append(target)
        elif found:
            records[target] = found[0]
            if _suffix(found[0]) in ("y", "n"):
                break
    organisation = _organisation(domain, records)
    return Walk(
        organisation=organisation,
        governing=_governing(domain, organisation, records),
        doubled=doubled,
    )


def targets(domain: str) -> list[str]:
    """The names to ask about, the longest first; of long ones, the middle is passed over."""
    labels = domain.split(".")
    return [domain] + [
        ".".join(labels[start:]) for start in range(max(1, len(labels) - MOST + 1), len(labels))
    ]


def _organisation(domain: str, records: dict[str, str]) -> str:
    """§4.10.2, over what was found from the longest name to the shortest."""
    for name, text in records.items():
        if _suffix(text) == "n":
            return name
        if _suffix(text) == "y" and name != domain:
            depth = name.count(".") + 2
            return ".".join(domain.split(".")[-depth:])
    return next(reversed(records), domain) if records else domain


def _governing(domain: str, organisation: str, records: Mapping[str, str]) -> Governing | None:
    """§4.10.1: the domain's own, else the organisation's, else the suffix's."""
    suffix = next((name for name, text in records.items() if _suffix(text) == "y"), "")
    places = (
        (domain, Source.DOMAIN),
        (organisation, Source.ORGANISATION),
        (suffix, Source.SUFFIX),
    )
    for name, source in places:
        if name in records:
            text = records[name]
            return Governing(domain=name, source=source, text=text, stands=tags.parse(text))
    return None


def _suffix(text: str) -> str:
    return tags.parse(text).get("psd", "u").lower()


def _is_policy(value: str | None) -> bool:
    return value is None or value.lower() in list(Policy)
