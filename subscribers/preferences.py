"""What a person sees and decides behind the preferences link: topics, language, name, tracking.

The link is sealed and goes only to the person's own mailbox. Whoever still gets something may add
topics here at once; whoever left everything is asked by mail first, as on any form.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import errors, tables
from foundation.audit import Actor, ActorKind
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.tokens import Purpose
from subscribers import (
    catchwords,
    consent,
    erasing,
    intake,
    languages,
    people,
    sharing,
    signup,
    suppression,
    topics,
    unsubscribe,
)
from subscribers.holdings import Elsewhere
from subscribers.models import (
    Consent,
    ConsentStep,
    Form,
    Partner,
    SignUp,
    Subscriber,
    Subscription,
    SubscriptionState,
    SuppressionReason,
    Topic,
    Wording,
)

THE_PERSON = Actor(kind=ActorKind.SYSTEM, label="the person themselves")


@frozen
class Choice:
    """A topic to tick."""

    slug: str
    name: str
    description: str
    state: SubscriptionState | None


@frozen
class Step:
    """Something that happened to the person's consent, in plain words."""

    at: datetime
    text: str
    topics: str
    """Or the organisation that it was about."""
    source: str
    """The form, partner or page that it came from; blank when not known."""
    wording: str
    """The words that were shown."""


@frozen
class View:
    """The whole page."""

    subscriber: Subscriber
    choices: Sequence[Choice]
    steps: Sequence[Step]
    suppressions: frozenset[SuppressionReason]
    tracking_words: str
    topics_words: str
    unsubscribe_url: str
    holders: Sequence[sharing.Holder]
    """Organisations that have the address besides us."""

    @property
    def ticked(self) -> list[str]:
        """Slugs of what the person gets."""
        return [each.slug for each in self.choices if each.state is SubscriptionState.CONFIRMED]

    @property
    def is_subscribed(self) -> bool:
        """Whether the person gets anything at present."""
        return any(each.state is SubscriptionState.CONFIRMED for each in self.choices)


@frozen
class Wishes:
    """What the person decided."""

    topics: Sequence[str]
    language: str
    first_name: str = ""
    last_name: str = ""
    postal_code: str = ""
    further_languages: str = ""
    """Codes with blanks between."""
    reads_both: bool = False
    """Bulletins in two of the languages, one under the other."""
    allows_tracking: bool = False


@frozen
class Saved:
    """What saving came to."""

    language: str
    asked: Sequence[str] = ()
    """Topics by name that the person has to confirm by mail first."""


async def show(ground: Ground, *, token: str) -> View:
    """The page; changes nothing. Raises `errors.BadToken`, `errors.NotFound` for who was erased."""
    async with ground.db.reading() as session:
        person = await person_of(ground, session, token)
        language = person.language
        return View(
            subscriber=person,
            choices=await _choices(ground, session, person),
            steps=await _steps(ground, session, person),
            suppressions=await suppression.reasons(ground, session, email_key=person.email_key),
            tracking_words=consent.words(ground, consent.TRACKING, language=language),
            topics_words=consent.words(ground, consent.PREFERENCES, language=language),
            unsubscribe_url=ground.link("/unsubscribe", Purpose.UNSUBSCRIBE, person.id, 0, 0),
            holders=await sharing.holders(session, subscriber_id=person.id),
        )


async def save(ground: Ground, *, token: str, wishes: Wishes, network: str) -> Saved:
    """Keep what the person decided, with a consent step for each change of consent.

    Raises `errors.BadToken`, `errors.NotFound`, and `errors.Invalid` with the wrong fields.
    """
    _check(ground, wishes)
    async with ground.db.transaction() as session:
        person = await person_of(ground, session, token)
        person.first_name = intake.tidy(wishes.first_name)
        person.last_name = intake.tidy(wishes.last_name)
        person.postal_code = intake.tidy(wishes.postal_code)
        person.language = wishes.language
        person.further_languages = languages.further(
            ground, [wishes.further_languages], main=wishes.language
        )
        person.reads_both = wishes.reads_both
        person.updated_at = ground.clock.now()
        session.add(person)
        await catchwords.keep(session, [person.id])
        asked = await _save_topics(ground, session, person, wishes.topics, network=network)
        await _save_tracking(
            ground, session, person, is_allowed=wishes.allows_tracking, network=network
        )
        default = ground.catalog.default
        return Saved(
            language=person.language,
            asked=[topics.name(topic, person.language, default=default) for topic in asked],
        )


