"""Records that are lists of `tag=value` (RFC 6376 §3.2): DKIM's, DMARC's and others'."""

from collections.abc import Mapping

Tags = Mapping[str, str]
"""Values by tag in lower case."""


def parse(text: str) -> Tags:
    """A record, in its order; of a tag that stands there twice, the first."""
    found: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if equals and name.strip():
            found.setdefault(name.strip().lower(), value.strip())
    return found
