"""Which HTML may come in from staff and from feeds: a short list, safe in every mail program.

Whoever stores rich text passes it through `rich_text`; the compiler does so once more.
"""

import re

from templates import mergefields, slots

TAGS = frozenset({"p", "br", "strong", "em", "a", "ul", "ol", "li", "blockquote", "h2", "h3", "h4"})
"""The tags that rich text is made of."""

# What editors and feeds write instead; `prose.parse` gives each its name from TAGS.
SYNONYMS = {"b": "strong", "i": "em", "h1": "h2", "h5": "h4", "h6": "h4", "div": "p"}

_WITH_CONTENT = {"script", "style", "iframe", "object", "svg", "math", "title", "noscript", "form"}
_ADDRESS = re.compile(
    r"https?://[^\s/?#\\<>\"'\x00-\x1f\x7f]+[^\s\\]*|mailto:[^\s,]+", re.IGNORECASE
)


def rich_text(html: str) -> str:
    """The safe part of `html`: only `TAGS` (and their synonyms), and links that lead somewhere."""
    import nh3  # a megabyte and a half, for whoever writes

    return nh3.clean(
        slots.scrubbed(html),
        tags=set(TAGS | SYNONYMS.keys()),
        clean_content_tags=_WITH_CONTENT,
        attributes={"a": {"href"}},
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto"},
        strip_comments=True,
        link_rel=None,
    )


def is_address(url: str) -> bool:
    """Whether `url` may be a link: absolute http(s), `mailto:`, or one field for an address."""
    if mergefields.is_url_field(url):
        return True
    return _ADDRESS.fullmatch(mergefields.without_fields(url.strip())) is not None


def _attribute(_tag: str, _attribute: str, value: str) -> str | None:
    return value.strip() if is_address(value) else None


def is_picture(url: str) -> bool:
    """Whether `url` can be the address of a picture: absolute http(s), without merge fields."""
    return re.fullmatch(r"https?://[^\s/?#\\{}]+[^\s\\{}]*", url, re.IGNORECASE) is not None
