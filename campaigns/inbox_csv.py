"""Reads stories out of a table: CSV as spreadsheets write it, with a headline a line.

Columns are found by their names, in English or Spanish, without regard to case. A line that can't
be used is left out with its reason; the others come in.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from campaigns import feed_reading, inbox_lists, incoming
from campaigns.inbox_models import Origin
from campaigns.incoming import Offer, TakenIn
from campaigns.models import DevelopmentKind
from foundation import errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

MOST_LINES = 1000
MOST_BYTES = 2_000_000
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "headline": ("headline", "title", "titular", "título", "titulo"),
    "summary": ("summary", "description", "text", "resumen", "descripción", "texto"),
    "source_url": ("url", "link", "address", "enlace", "dirección"),
    "source_name": ("source", "paper", "fuente", "medio"),
    "happened_on": ("day", "date", "published", "fecha", "día"),
    "kind": ("kind", "clase", "tipo"),
    "place": ("place", "town", "lugar", "ciudad"),
    "language": ("language", "lang", "idioma"),
}
"""What a story has → what its column may be called."""


@frozen
class Refused:
    """A line that was left out."""

    line: int
    """As spreadsheets count: the names stand in the first."""
    problem: errors.HandbillError


@frozen
class Imported:
    """What came of a table."""

    taken: TakenIn
    refused: Sequence[Refused]


async def import_table(ground: Ground, *, actor: Actor, issue_id: int, octets: bytes) -> Imported:
    """Put a table's stories into the inbox. Raises `errors.Invalid`, `errors.NotFound`."""
    offers: list[Offer] = []
    refused: list[Refused] = []
    for number, values in _lines(octets):
        try:
            offers.append(_offer(ground, actor, values))
        except errors.Invalid as problem:
            refused.append(Refused(line=number, problem=problem))
    taken = await incoming.take_in(
        ground, actor=actor, issue_id=issue_id, origin=Origin.CSV, offers=offers
    )
    return Imported(taken=taken, refused=refused)


def _lines(octets: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Number and values of each line, by what a story has."""
    if len(octets) > MOST_BYTES or b"\0" in octets:
        raise errors.Invalid(N_("This is no table in CSV, or a very large one."))
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = octets.decode("cp1252", "replace")  # as older spreadsheets write
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as problem:
        raise errors.Invalid(N_("This is no table in CSV, or a very large one.")) from problem
    names = [_named(each) for each in rows[0]] if rows else []
    if "headline" not in names:
        raise errors.Invalid(N_("The first line has to name the columns, one of them “headline”."))
    if len(rows) > MOST_LINES + 1:
        raise errors.Invalid(N_("At most %(most)s lines at once."), most=MOST_LINES)
    for number, row in enumerate(rows[1:], start=2):
        if any(each.strip() for each in row):
            pairs = zip(names, row, strict=False)
            yield number, {name: value.strip() for name, value in pairs if name}


def _named(title: str) -> str:
    wanted = title.strip().lower()
    return next((name for name, known in COLUMNS.items() if wanted in known), "")


def _offer(ground: Ground, actor: Actor, values: Mapping[str, str]) -> Offer:
    headline = feed_reading.line(values.get("headline", ""))
    url = feed_reading.web_link(values.get("source_url", ""))
    language = values.get("language", "").lower() or ground.settings.site.language
    if not headline:
        raise errors.Invalid(N_("It has no headline."))
    if values.get("source_url") and not url:
        raise errors.Invalid(N_("Its link is no address of the web."))
    if language not in ground.catalog.languages:
        raise errors.Invalid(N_("This site has no such language."))
    summary = feed_reading.plain(values.get("summary", ""))
    return Offer(
        identity="",
        headline=headline,
        summary=feed_reading.paragraphs(feed_reading.shortened(summary)),
        source_url=url,
        source_name=feed_reading.line(values.get("source_name", ""), 200),
        language=language,
        happened_on=_day(ground, values.get("happened_on", "")),
        kind=_kind(values.get("kind", "")),
        place=feed_reading.line(values.get("place", ""), 120),
        sender=actor.label,
    )


def _day(ground: Ground, written: str) -> date:
    if not written:
        return inbox_lists.today(ground)
    try:
        return date.fromisoformat(written[:10])
    except ValueError as problem:
        raise errors.Invalid(N_("Its day is not written as 2026-12-31.")) from problem


def _kind(written: str) -> DevelopmentKind | None:
    if not written:
        return None
    try:
        return DevelopmentKind(written.lower().replace(" ", "-"))
    except ValueError as problem:
        raise errors.Invalid(N_("There is no such kind.")) from problem
