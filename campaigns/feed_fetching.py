"""Asks for a feed politely: only for what is new, not for long, not for much, and not from inside.

`foundation/outward.py` sees to it that no address leads into a private network, at each redirect.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from urllib.parse import urlsplit

from campaigns import feed_reading
from foundation import errors, outward
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.outward import OutwardError, Trouble

_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, "
    "application/json;q=0.9, text/xml;q=0.9, */*;q=0.5"
)
_REDIRECTS = 5
_WORDS = {
    Trouble.ODD: N_("It leads to what is no address of the web."),
    Trouble.NO_HOST: N_("There is no host of this name."),
    Trouble.UNNAMED: N_("Names can't be looked up just now."),
    Trouble.UNTRUSTED: N_("Its certificate proves nothing."),
    Trouble.SILENT: N_("Nobody answers there, or not in time."),
    Trouble.LOOPING: N_("It leads on and on."),
    Trouble.PRIVATE: N_("It is in a private network, which the settings don't open."),
}


class AskedToWaitError(errors.Refused):
    """The server wants to be asked later (429, or 503 with a time)."""

    def __init__(self, status: int, wait: timedelta | None) -> None:
        super().__init__(N_("The server asks us to come back later (%(status)s)."), status=status)
        self.wait = wait


class GoneError(errors.Refused):
    """The feed is gone for good (410)."""

    def __init__(self) -> None:
        super().__init__(N_("The server says that this feed is gone for good (410)."))


@frozen
class Seen:
    """What the server gave along the last time, so that it can say that nothing is new."""

    etag: str = ""
    last_modified: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """RFC 9110 §13.1.2 and §13.1.3."""
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in named.items() if value}


@frozen
class Got:
    """A feed's octets, or None when there is nothing new."""

    octets: bytes | None
    media_type: str = ""
    seen: Seen = field(default_factory=Seen)


def checked(url: str) -> str:
    """An address that a feed can have. Raises `errors.Invalid`."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
    except ValueError:
        is_web = False
    if not is_web or len(url) > feed_reading.LINK or not url.isprintable() or " " in url:
        problem = errors.Invalid(N_("A feed's address starts with https:// or http://."))
        raise errors.Invalid(problem.msgid, fields={"url": problem})
    return url


async def get(ground: Ground, url: str, *, seen: Seen | None = None) -> Got:
    """The feed at an address.

    Raises `AskedToWaitError`, `GoneError`, and `errors.Refused` for everything else that is in the
    way.
    """
    desk = ground.settings.desk
    limits = outward.Limits(
        timeout_s=desk.feed_timeout_s, redirects=_REDIRECTS, wanted_bytes=desk.feed_max_bytes + 1
    )
    before = seen or Seen()
    headers = {"Accept": _ACCEPT, **before.headers}
    try:
        async with ground.outward.session() as session:
            answer = await session.ask("GET", url, limits, headers=headers)
    except OutwardError as problem:
        raise errors.Refused(_WORDS[problem.trouble]) from problem
    if answer.status == 304 and before.headers:
        return Got(octets=None, seen=before)
    _check_status(ground, answer)
    if len(answer.body) > desk.feed_max_bytes:
        raise errors.Refused(
            N_("It is larger than %(megabytes)s MB."),
            megabytes=f"{desk.feed_max_bytes / 1_000_000:.3g}",
        )
    return Got(
        octets=answer.body, media_type=answer.headers.get("Content-Type", ""), seen=_seen(answer)
    )


def _check_status(ground: Ground, answer: outward.Answer) -> None:
    asked = answer.headers.get("Retry-After", "")
    wait = feed_reading.wait_asked_for(asked, ground.clock.now()) if asked else None
    if answer.status == 429 or (answer.status == 503 and wait is not None):
        raise AskedToWaitError(answer.status, wait)
    if answer.status == 410:
        raise GoneError
    if answer.status != 200:
        raise errors.Refused(N_("The server answers with %(status)s."), status=answer.status)


def _seen(answer: outward.Answer) -> Seen:
    return Seen(
        etag=_header(answer.headers, "ETag"), last_modified=_header(answer.headers, "Last-Modified")
    )


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    return value if value.isprintable() and len(value) <= 500 else ""
