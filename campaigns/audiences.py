"""Who gets a campaign: a rule over subscribers, counted while it is written, frozen when it starts.

The same SQL counts, shows and fills the ledger, so what staff see is what is sent.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audience_conditions, audience_problems, audience_rules, readings
from campaigns.audience_conditions import AskedGroups
from campaigns.readings import Readings
from foundation import i18n
from foundation.frozen import frozen
from foundation.ground import Ground
from subscribers import members, suppression, topics
from subscribers.models import Subscriber, Subscription, SubscriptionState, Topic

EXCLUSIONS = audience_rules.EXCLUSIONS
Audience = audience_rules.Audience

_NEWEST = col(Subscriber.id).desc()
MEMBERS_TOPIC = "coalition-members"
_LEFT_OUT, _SPEAKS = "-", "="
"""What a key of a count begins with: why somebody is left out, or a language as it was chosen."""


@frozen
class Counted:
    """How many would get it now, exactly."""

    included: int
    by_language: Mapping[str, int]
    """By the key of the edition that they get."""
    excluded: Mapping[str, int]
    """Reason → people; see `EXCLUSIONS`."""


@frozen
class Resolved:
    """An audience whose topics, and what its conditions name, were found."""

    topics: Sequence[Topic]
    languages: Sequence[str]
    """Of the bulletin's editions, the default first."""
    asked: AskedGroups

    @property
    def topic_ids(self) -> list[int]:
        """Row numbers of the topics."""
        return [topic.id for topic in self.topics]


def parse(values: Mapping[str, Any]) -> Audience:
    """An audience as stored or sent in. Raises `errors.Invalid` that names what is wrong."""
    return audience_problems.read(Audience, values)


def is_to_somebody(audience: Audience) -> bool:
    """Whether it says to whom it goes at all: by topics, or to contacts of members."""
    return bool(audience.topics) or _is_to_members(audience)


async def resolve(
    ground: Ground,
    session: AsyncSession,
    audience: Audience,
    *,
    languages: Sequence[str],
    of_all: bool = False,
) -> Resolved:
    """Look up all that is named. Raises `errors.Invalid` that names what is not there.

    `of_all`: how conditions are asked; see `audience_conditions.ask`.
    """
    groups = audience_rules.unfolded(audience)
    slugs = list(audience.topics)
    if not slugs and _is_to_members(audience):
        slugs = [MEMBERS_TOPIC]
    return Resolved(
        topics=await topics.by_slugs(session, slugs),
        languages=languages,
        asked=await audience_conditions.ask(ground, session, groups, of_all=of_all),
    )


def _is_to_members(audience: Audience) -> bool:
    has_to_hold = audience_rules.unfolded(audience).all_of
    return any(isinstance(each, audience_rules.IsContact) for each in has_to_hold)


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
        *[(audience_conditions.speaks(each), each) for each in languages],
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
            ground, session, audience, languages=ordered(ground, languages, default_language)
        )


async def count_in(
    ground: Ground, session: AsyncSession, audience: Audience, *, languages: Sequence[str]
) -> Counted:
    """The same within a session that is open already."""
    resolved = await resolve(ground, session, audience, languages=languages, of_all=True)
    if not resolved.topics:
        return Counted(included=0, by_language={}, excluded={})
    excluded: Counter[str] = Counter(await _left_out_by_state(session, resolved))
    by_language: Counter[str] = Counter()
    for told, people in await _counted_once(ground, session, resolved):
        if told.startswith(_LEFT_OUT):
            excluded[told.removeprefix(_LEFT_OUT)] += people
        elif told.startswith(_SPEAKS):
            by_language[_edition_for(told.removeprefix(_SPEAKS), languages)] += people
        else:
            by_language[told] += people
    return Counted(
        included=by_language.total(), by_language=dict(by_language), excluded=dict(excluded)
    )


