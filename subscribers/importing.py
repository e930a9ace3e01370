"""Brings people along from a file: a verb for the command line that reads and keeps in batches.

Nobody is re-subscribed by an upload: whoever has any state on a topic keeps it, a suppressed
address stays suppressed, and whoever left the old service is suppressed here. Blank details are
filled in; what a person told us themselves is never overwritten.
"""

import asyncio
import contextlib
import csv
import enum
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import addresses, audit, cells, errors, i18n, tables
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_, Translator
from subscribers import catchwords, columns, consent, languages, signup, topics
from subscribers.columns import Entry, Refusal, Status
from subscribers.models import (
    Consent,
    ConsentStep,
    Subscriber,
    SubscriberTag,
    Subscription,
    SubscriptionState,
    Suppression,
    SuppressionReason,
    Topic,
)

BATCH = 500
"""Rows a transaction: large enough to be quick, small enough to let others write in between."""

_DETAILS = ("first_name", "last_name", "postal_code", "town")


class Asking(enum.Enum):
    """What is known about the consent of the people in a file."""

    VOUCHED = enum.auto()
    """Staff vouch that they agreed: they are confirmed at once."""
    ASK = enum.auto()
    """Each gets a confirmation mail and is pending until they press its button."""
    DETAILS_ONLY = enum.auto()
    """Nothing: only names, places and tags are kept; nobody is subscribed to anything."""


@frozen
class Options:
    """How a file is to be read."""

    topics: Sequence[str] = ()
    asking: Asking = Asking.DETAILS_ONLY
    language: str | None = None
    """Of people whose row says none; the site's by default."""
    mapping: Mapping[str, str] = field(default_factory=dict)
    """Column → field, for columns that are called something else."""
    is_dry_run: bool = False


@dataclass(kw_only=True, slots=True)
class Counts:
    """What became of the rows."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    suppressed: int = 0
    """Not to be mailed: already so here, or because they left the old service."""
    refused: int = 0

    def as_dict(self) -> dict[str, int]:
        """The counts by name, as the command prints them."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


Progress = Callable[[Counts, float], None]
"""Called after each batch with the counts so far and the share of the file read."""


async def import_file(
    ground: Ground,
    *,
    actor: Actor,
    path: Path,
    options: Options,
    refused_to: Path | None = None,
    progress: Progress | None = None,
) -> Counts:
    """Bring the people of a CSV or ZIP file along; returns what became of its rows.

    Refused rows go to `refused_to` with their reasons; the file is made only if there are any.
    Raises `errors.Invalid` when the file can't be read at all; batches kept before stay kept, and
    the same file can be brought again.
    """
    await _check(ground, options)
    reader = columns.Reader(path, mapping=options.mapping)
    rows = reader.rows()
    refusals = _RefusalFile(refused_to, ground.translator(ground.settings.site.language))
    counts = Counts()
    seen: set[str] = set()
    try:
        while batch := await asyncio.to_thread(_take, rows):
            refused = [row for row in batch if isinstance(row, Refusal)]
            entries = [row for row in batch if isinstance(row, Entry)]
            if options.is_dry_run:
                refused += await _try_out(ground, options, entries, counts, seen)
            else:
                async with ground.db.transaction() as session:
                    importer = _Batch(ground, session, options, path.name)
                    refused += await importer.keep(entries, counts)
            counts.refused += len(refused)
            await asyncio.to_thread(refusals.write, refused)
            if progress is not None:
                progress(counts, reader.share)
    finally:
        await asyncio.to_thread(refusals.close)
    if not options.is_dry_run:
        async with ground.db.transaction() as session:
            audit.record(
                session,
                actor=actor,
                at=ground.clock.now(),
                action="subscribers.imported",
                object_kind="file",
                object_id=path.name,
                after={**counts.as_dict(), "topics": list(options.topics)},
            )
    return counts


async def _check(ground: Ground, options: Options) -> None:
    if options.topics and options.asking is Asking.DETAILS_ONLY:
        raise errors.Invalid(
            N_("Say whether these people agreed (--confirmed) or are to be asked by mail (--ask).")
        )
    if not options.topics and options.asking is not Asking.DETAILS_ONLY:
        raise errors.Invalid(N_("Name at least one topic to subscribe these people to."))
    if options.language and options.language not in ground.catalog.languages:
        raise errors.Invalid(N_("Choose one of the site's languages."))
    async with ground.db.reading() as session:
        await topics.by_slugs(session, options.topics)


def _take(rows: Iterator[Entry | Refusal]) -> list[Entry | Refusal]:
    return list(itertools.islice(rows, BATCH))


