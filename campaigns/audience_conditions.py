"""How each condition of an audience is asked of the database: SQL about one row of `subscribers`.

Names are looked up first, so that what is not there is said before anybody is counted. Every
condition is an `EXISTS` or a comparison that is never NULL: it can be turned round, counted, and
asked of one person, on either engine and however long the lists behind it are.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.sql.elements import SQLCoreOperations
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audience_rules, earlier, zips
from campaigns.audience_rules import Condition, Groups
from campaigns.models import Hit, HitKind
from campaigns.segment_models import Segment, SegmentVersion
from delivery.models import Delivery, DeliveryState, Dispatch
from foundation import errors
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import members, topics
from subscribers.models import (
    Form,
    Partner,
    SignUp,
    SignUpState,
    Subscriber,
    SubscriberTag,
    Subscription,
    SubscriptionState,
)
from templates.conditions import ZIP_DIGITS

_ON_ITS_WAY = (
    DeliveryState.QUEUED.value,
    DeliveryState.DEFERRED.value,
    DeliveryState.UNCERTAIN.value,
)
"""What may still reach somebody, or has."""

Holds = sa.ColumnElement[bool]
_Text = SQLCoreOperations[str]
_OfPerson = (
    audience_rules.Speaks
    | audience_rules.PostalCode
    | audience_rules.Town
    | audience_rules.Source
    | audience_rules.Tag
    | audience_rules.OwnField
    | audience_rules.Counted
    | audience_rules.IsContact
)


@frozen
class Asked:
    """A condition whose names were found."""

    condition: Condition
    holds: Holds
    """SQL: fits a person."""
    needs: Sequence[tuple[Holds, str]]
    """SQL of what has to hold, each with the reason of whom it leaves out: the first counts."""


@frozen
class AskedGroups:
    """The conditions of an audience or segment, found."""

    all_of: Sequence[Asked] = ()
    any_of: Sequence[Asked] = ()
    none_of: Sequence[Asked] = ()

    @property
    def fits(self) -> Sequence[Holds]:
        """SQL: what holds of whoever fits."""
        return (
            *(each.holds for each in self.all_of),
            *self._alternatives,
            *(~each.holds for each in self.none_of),
        )

    @property
    def needs(self) -> Sequence[tuple[Holds, str]]:
        """SQL of what has to hold, each with the reason of whom it leaves out: the first counts.

        Together they say what `fits` says.
        """
        return (
            *(need for each in self.all_of for need in each.needs),
            *((each, "fits-none") for each in self._alternatives),
            *(need for each in self.none_of for need in each.needs),
        )

    @property
    def _alternatives(self) -> Sequence[Holds]:
        """SQL of the one thing that alternatives ask, if there are any."""
        return [sa.or_(*(each.holds for each in self.any_of))] if self.any_of else []


@frozen
class _Asking:
    """What is needed to look up what conditions name, and how they are to be asked."""

    ground: Ground
    session: AsyncSession
    of_all: bool

    @property
    def in_lists(self) -> bool:
        """Whether each person is looked for in a list of all who have something.

        On SQLite that takes a third of the time of an `EXISTS` each; PostgreSQL makes such lists
        itself, where it has room.
        """
        return self.of_all and self.ground.db.dialect == "sqlite"


async def ask(
    ground: Ground, session: AsyncSession, groups: Groups, *, of_all: bool = False
) -> AskedGroups:
    """Look everything up that conditions name. Raises `errors.Invalid` for what is not there.

    `of_all`: in the way that is quicker where everybody is asked, and slower for a few.
    """
    asking = _Asking(ground=ground, session=session, of_all=of_all)
    return AskedGroups(
        all_of=[await _narrowing(asking, each) for each in groups.all_of],
        any_of=[await _narrowing(asking, each) for each in groups.any_of],
        none_of=[await _ruling_out(asking, each) for each in groups.none_of],
    )


async def _narrowing(asking: _Asking, condition: Condition) -> Asked:
    holds = await _holds(asking, condition)
    needs: list[tuple[Holds, str]] = [(holds, _REASONS[condition.kind])]
    if isinstance(condition, audience_rules.IsContact) and condition.duties:
        anybodys = _theirs(asking, members.contacts())
        needs = [(anybodys, "not-a-member"), (holds, "other-duty")]
    return Asked(condition=condition, holds=holds, needs=needs)


async def _ruling_out(asking: _Asking, condition: Condition) -> Asked:
    """Whoever is still to get an earlier campaign counts as somebody who has it."""
    if isinstance(condition, audience_rules.Received):
        got = earlier.may_get_it(await _dispatches(asking.session, condition))
        holds = _theirs(asking, got)
        reason = "got-it-already"
    else:
        holds = await _holds(asking, condition)
        reason = "ruled-out"
    return Asked(condition=condition, holds=holds, needs=[(~holds, reason)])


_REASONS = {
    "topic": "other-topic",
    "language": "other-language",
    "postal-code": "elsewhere",
    "town": "elsewhere",
    "near": "elsewhere",
    "source": "other-source",
    "form": "other-source",
    "partner": "other-source",
    "tag": "other-tag",
    "field": "other-field",
    "joined": "other-time",
    "received": "did-not-get-it",
    "opened": "not-seen",
    "clicked": "not-seen",
    "counted": "not-counted",
    "member": "not-a-member",
    "not-mailed": "mailed-lately",
    "segment": "not-in-segment",
}
"""Kind of a condition that has to hold → why those are left out for whom it does not."""


async def _holds(asking: _Asking, condition: Condition) -> Holds:
    """SQL of a condition that names something, or depends on the day; else `_holds_of_person`."""
    ground, session = asking.ground, asking.session
    match condition:
        case audience_rules.OnTopic():
            found = await topics.by_slugs(session, condition.topics)
            return _theirs(asking, _on_topics([each.id for each in found]))
        case audience_rules.Near():
            near = await _near(condition)
            return _of_values(asking, col(Subscriber.postal_code), near, takes_long=True)
        case audience_rules.ByForm():
            how = col(SignUp.form_id).in_(await _forms(session, condition.forms))
            return _theirs(asking, _signed_up(how))
        case audience_rules.ByPartner():
            await _check_partners(session, condition.partners)
            return _theirs(asking, _signed_up(col(SignUp.partner_id).in_(condition.partners)))
        case audience_rules.Joined():
            return _joined(ground, condition)
        case audience_rules.Received():
            return _theirs(asking, earlier.have_it(await _dispatches(session, condition)))
        case audience_rules.Opened():
            return _hit(asking, await _dispatches(session, condition), HitKind.OPEN)
        case audience_rules.Clicked():
            return _hit(asking, await _dispatches(session, condition), HitKind.CLICK)
        case audience_rules.NotMailed():
            since = ground.clock.now() - timedelta(condition.days)
            return ~_theirs(asking, await _mailed_since(session, since))
        case audience_rules.InSegment():
            rules = audience_rules.unfolded(await rules_of(session, condition))
            held = await ask(ground, session, rules, of_all=asking.of_all)
            return sa.and_(sa.true(), *held.fits)
        case _:
            return _holds_of_person(asking, condition)


def _holds_of_person(asking: _Asking, condition: _OfPerson) -> Holds:
    """SQL of a condition that says all itself."""
    match condition:
        case audience_rules.Speaks():
            speaks_any = _speaks_any(condition.languages)
            return _of_values(asking, col(Subscriber.language), speaks_any)
        case audience_rules.PostalCode():
            begins = _code_begins(condition.codes)
            return _of_values(asking, col(Subscriber.postal_code), begins, takes_long=True)
        case audience_rules.Town():
            return _of_values(asking, col(Subscriber.town), _any_of(condition.towns))
        case audience_rules.Source():
            how = _of_values(asking, col(SignUp.source), _any_of(condition.sources))
            return _theirs(asking, _signed_up(how))
        case audience_rules.Tag():
            return _theirs(asking, _tagged(condition.tags))
        case audience_rules.OwnField():
            return _has_field(condition)
        case audience_rules.Counted():
            return col(Subscriber.allows_tracking).is_(True)
        case audience_rules.IsContact():
            return _theirs(asking, members.contacts(duties=condition.duties))


def _theirs(asking: _Asking, found: sa.Select[int] | sa.Select[int | None]) -> Holds:
    """SQL: the person's number, which is the one column of `found`, is among them."""
    (number,) = found.selected_columns
    if asking.in_lists:
        return col(Subscriber.id).in_(found.where(number.is_not(None)))
    one = found.with_only_columns(sa.literal(1), maintain_column_froms=True)
    return sa.exists(one.where(number == col(Subscriber.id)).correlate(Subscriber))


