"""Writes `campaigns/zip_zones.py`: which clock ZIP codes live by, from the package that knows it.

Usage: python -m tools.zip_zones. Zones whose clocks agree today count as one. A ZIP code is told by
its first three digits, and where those cover several zones, the rarer ones are named code by code.
"""

import functools
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import zipcodes

TARGET = Path(__file__).parents[1] / "campaigns" / "zip_zones.py"
ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "America/Adak",
    "Pacific/Honolulu",
    "America/Puerto_Rico",
    "Pacific/Guam",
    "Pacific/Pago_Pago",
    "Pacific/Palau",
    "Pacific/Majuro",
)
_HEAD = '''"""Which clock ZIP codes live by: made by `tools/zip_zones.py`, and a test compares."""

from collections.abc import Mapping

'''
_LINE = 14
"""Codes in a line."""


def table() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Zone → first three digits; zone → whole codes that live by another clock than those say."""
    same = {_clock(zone): zone for zone in reversed(ZONES)}
    known = {
        each["zip_code"]: same[_clock(each["timezone"])]
        for each in zipcodes.list_all()
        if "/" in each["timezone"] and _clock(each["timezone"]) in same
    }
    counted: dict[str, Counter[str]] = {}
    for code, zone in sorted(known.items()):
        counted.setdefault(code[:3], Counter())[zone] += 1
    usual = {start: zones.most_common(1)[0][0] for start, zones in counted.items()}
    others = {code: zone for code, zone in sorted(known.items()) if usual[code[:3]] != zone}
    return _by_zone(usual), _by_zone(others)


def source() -> str:
    """The module's text."""
    starts, codes = table()
    return (
        _HEAD
        + _written("STARTS", starts, "How ZIP codes begin")
        + "\n"
        + _written("CODES", codes, "ZIP codes with another clock than most that begin like them")
    )


@functools.cache
def _clock(zone: str) -> tuple[object, ...]:
    """What its clocks show against UTC in every month of two years."""
    tzinfo = ZoneInfo(zone)
    return tuple(
        datetime(year, month, 15, tzinfo=tzinfo).utcoffset()
        for year in (2026, 2027)
        for month in range(1, 13)
    )


def _by_zone(found: Mapping[str, str]) -> dict[str, list[str]]:
    return {
        zone: mine
        for zone in ZONES
        if (mine := [each for each, other in found.items() if other == zone])
    }


def _written(name: str, found: Mapping[str, list[str]], words: str) -> str:
    lines = [f"{name}: Mapping[str, str] = {{"]
    for zone, codes in found.items():
        rows = [" ".join(codes[at : at + _LINE]) for at in range(0, len(codes), _LINE)]
        lines += [f'    "{zone}": """', *rows, '""",']
    return "\n".join([*lines, "}", f'"""{words}, by zone, with blanks between."""', ""])


if __name__ == "__main__":
    TARGET.write_text(source(), encoding="utf-8")