async def take_back(ground: Ground, *, token: str, partner_id: int, network: str) -> bool:
    """Take the address back from an organisation; returns whether it had it.

    Raises `errors.BadToken`, `errors.NotFound` for who was erased.
    """
    async with ground.db.transaction() as session:
        return await sharing.withdraw(
            ground,
            session,
            person=await person_of(ground, session, token),
            partner_id=partner_id,
            via="preferences",
            network=network,
        )


async def erase(ground: Ground, *, token: str, elsewhere: Sequence[Elsewhere] = ()) -> None:
    """Forget the person for good, see `erasing`. Erasing twice is as good as once.

    Raises `errors.BadToken`.
    """
    try:
        async with ground.db.reading() as session:
            person = await person_of(ground, session, token)
        await erasing.erase(
            ground,
            subscriber_id=person.id,
            via="preferences",
            actor=THE_PERSON,
            elsewhere=elsewhere,
        )
    except errors.NotFound:
        return


async def language_of(ground: Ground, *, token: str) -> str | None:
    """The language of whose link it is; None when they were erased. Raises `errors.BadToken`."""
    try:
        async with ground.db.reading() as session:
            return (await person_of(ground, session, token)).language
    except errors.NotFound:
        return None


def _check(ground: Ground, wishes: Wishes) -> None:
    problems = intake.problems_of_person(
        {name: getattr(wishes, name) for name in intake.ABOUT_PERSON}
    )
    if wishes.language not in ground.catalog.languages:
        problems["lang"] = errors.Invalid(N_("Choose one of the site's languages."))
    if problems:
        raise errors.Invalid(
            N_("Something needs to be mended before this can be kept."), fields=problems
        )


async def person_of(ground: Ground, session: AsyncSession, token: str) -> Subscriber:
    """Whose link it is. Raises `errors.BadToken`, and `errors.NotFound` for who was erased."""
    (subscriber_id,) = ground.tokens.open(Purpose.PREFERENCES, token)
    person = await people.current(session, subscriber_id)
    if person is None:
        raise errors.NotFound(
            N_("We hold nothing about you any more, so there is nothing to change here.")
        )
    return person


async def _states(session: AsyncSession, person: Subscriber) -> dict[int, SubscriptionState]:
    rows = await session.execute(
        sa.select(col(Subscription.topic_id), col(Subscription.state)).where(
            col(Subscription.subscriber_id) == person.id
        )
    )
    return {topic_id: SubscriptionState(state) for topic_id, state in rows}


async def _choices(ground: Ground, session: AsyncSession, person: Subscriber) -> list[Choice]:
    """Every public topic, and hidden ones that the person has something to do with."""
    states = await _states(session, person)
    default = ground.catalog.default
    return [
        Choice(
            slug=topic.slug,
            name=topics.name(topic, person.language, default=default),
            description=topics.description(topic, person.language, default=default),
            state=states.get(topic.id),
        )
        for topic in await topics.everything(session)
        if topic.is_public or topic.id in states
    ]


