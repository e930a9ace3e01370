"""Keeps sign-ups: who it is, what is asked for, the consent step and the mail, many at a time.

Each statement here writes the rows of all sign-ups of a turn, so that one costs a fraction of what
it would alone; the caller's transaction commits them together. Called by `taking.py` for what was
sent in, by `tabling.py` for what was written down, and by `signup.ask` for people whom we have.
"""

import functools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import rows, tables
from foundation.addresses import Address
from foundation.ground import Ground
from foundation.notices import Notice
from foundation.tokens import Purpose, number_octets
from subscribers import catchwords, consent, intake, topics
from subscribers.intake import SignUpRequest
from subscribers.models import (
    Consent,
    ConsentStep,
    Doubt,
    SignUp,
    SignUpState,
    Subscriber,
    Subscription,
    SubscriptionState,
    Topic,
)
from subscribers.street_models import Gathering

_SOURCE = "listed"
_LISTED = rows.Rows(_SOURCE)
_NOW = sa.bindparam("now", type_=tables.UtcDateTime())


_key = operator.itemgetter(0)


class Written(NamedTuple):
    """Where a sign-up was written down, which its person did not send in."""

    typed_at: datetime
    """When, by the clock of where it was typed."""
    number: str | None = None
    """A random one that a tablet gave it; no two are kept."""
    gathering: Gathering | None = None
    wording_id: int | None = None
    """The words of the paper; None: those of the form."""


class Entry(NamedTuple):
    """A sign-up that was judged, of a person who has a row."""

    person_id: int
    email: str
    """Where the mail goes."""
    request: SignUpRequest
    language: str
    topics: Sequence[Topic]
    state: SignUpState
    doubt: Doubt = Doubt.NONE
    form_id: int | None = None
    partner_id: int | None = None
    written: Written | None = None

    @property
    def slugs(self) -> list[str]:
        """What is asked for, by name."""
        return [topic.slug for topic in self.topics]


async def people(
    ground: Ground, session: AsyncSession, found: Mapping[str, tuple[Address, str]]
) -> dict[str, tuple[int, str]]:
    """Who has each address: key → number, and the address that their mail goes to.

    `found` says for each key the address and language; whoever is new is made with no more.
    """
    # Sorted, so that two processes that meet at the same addresses wait in one order only.
    listed = rows.packed(
        (place, key, address.email, language, catchwords.first(address.email))
        for place, (key, (address, language)) in enumerate(sorted(found.items(), key=_key))
    )
    dialect, now = session.get_bind().dialect.name, ground.clock.now()
    await session.execute(_new_people(dialect), {_SOURCE: listed, "now": now})
    await catchwords.keep_first(session, listed, made_at=now)
    known = rows.unpacked(await session.scalar(_KNOWN_PEOPLE, {_SOURCE: listed}))
    return {key: (number, email) for number, email, key in known}


async def keep(ground: Ground, session: AsyncSession, entries: Sequence[Entry]) -> list[int]:
    """Keep sign-ups with all that belongs to them; returns their numbers, in order."""
    if not entries:
        return []
    dialect = session.get_bind().dialect.name
    now = ground.clock.now()
    slugs = [entry.slugs for entry in entries]
    numbers = await tables.draw_numbers(session, SignUp, len(entries))
    await _sign_ups(session, numbers, entries, slugs, {"now": now}, dialect)
    asked_for = [
        (entry.person_id, topic.id, number)
        for entry, number in zip(entries, numbers, strict=True)
        for topic in entry.topics
    ]
    await session.execute(
        _subscriptions(dialect),
        {_SOURCE: rows.packed((n, *row) for n, row in enumerate(asked_for)), "now": now},
    )
    wordings = {
        language: (await consent.asked(ground, session, consent.SIGNUP, language=language)).id
        for language in sorted({entry.language for entry in entries if not _words_of(entry)})
    }
    steps = (
        (
            *(number, entry.person_id, asked),
            *(_words_of(entry) or wordings[entry.language], entry.language),
            *(entry.form_id, entry.request.network or None, entry.request.via),
        )
        for entry, asked, number in zip(entries, slugs, numbers, strict=True)
    )
    await session.execute(_consents(dialect), {_SOURCE: rows.packed(steps), "now": now})
    mail = list(_links(ground, entries, slugs, numbers))
    if mail:
        await ground.notices.queue_all(session, mail)
    return numbers


def at_table(notice: Notice, gathering: Gathering) -> Notice:
    """The mail to confirm, saying where the address was written down."""
    return replace(
        notice, kind="confirm_at_table", context={**notice.context, "event": gathering.name}
    )


def _words_of(entry: Entry) -> int | None:
    """The number of the words that the person had before them, if those were not the form's."""
    return entry.written.wording_id if entry.written else None


def _links(
    ground: Ground,
    entries: Sequence[Entry],
    slugs: Sequence[Sequence[str]],
    numbers: Sequence[int],
) -> Iterator[Notice]:
    """To those whose turn it is; many ask for the same, whose names are looked up once."""
    default, url = ground.catalog.default, _urls(ground)
    names: dict[tuple[str, ...], str] = {}
    for entry, topic_slugs, number in zip(entries, slugs, numbers, strict=True):
        if entry.state is not SignUpState.SUBMITTED:
            continue
        asked = (entry.language, *topic_slugs)
        if asked not in names:
            names[asked] = topics.names(entry.topics, entry.language, default=default)
        notice = Notice(
            kind="confirm",
            to=entry.email,
            language=entry.language,
            context={"confirm_url": url(number, entry.person_id), "topics": names[asked]},
            subscriber_id=entry.person_id,
        )
        gathering = entry.written.gathering if entry.written else None
        yield at_table(notice, gathering) if gathering else notice


