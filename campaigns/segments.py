"""Segments: rules over people that have a name, used by campaigns and series by reference.

A campaign that is not sent yet goes to whoever is in the segment when it starts; then it holds the
version of that moment. Whoever changes a segment takes back the approval of campaigns that use it:
they would go to other people than those who were looked at.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import SQLCoreOperations
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    audience_conditions,
    audience_problems,
    audience_rules,
    audience_words,
    audiences,
    transitions,
)
from campaigns.audience_rules import Audience, InSegment, Rules
from campaigns.models import Campaign, CampaignState
from campaigns.segment_models import Segment, SegmentVersion
from campaigns.series_models import Series, SeriesState
from campaigns.transitions import Verb
from foundation import audit, errors, i18n
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import topics

_MAY_CHANGE = (
    CampaignState.DRAFT.value,
    CampaignState.IN_REVIEW.value,
    CampaignState.APPROVED.value,
    CampaignState.SCHEDULED.value,
)
"""A campaign in one of these goes to who is in the segment when it starts."""
_STAND = (CampaignState.APPROVED.value, CampaignState.SCHEDULED.value)
_PAST = 20
"""Campaigns that were sent to a segment are listed at most."""
_MOST = 500
LONGEST_NAME = 120


@frozen
class Uses:
    """Where a segment is used."""

    coming: Sequence[Campaign]
    """Campaigns that are not sent yet."""
    past: Sequence[Campaign]
    """The last that were."""
    series: Sequence[Series]

    @property
    def approved(self) -> Sequence[Campaign]:
        """Those whose approval is taken back when the segment changes."""
        return [each for each in self.coming if each.state in _STAND]


async def offered(session: AsyncSession) -> Sequence[Segment]:
    """Segments that can be chosen, by name."""
    statement = (
        select(Segment)
        .where(col(Segment.put_away_at).is_(None))
        .order_by(col(Segment.name_key), col(Segment.id))
        .limit(_MOST)
    )
    return (await session.exec(statement)).all()


async def get(session: AsyncSession, segment_id: int) -> Segment:
    """One by its number, put away or not. Raises `errors.NotFound`."""
    found = await session.get(Segment, segment_id)
    if found is None:
        raise errors.NotFound(N_("There is no such segment."))
    return found


async def named(session: AsyncSession, typed: str) -> Segment:
    """One by its name or number. Raises `errors.NotFound`."""
    statement = select(Segment).where(Segment.name_key == _key(typed))
    found = (await session.exec(statement)).first()
    if found is None and typed.isascii() and typed.isdecimal() and len(typed) < 16:
        found = await session.get(Segment, int(typed))
    if found is None:
        raise errors.NotFound(N_("There is no segment “%(name)s”."), name=typed[:LONGEST_NAME])
    return found


def rules_of(segment: Segment | SegmentVersion) -> Rules:
    """What a segment chooses by."""
    return audience_problems.read(Rules, segment.rules)


async def create(ground: Ground, *, actor: Actor, name: str, rules: Rules) -> Segment:
    """Keep a rule under a name. Raises `errors.Invalid`."""
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        await _check(ground, session, name, rules)
        made = Segment(
            name=name.strip(),
            name_key=_key(name),
            rules=audience_rules.stored(rules),
            created_by=actor.label,
            created_at=now,
            updated_by=actor.label,
            updated_at=now,
        )
        session.add(made)
        await session.flush()
        _keep_version(session, made)
        await _note(ground, session, actor, made, "created")
    return made


async def update(
    ground: Ground, *, actor: Actor, segment_id: int, version: int, name: str, rules: Rules
) -> Segment:
    """Change one that was seen at `version`; approvals that rest on it are taken back.

    Raises `errors.Invalid`, `errors.NotFound`, and `errors.Conflict` when somebody else changed it.
    """
    async with ground.db.transaction() as session:
        segment = await _present(session, segment_id)
        await _check(ground, session, name, rules, besides=segment_id)
        is_other = audience_rules.stored(rules) != audience_rules.stored(rules_of(segment))
        changed = await session.execute(
            sa.update(Segment)
            .where(col(Segment.id) == segment_id, col(Segment.version) == version)
            .values(
                name=name.strip(),
                name_key=_key(name),
                rules=audience_rules.stored(rules),
                version=version + 1,
                updated_by=actor.label,
                updated_at=ground.clock.now(),
            )
            .returning(col(Segment.id))
        )
        if changed.first() is None:
            raise errors.Conflict(
                N_("Somebody else changed this segment meanwhile. Reload, then change it.")
            )
        await session.refresh(segment)
        _keep_version(session, segment)
        await _note(ground, session, actor, segment, "updated")
        if is_other:
            await _take_back_approvals(ground, session, actor, segment)
    return segment


async def put_away(ground: Ground, *, actor: Actor, segment_id: int) -> None:
    """Offer one no more; what was sent to it still names it.

    Raises `errors.NotFound`, and `errors.Refused` while something that is to come uses it.
    """
    async with ground.db.transaction() as session:
        segment = await _present(session, segment_id)
        where = await uses(session, segment_id)
        names = [*(each.name for each in where.coming), *(each.name for each in where.series)]
        if names:
            raise errors.Refused(
                N_("It is used by what is still to come: %(names)s. Change that first."),
                names=", ".join(f"“{name}”" for name in names[:5]),
            )
        segment.put_away_at = ground.clock.now()
        segment.name_key = None
        await _note(ground, session, actor, segment, "put-away")


async def uses(session: AsyncSession, segment_id: int) -> Uses:
    """Where one is used. Audiences that name no segment are passed over by the database."""
    statement = select(Campaign).where(_names_a_segment(col(Campaign.audience)))
    coming = statement.where(col(Campaign.state).in_(_MAY_CHANGE)).order_by(col(Campaign.id))
    past = (
        statement.where(col(Campaign.started_at).is_not(None))
        .order_by(col(Campaign.id).desc())
        .limit(_MOST)
    )
    every_series = select(Series).where(
        _names_a_segment(col(Series.document)), col(Series.state) != SeriesState.DELETED.value
    )
    return Uses(
        coming=[each for each in await session.exec(coming) if _uses(each.audience, segment_id)],
        past=[each for each in await session.exec(past) if _uses(each.audience, segment_id)][
            :_PAST
        ],
        series=[
            each
            for each in await session.exec(every_series.order_by(col(Series.id)))
            if _uses(each.document.get("audience", {}), segment_id)
        ],
    )


async def audience_of(session: AsyncSession, rules: Rules) -> Audience:
    """The people of a segment who can be mailed at all: confirmed on any topic."""
    slugs = [each.slug for each in await topics.everything(session)]
    return Audience(topics=slugs, **{name: getattr(rules, name) for name in Rules.model_fields})


async def people_of(ground: Ground, segment: Segment) -> sa.ColumnElement[bool]:
    """SQL: is in a segment, and can be mailed. Raises `errors.Invalid`."""
    async with ground.db.reading() as session:
        audience = await audience_of(session, rules_of(segment))
        resolved = await audiences.resolve(ground, session, audience, languages=[i18n.SOURCE])
    return audiences.gets_it(resolved)


async def hold(session: AsyncSession, audience: Audience) -> Audience:
    """An audience as a campaign holds it that starts now: segments by the version of now."""
    if not audience_rules.segments_of(audience):
        return audience
    held: dict[str, list[object]] = {}
    for group in Rules.model_fields:
        held[group] = [await _held(session, each) for each in getattr(audience, group)]
    return audience.model_copy(update=held)


def loosened(audience: Audience) -> Audience:
    """The same for a draft that is made from one that was sent: segments as they stand."""
    loose = {
        group: [
            each.model_copy(update={"version": 0}) if isinstance(each, InSegment) else each
            for each in getattr(audience, group)
        ]
        for group in Rules.model_fields
    }
    return audience.model_copy(update=loose)


async def _held(session: AsyncSession, condition: audience_rules.Condition) -> object:
    if not isinstance(condition, InSegment) or condition.version:
        return condition
    segment = await get(session, condition.segment)
    return condition.model_copy(update={"version": segment.version})


async def _take_back_approvals(
    ground: Ground, session: AsyncSession, actor: Actor, segment: Segment
) -> None:
    reason = errors.Refused(
        N_("The segment “%(name)s” was changed after it was approved. Have it approved again."),
        name=segment.name,
    )
    for campaign in (await uses(session, segment.id)).approved:
        if campaign.state == CampaignState.SCHEDULED:
            await transitions.move(
                ground, session, actor, campaign, Verb.UNSCHEDULE,
                scheduled_at=None, scheduled_local="", scheduled_zone="",
            )  # fmt: skip
        await transitions.move(
            ground, session, actor, campaign, Verb.SEND_BACK,
            approved_version=None, approved_by="",
            waiting_reason=str(reason),
            waiting_texts={
                code: reason.say(ground.translator(code)) for code in ground.catalog.languages
            },
        )  # fmt: skip


async def _present(session: AsyncSession, segment_id: int) -> Segment:
    segment = await get(session, segment_id)
    if segment.put_away_at is not None:
        raise errors.NotFound(N_("There is no such segment."))
    return segment


async def _check(
    ground: Ground,
    session: AsyncSession,
    name: str,
    rules: Rules,
    *,
    besides: int | None = None,
) -> None:
    problems: dict[str, errors.HandbillError] = {}
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        problems["name"] = errors.Invalid(N_("Give it a name of one line, not too long."))
    taken = select(Segment.id).where(Segment.name_key == _key(name), Segment.id != (besides or 0))
    if (await session.exec(taken)).first() is not None:
        problems["name"] = errors.Invalid(N_("There is a segment of this name already."))
    if not audience_rules.unfolded(rules).is_narrow:
        problems["conditions"] = errors.Invalid(N_("Add one condition at least."))
    if problems:
        raise errors.Invalid(
            N_("Something needs to be mended before this can be kept."), fields=problems
        )
    await audience_conditions.ask(ground, session, audience_rules.unfolded(rules))


def _keep_version(session: AsyncSession, segment: Segment) -> None:
    session.add(
        SegmentVersion(
            segment_id=segment.id,
            version=segment.version,
            name=segment.name,
            rules=segment.rules,
            saved_by=segment.updated_by,
            saved_at=segment.updated_at,
        )
    )


async def _note(
    ground: Ground, session: AsyncSession, actor: Actor, segment: Segment, verb: str
) -> None:
    rules = rules_of(segment)
    speaks = ground.translator(ground.settings.site.language)
    names = await audience_words.names_of(session, rules)
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action=f"segment.{verb}",
        object_kind="segment",
        object_id=segment.id,
        after={"name": segment.name, "people": audience_words.sentence(rules, names, speaks)},
    )


def _names_a_segment(column: SQLCoreOperations[dict[str, Any]]) -> sa.ColumnElement[bool]:
    return sa.cast(column, sa.Text).contains('"segment"')


def _uses(audience: dict[str, object], segment_id: int) -> bool:
    try:
        return segment_id in audience_rules.segments_of(audiences.parse(audience))
    except errors.Invalid:
        return False


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()