async def _save_topics(
    ground: Ground,
    session: AsyncSession,
    person: Subscriber,
    slugs: Sequence[str],
    *,
    network: str,
) -> list[Topic]:
    """End what is no longer ticked, begin what is; returns what has to be confirmed by mail."""
    states = await _states(session, person)
    wanted = await topics.by_slugs(session, slugs)
    hidden = [topic.slug for topic in wanted if not topic.is_public and topic.id not in states]
    if hidden:
        raise topics.unknown(hidden)
    has = {topic_id for topic_id, state in states.items() if state is SubscriptionState.CONFIRMED}
    ends = has - {topic.id for topic in wanted}
    begins = [topic for topic in wanted if topic.id not in has]
    if has and ends == has and not begins:
        await unsubscribe.end(ground, session, person=person, topic=None, via="preferences")
        return []
    if begins and not has:
        await signup.ask(
            ground,
            session,
            person=person,
            wanted=begins,
            source="preferences",
            via="preferences",
            network=network,
        )
        return begins
    if ends or begins:
        await _change(ground, session, person, wanted, ends=ends, begins=begins, network=network)
    return []


async def _change(
    ground: Ground,
    session: AsyncSession,
    person: Subscriber,
    wanted: Sequence[Topic],
    *,
    ends: set[int],
    begins: Sequence[Topic],
    network: str,
) -> None:
    now = ground.clock.now()
    await session.execute(
        sa.update(Subscription)
        .where(col(Subscription.subscriber_id) == person.id, col(Subscription.topic_id).in_(ends))
        .values(state=SubscriptionState.UNSUBSCRIBED.value, since=now)
    )
    for topic in begins:
        insert = tables.insert_for(session, Subscription).values(
            subscriber_id=person.id,
            topic_id=topic.id,
            state=SubscriptionState.CONFIRMED.value,
            since=now,
        )
        await session.execute(
            insert.on_conflict_do_update(
                index_elements=["subscriber_id", "topic_id"],
                set_={"state": insert.excluded.state, "since": insert.excluded.since},
            )
        )
    wording = await consent.asked(ground, session, consent.PREFERENCES, language=person.language)
    consent.record(
        session,
        subscriber_id=person.id,
        at=now,
        step=ConsentStep.TOPICS_CHANGED,
        topics=[topic.slug for topic in wanted],
        wording_id=wording.id,
        language=person.language,
        network=network,
        via="preferences",
    )


async def _save_tracking(
    ground: Ground, session: AsyncSession, person: Subscriber, *, is_allowed: bool, network: str
) -> None:
    if person.allows_tracking == is_allowed:
        return
    person.allows_tracking = is_allowed
    session.add(person)
    wording = await consent.asked(ground, session, consent.TRACKING, language=person.language)
    step = ConsentStep.TRACKING_ALLOWED if is_allowed else ConsentStep.TRACKING_REFUSED
    consent.record(
        session,
        subscriber_id=person.id,
        at=ground.clock.now(),
        step=step,
        wording_id=wording.id,
        language=person.language,
        network=network,
        via="preferences",
    )


async def _steps(ground: Ground, session: AsyncSession, person: Subscriber) -> list[Step]:
    """The consent history, newest first."""
    speaks = ground.translator(person.language)
    names = {
        topic.slug: topics.name(topic, person.language, default=ground.catalog.default)
        for topic in await topics.everything(session)
    }
    about = aliased(Partner)
    rows = await session.execute(
        sa.select(Consent, col(Wording.text), col(Form.name), col(Partner.name), col(about.name))
        .outerjoin(Wording, col(Wording.id) == col(Consent.wording_id))
        .outerjoin(SignUp, col(SignUp.id) == col(Consent.signup_id))
        .outerjoin(Form, col(Form.id) == col(SignUp.form_id))
        .outerjoin(Partner, col(Partner.id) == col(SignUp.partner_id))
        .outerjoin(about, col(about.id) == col(Consent.partner_id))
        .where(col(Consent.subscriber_id) == person.id)
        .order_by(col(Consent.at).desc(), col(Consent.id).desc())
        .limit(100)
    )
    return [
        Step(
            at=step.at,
            text=consent.in_plain_words(step.step, speaks),
            topics=organisation or ", ".join(names.get(slug, slug) for slug in step.topics),
            source=partner or form or "",
            wording=words or "",
        )
        for step, words, form, partner, organisation in rows
    ]