def link(
    ground: Ground,
    *,
    signup_id: int,
    person_id: int,
    email: str,
    language: str,
    wanted: Sequence[Topic],
) -> Notice:
    """The mail that asks to confirm a sign-up."""
    names = topics.names(wanted, language, default=ground.catalog.default)
    return Notice(
        kind="confirm",
        to=email,
        language=language,
        context={"confirm_url": _urls(ground)(signup_id, person_id), "topics": names},
        subscriber_id=person_id,
    )


def _urls(ground: Ground) -> Callable[[int, int], str]:
    """What makes the address behind which a sign-up of somebody is confirmed, issued now."""
    start, seal = ground.url("/confirm/"), ground.tokens.sealer(Purpose.CONFIRM)
    minute = number_octets(int(ground.clock.now().timestamp()) // 60)

    def url(signup_id: int, person_id: int) -> str:
        numbers = number_octets(signup_id) + number_octets(person_id) + minute
        return start + seal(numbers).decode("ascii")

    return url


async def _sign_ups(
    session: AsyncSession,
    numbers: Sequence[int],
    entries: Sequence[Entry],
    slugs: Sequence[Sequence[str]],
    values: Mapping[str, Any],
    dialect: str,
) -> None:
    listed = (
        (
            number,
            *(entry.person_id, entry.form_id, entry.partner_id, entry.state.value),
            *(entry.doubt.value, asked, entry.language),
            intake.clean_tags(entry.request.tags),
            *_written(entry.written),
            *intake.kept(entry.request),
        )
        for number, entry, asked in zip(numbers, entries, slugs, strict=True)
    )
    await session.execute(_insert_sign_ups(dialect), {_SOURCE: rows.packed(listed), **values})


def _written(written: Written | None) -> tuple[int | None, datetime | None, str | None]:
    """As columns: where, when and under which number."""
    if written is None:
        return None, None, None
    gathering = written.gathering
    return gathering.id if gathering else None, written.typed_at, written.number


@functools.cache
def _new_people(dialect: str) -> sa.Executable:
    listed = _LISTED
    blank = sa.literal("")
    return rows.insertion(
        dialect,
        Subscriber,
        listed,
        {
            "email_key": listed.text(1),
            "email": listed.text(2),
            "language": listed.text(3),
            **dict.fromkeys((*intake.ABOUT_PERSON, "town"), blank),
            "reads_both": sa.false(),
            "fields": sa.literal({}, tables.Json()),
            "allows_tracking": sa.false(),
            "soft_bounces": sa.literal(0),
            "created_at": _NOW,
            "updated_at": _NOW,
        },
    ).on_conflict_do_nothing(index_elements=["email_key"])


_KNOWN_PEOPLE = sa.select(
    rows.gathered(col(Subscriber.id), col(Subscriber.email), col(Subscriber.email_key))
).join(_LISTED.table, col(Subscriber.email_key) == _LISTED.text(1))


@functools.cache
def _insert_sign_ups(dialect: str) -> sa.Executable:
    listed = _LISTED
    said = (*intake.ABOUT_PERSON, *intake.ABOUT_ORIGIN)
    return rows.insertion(
        dialect,
        SignUp,
        listed,
        {
            "id": listed.number(0),
            "subscriber_id": listed.number(1),
            "form_id": listed.number(2),
            "partner_id": listed.number(3),
            "state": listed.text(4),
            "doubt": listed.text(5),
            "topics": listed.document(6),
            "language": listed.text(7),
            "tags": listed.document(8),
            "shares": sa.literal([], tables.Json()),
            "gathering_id": listed.number(9),
            "typed_at": listed.moment(10),
            "entry_number": listed.text(11),
            **{name: sa.func.coalesce(listed.text(12 + n), "") for n, name in enumerate(said)},
            "created_at": _NOW,
        },
    )


@functools.cache
def _subscriptions(dialect: str) -> sa.Executable:
    """A topic that the person has, or took back, stays as it is until they confirm."""
    listed = _LISTED
    return rows.insertion(
        dialect,
        Subscription,
        listed,
        {
            "subscriber_id": listed.number(1),
            "topic_id": listed.number(2),
            "signup_id": listed.number(3),
            "state": sa.literal(SubscriptionState.PENDING.value),
            "since": _NOW,
        },
    ).on_conflict_do_nothing(index_elements=["subscriber_id", "topic_id"])


@functools.cache
def _consents(dialect: str) -> sa.Executable:
    listed = _LISTED
    return rows.insertion(
        dialect,
        Consent,
        listed,
        {
            "signup_id": listed.number(0),
            "subscriber_id": listed.number(1),
            "topics": listed.document(2),
            "wording_id": listed.number(3),
            "language": listed.text(4),
            "form_id": listed.number(5),
            "network": listed.text(6),
            "via": listed.text(7),
            "step": sa.literal(ConsentStep.ASKED.value),
            "reason": sa.literal(""),
            "at": _NOW,
        },
    )
