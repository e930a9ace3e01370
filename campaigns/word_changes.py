"""What changed between two texts, word by word, to be shown with what went and what came.

A text is what a reader meets: rich text as its words, each link followed by its address.
"""

import difflib
import enum
import re
from collections.abc import Sequence

from foundation.frozen import frozen
from templates import prose

_TOKENS = re.compile(r"\S*:\S+|\w+|\s+|[^\w\s]+")
_WORDS = re.compile(r"\w+")
_LINK = re.compile(r"""<a\b[^>]*\bhref="([^"]*)"[^>]*>(.*?)</a>""", re.DOTALL)


class Kind(enum.Enum):
    """What became of some words."""

    KEPT = "kept"
    """They stand in both."""
    ADDED = "added"
    """They are new."""
    REMOVED = "removed"
    """They are gone."""


@frozen
class Piece:
    """Some words of either text, and what became of them."""

    kind: Kind
    words: str


def compare(before: str, now: str) -> list[Piece]:
    """The two texts as one, in order: what is kept, what was removed, what was added."""
    old, new = _TOKENS.findall(before), _TOKENS.findall(now)
    found: list[Piece] = []
    matcher = difflib.SequenceMatcher(
        a=[each.casefold() for each in old], b=[each.casefold() for each in new]
    )
    for tag, start, end, low, high in matcher.get_opcodes():
        if tag == "equal":
            found.extend(_piece(Kind.KEPT, new[low:high]))
            continue
        found.extend(_piece(Kind.REMOVED, old[start:end]))
        found.extend(_piece(Kind.ADDED, new[low:high]))
    return found


def says_the_same(before: str, now: str) -> bool:
    """Whether only capitals, signs and blanks differ; an address counts as it stands."""
    return _said(before) == _said(now)


def readable(name: str, value: str) -> str:
    """The value of a field as a reader meets it; rich text by its name."""
    return prose.plain(_LINK.sub(r"\2 (\1)", value)) if is_rich(name) else value


def is_rich(name: str) -> bool:
    """Whether a field of this name holds rich text."""
    return name.endswith("html")


def _piece(kind: Kind, tokens: Sequence[str]) -> list[Piece]:
    return [Piece(kind=kind, words="".join(tokens))] if tokens else []


def _said(text: str) -> list[str]:
    return [
        token if "://" in token or token.startswith(("mailto:", "site:")) else word
        for token in text.split()
        for word in _WORDS.findall(token.casefold())
    ]
