"""Who sees a section of a bulletin: conditions on a reader, compiled once for each plan.

The only things that can be asked are a reader's town, their postal code, and whether they speak for
a member of the coalition: people gave us these to hear of what is near to them. There is no way to
ask anything else.
"""

import functools
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

Answers = tuple[bool, ...]
"""For each of a plan's conditions, whether it holds for a reader."""

_KEPT_ANSWERS = 4096
"""Kinds of readers whose answers are kept; most live in a few hundred places."""
_IN_CODES = re.compile(r"[\s-]+")


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """Holds for whoever fits one of the things named; for everybody else when it is reversed."""

    towns: tuple[str, ...] = ()
    """Names of towns; small and capital letters are the same."""
    postal_codes: tuple[str, ...] = ()
    """Postal codes, or how they begin: `016` is 01600 to 01699."""
    members: bool = False
    """Contacts of the coalition's members."""
    is_reversed: bool = False


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

    def holds(town: str, postal_code: str, is_member: bool) -> bool:
        fits = town in towns or postal_code.startswith(beginnings) or (members and is_member)
        return fits is not is_reversed

    return holds


def _town(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _code(postal_code: str) -> str:
    return _IN_CODES.sub("", postal_code).upper()