def _of_values(
    asking: _Asking, column: _Text, test: Callable[[_Text], Holds], *, takes_long: bool = False
) -> Holds:
    """SQL: `test` holds of a column; where all are asked, it is tried on each value once.

    SQLite finds the values by a look at everybody, which only a test that `takes_long` is worth.
    """
    if not asking.of_all or not (takes_long or asking.ground.db.dialect == "postgresql"):
        return test(column)
    values = sa.select(sa.label("value", column)).distinct().correlate(None)
    every = values.cte().prefix_with("MATERIALIZED")
    return column.in_(sa.select(every.c.value).where(test(every.c.value)))


def speaks(language: str) -> Holds:
    """SQL: wants the language, or a region's form of it."""
    return _speaks_any([language])(col(Subscriber.language))


def _speaks_any(languages: Sequence[str]) -> Callable[[_Text], Holds]:
    def test(wanted: _Text) -> Holds:
        wish = sa.func.lower(wanted)
        each = (
            sa.or_(wish == language.lower(), wish.like(f"{language.lower()}-%"))
            for language in languages
        )
        return sa.or_(*each)

    return test


def _on_topics(topic_ids: Sequence[int]) -> sa.Select[int]:
    return sa.select(col(Subscription.subscriber_id)).where(
        col(Subscription.topic_id).in_(topic_ids),
        col(Subscription.state) == SubscriptionState.CONFIRMED.value,
    )


