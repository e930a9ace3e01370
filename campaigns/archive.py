"""The public archive: bulletins that went out, as their readers got them, without anybody's data.

Blocks that only some readers saw are not shown here: who they were for is nobody's business.

Shows the frozen plans of the dispatch, so a page here never says anything else than the mails did.
`public.py` serves it; `hits.py` uses `as_page` for a reader's own copy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import wording
from campaigns.models import Bulletin, Campaign, CampaignState, Issue
from delivery.models import Dispatch, DispatchPlan
from foundation import errors
from foundation.ground import Ground
from foundation.i18n import N_, Translator
from templates.conditions import Answers
from templates.plan import Plan

PAGE = 30
FEED_ENTRIES = 20
_SHOWN_STATES = (CampaignState.SENDING, CampaignState.PAUSED, CampaignState.SENT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A bulletin in the archive, in a reader's language."""

    campaign_id: int
    slug: str
    subject: str
    language: str
    language_note: str
    sent_at: datetime
    finished_at: datetime | None
    languages: Sequence[str]
    issue_slug: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A part of the archive, newest first; `next_after` asks for what follows."""

    items: Sequence[Entry]
    next_after: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbour:
    """Another bulletin that a page leads to."""

    slug: str
    sent_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One bulletin, ready to be shown."""

    entry: Entry
    corrected_by: Sequence[Neighbour]
    """Corrections that went out, in their order."""
    corrects: Neighbour | None
    html: str
    """The whole mail as a document of its own."""
    text: str


async def listed(
    ground: Ground, *, translator: Translator, after: int | None = None, limit: int = PAGE
) -> Page:
    """What was sent, newest first."""
    statement = (
        select(Campaign, Dispatch, Issue)
        .join(Dispatch, col(Dispatch.campaign_id) == col(Campaign.id))
        .join(Bulletin, col(Bulletin.id) == col(Campaign.bulletin_id))
        .outerjoin(Issue, col(Issue.id) == col(Bulletin.issue_id))
        .where(*_is_shown())
        .order_by(col(Dispatch.id).desc())
        .limit(limit + 1)
    )
    if after is not None:
        statement = statement.where(col(Dispatch.id) < after)
    async with ground.db.reading() as session:
        rows = list((await session.exec(statement)).all())
        plans = await _plans(session, [dispatch.id for _, dispatch, _ in rows[:limit]])
    items = [
        _entry(ground, campaign, dispatch, issue, plans[dispatch.id], translator)
        for campaign, dispatch, issue in rows[:limit]
        if plans.get(dispatch.id)
    ]
    more = rows[limit - 1][1].id if len(rows) > limit else None
    return Page(items=items, next_after=more)


async def show(ground: Ground, *, slug: str, translator: Translator) -> Shown:
    """A bulletin as its readers got it. Raises `errors.NotFound`."""
    statement = (
        select(Campaign, Dispatch, Issue)
        .join(Dispatch, col(Dispatch.campaign_id) == col(Campaign.id))
        .join(Bulletin, col(Bulletin.id) == col(Campaign.bulletin_id))
        .outerjoin(Issue, col(Issue.id) == col(Bulletin.issue_id))
        .where(*_is_shown(), Campaign.archive_slug == slug)
    )
    async with ground.db.reading() as session:
        row = (await session.exec(statement)).first()
        plans = (await _plans(session, [row[1].id])).get(row[1].id) if row else None
        if row is None or not plans:
            raise errors.NotFound(N_("There is no such bulletin in the archive."))
        corrected_by = await _neighbours(session, col(Campaign.corrects_id) == row[0].id)
        corrects = await _neighbours(session, col(Campaign.id) == row[0].corrects_id)
    campaign, dispatch, issue = row
    entry = _entry(ground, campaign, dispatch, issue, plans, translator)
    plan = plans[entry.language]
    values = public_values(ground, plan, archive_url=ground.url(f"/archive/{slug}"))
    return Shown(
        entry=entry,
        corrected_by=corrected_by,
        corrects=corrects[0] if corrects else None,
        html=as_page(plan, values, plan.nobody),
        text=plan.text(values, plan.nobody),
    )


def public_values(ground: Ground, plan: Plan, *, archive_url: str) -> dict[str, str]:
    """Values that make a plan readable by anybody: no person, links uncounted, no pixel.

    Where a reader's own links stood there is the way to sign up.
    """
    door = ground.url("/subscribe?source=archive")
    values = dict.fromkeys(plan.slot_names, "")
    values |= {f"click:{link.number}": link.url for link in plan.links}
    for name in ("unsubscribe_url", "preferences_url"):
        values[name] = door
    values["view_url"] = archive_url
    return values


def as_page(
    plan: Plan,
    values: Mapping[str, str],
    answers: Answers | None,
    *,
    target: str = "_top",
) -> str:
    """The HTML of a plan; its links open outside of the frame that it is shown in.

    Without `answers` (None), blocks that only some readers see are there, too.
    """
    html = plan.html(values, answers)
    return html.replace("<head>", f'<head><base target="{target}">', 1)


def _is_shown() -> Sequence[sa.ColumnElement[bool]]:
    return (
        col(Campaign.archive_slug).is_not(None),
        col(Campaign.is_in_archive).is_(True),
        col(Campaign.state).in_([state.value for state in _SHOWN_STATES]),
    )


async def _neighbours(session: AsyncSession, which: sa.ColumnElement[bool]) -> Sequence[Neighbour]:
    """Bulletins of the archive, in the order in which they went out."""
    statement = (
        sa.select(col(Campaign.archive_slug), col(Dispatch.started_at))
        .join(Dispatch, col(Dispatch.campaign_id) == col(Campaign.id))
        .where(*_is_shown(), which)
        .order_by(col(Dispatch.id))
    )
    rows = (await session.execute(statement)).all()
    return [Neighbour(slug=slug, sent_at=moment) for slug, moment in rows]


async def _plans(session: AsyncSession, dispatch_ids: Sequence[int]) -> dict[int, dict[str, Plan]]:
    statement = select(DispatchPlan).where(col(DispatchPlan.dispatch_id).in_(dispatch_ids))
    found: dict[int, dict[str, Plan]] = {}
    for row in (await session.exec(statement)).all():
        found.setdefault(row.dispatch_id, {})[row.language] = Plan.thaw(row.plan)
    return found


def _entry(
    ground: Ground,
    campaign: Campaign,
    dispatch: Dispatch,
    issue: Issue | None,
    plans: Mapping[str, Plan],
    translator: Translator,
) -> Entry:
    language = wording.choose(plans, translator.language, default=dispatch.default_language)
    plan = plans[language]
    slug = campaign.archive_slug or ""
    values = public_values(ground, plan, archive_url=ground.url(f"/archive/{slug}"))
    return Entry(
        campaign_id=campaign.id,
        slug=slug,
        subject=plan.subject(values),
        language=language,
        language_note=wording.note(language, translator),
        sent_at=dispatch.started_at,
        finished_at=dispatch.finished_at,
        languages=sorted(plans),
        issue_slug=issue.slug if issue and issue.is_published else "",
    )
