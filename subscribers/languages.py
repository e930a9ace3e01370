"""Further languages that somebody reads: as they are kept, and as they are offered to be ticked."""

from collections.abc import Iterable

from foundation.ground import Ground

MOST = 3
FIELD = "further_languages"
"""Under which forms, JSON and files send them."""


def further(ground: Ground, said: Iterable[str], *, main: str) -> str:
    """Those of the site's languages that were said, each once and without the main one.

    As they are kept: codes with blanks between, the one said first before the others.
    """
    by_key = {code.lower(): code for code in ground.catalog.languages}
    codes = (
        by_key.get(word.lower(), "") for each in said for word in each.replace(",", " ").split()
    )
    return " ".join(list(dict.fromkeys(code for code in codes if code and code != main))[:MOST])


def without(kept: str, main: str) -> str:
    """What is kept, when the main language has become another."""
    return " ".join(code for code in kept.split() if code != main)


def choices(ground: Ground, *, besides: str = "") -> list[tuple[str, str, str]]:
    """The site's languages to be ticked: code, own name, no hint."""
    return [
        (code, ground.catalog.translator(code).name, "")
        for code in ground.catalog.languages
        if code != besides
    ]
