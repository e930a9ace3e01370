"""Reads files of people as other services write them: which column means what, who had left.

Understands the exports of Mailchimp (its ZIP of subscribed, unsubscribed and cleaned files too),
Action Network and listmonk, and any CSV with headers of the usual names. Called by `importing.py`,
in a thread; reads row by row, so that a file may be as large as it likes.
"""

import csv
import enum
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path, PurePosixPath
from typing import IO

from foundation import addresses, errors
from foundation.frozen import frozen
from foundation.i18n import N_

LIMIT = 200
"""The longest name, town or tag, in characters."""

_NAMES: Mapping[str, tuple[str, ...]] = {
    "email": ("email", "email_address", "e_mail", "e_mail_address", "mail", "correo"),
    "first_name": ("first_name", "fname", "firstname", "given_name", "nombre"),
    "last_name": ("last_name", "lname", "lastname", "surname", "family_name", "apellido"),
    "name": ("name", "full_name", "nombre_completo"),
    "postal_code": ("postal_code", "zip", "zip_code", "zipcode", "postcode", "codigo_postal"),
    "town": ("town", "city", "can2_user_city", "ciudad"),
    "language": ("language", "lang", "preferred_language", "idioma"),
    "further_languages": ("further_languages", "other_languages", "languages", "otros_idiomas"),
    "reads_both": ("reads_both",),
    "tags": ("tags", "tag", "can2_user_tags", "etiquetas"),
    "status": ("status", "can2_subscription_status", "subscription_status"),
    "attributes": ("attributes",),
    "agreed_at": ("confirm_time", "optin_time", "opted_in_at"),
    "left_at": ("unsub_time", "clean_time"),
}
_YES = frozenset({"yes", "true", "1", "y", "x", "sí", "si", "sim"})
_MEANING = {alias: name for name, aliases in _NAMES.items() for alias in aliases}
FIELDS = frozenset(_NAMES)
"""What `--map COLUMN=FIELD` may name, besides `fields.NAME`."""


class Status(enum.Enum):
    """How a person stood with the service that the file comes from."""

    SUBSCRIBED = enum.auto()
    """Got its mail."""
    LEFT = enum.auto()
    """Unsubscribed, complained or bounced there: must not be mailed from here either."""
    NEVER = enum.auto()
    """Was in its books without ever agreeing to mail."""


_STATUSES: Mapping[str, Status] = {
    **dict.fromkeys(("", "subscribed", "enabled", "active", "confirmed"), Status.SUBSCRIBED),
    **dict.fromkeys(
        (
            "unsubscribed",
            "cleaned",
            "bouncing",
            "bounced",
            "spam complaint",
            "previous bounce",
            "previous spam complaint",
            "complained",
            "blocklisted",
            "blacklisted",
            "disabled",
            "suppressed",
        ),
        Status.LEFT,
    ),
    **dict.fromkeys(
        ("nonsubscribed", "non-subscribed", "never subscribed", "transactional", "unconfirmed"),
        Status.NEVER,
    ),
    **dict.fromkeys(("pending", "archived"), Status.NEVER),
}


@frozen
class Place:
    """Where a row stands, and what it holds, for the file of refused rows."""

    file: str
    line: int
    headers: Sequence[str]
    cells: Sequence[str]


@frozen
class Entry:
    """A row that could be read."""

    place: Place
    address: addresses.Address
    status: Status
    first_name: str = ""
    last_name: str = ""
    postal_code: str = ""
    town: str = ""
    language: str = ""
    further_languages: str = ""
    reads_both: bool = False
    tags: Sequence[str] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    agreed_at: str = ""
    """When the person agreed, in the words of the file: evidence that is kept."""


@frozen
class Refusal:
    """A row that can't be taken, and why."""

    place: Place
    problem: errors.HandbillError


