"""Finds words that staff typed in a text: filters of feeds and rules of the inbox are made of them.

A word is found whole, without regard to case and accents; `deport*` finds every word that begins
so; several words together are found in their order.
"""

from collections.abc import Iterable, Sequence

from campaigns import likeness
from foundation import errors
from foundation.i18n import N_

MOST = 50
_LONGEST = 80


def finds(text: str, wanted: str) -> bool:
    """Whether a text holds a word, or several in a row."""
    return _Text(text).holds(wanted)


def first(text: str, wanted: Iterable[str]) -> str:
    """The first of some words that a text holds; blank if it holds none."""
    searched = _Text(text)
    return next((each for each in wanted if searched.holds(each)), "")


def lets_in(text: str, *, include: Sequence[str], exclude: Sequence[str]) -> bool:
    """Whether a text has one of the words to include, if there are any, and none to exclude."""
    return not first(text, exclude) and (not include or bool(first(text, include)))


def checked(wanted: Iterable[str], *, field: str) -> list[str]:
    """Words as they are kept. Raises `errors.Invalid` on `field`."""
    kept = list(dict.fromkeys(" ".join(each.split()) for each in wanted if each.strip()))
    problem = None
    if len(kept) > MOST or any(len(each) > _LONGEST for each in kept):
        problem = errors.Invalid(
            N_("At most %(most)s words, of at most %(longest)s characters each."),
            most=MOST,
            longest=_LONGEST,
        )
    elif any(not likeness.words(each) for each in kept):
        problem = errors.Invalid(N_("Each has to hold a letter or digit."))
    if problem is not None:
        raise errors.Invalid(problem.msgid, fields={field: problem}, **problem.values)
    return kept


class _Text:
    """A text that is searched for words."""

    def __init__(self, text: str) -> None:
        self._words = " " + " ".join(likeness.words(text)) + " "

    def holds(self, wanted: str) -> bool:
        found = " ".join(likeness.words(wanted))
        if not found:
            return False
        end = "" if wanted.rstrip().endswith("*") else " "
        return f" {found}{end}" in self._words
