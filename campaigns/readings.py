"""Which edition somebody gets who reads several languages: one of them, or two under one another.

An edition's key is its language, such as `es`; two stacked ones have the key `es+en`, the reader's
first language before the second. The ledger, plans and reports know editions by their keys.
"""

import collections
import itertools
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import i18n
from foundation.frozen import frozen
from subscribers.models import Subscriber

STACK = "+"
MOST_STACKED = 12
"""So many stacked editions are made for one campaign at most: those with most readers. Readers of
others get the first of their languages alone."""


@frozen
class Wish:
    """What people who read several languages have in common."""

    language: str
    """In small letters."""
    further: str
    """Codes with blanks between, as a subscriber has them."""
    reads_both: bool


@frozen
class Readings:
    """The editions of people with further languages; nobody else is in here."""

    editions: Mapping[Wish, str]
    """What they wish → the key of the edition that they get."""

    @property
    def stacked(self) -> list[str]:
        """The keys of the stacked editions among them."""
        return [key for key in dict.fromkeys(self.editions.values()) if STACK in key]


NOBODY = Readings(editions={})


def languages_in(key: str) -> list[str]:
    """The languages of an edition, in the order in which they stand."""
    return key.split(STACK)


def is_stacked(key: str) -> bool:
    """Whether an edition's key stands for two."""
    return STACK in key


def pairs(languages: Sequence[str]) -> list[str]:
    """Every stacked edition that a bulletin with these languages could have."""
    return [STACK.join(pair) for pair in itertools.permutations(languages, 2)]


def edition_for(wish: Wish, languages: Sequence[str]) -> str:
    """The key of the edition that fits a wish; `languages` are the bulletin's, the default first.

    Each of the reader's languages is matched exact → base, in their order; who reads none of them
    gets the default.
    """
    codes = [wish.language, *wish.further.split()]
    found = [each for each in (_near(code, languages) for code in codes) if each]
    there = list(dict.fromkeys(found)) or [languages[0]]
    return STACK.join(there[:2]) if wish.reads_both else there[0]


def _near(code: str, languages: Sequence[str]) -> str:
    """The edition in a language or its base; blank where there is none."""
    nobody = "x-none"
    found = i18n.match(code, [nobody, *languages])
    return "" if found == nobody else found


async def read(
    session: AsyncSession, who: sa.ColumnElement[bool], *, languages: Sequence[str]
) -> Readings:
    """What the people who fulfil `who` read who know several languages.

    Served by the index on further languages, in which only they stand.
    """
    wish = (
        sa.func.lower(col(Subscriber.language)),
        col(Subscriber.further_languages),
        col(Subscriber.reads_both),
    )
    rows = await session.execute(
        sa.select(*wish, sa.func.count())
        .where(_knows_several(), who)
        .group_by(*wish)
        .order_by(*wish)
    )
    editions: dict[Wish, str] = {}
    readers: collections.Counter[str] = collections.Counter()
    for language, further, reads_both, people in rows.all():
        each = Wish(language=language, further=further, reads_both=reads_both)
        editions[each] = key = edition_for(each, languages)
        if is_stacked(key):
            readers[key] += people
    made = {key for key, _ in readers.most_common(MOST_STACKED)}
    return Readings(
        editions={
            each: key if key in made else languages_in(key)[0] for each, key in editions.items()
        }
    )


def expression(readings: Readings, otherwise: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """SQL: the key of each person's edition; `otherwise` is that of people with one language."""
    by_key: dict[str, list[Wish]] = {}
    for wish, key in readings.editions.items():
        by_key.setdefault(key, []).append(wish)
    if not by_key:
        return otherwise
    mine = sa.tuple_(
        sa.func.lower(col(Subscriber.language)),
        col(Subscriber.further_languages),
        col(Subscriber.reads_both),
    )
    several = [
        (mine.in_([(each.language, each.further, each.reads_both) for each in wishes]), key)
        for key, wishes in by_key.items()
    ]
    return sa.case((~_knows_several(), otherwise), *several, else_=otherwise)


def _knows_several() -> sa.ColumnElement[bool]:
    return col(Subscriber.further_languages) != ""
