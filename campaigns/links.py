"""Addresses and rich text as staff write them: `site:/path` is a page of this site.

Such links are kept as they were written and made absolute when a page or bulletin is made, so they
survive a move to another domain.
"""

import re

from foundation import errors
from foundation.ground import Ground
from foundation.i18n import N_
from templates import sanitise

SITE = "site:"
# Stands in for `site:` while HTML is sanitised; the domain can't exist (RFC 6761 §6.4).
_STAND_IN = "https://handbill-site.invalid"
_SITE_PATH = re.compile(r"site:/(?!/)[^\s\\]*")
_SITE_HREF = re.compile(r"""(href\s*=\s*["']?)\s*site:(?=/(?!/))""", re.IGNORECASE)


def is_link(url: str) -> bool:
    """Whether `url` can be a link: http(s), `mailto:`, `site:/…` or a field for an address."""
    return bool(_SITE_PATH.fullmatch(url.strip())) or sanitise.is_address(url)


def check(url: str, *, field: str) -> str:
    """The link, trimmed; blank stays blank. Raises `errors.Invalid` on `field`."""
    url = url.strip()
    if url and not is_link(url):
        problem = errors.Invalid(
            N_("A link starts with https://, http://, mailto: or, for a page of ours, site:/.")
        )
        raise errors.Invalid(problem.msgid, fields={field: problem})
    return url


def absolute(ground: Ground, url: str) -> str:
    """A link as a reader can follow it."""
    return ground.url(url.removeprefix(SITE)) if _SITE_PATH.fullmatch(url) else url


def clean(html: str) -> str:
    """Rich text sanitised, with `site:` links kept."""
    held = _SITE_HREF.sub(rf"\g<1>{_STAND_IN}", html)
    return sanitise.rich_text(held).replace(_STAND_IN, SITE).strip()


def absolute_html(ground: Ground, html: str) -> str:
    """Rich text sanitised once more, with links that a reader can follow."""
    base = ground.settings.site.url.rstrip("/")
    return sanitise.rich_text(_SITE_HREF.sub(rf"\g<1>{base}", html)).strip()
