"""Keeps words apart that may run in another direction than what is around them.

In a text from right to left, “12 Summer Street, Boston” would be taken to pieces. What is put
between the marks of Unicode (UAX #9 §2.4.2) keeps its own order, in text as in a subject; in HTML,
elements stand there instead, as some mail programs show the marks as boxes.
"""

import re
import unicodedata

from markupsafe import Markup

_OPEN, _CLOSE = "\u2068", "\u2069"
"""FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE."""
_TAGS = re.compile(r"<title>.*?</title>|<[^>]*>", re.DOTALL)
_RIGHT_TO_LEFT = frozenset({"R", "AL"})


def apart(words: str, *, direction: str) -> str:
    """Words between marks where the text around them runs from right to left."""
    return f"{_OPEN}{words}{_CLOSE}" if words and direction == "rtl" else words


def in_html(html: str) -> str:
    """The same with elements for marks; in tags and the title, which can't hold any, without."""
    if _OPEN not in html:
        return html
    pieces = zip(_TAGS.split(html), [*_TAGS.findall(html), ""], strict=True)
    return "".join(
        words.replace(_OPEN, "<bdi>").replace(_CLOSE, "</bdi>")
        + tag.replace(_OPEN, "").replace(_CLOSE, "")
        for words, tag in pieces
    )


def on_page(words: object, *, direction: str) -> object:
    """For a page: in an element of its own what runs, or may run, otherwise than the page."""
    text = str(words)
    runs_back = any(unicodedata.bidirectional(each) in _RIGHT_TO_LEFT for each in text)
    return Markup("<bdi>{}</bdi>").format(words) if direction == "rtl" or runs_back else words
