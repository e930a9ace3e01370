"""What somebody in the staff room may look for by a word or two: each floor looks among its own.

Words are folded: case and accents make no difference, and each has to begin a word of the name.
"""

import itertools
from collections.abc import Awaitable, Callable, Iterable, Sequence

from foundation import words
from foundation.frozen import frozen
from foundation.ground import Ground

MOST_WORDS = 8
LONGEST_WORD = 60


@frozen
class Place:
    """Something with a page in the staff room."""

    kind: str
    """What such things are called, as a text to be translated."""
    name: str
    path: str
    state: str = ""
    """How it stands, as a text to be translated."""


Finder = Callable[[Ground, "Asked"], Awaitable[Sequence[Place]]]
"""Looks among the things of one floor; the best first."""


@frozen
class Asked:
    """What is looked for."""

    text: str
    words: Sequence[str]
    """Folded; each begins a word of what is found."""
    language: str
    """Of whoever looks: where something has a name in several, this one is shown."""
    limit: int
    """So many of each kind at most."""

    def among(self, places: Iterable[tuple[str, Place]]) -> list[Place]:
        """The places whose names, given before each, have every word; in their order."""
        found = (place for names, place in places if self.fits(names))
        return list(itertools.islice(found, self.limit))

    def fits(self, names: str) -> bool:
        """Whether each of the words begins a word of `names`."""
        within = words.folded(names)
        return all(f" {word}" in within for word in self.words)


def ask(text: str, *, language: str, limit: int = 6) -> Asked:
    """What somebody typed, made ready to look for."""
    return Asked(text=text.strip(), words=typed(text), language=language, limit=limit)


def typed(text: str) -> list[str]:
    """The words of a text that count, folded, each once."""
    found = dict.fromkeys(each[:LONGEST_WORD] for each in words.folded(text).split())
    return list(found)[:MOST_WORDS]
