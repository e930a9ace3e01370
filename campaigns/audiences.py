"""Who gets a campaign: a rule over subscribers, counted while it is written, frozen when it starts.

The same SQL counts, shows and fills the ledger, so what staff see is what is sent.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import earlier, readings
from campaigns.readings import Readings
from foundation import errors, i18n
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import members, suppression, topics
from subscribers.member_models import ContactDuty
from subscribers.models import Subscriber, Subscription, SubscriptionState, Topic

EXCLUSIONS: Mapping[str, str] = {
    "pending": N_("asked to be signed up, but did not confirm"),
    "unsubscribed": N_("unsubscribed"),
    "suppressed": N_("must not be mailed: bounces, a complaint, or by hand"),
    "other-language": N_("want another language"),
    "not-a-member": N_("are no contact of a member"),
    "other-duty": N_("are contacts of a member who look after something else"),
    "did-not-get-it": N_("did not get the earlier campaign"),
    "got-it-already": N_("have it from an earlier campaign"),
}
"""Why somebody on the chosen topics is left out; each person counts under one reason."""

MEMBERS_TOPIC = "coalition-members"


class Audience(BaseModel):
    """A rule: people confirmed on one of the topics, perhaps only some languages or contacts."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)

    topics: list[str] = []
    """Slugs; none means nobody, unless `members`."""
    languages: list[str] = []
    """Codes; none means every language."""
    members: bool = False
    """Only confirmed contacts of approved members; without topics: all of them."""
    duties: list[ContactDuty] = []
    """Of those contacts, only who looks after one of these; none means all of them."""
    received: list[int] = []
    """Numbers of campaigns: only people who got one of them, or may have."""
    not_received: list[int] = []
    """Numbers of campaigns: only people who got none of them and will get none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """How many would get it now, exactly."""

    included: int
    by_language: Mapping[str, int]
    """By the key of the edition that they get."""
    excluded: Mapping[str, int]
    """Reason → people; see `EXCLUSIONS`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolved:
    """An audience whose topics were found."""

    audience: Audience
    topics: Sequence[Topic]
    languages: Sequence[str]
    """Of the bulletin's editions, the default first."""
    received: Sequence[int] = ()
    """Dispatches of `audience.received`."""
    not_received: Sequence[int] = ()

    @property
    def topic_ids(self) -> list[int]:
        """Row numbers of the topics."""
        return [topic.id for topic in self.topics]

    @property
    def is_narrow(self) -> bool:
        """Whether somebody may be left out for more than their own state."""
        asked = self.audience
        return bool(asked.languages or asked.members or asked.received or asked.not_received)


def parse(values: Mapping[str, Any]) -> Audience:
    """An audience as stored or sent in. Raises `errors.Invalid`."""
    try:
        return Audience.model_validate(values)
    except ValueError as problem:
        raise errors.Invalid(
            N_("An audience has topics, languages, members and duties; this one can't be read.")
        ) from problem


async def resolve(
    session: AsyncSession, audience: Audience, *, languages: Sequence[str]
) -> Resolved:
    """Look topics and campaigns up. Raises `errors.Invalid` that names what is not there."""
    slugs = list(audience.topics)
    if audience.members and not slugs:
        slugs = [MEMBERS_TOPIC]
    found = await topics.by_slugs(session, slugs)
    return Resolved(
        audience=audience,
        topics=found,
        languages=languages,
        received=await earlier.dispatches(session, audience.received),
        not_received=await earlier.dispatches(session, audience.not_received),
    )


async def read_by(session: AsyncSession, resolved: Resolved) -> Readings:
    """The editions that people of an audience get who read several languages."""
    return await readings.read(session, gets_it(resolved), languages=resolved.languages)


def select_recipients(resolved: Resolved, read: Readings = readings.NOBODY) -> sa.Select[int, str]:
    """Each recipient once, with the key of the edition that they get."""
    edition = readings.expression(read, edition_language(resolved.languages))
    return sa.select(col(Subscriber.id), edition).where(is_included(resolved))


