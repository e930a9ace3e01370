"""Who sees a section of a bulletin: conditions on a reader, compiled once for each plan.

The only things that can be asked are a reader's town, their postal code, and whether they speak for
a member of the coalition: people gave us these to hear of what is near to them. There is no way to
ask anything else. How far something is away was turned into ZIP codes before (`campaigns/zips.py`),
so it is looked up like any other code.
"""

import functools
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Protocol

from foundation.frozen import frozen

Answers = tuple[bool, ...]
"""For each of a plan's conditions, whether it holds for a reader."""

_KEPT_ANSWERS = 4096
"""Kinds of readers whose answers are kept; most live in a few hundred places."""
_IN_CODES = re.compile(r"[\s-]+")
_ZIP_CODE = re.compile(r"(\d{5})(?:\d{4})?", re.ASCII)
"""What is left of a ZIP code, or of one with its four digits more."""
ZIP_DIGITS = 5
_ALL_ZIPS = 10**ZIP_DIGITS


class Reader(Protocol):
    """What can be asked about somebody."""

    @property
    def town(self) -> str:
        """As they or staff wrote it; blank when nobody knows."""
        ...

    @property
    def postal_code(self) -> str:
        """As they wrote it; blank when nobody knows."""
        ...

    @property
    def is_member(self) -> bool:
        """Whether they are a confirmed contact of an approved member."""
        ...


@frozen
class Condition:
    """Holds for whoever fits one of the things named; for everybody else when it is reversed."""

    towns: tuple[str, ...] = ()
    """Names of towns; small and capital letters are the same."""
    postal_codes: tuple[str, ...] = ()
    """Postal codes, or how they begin: `016` is 01600 to 01699."""
    members: bool = False
    """Contacts of the coalition's members."""
    zip_codes: str = ""
    """Whole US ZIP codes, one behind the other: there can be thousands around a place."""
    is_reversed: bool = False
    also: "Condition | None" = None
    """Has to hold as well, reversed or not."""
    is_copy: bool = False
    """What it shows has a place for everybody else, too, and stands there where all is shown."""
    is_ordinary: bool = False
    """It shows what everybody sees, in its usual place: also where nobody in particular looks."""

    @property
    def asks_membership(self) -> bool:
        """Whether it depends on who speaks for a member."""
        return self.members or (self.also is not None and self.also.asks_membership)


def compiled(conditions: Sequence[Condition]) -> Callable[[Reader], Answers]:
    """The answers of a reader to all `conditions`, in their order."""
    if not conditions:
        return _asks_nothing
    tests = [_test(condition) for condition in conditions]

    @functools.lru_cache(maxsize=_KEPT_ANSWERS)
    def ask(town: str, postal_code: str, is_member: bool) -> Answers:
        town, postal_code = _town(town), _code(postal_code)
        return tuple([test(town, postal_code, is_member) for test in tests])

    def answers(reader: Reader) -> Answers:
        return ask(reader.town, reader.postal_code, reader.is_member)

    return answers


def _asks_nothing(_reader: Reader) -> Answers:
    return ()


def _test(condition: Condition) -> Callable[[str, str, bool], bool]:
    towns = frozenset(map(_town, condition.towns))
    beginnings = tuple(map(_code, condition.postal_codes))
    members, is_reversed = condition.members, condition.is_reversed
    is_around = _around(condition.zip_codes)
    also = _test(condition.also) if condition.also is not None else None

    def holds(town: str, postal_code: str, is_member: bool) -> bool:
        fits = (
            town in towns
            or postal_code.startswith(beginnings)
            or (members and is_member)
            or is_around(postal_code)
        )
        return fits is not is_reversed and (also is None or also(town, postal_code, is_member))

    return holds


def _around(zip_codes: str) -> Callable[[str], bool]:
    """Whether a code is one of many: a bit for each there can be takes 12 KB, however many."""
    if not zip_codes:
        return _is_nowhere
    bits = bytearray(_ALL_ZIPS // 8)
    for at in range(0, len(zip_codes), ZIP_DIGITS):
        number = int(zip_codes[at : at + ZIP_DIGITS])
        bits[number >> 3] |= 1 << (number & 7)

    def is_around(postal_code: str) -> bool:
        found = _ZIP_CODE.fullmatch(postal_code)
        if found is None:
            return False
        number = int(found[1])
        return bool(bits[number >> 3] & 1 << (number & 7))

    return is_around


def _is_nowhere(_postal_code: str) -> bool:
    return False


def _town(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _code(postal_code: str) -> str:
    return _IN_CODES.sub("", postal_code).upper()
