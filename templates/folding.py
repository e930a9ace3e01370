"""Breaks the long lines of a mail's HTML where white space makes no difference.

MJML gives pages of a single line. Mail that is not re-encoded may have lines of at most 998 octets
(RFC 5322 §2.1.1), its values included; so lines are broken well before that: before an attribute of
a tag, and where no tag comes for long, at a blank of a text. What a reader sees stays the same.
"""

import re
from collections.abc import Iterable

WIDTH = 120
"""Characters after which a line is broken before an attribute."""
_TEXT_WIDTH = 400
"""Characters after which a line is broken within a text."""

# Style sheets and comments stay as they are; what a comment holds for Outlook is HTML as well.
_TOKEN = re.compile(
    r"<style\b.*?</style>|<!--\[if[^\]]*\]>(?:<!-->)?|(?:<!--)?<!\[endif\]-->|<!--.*?-->|"
    r"""(?P<tag><[a-zA-Z](?:[^"'<>]|"[^"]*"|'[^']*')*>)|(?P<text>[^<]+)|<""",
    re.DOTALL | re.IGNORECASE,
)
# Each match runs to the end of the attribute's value, so that none begins within one.
_ATTRIBUTE = re.compile(
    r"""\ (?P<name>[^\s"'<>/=]+)(?:=(?:"[^"]*"|'[^']*'|[^\s"'<>]+))?""", re.VERBOSE
)
# Not before what servers change, or take for something else, at the beginning of a line.
_BLANK = re.compile(r"(?<=\S)\ (?=[^\s.F-])", re.VERBOSE)


# A blank before it makes no difference either.
_TROUBLE = re.compile(r"\n(?=\.|From |--=_)")


def fold(html: str, *, keep: re.Pattern[str]) -> str:
    """The HTML with its lines broken; no line is made to begin with what matches `keep`."""
    folded: list[str] = []
    width = 0
    for token in _TOKEN.finditer(html):
        text = token[0] if token["tag"] else _TROUBLE.sub("\n ", token[0])
        if token["tag"]:
            text = _broken(text, (gap.start() for gap in _ATTRIBUTE.finditer(text)), width, WIDTH)
        elif token["text"]:
            blanks = (b.start() for b in _BLANK.finditer(text) if not keep.match(text, b.end()))
            text = _broken(text, blanks, width, _TEXT_WIDTH)
        folded.append(text)
        _, line_break, rest = text.rpartition("\n")
        width = len(rest) if line_break else width + len(rest)
    return "".join(folded)


def _broken(text: str, gaps: Iterable[int], width: int, most: int) -> str:
    """The text with line breaks for blanks, where `width` characters stand before it already."""
    pieces: list[str] = []
    start, at = -width, 0
    for gap in gaps:
        start = max(start, text.rfind("\n", 0, gap) + 1 or start)
        if gap - start >= most:
            pieces += (text[at:gap], "\n")
            at = start = gap + 1
    return "".join([*pieces, text[at:]])
