"""Reads JSON that others wrote: every field may be missing or of any type, and is plain text after.

A NUL or half a surrogate pair, which JSON allows, would be refused by PostgreSQL and by UTF-8.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from foundation import errors
from foundation.i18n import N_

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
_LINE = 500
_EVIDENCE = 20_000
_MILLISECONDS = 100_000_000_000
"""A number of seconds as large as this would be past the year 5000."""


class Fields:
    """A JSON object, looked into by names."""

    __slots__ = ("_found",)

    def __init__(self, found: object) -> None:
        self._found = found

    def __getitem__(self, name: str) -> "Fields":
        """What stands under a name; of nothing there is nothing."""
        return Fields(self._found.get(name) if isinstance(self._found, dict) else None)

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self._found)

    def each(self) -> Iterator["Fields"]:
        """The entries of a list; a single object is a list of one."""
        if isinstance(self._found, dict):
            yield self
        elif isinstance(self._found, list):
            yield from map(Fields, self._found)

    @property
    def headers(self) -> dict[str, str]:
        """A list of objects with `name` and `value`, by their names in small letters."""
        return {each["name"].text.lower(): each["value"].text for each in self.each()}

    @property
    def count(self) -> int:
        """How many entries a list has."""
        return len(self._found) if isinstance(self._found, list) else 0

    @property
    def raw(self) -> str:
        """A text as it came, to be signed or compared; blank for what is none."""
        return self._found if isinstance(self._found, str) else ""

    @property
    def text(self) -> str:
        """One line that any database takes; blank for what is neither text nor number."""
        found = self._found
        if isinstance(found, bool) or not isinstance(found, str | int | float):
            return ""
        line = _CONTROLS.sub(" ", str(found)[: 4 * _LINE]).strip()[:_LINE]
        return line.encode("utf-8", "replace").decode("utf-8")

    @property
    def number(self) -> int | None:
        """A whole number, also where it is written as text."""
        text = self.text
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None

    @property
    def is_true(self) -> bool:
        """Whether it is JSON's `true`."""
        return self._found is True

    @property
    def moment(self) -> datetime | None:
        """A moment: ISO 8601, or seconds or milliseconds since 1970."""
        found = self._found
        try:
            if isinstance(found, str) and not re.fullmatch(r"\d+(\.\d+)?", found):
                moment = datetime.fromisoformat(found)
                return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            if isinstance(found, bool) or not isinstance(found, str | int | float):
                return None
            seconds = float(found)
            seconds = seconds / 1000 if seconds > _MILLISECONDS else seconds
            return datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError):
            return None

    @property
    def evidence(self) -> bytes:
        """The object itself, to be kept with what follows from it."""
        try:
            return json.dumps(self._found, separators=(",", ":")).encode()[:_EVIDENCE]
        except RecursionError:
            return b""


def parse(body: bytes) -> Fields:
    """What a body holds; an empty one holds nothing. Raises `errors.Invalid`."""
    if not body.strip():
        return Fields([])
    try:
        found: Any = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as problem:
        raise errors.Invalid(N_("The body is not valid JSON in UTF-8.")) from problem
    if not isinstance(found, dict | list):
        raise errors.Invalid(N_("The body has to be a JSON object or list."))
    return Fields(found)