def _code_begins(codes: Sequence[str]) -> Callable[[_Text], Holds]:
    wanted = [audience_rules.plain_code(each) for each in codes]

    def test(code: _Text) -> Holds:
        plain = _plain_code(code)
        return sa.or_(*(plain.startswith(each, autoescape=True) for each in wanted))

    return test


async def _near(condition: audience_rules.Near) -> Callable[[_Text], Holds]:
    middle = await zips.named(condition.place)
    codes = await zips.around(middle.code, condition.miles)
    whole = [codes[at : at + ZIP_DIGITS] for at in range(0, len(codes), ZIP_DIGITS)]
    # Written into the statement: PostgreSQL takes 32,767 parameters at most, and they are digits.
    listed: list[sa.ColumnElement[str]] = [
        sa.literal_column(f"'{each}'") for each in whole if each.isdecimal()
    ]

    def test(code: _Text) -> Holds:
        return sa.func.substr(_plain_code(code), 1, ZIP_DIGITS).in_(listed)

    return test


def _plain_code(code: _Text) -> sa.ColumnElement[str]:
    """SQL: a postal code as `audience_rules.plain_code` writes it."""
    upper = sa.func.upper(code)
    return sa.func.replace(sa.func.replace(upper, " ", ""), "-", "", type_=sa.String)


def _any_of(values: Sequence[str]) -> Callable[[_Text], Holds]:
    """SQL: is one of the values; capitals beyond ASCII are as they were typed, on SQLite."""
    wanted = [each.lower() for each in values]

    def test(found: _Text) -> Holds:
        return sa.func.lower(found).in_(wanted)

    return test


def _signed_up(how: Holds) -> sa.Select[int]:
    """SQL: whoever has a sign-up that was made so and that they confirmed."""
    return sa.select(col(SignUp.subscriber_id)).where(
        col(SignUp.state) == SignUpState.CONFIRMED.value, how
    )


