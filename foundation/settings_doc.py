"""Every setting with what it does, read from the file that lists them all.

`config.toml` is that file in the source tree; a wheel brings it along beside this module.
"""

import functools
import re
from collections.abc import Sequence
from pathlib import Path

from foundation.frozen import frozen

_HERE = Path(__file__).parent
_FILES = (_HERE / "config_default.toml", _HERE.parent / "config.toml")
_SECTION = re.compile(r"\[\[?([a-z_]+)\]\]?")
_KEY = re.compile(r"([a-z_0-9]+) = (.*)")


@frozen
class Setting:
    """One setting."""

    section: str
    key: str
    default: str
    """As the file writes it."""
    words: str
    """What it does, in English as in the file."""


@functools.cache
def settings() -> Sequence[Setting]:
    """All of them in order; of sections that may stand several times, the first."""
    path = next(each for each in _FILES if each.is_file())
    found: dict[tuple[str, str], Setting] = {}
    section, comment = "", ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if header := _SECTION.fullmatch(line.strip()):
            section = header[1]
        elif line.startswith("#"):
            comment = line.lstrip("# ").strip()
        elif pair := _KEY.fullmatch(line):
            setting = Setting(section=section, key=pair[1], default=pair[2], words=comment)
            found.setdefault((section, pair[1]), setting)
    return tuple(found.values())