async def _try_out(
    ground: Ground, options: Options, entries: list[Entry], counts: Counts, seen: set[str]
) -> list[Refusal]:
    """What keeping a batch would come to; nothing stays, no mail goes out."""
    fresh = [entry for entry in entries if entry.address.key not in seen]
    counts.unchanged += len(entries) - len(fresh)
    seen.update(entry.address.key for entry in fresh)
    async with ground.db.transaction() as session:
        refused = await _Batch(ground, session, options, "").keep(fresh, counts)
        await session.rollback()
    return refused


class _Batch:
    """Keeps one batch of rows inside one transaction."""

    def __init__(self, ground: Ground, session: AsyncSession, options: Options, file: str) -> None:
        self._ground = ground
        self._session = session
        self._options = options
        self._file = file
        self._now: datetime = ground.clock.now()
        self._topics: list[Topic] = []
        self._people: dict[str, Subscriber] = {}
        self._states: dict[int, set[int]] = {}
        self._tags: dict[int, set[str]] = {}
        self._suppressed: set[str] = set()
        self._changed: set[int] = set()
        self._rows: dict[type[SQLModel], list[dict[str, Any]]] = {}

    async def keep(self, entries: list[Entry], counts: Counts) -> list[Refusal]:
        """Keep what can be kept, count it, and return the rows that were refused."""
        await self._look_up({entry.address.key for entry in entries})
        refused = [_never(entry) for entry in entries if entry.status is Status.NEVER]
        left = {entry.address.key for entry in entries if entry.status is Status.LEFT}
        counts.suppressed += sum(entry.status is Status.LEFT for entry in entries)
        self._suppress(left - self._suppressed)
        wanted = [entry for entry in entries if entry.status is Status.SUBSCRIBED]
        blocked = self._suppressed | left
        counts.suppressed += sum(entry.address.key in blocked for entry in wanted)
        wanted = [entry for entry in wanted if entry.address.key not in blocked]
        added = await self._add(wanted)
        for entry in wanted:
            key = entry.address.key
            changed = await self._bring_up_to_date(self._people[key], entry)
            if key in added:
                added.discard(key)
                counts.added += 1
            elif changed:
                counts.updated += 1
            else:
                counts.unchanged += 1
        await self._write()
        await catchwords.keep(self._session, self._changed)
        return refused

    async def _look_up(self, keys: set[str]) -> None:
        """One query each for the people, their topics, their tags and what is suppressed."""
        session = self._session
        self._topics = await topics.by_slugs(session, self._options.topics)
        people = await session.exec(select(Subscriber).where(col(Subscriber.email_key).in_(keys)))
        self._people = {person.email_key: person for person in people}
        ids = [person.id for person in self._people.values()]
        for subscriber_id, topic_id in await session.exec(
            select(col(Subscription.subscriber_id), col(Subscription.topic_id)).where(
                col(Subscription.subscriber_id).in_(ids)
            )
        ):
            self._states.setdefault(subscriber_id, set()).add(topic_id)
        for subscriber_id, tag in await session.exec(
            select(col(SubscriberTag.subscriber_id), col(SubscriberTag.tag)).where(
                col(SubscriberTag.subscriber_id).in_(ids)
            )
        ):
            self._tags.setdefault(subscriber_id, set()).add(tag)
        by_hash = {self._hash(key): key for key in keys}
        found = await session.scalars(
            sa.select(col(Suppression.address_hash)).where(
                col(Suppression.address_hash).in_(by_hash), col(Suppression.lifted_at).is_(None)
            )
        )
        self._suppressed = {by_hash[address_hash] for address_hash in found}

    def _hash(self, key: str) -> str:
        return addresses.keyed_hash(key, secret=self._ground.tokens.derive("suppression"))

    def _suppress(self, keys: set[str]) -> None:
        """People who left the old service: only the keyed hash of their address is kept."""
        for key in sorted(keys):
            person = self._people.get(key)
            self._session.add(
                Suppression(
                    address_hash=self._hash(key),
                    subscriber_id=person.id if person else None,
                    reason=SuppressionReason.IMPORTED,
                    note=self._file,
                    created_at=self._now,
                )
            )
            if person is not None:
                consent.record(
                    self._session,
                    subscriber_id=person.id,
                    at=self._now,
                    step=ConsentStep.SUPPRESSED,
                    language=person.language,
                    via="import",
                    reason=self._file,
                )

    async def _add(self, entries: Sequence[Entry]) -> set[str]:
        """People who are new, once each; returns their keys."""
        new: dict[str, dict[str, Any]] = {}
        for entry in entries:
            key = entry.address.key
            if key not in self._people and key not in new:
                new[key] = {
                    "email": entry.address.email,
                    "email_key": key,
                    "language": self._language(entry),
                    "further_languages": self._further(entry, self._language(entry)),
                    "reads_both": entry.reads_both,
                    "fields": dict(entry.fields),
                    "allows_tracking": False,
                    "soft_bounces": 0,
                    "created_at": self._now,
                    "updated_at": self._now,
                    **{name: getattr(entry, name) for name in _DETAILS},
                }
        self._rows[Subscriber] = list(new.values())
        await self._write()
        made = await self._session.exec(
            select(Subscriber).where(col(Subscriber.email_key).in_(new))
        )
        self._people |= {person.email_key: person for person in made}
        self._changed |= {self._people[key].id for key in new}
        return set(new)

    async def _write(self) -> None:
        """Insert what was gathered, a table at a time: ten times as quick as row by row.

        Somebody who signs up at the same moment was first; what they did stays.
        """
        for table, rows in self._rows.items():
            if rows:
                statement = tables.insert_for(self._session, table).on_conflict_do_nothing()
                await self._session.exec(statement, params=rows)
        self._rows = {}

    def _later(self, table: type[SQLModel], **row: Any) -> None:
        self._rows.setdefault(table, []).append(row)

    def _language(self, entry: Entry) -> str:
        default = self._options.language or self._ground.catalog.default
        return i18n.match(entry.language, [default, *self._ground.catalog.languages])

    def _further(self, entry: Entry, main: str) -> str:
        return languages.further(self._ground, [entry.further_languages], main=main)

    async def _bring_up_to_date(self, person: Subscriber, entry: Entry) -> bool:
        """Fill in what is blank, add tags and topics; returns whether anything changed."""
        changes: dict[str, object] = {
            name: getattr(entry, name)
            for name in _DETAILS
            if getattr(entry, name) and not getattr(person, name)
        }
        several = self._further(entry, person.language)
        if several and not person.further_languages:
            changes |= {"further_languages": several, "reads_both": entry.reads_both}
        more = {name: value for name, value in entry.fields.items() if name not in person.fields}
        if more:
            changes["fields"] = {**person.fields, **more}
        for name, value in changes.items():
            setattr(person, name, value)
        if changes:
            person.updated_at = self._now
            self._changed.add(person.id)
        known_tags = self._tags.setdefault(person.id, set())
        new_tags = [tag for tag in entry.tags if tag not in known_tags]
        known_tags.update(new_tags)
        for tag in new_tags:
            self._later(SubscriberTag, subscriber_id=person.id, tag=tag)
        new_topics = await self._subscribe(person, entry)
        return bool(changes or new_tags or new_topics)

    async def _subscribe(self, person: Subscriber, entry: Entry) -> bool:
        known = self._states.setdefault(person.id, set())
        missing = [topic for topic in self._topics if topic.id not in known]
        if not missing:
            return False
        known.update(topic.id for topic in missing)
        if self._options.asking is Asking.ASK:
            await self._ask(person, missing, entry)
            return True
        for topic in missing:
            self._later(
                Subscription,
                subscriber_id=person.id,
                topic_id=topic.id,
                state=SubscriptionState.CONFIRMED.value,
                since=self._now,
            )
        self._later(
            Consent,
            subscriber_id=person.id,
            at=self._now,
            step=ConsentStep.IMPORTED.value,
            topics=[topic.slug for topic in missing],
            language=person.language,
            via="import",
            reason=" · ".join(filter(None, (self._file, entry.agreed_at))),
        )
        return True

    async def _ask(self, person: Subscriber, missing: Sequence[Topic], entry: Entry) -> None:
        await signup.ask(
            self._ground,
            self._session,
            person=person,
            wanted=missing,
            source=f"import: {entry.place.file}",
        )


def _never(entry: Entry) -> Refusal:
    return Refusal(
        place=entry.place,
        problem=errors.Invalid(N_("This person never agreed to get mail from the old service.")),
    )


class _RefusalFile:
    """The refused rows as they stood, each with its reason, to be mended and sent in again."""

    def __init__(self, path: Path | None, speaks: Translator) -> None:
        self._path = path
        self._speaks = speaks
        self._stack = contextlib.ExitStack()
        self._out: Any = None
        self._headers: Sequence[str] = ()

    def write(self, refused: Sequence[Refusal]) -> None:
        if self._path is None or not refused:
            return
        if self._out is None:
            file = self._stack.enter_context(self._path.open("w", encoding="utf-8-sig", newline=""))
            self._out = csv.writer(file)
        for refusal in sorted(refused, key=lambda each: (each.place.file, each.place.line)):
            place = refusal.place
            if list(place.headers) != list(self._headers):
                self._headers = place.headers
                self._out.writerow(map(cells.safe_cell, ["file", "line", "reason", *place.headers]))
            reason = refusal.problem.say(self._speaks)
            row = [place.file, str(place.line), reason, *place.cells]
            self._out.writerow([cells.safe_cell(cell) for cell in row])

    def close(self) -> None:
        self._stack.close()