class Reader:
    """The rows of a CSV or ZIP file; `share` says how much of it was read, from 0 to 1.

    Raises `errors.Invalid` when the file is neither, has no column of addresses, or names columns
    to map that are not there.
    """

    def __init__(self, path: Path, *, mapping: Mapping[str, str]) -> None:
        self._path = path
        self._mapping = {_plain(column): target for column, target in mapping.items()}
        _check_targets(self._mapping)
        self._total = 0
        self._before = 0
        self._open: IO[bytes] | None = None

    @property
    def share(self) -> float:
        """How much was read."""
        here = self._open.tell() if self._open is not None else 0
        return min(1.0, (self._before + here) / self._total) if self._total else 0.0

    def rows(self) -> Iterator[Entry | Refusal]:
        """Every row, in the order of the file; those who left come first in a ZIP."""
        try:
            if zipfile.is_zipfile(self._path):
                yield from self._zipped()
            else:
                self._total = self._path.stat().st_size
                with self._path.open("rb") as file:
                    yield from self._table(file, self._path.name, Status.SUBSCRIBED)
        except (OSError, zipfile.BadZipFile) as problem:
            raise errors.Invalid(
                N_("%(file)s can't be read: %(problem)s"),
                file=self._path.name,
                problem=str(problem),
            ) from problem

    def _zipped(self) -> Iterator[Entry | Refusal]:
        with zipfile.ZipFile(self._path) as bundle:
            tables = [
                (entry, _kind(PurePosixPath(entry.filename).name))
                for entry in bundle.infolist()
                if entry.filename.lower().endswith(".csv")
                and not entry.filename.startswith("__MACOSX")
            ]
            if not tables:
                raise errors.Invalid(N_("%(file)s holds no CSV file."), file=self._path.name)
            self._total = sum(entry.file_size for entry, _ in tables)
            for entry, kind in sorted(tables, key=lambda table: table[1] is not Status.LEFT):
                with bundle.open(entry) as file:
                    yield from self._table(file, PurePosixPath(entry.filename).name, kind)

    def _table(self, file: IO[bytes], name: str, kind: Status) -> Iterator[Entry | Refusal]:
        self._open = file
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        try:
            first = text.readline()
            rows = csv.reader(text, delimiter=_delimiter(first))
            headers = next(csv.reader([first], delimiter=_delimiter(first)), [])
            meanings = self._meanings(headers, name)
            if "left_at" in meanings:
                kind = Status.LEFT
            for cells in rows:
                if not any(cell.strip() for cell in cells):
                    continue
                place = Place(file=name, line=rows.line_num + 1, headers=headers, cells=cells)
                yield _entry(place, meanings, kind)
        except UnicodeDecodeError as problem:
            raise errors.Invalid(
                N_("%(file)s is not in UTF-8. Save it as “CSV UTF-8” and try again."), file=name
            ) from problem
        except csv.Error as problem:
            raise errors.Invalid(
                N_("%(file)s can't be read: %(problem)s"), file=name, problem=str(problem)
            ) from problem
        finally:
            # The wrapper gives the file back instead of closing it.
            self._before += file.tell()
            self._open = None
            text.detach()

    def _meanings(self, headers: Sequence[str], name: str) -> list[str]:
        """What each column means; blank for those that are passed over."""
        plain = [_plain(header) for header in headers]
        missing = [column for column in self._mapping if column not in plain]
        if missing:
            raise errors.Invalid(
                N_("%(file)s has no column “%(column)s”. It has: %(columns)s."),
                file=name,
                column=missing[0],
                columns=", ".join(headers),
            )
        meanings = [self._mapping.get(column, _MEANING.get(column, "")) for column in plain]
        if "email" not in meanings:
            raise errors.Invalid(
                N_("%(file)s has no column of addresses. Name it with --map COLUMN=email."),
                file=name,
            )
        return meanings