async def _counted_once(
    ground: Ground, session: AsyncSession, resolved: Resolved
) -> Sequence[tuple[str, int]]:
    """Whoever can be mailed, looked at once: why left out, or else in what they read.

    Under each a number: `_LEFT_OUT` and the first reason that holds, `_SPEAKS` and a language, or
    the key of an edition of those who read several.
    """
    read = await read_by(session, resolved)
    reads = readings.expression(read, sa.literal(_SPEAKS) + col(Subscriber.language))
    reasons = [(~need, f"{_LEFT_OUT}{reason}") for need, reason in resolved.asked.needs]
    told = sa.case(*reasons, else_=reads) if reasons else reads
    people = sa.select(told.label("told"))
    if len(resolved.topics) == 1:
        # Nobody is on one topic twice, and this join goes along two keys in the same order.
        people = people.select_from(
            sa.join(Subscription, Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
        ).where(
            col(Subscription.topic_id) == resolved.topics[0].id,
            col(Subscription.state) == SubscriptionState.CONFIRMED.value,
        )
    else:
        confirmed = _subscribed(resolved, SubscriptionState.CONFIRMED)
        people = people.where(col(Subscriber.id).in_(confirmed))
    suppressed = col(Subscriber.id).in_(suppression.everybody())
    if ground.db.dialect != "sqlite":
        return await _in_groups(session, people.where(_is_not_suppressed()))
    people, languages = people.where(~suppressed), ground.catalog.languages
    keys = [key for _, key in reasons] + [f"{_SPEAKS}{each}" for each in languages]
    keys = list(dict.fromkeys([*keys, *read.editions.values()]))
    found, others = await _by_keys(session, people, told, keys)
    if others:
        rest = people.where(col(Subscriber.language).not_in(languages), told.not_in(keys))
        found += await _in_groups(session, rest)
    return found


async def _in_groups(session: AsyncSession, people: sa.Select[str]) -> list[tuple[str, int]]:
    # Else SQLite would sort everybody with all that was asked of them, and not the answers alone.
    told = people.cte("everybody").prefix_with("MATERIALIZED", dialect="sqlite")
    statement = sa.select(told.c.told, sa.func.count()).group_by(told.c.told)
    return [(key, count) for key, count in (await session.execute(statement)).all()]


async def _by_keys(
    session: AsyncSession, people: sa.Select[str], told: sa.ColumnElement[str], keys: list[str]
) -> tuple[list[tuple[str, int]], int]:
    """The same by keys that are known, in half the time: SQLite sorts nobody then.

    Beside them how many have another key, of a language that the site does not speak.
    """
    places = {key: place for place, key in enumerate(keys)}
    place = sa.case(places, value=told, else_=len(keys)).label("place")
    # A limit keeps SQLite from asking everything again for each number.
    everybody = people.with_only_columns(place, maintain_column_froms=True).limit(-1).subquery()
    counts = (sa.func.count().filter(everybody.c.place == n) for n in range(len(keys) + 1))
    *found, others = (await session.execute(sa.select(*counts))).one()
    return [each for each in zip(keys, found, strict=True) if each[1]], int(others)


def _edition_for(language: str, languages: Sequence[str]) -> str:
    """What `edition_language` says in SQL: exact → base → the first."""
    wish = language.lower()
    exact = [each for each in languages if wish == each.lower()]
    base = [each for each in languages if wish.startswith(f"{each.lower()}-")]
    return [*exact, *base, languages[0]][0]


async def is_anybody(ground: Ground, session: AsyncSession, audience: Audience) -> bool:
    """Whether somebody would get it: what takes no counting. Raises `errors.Invalid`."""
    resolved = await resolve(ground, session, audience, languages=[i18n.SOURCE])
    found = sa.select(col(Subscriber.id)).where(gets_it(resolved)).limit(1)
    return (await session.execute(found)).first() is not None


@frozen
class Group:
    """People of one edition who live in one place; what a condition can ask about them."""

    language: str
    """Of the edition that they get."""
    town: str
    postal_code: str
    is_member: bool
    people: int


async def by_place(
    ground: Ground,
    session: AsyncSession,
    audience: Audience,
    *,
    languages: Sequence[str],
    with_membership: bool,
) -> AsyncIterator[Group]:
    """An audience in groups, read as they come. Raises `errors.Invalid` for an unknown topic."""
    resolved = await resolve(ground, session, audience, languages=languages)
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


async def sample(
    ground: Ground, audience: Audience, *, limit: int = 5, share: float = 1.0
) -> list[Subscriber]:
    """A few who would get it: from a place in the list on, `share` of it from its beginning.

    From 0 to 1; 1 takes the newest. Where too few come after that place, it goes on at the first.
    """
    async with ground.db.reading() as session:
        resolved = await resolve(ground, session, audience, languages=[i18n.SOURCE])
        last = await session.scalar(sa.select(sa.func.max(col(Subscriber.id)))) or 0
        begin = int(last * share)
        older = select(Subscriber).where(gets_it(resolved), col(Subscriber.id) <= begin)
        newer = select(Subscriber).where(gets_it(resolved), col(Subscriber.id) > begin)
        found = list((await session.exec(older.order_by(_NEWEST).limit(limit))).all())
        if len(found) < limit and begin < last:
            more = newer.order_by(_NEWEST).limit(limit - len(found))
            found += (await session.exec(more)).all()
    return found


def ordered(ground: Ground, languages: Sequence[str], default: str) -> list[str]:
    """The editions' languages, the default first."""
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


def is_included(resolved: Resolved) -> sa.ColumnElement[bool]:
    """SQL: gets it. A list of who is on the topics is looked through once, not for each person."""
    return sa.and_(
        col(Subscriber.id).in_(_subscribed(resolved, SubscriptionState.CONFIRMED)),
        _is_not_suppressed(),
        *resolved.asked.fits,
    )


def gets_it(resolved: Resolved) -> sa.ColumnElement[bool]:
    """SQL: the same, asked of each person: for queries that end early, or look at few people."""
    # Conditions first: they leave fewer people than the rest, of whom SQLite asks the rest then.
    return sa.and_(
        *resolved.asked.fits,
        _on_topics(resolved, SubscriptionState.CONFIRMED),
        _is_not_suppressed(),
    )


def some(resolved: Resolved, *, limit: int) -> sa.Select[int]:
    """Who is on the topics, `limit` rows at most; whoever is on several may be there again."""
    return _subscribed(resolved, SubscriptionState.CONFIRMED).limit(limit)


def _is_not_suppressed() -> sa.ColumnElement[bool]:
    return ~suppression.is_active_for(col(Subscriber.id))


async def _left_out_by_state(session: AsyncSession, resolved: Resolved) -> dict[str, int]:
    """Who must not be mailed, or is not confirmed: few as a rule, so they are looked up."""
    others = [state for state in SubscriptionState if state is not SubscriptionState.CONFIRMED]
    is_confirmed = _on_topics(resolved, SubscriptionState.CONFIRMED)
    is_pending = _on_topics(resolved, SubscriptionState.PENDING)
    reason = sa.case(
        (~_is_not_suppressed(), "suppressed"), (is_pending, "pending"), else_="unsubscribed"
    )
    statement = (
        sa.select(reason, sa.func.count())
        .select_from(Subscriber)
        .where(
            col(Subscriber.id).in_(_subscribed(resolved, *others).union(suppression.everybody())),
            _on_topics(resolved),
            # `~(id IN …)` would make PostgreSQL look through the list once for each person.
            ~sa.and_(is_confirmed, _is_not_suppressed()),
        )
        .group_by(reason)
    )
    return dict((await session.execute(statement)).all())
