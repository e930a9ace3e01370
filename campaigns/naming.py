"""Names that the office gives to what it keeps, and what documents call it after them."""

import re
import unicodedata
from collections.abc import Collection

from foundation import errors
from foundation.i18n import N_

_LONGEST = 120
_LONGEST_KEY = 60


def named(typed: str) -> str:
    """A name as it is kept. Raises `errors.Invalid` for `name` when there is none."""
    name = " ".join(typed.split())[:_LONGEST]
    if not name:
        missing = errors.Invalid(N_("Fill this in."))
        raise errors.Invalid(missing.msgid, fields={"name": missing})
    return name


def key(name: str, *, taken: Collection[str], otherwise: str) -> str:
    """A name as it stands in documents; a number is put behind it where that is taken.

    `otherwise` serves where nothing of the name can stand there.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:_LONGEST_KEY].strip("-")
    wish = words or otherwise
    numbered = (f"{wish}-{number}" for number in range(2, len(taken) + 3))
    return next(each for each in (wish, *numbered) if each not in taken)