def _tagged(tags: Sequence[str]) -> sa.Select[int]:
    return sa.select(col(SubscriberTag.subscriber_id)).where(
        col(SubscriberTag.tag).in_([each.lower() for each in tags] + list(tags))
    )


def _has_field(condition: audience_rules.OwnField) -> Holds:
    value = col(Subscriber.fields)[condition.name].as_string()
    return _any_of(condition.values)(sa.func.coalesce(value, ""))


def _joined(ground: Ground, condition: audience_rules.Joined) -> Holds:
    came = col(Subscriber.created_at)
    zone = ground.settings.site.tzinfo

    def begins(day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=zone)

    parts: list[Holds] = []
    if condition.since is not None:
        parts.append(came >= begins(condition.since))
    if condition.before is not None:
        parts.append(came < begins(condition.before))
    if condition.last_days is not None:
        parts.append(came >= ground.clock.now() - timedelta(condition.last_days))
    return sa.and_(*parts)


def _hit(asking: _Asking, dispatch_ids: Sequence[int], kind: HitKind) -> Holds:
    """SQL: a person's own open or click, while they agree to be counted by name.

    Few agree, and the flag in the row is looked at first. Served by the ledger's key of dispatch
    and subscriber, then by the index on `hits.delivery_id`.
    """
    theirs = (
        sa.select(col(Delivery.subscriber_id))
        .select_from(Delivery)
        .join(Hit, col(Hit.delivery_id) == col(Delivery.id))
        .where(
            col(Delivery.dispatch_id).in_(dispatch_ids),
            col(Hit.kind) == kind.value,
            col(Hit.is_human).is_(True),
        )
    )
    return sa.and_(col(Subscriber.allows_tracking).is_(True), _theirs(asking, theirs))


async def _mailed_since(session: AsyncSession, moment: datetime) -> sa.Select[int | None]:
    """SQL: whoever was sent something since then, or has something on its way.

    Only dispatches that were not over by then can have sent it.
    """
    running = sa.select(col(Dispatch.id)).where(
        sa.or_(col(Dispatch.finished_at).is_(None), col(Dispatch.finished_at) >= moment)
    )
    lately = list((await session.scalars(running.order_by(col(Dispatch.id)))).all())
    return sa.select(col(Delivery.subscriber_id)).where(
        col(Delivery.dispatch_id).in_(lately),
        sa.or_(col(Delivery.sent_at) >= moment, col(Delivery.state).in_(_ON_ITS_WAY)),
    )


async def _dispatches(
    session: AsyncSession,
    condition: audience_rules.Received | audience_rules.Opened | audience_rules.Clicked,
) -> list[int]:
    found = await earlier.dispatches(session, condition.campaigns)
    if condition.last is not None:
        found += await earlier.last_dispatches(session, condition.last)
    return list(dict.fromkeys(found))


async def _forms(session: AsyncSession, slugs: Sequence[str]) -> list[int]:
    rows = await session.execute(
        sa.select(col(Form.slug), col(Form.id)).where(col(Form.slug).in_(slugs))
    )
    found: dict[str, int] = dict(rows.all())
    for slug in slugs:
        if slug not in found:
            raise errors.Invalid(N_("There is no form “%(name)s”."), name=slug[:60])
    return sorted(found.values())


async def _check_partners(session: AsyncSession, numbers: Sequence[int]) -> None:
    there = set(
        (
            await session.scalars(sa.select(col(Partner.id)).where(col(Partner.id).in_(numbers)))
        ).all()
    )
    for number in numbers:
        if number not in there:
            raise errors.Invalid(N_("There is no partner %(number)s."), number=number)


async def rules_of(
    session: AsyncSession, condition: audience_rules.InSegment
) -> audience_rules.Rules:
    """A segment as it stands, or as it stood. Raises `errors.Invalid` for one that is not there."""
    kept = (
        await session.get(SegmentVersion, (condition.segment, condition.version))
        if condition.version
        else await session.get(Segment, condition.segment)
    )
    if kept is None:
        raise errors.Invalid(N_("There is no segment %(number)s."), number=condition.segment)
    return audience_rules.Rules.model_validate(kept.rules)