def edition_language(languages: Sequence[str]) -> sa.ColumnElement[str]:
    """SQL: exact → base → the first of `languages` (DESIGN section 4, promise 6)."""
    wish = sa.func.lower(col(Subscriber.language))
    base = sa.case(
        *[(_speaks(each), each) for each in languages],
        else_=languages[0],
    )
    exact = [(wish == each.lower(), each) for each in languages]
    return sa.case(*exact, else_=base)


async def count(
    ground: Ground, audience: Audience, *, languages: Sequence[str], default_language: str = ""
) -> Counted:
    """Count an audience for a bulletin with these `languages`, in one consistent read.

    Raises `errors.Invalid` for an unknown topic.
    """
    async with ground.db.reading() as session:
        return await count_in(
            session, audience, languages=_ordered(ground, languages, default_language)
        )


async def count_in(
    session: AsyncSession, audience: Audience, *, languages: Sequence[str]
) -> Counted:
    """The same within a session that is open already."""
    resolved = await resolve(session, audience, languages=languages)
    edition = readings.expression(await read_by(session, resolved), edition_language(languages))
    grouped = sa.select(edition, sa.func.count()).where(is_included(resolved)).group_by(edition)
    rows = (await session.execute(grouped)).all()
    by_language: dict[str, int] = dict(rows)
    return Counted(
        included=sum(by_language.values()),
        by_language=by_language,
        excluded=await count_excluded(session, resolved),
    )


async def is_anybody(session: AsyncSession, audience: Audience) -> bool:
    """Whether somebody would get it: what takes no counting. Raises `errors.Invalid`."""
    resolved = await resolve(session, audience, languages=[i18n.SOURCE])
    found = sa.select(col(Subscriber.id)).where(gets_it(resolved)).limit(1)
    return (await session.execute(found)).first() is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """People of one edition who live in one place; what a condition can ask about them."""

    language: str
    """Of the edition that they get."""
    town: str
    postal_code: str
    is_member: bool
    people: int


async def by_place(
    session: AsyncSession,
    audience: Audience,
    *,
    languages: Sequence[str],
    with_membership: bool,
) -> AsyncIterator[Group]:
    """An audience in groups, read as they come. Raises `errors.Invalid` for an unknown topic."""
    resolved = await resolve(session, audience, languages=languages)
    contact = members.contact_exists_for(col(Subscriber.id)) if with_membership else sa.false()
    people = (
        sa.select(
            edition_language(languages).label("language"),
            col(Subscriber.town).label("town"),
            col(Subscriber.postal_code).label("postal_code"),
            contact.label("is_member"),
        )
        .where(is_included(resolved))
        .subquery("people")
    )
    statement = sa.select(*people.c, sa.func.count().label("people")).group_by(*people.c)
    async for row in await session.stream(statement):
        yield Group(
            language=row.language,
            town=row.town,
            postal_code=row.postal_code,
            is_member=bool(row.is_member),
            people=row.people,
        )


async def sample(ground: Ground, audience: Audience, *, limit: int = 5) -> list[Subscriber]:
    """A few who would get it."""
    async with ground.db.reading() as session:
        resolved = await resolve(session, audience, languages=[i18n.SOURCE])
        statement = (
            select(Subscriber)
            .where(is_included(resolved))
            .order_by(col(Subscriber.id).desc())
            .limit(limit)
        )
        return list((await session.exec(statement)).all())


def _ordered(ground: Ground, languages: Sequence[str], default: str) -> list[str]:
    first = default or ground.settings.site.language
    return sorted(languages, key=lambda code: code != first) or [first]


def _on_topics(resolved: Resolved, *states: SubscriptionState) -> sa.ColumnElement[bool]:
    """SQL: has a subscription on one of the topics, in one of `states` if any are given."""
    return sa.exists(
        _subscribed(resolved, *states)
        .where(col(Subscription.subscriber_id) == col(Subscriber.id))
        .correlate(Subscriber)
    )


def _subscribed(resolved: Resolved, *states: SubscriptionState) -> sa.Select[int]:
    """Who is on one of the topics; served by the index on topic, state and subscriber alone."""
    found = sa.select(col(Subscription.subscriber_id)).where(
        col(Subscription.topic_id).in_(resolved.topic_ids)
    )
    if states:
        found = found.where(col(Subscription.state).in_([state.value for state in states]))
    return found


