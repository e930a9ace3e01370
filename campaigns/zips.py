"""Where ZIP codes are, and which lie around one: what nearness in a bulletin is made of.

The table comes with a package, so nothing is asked of anybody outside. It is read when something
near is first written or compiled, by a program that ends at once (`zip_table.py`); engines that
send, and sites that don't use it, never hold it.
"""

import asyncio
import functools
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from foundation import errors
from foundation.frozen import frozen
from foundation.i18n import N_

MOST_MILES = 250
"""The widest that something can be near."""
USUAL_MILES = 25

_EARTH_MILES = 3958.76
"""The mean radius (IUGG)."""
_MILES_A_DEGREE = math.radians(_EARTH_MILES)
"""Between two parallels."""
_PROGRAM = Path(__file__).with_name("zip_table.py")
_READ_WITHIN_S = 30
_KEPT = 128
_NAMED_AT_MOST = 8


@frozen
class Spot:
    """A ZIP code with where it is."""

    code: str
    town: str
    state: str
    latitude: float
    longitude: float
    also_called: tuple[str, ...] = ()
    """Other names of the town that mail may carry, such as a part's of a city."""

    @property
    def label(self) -> str:
        """As staff read it: `Worcester, MA 01608`."""
        return f"{self.town}, {self.state} {self.code}"

    def miles_from(self, other: "Spot") -> float:
        """The distance over the ground (haversine)."""
        here, there = math.radians(self.latitude), math.radians(other.latitude)
        across = math.radians(self.longitude - other.longitude)
        chord = (
            math.sin((here - there) / 2) ** 2
            + math.cos(here) * math.cos(there) * math.sin(across / 2) ** 2
        )
        return 2 * _EARTH_MILES * math.asin(math.sqrt(chord))


async def around(code: str, miles: int) -> str:
    """All ZIP codes within so many miles of one, each whole, one behind the other.

    Raises `errors.Invalid` for a code that is not there.
    """
    return await asyncio.to_thread(_around, code, miles)


async def at(code: str) -> Spot:
    """Where a ZIP code is. Raises `errors.Invalid` for one that is not there."""
    return await asyncio.to_thread(_at, code)


async def named(typed: str) -> Spot:
    """The ZIP code that staff mean by a code, `Town, ST`, or a town that one state alone has.

    A town with many codes is told by the one in its middle. Raises `errors.Invalid`, which says
    what to write where several towns are meant.
    """
    return await asyncio.to_thread(_named, typed)


@functools.lru_cache(maxsize=_KEPT)
def _around(code: str, miles: int) -> str:
    middle = _at(code)
    reach = miles / _MILES_A_DEGREE
    return "".join(
        sorted(
            each.code
            for each in _spots()
            # Most of the country is ruled out by its latitude alone.
            if abs(each.latitude - middle.latitude) <= reach and each.miles_from(middle) <= miles
        )
    )


@functools.lru_cache(maxsize=_KEPT)
def _at(code: str) -> Spot:
    for each in _spots():
        if each.code == code:
            return each
    raise errors.Invalid(N_("There is no ZIP code %(code)s."), code=code[:20])


def _named(typed: str) -> Spot:
    words = " ".join(typed.split())
    if words[:5].isdecimal():
        return _at(words[:5])
    town, _, state = (part.strip().casefold() for part in words.partition(","))
    spots = [
        each
        for each in _spots()
        if town in (each.town.casefold(), *(name.casefold() for name in each.also_called))
        and state in ("", each.state.casefold())
    ]
    # “Springfield” is the town of that name before it is part of another.
    own = [each for each in spots if each.town.casefold() == town] or spots
    states = sorted({each.state for each in own})
    if not own:
        raise errors.Invalid(
            N_("There is no town “%(town)s”. Write it as “Worcester, MA”, or a ZIP code."),
            town=words[:80],
        )
    if len(states) > 1:
        raise errors.Invalid(
            N_("There are several towns of this name. Which one: %(towns)s?"),
            towns="; ".join(f"{own[0].town}, {each}" for each in states[:_NAMED_AT_MOST]),
        )
    middle = Spot(
        code="",
        town="",
        state="",
        latitude=sum(each.latitude for each in own) / len(own),
        longitude=sum(each.longitude for each in own) / len(own),
    )
    return min(own, key=middle.miles_from)


def _spots() -> Iterator[Spot]:
    for line in _table().splitlines():
        code, latitude, longitude, state, town, *also_called = line.split("\t")
        yield Spot(
            code=code,
            town=town,
            state=state,
            latitude=float(latitude),
            longitude=float(longitude),
            also_called=tuple(also_called),
        )


@functools.cache
def _table() -> str:
    done = subprocess.run(
        [sys.executable, "-I", str(_PROGRAM)],
        stdout=subprocess.PIPE,
        timeout=_READ_WITHIN_S,
        check=True,
    )
    return done.stdout.decode()
