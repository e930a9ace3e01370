"""What there is for an edition: developments and handouts of its issues, with their past in it."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import developments, issues, materials, series_past
from campaigns.models import Development, DevelopmentKind, Issue, Material
from campaigns.series_past import Past
from campaigns.series_plans import Plan, SectionKind
from campaigns.series_selection import Item, ItemKind, ItemReason
from campaigns.wording import Texts
from foundation.frozen import frozen
from foundation.ground import Ground

_AT_MOST = 500
"""Of each kind that are looked at, the newest first."""


@frozen
class _Look:
    """Where and since when is looked."""

    ground: Ground
    session: AsyncSession
    issues: Mapping[int, Issue]
    oldest: date
    since: datetime
    past: Past

    @property
    def now(self) -> datetime:
        """The present."""
        return self.ground.clock.now()


async def gather(
    ground: Ground, session: AsyncSession, plan: Plan, *, series_id: int | None, day: date
) -> list[Item]:
    """Everything that could be in the edition of a day, or that somebody may miss in it.

    Raises `errors.NotFound` for an issue that is gone.
    """
    slugs = {each.issue or plan.issue for each in plan.sections}
    found = [await issues.by_slug(session, slug) for slug in sorted(slugs)]
    span = timedelta(days=plan.oldest_days)
    look = _Look(
        ground=ground,
        session=session,
        issues={each.id: each for each in found},
        oldest=day - span,
        since=ground.clock.now() - span,
        past=await series_past.of(session, series_id, since=day - span),
    )
    items = await _developments(look)
    if any(each.kind is SectionKind.MATERIALS for each in plan.sections):
        items += await _materials(look)
    return items


async def _developments(look: _Look) -> list[Item]:
    statement = (
        select(Development)
        .where(
            col(Development.issue_id).in_(look.issues),
            sa.or_(
                col(Development.happened_on) >= look.oldest,
                # What came in late is told to be too old instead of not being there.
                col(Development.created_at) >= look.since,
                col(Development.is_pinned).is_(True),
            ),
        )
        .order_by(col(Development.happened_on).desc(), col(Development.id).desc())
        .limit(_AT_MOST)
    )
    found = (await look.session.exec(statement)).all()
    theirs = [each.partner_id for each in found if each.partner_id]
    names = await developments.partner_names(look.session, theirs)
    return [_development(look, each, names) for each in found]


def _development(look: _Look, each: Development, names: Mapping[int | None, str]) -> Item:
    refusal, held_until = None, None
    if not each.is_published:
        refusal = ItemReason.DRAFT
    elif developments.is_held(each, look.now):
        refusal, held_until = ItemReason.EMBARGO, each.not_before
    elif each.happened_on < look.oldest and not each.is_pinned:
        refusal = ItemReason.TOO_OLD
    key = (ItemKind.DEVELOPMENT.value, each.id)
    return Item(
        kind=ItemKind.DEVELOPMENT,
        id=each.id,
        issue=look.issues[each.issue_id].slug,
        day=each.happened_on,
        titles=_titles(each.texts, "headline"),
        development=DevelopmentKind(each.kind),
        partner_id=each.partner_id,
        partner=names.get(each.partner_id, "") if each.partner_id else "",
        is_pinned=each.is_pinned,
        is_left_over=key in look.past.left_over,
        taken_out_of=look.past.taken_out_of.get(key, ""),
        refusal=refusal,
        used_in=look.past.used_in.get(key, ""),
        values={"until": held_until.isoformat()} if held_until else {},
    )


async def _materials(look: _Look) -> list[Item]:
    statement = (
        select(Material)
        .where(col(Material.issue_id).in_(look.issues))
        .order_by(col(Material.created_at).desc(), col(Material.id).desc())
        .limit(_AT_MOST)
    )
    found = (await look.session.exec(statement)).all()
    files = await materials.copies(look.session, [each.id for each in found])
    with_file = {each.material_id for each in files}
    days = [(each, _local(look.ground, each.created_at)) for each in found]
    return [
        _material(look, each, day, has_file=each.id in with_file)
        for each, day in days
        if day >= look.oldest
    ]


def _material(look: _Look, each: Material, day: date, *, has_file: bool) -> Item:
    key = (ItemKind.MATERIAL.value, each.id)
    return Item(
        kind=ItemKind.MATERIAL,
        id=each.id,
        name=each.slug,
        issue=look.issues[each.issue_id].slug,
        day=day,
        titles=_titles(each.texts, "title"),
        is_left_over=key in look.past.left_over,
        taken_out_of=look.past.taken_out_of.get(key, ""),
        refusal=None if has_file else ItemReason.NO_FILE,
        used_in=look.past.used_in.get(key, ""),
    )


def _titles(texts: Texts, field: str) -> dict[str, str]:
    return {code: said[field] for code, said in texts.items() if said.get(field)}


def _local(ground: Ground, moment: datetime) -> date:
    return moment.astimezone(ground.settings.site.tzinfo).date()