def _in_languages(audience: Audience) -> sa.ColumnElement[bool]:
    if not audience.languages:
        return sa.true()
    return sa.or_(*map(_speaks, audience.languages))


def _speaks(language: str) -> sa.ColumnElement[bool]:
    """SQL: wants the language, or a region's form of it."""
    wish = sa.func.lower(col(Subscriber.language))
    return sa.or_(wish == language.lower(), wish.like(f"{language.lower()}-%"))


def _is_contact(audience: Audience, *, duties: Sequence[ContactDuty]) -> sa.ColumnElement[bool]:
    if not audience.members:
        return sa.true()
    return members.contact_exists_for(col(Subscriber.id), duties=duties)


def _got_it(resolved: Resolved) -> sa.ColumnElement[bool]:
    return earlier.have_it(resolved.received) if resolved.received else sa.true()


def _lacks_it(resolved: Resolved) -> sa.ColumnElement[bool]:
    return ~earlier.may_get_it(resolved.not_received) if resolved.not_received else sa.true()


def is_included(resolved: Resolved) -> sa.ColumnElement[bool]:
    """SQL: gets it. A list of who is on the topics is looked through once, not for each person."""
    return sa.and_(
        col(Subscriber.id).in_(_subscribed(resolved, SubscriptionState.CONFIRMED)),
        *_may_get_it(resolved),
    )


def gets_it(resolved: Resolved) -> sa.ColumnElement[bool]:
    """SQL: the same, asked of each person: for queries that end early, or look at few people."""
    return sa.and_(_on_topics(resolved, SubscriptionState.CONFIRMED), *_may_get_it(resolved))


def some(resolved: Resolved, *, limit: int) -> sa.Select[int]:
    """Who is on the topics, `limit` rows at most; whoever is on several may be there again."""
    return _subscribed(resolved, SubscriptionState.CONFIRMED).limit(limit)


def _may_get_it(resolved: Resolved) -> Sequence[sa.ColumnElement[bool]]:
    """SQL: what holds besides of whoever gets it."""
    return (
        ~suppression.is_active_for(col(Subscriber.id)),
        _in_languages(resolved.audience),
        _is_contact(resolved.audience, duties=resolved.audience.duties),
        _got_it(resolved),
        _lacks_it(resolved),
    )


async def count_excluded(session: AsyncSession, resolved: Resolved) -> dict[str, int]:
    """Everybody on the topics who is left out, each under the first reason that holds."""
    is_confirmed = _on_topics(resolved, SubscriptionState.CONFIRMED)
    reason = sa.case(
        (suppression.is_active_for(col(Subscriber.id)), "suppressed"),
        (
            ~is_confirmed,
            sa.case(
                (_on_topics(resolved, SubscriptionState.PENDING), "pending"), else_="unsubscribed"
            ),
        ),
        (~_in_languages(resolved.audience), "other-language"),
        (~_is_contact(resolved.audience, duties=()), "not-a-member"),
        (~_is_contact(resolved.audience, duties=resolved.audience.duties), "other-duty"),
        (~_got_it(resolved), "did-not-get-it"),
        else_="got-it-already",
    )
    # `~(id IN …)` would make PostgreSQL look through the list once for each person.
    is_left_out = ~sa.and_(is_confirmed, *_may_get_it(resolved))
    statement = (
        sa.select(reason, sa.func.count())
        .select_from(Subscriber)
        .where(_on_topics(resolved), is_left_out)
        .group_by(reason)
    )
    if not resolved.is_narrow:
        statement = statement.where(col(Subscriber.id).in_(_may_be_left_out(resolved)))
    return dict((await session.execute(statement)).all())


def _may_be_left_out(resolved: Resolved) -> sa.CompoundSelect[int | None]:
    """Few as a rule, when nobody is left out for anything but their own state."""
    others = [state for state in SubscriptionState if state is not SubscriptionState.CONFIRMED]
    return _subscribed(resolved, *others).union(suppression.everybody())