def _check_targets(mapping: Mapping[str, str]) -> None:
    for target in mapping.values():
        if target not in FIELDS and not re.fullmatch(r"fields\.[A-Za-z]\w{0,49}", target):
            raise errors.Invalid(
                N_("There is no field “%(field)s”. There are: %(known)s, fields.NAME."),
                field=target,
                known=", ".join(sorted(FIELDS)),
            )


def _kind(name: str) -> Status:
    lowered = name.lower()
    if lowered.startswith(("unsubscribed", "cleaned")):
        return Status.LEFT
    if lowered.startswith(("nonsubscribed", "non-subscribed", "pending", "archived")):
        return Status.NEVER
    return Status.SUBSCRIBED


def _delimiter(first_line: str) -> str:
    return max(",;\t", key=first_line.count)


def _plain(header: str) -> str:
    """`Código Postal` → `codigo_postal`."""
    bare = unicodedata.normalize("NFKD", header.strip().lower())
    return re.sub(r"[^a-z0-9.]+", "_", "".join(c for c in bare if not unicodedata.combining(c)))


def _entry(place: Place, meanings: Sequence[str], kind: Status) -> Entry | Refusal:
    found: dict[str, str] = {}
    own: dict[str, str] = {}
    for meaning, cell in zip(meanings, place.cells, strict=False):
        value = _clean(cell)
        if meaning.startswith("fields.") and value:
            own[meaning.removeprefix("fields.")] = value
        elif meaning and value:
            found.setdefault(meaning, value)
    try:
        address = addresses.parse(found.get("email", ""))
        status = _status(found.get("status", ""), kind)
        first_name, last_name = _both_names(found)
        entry = Entry(
            place=place,
            address=address,
            status=status,
            first_name=first_name,
            last_name=last_name,
            postal_code=found.get("postal_code", ""),
            town=found.get("town", ""),
            language=found.get("language", ""),
            further_languages=found.get("further_languages", ""),
            reads_both=found.get("reads_both", "").lower() in _YES,
            tags=_tags(found.get("tags", "")),
            fields={**_attributes(found.get("attributes", "")), **own},
            agreed_at=found.get("agreed_at", ""),
        )
        _check_lengths(entry)
    except errors.HandbillError as problem:
        return Refusal(place=place, problem=problem)
    return entry


def _status(word: str, kind: Status) -> Status:
    if kind is not Status.SUBSCRIBED:
        return kind
    status = _STATUSES.get(word.lower())
    if status is None:
        raise errors.Invalid(N_("The status “%(status)s” is not known."), status=word[:40])
    return status


def _both_names(found: Mapping[str, str]) -> tuple[str, str]:
    if "first_name" in found or "last_name" in found:
        return found.get("first_name", ""), found.get("last_name", "")
    first, _, last = found.get("name", "").partition(" ")
    return first, last


def _tags(text: str) -> list[str]:
    """Mailchimp puts each tag in quotes of its own, others only commas between them."""
    if not text:
        return []
    cells = next(csv.reader([text], skipinitialspace=True), [])
    return sorted({cell.strip() for cell in cells if cell.strip()})


def _attributes(text: str) -> dict[str, str]:
    """The JSON object of listmonk; what is not text or a number is passed over."""
    if not text:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise errors.Invalid(N_("The attributes are not valid JSON.")) from problem
    if not isinstance(found, dict):
        raise errors.Invalid(N_("The attributes are not valid JSON."))
    return {
        str(name): _clean(str(value))
        for name, value in found.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool)
    }


def _check_lengths(entry: Entry) -> None:
    texts: Iterable[str] = (
        entry.first_name,
        entry.last_name,
        entry.postal_code,
        entry.town,
        *entry.tags,
        *entry.fields,
        *entry.fields.values(),
    )
    if any(len(text) > LIMIT for text in texts):
        raise errors.Invalid(N_("This is too long: at most %(limit)s characters."), limit=LIMIT)


def _clean(cell: str) -> str:
    """One line without control characters: nothing that could break a mail's header."""
    return " ".join("".join(c if c.isprintable() else " " for c in cell).split())
