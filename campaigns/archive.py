"""The public archive: bulletins that went out, as their readers got them, without anybody's data.

Blocks that only some readers saw are not shown here: who they were for is nobody's business. Lists
and searches read what `archiving.py` kept; a bulletin itself is shown from the frozen plans of its
dispatch, so a page here never says anything else than the mails did.
`archive_pages.py` serves it; `hits.py` uses `as_page` for a reader's own copy.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import defer
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import archive_words, materials, wording
from campaigns.archive_models import ArchivedEdition
from campaigns.material_models import Source
from campaigns.models import Bulletin, Campaign, CampaignState, Issue, Visibility
from delivery.models import Dispatch, DispatchPlan
from foundation import errors
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_, Translator
from templates.conditions import Answers
from templates.plan import Plan

PAGE = 30
_SHOWN_STATES = (CampaignState.SENDING, CampaignState.PAUSED, CampaignState.SENT)


@frozen
class Wanted:
    """Which bulletins: all, or those of an issue, in a language, that hold some words."""

    issue: str = ""
    """The issue's slug."""
    language: str = ""
    """Only what has an edition in it, and that edition."""
    search: str = ""
    """Every word has to begin a word of the edition."""


@frozen
class Entry:
    """A bulletin in the archive, in a reader's language."""

    campaign_id: int
    dispatch_id: int
    slug: str
    subject: str
    description: str
    picture_url: str
    picture_alt: str
    language: str
    language_note: str
    sent_at: datetime
    languages: Sequence[str]
    issue_slug: str
    has_handbill: bool
    """Whether its blocks were kept, so that it can be set for print."""


@frozen
class Page:
    """A part of the archive, newest first; `next_after` asks for what follows."""

    items: Sequence[Entry]
    next_after: int | None = None


@frozen
class Choices:
    """What there is to choose from in the archive."""

    issues: Sequence[Issue]
    languages: Sequence[str]
    """By code."""


@frozen
class Neighbour:
    """Another bulletin that a page leads to."""

    slug: str
    sent_at: datetime


@frozen
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
    ground: Ground,
    *,
    translator: Translator,
    wanted: Wanted | None = None,
    after: int | None = None,
    limit: int = PAGE,
) -> Page:
    """What was sent, newest first."""
    wanted = wanted or Wanted()
    statement = (
        _bulletins().where(_has_edition(wanted)).order_by(col(Dispatch.id).desc()).limit(limit + 1)
    )
    if wanted.issue:
        statement = statement.where(
            col(Issue.slug) == wanted.issue, col(Issue.is_published).is_(True)
        )
    if after is not None:
        statement = statement.where(col(Dispatch.id) < after)
    async with ground.db.reading() as session:
        rows = (await session.execute(statement)).all()
        kept = await _kept(session, [dispatch.id for _, dispatch, _ in rows[:limit]])
    items = [
        _entry(campaign, dispatch, issue, kept[dispatch.id], wanted.language or translator.language,
               translator)
        for campaign, dispatch, issue in rows[:limit]
    ]  # fmt: skip
    more = rows[limit - 1][1].id if len(rows) > limit else None
    return Page(items=items, next_after=more)


async def choices(ground: Ground) -> Choices:
    """The issues and languages of what is in the archive."""
    written = (
        sa.select(col(ArchivedEdition.language))
        .join(Dispatch, col(Dispatch.id) == col(ArchivedEdition.dispatch_id))
        .join(Campaign, col(Campaign.id) == col(Dispatch.campaign_id))
        .where(*is_shown())
        .distinct()
        .order_by(col(ArchivedEdition.language))
    )
    told = (
        sa.select(col(Bulletin.issue_id))
        .join(Campaign, col(Campaign.bulletin_id) == col(Bulletin.id))
        .where(*is_shown())
    )
    about = (
        sa.select(Issue)
        .where(col(Issue.is_published).is_(True), col(Issue.id).in_(told))
        .order_by(col(Issue.position), col(Issue.id))
    )
    async with ground.db.reading() as session:
        languages = (await session.scalars(written)).all()
        issues = (await session.scalars(about)).all()
    return Choices(issues=issues, languages=languages)


async def changed_at(ground: Ground) -> datetime | None:
    """When anything about what was sent changed last, also what is not shown any more."""
    statement = sa.select(sa.func.max(col(Campaign.updated_at))).where(
        col(Campaign.archive_slug).is_not(None)
    )
    async with ground.db.reading() as session:
        return await session.scalar(statement)


async def find(
    session: AsyncSession, *, slug: str, translator: Translator
) -> tuple[Entry, Campaign]:
    """A bulletin that everybody may read. Raises `errors.NotFound`."""
    found = (await session.execute(_bulletins().where(col(Campaign.archive_slug) == slug))).first()
    kept = (await _kept(session, [found[1].id])).get(found[1].id) if found else None
    if found is None or not kept:
        raise errors.NotFound(N_("There is no such bulletin in the archive."))
    campaign, dispatch, issue = found
    entry = _entry(campaign, dispatch, issue, kept, translator.language, translator)
    return entry, campaign


async def show(ground: Ground, *, slug: str, translator: Translator) -> Shown:
    """A bulletin as its readers got it. Raises `errors.NotFound`."""
    async with ground.db.reading() as session:
        entry, campaign = await find(session, slug=slug, translator=translator)
        plan = await _plan(session, entry)
        corrected_by = await _neighbours(session, col(Campaign.corrects_id) == campaign.id)
        corrects = await _neighbours(session, col(Campaign.id) == campaign.corrects_id)
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
    values |= {
        f"click:{link.number}": materials.offered_by(link.url, ground, Source.ARCHIVE)
        for link in plan.links
    }
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


def is_shown() -> Sequence[sa.ColumnElement[bool]]:
    """Which campaigns' bulletins everybody may read."""
    return (
        col(Campaign.archive_slug).is_not(None),
        col(Campaign.visibility) == Visibility.PUBLIC.value,
        col(Campaign.state).in_([state.value for state in _SHOWN_STATES]),
    )


def _bulletins() -> sa.Select[Campaign, Dispatch, Issue]:
    """What everybody may read; the issue is None for a bulletin without one."""
    return (
        sa.select(Campaign, Dispatch, Issue)
        .join(Dispatch, col(Dispatch.campaign_id) == col(Campaign.id))
        .join(Bulletin, col(Bulletin.id) == col(Campaign.bulletin_id))
        .outerjoin(Issue, col(Issue.id) == col(Bulletin.issue_id))
        .where(*is_shown())
    )


def _has_edition(wanted: Wanted) -> sa.ColumnElement[bool]:
    """One of a dispatch's editions is as wanted; served by the table's unique index."""
    which = [col(ArchivedEdition.dispatch_id) == col(Dispatch.id)]
    if wanted.language:
        which.append(col(ArchivedEdition.language) == wanted.language)
    which += [
        col(ArchivedEdition.words).like(f"% {word}%") for word in archive_words.asked(wanted.search)
    ]
    return sa.exists().where(*which)


async def _neighbours(session: AsyncSession, which: sa.ColumnElement[bool]) -> Sequence[Neighbour]:
    """Bulletins of the archive, in the order in which they went out."""
    statement = (
        sa.select(col(Campaign.archive_slug), col(Dispatch.started_at))
        .join(Dispatch, col(Dispatch.campaign_id) == col(Campaign.id))
        .where(*is_shown(), which)
        .order_by(col(Dispatch.id))
    )
    rows = (await session.execute(statement)).all()
    return [Neighbour(slug=slug, sent_at=moment) for slug, moment in rows]


async def _kept(
    session: AsyncSession, dispatch_ids: Sequence[int]
) -> Mapping[int, Mapping[str, ArchivedEdition]]:
    """Dispatch → language → the edition, without what is only searched or set for print."""
    statement = (
        sa.select(ArchivedEdition)
        .where(col(ArchivedEdition.dispatch_id).in_(dispatch_ids))
        .options(
            defer(ArchivedEdition.words, raiseload=True),  # type: ignore[arg-type]
            defer(ArchivedEdition.edition, raiseload=True),  # type: ignore[arg-type]
        )
    )
    found: dict[int, dict[str, ArchivedEdition]] = {}
    for row in (await session.scalars(statement)).all():
        found.setdefault(row.dispatch_id, {})[row.language] = row
    return found


async def _plan(session: AsyncSession, entry: Entry) -> Plan:
    row = await session.get(DispatchPlan, (entry.dispatch_id, entry.language))
    if row is None:
        raise errors.NotFound(N_("There is no such bulletin in the archive."))
    order = await session.get_one(Dispatch, entry.dispatch_id)
    return Plan.thaw(row.of(order.winner))


def _entry(
    campaign: Campaign,
    dispatch: Dispatch,
    issue: Issue | None,
    kept: Mapping[str, ArchivedEdition],
    wish: str,
    translator: Translator,
) -> Entry:
    language = wording.choose(kept, wish, default=dispatch.default_language)
    row = kept[language]
    return Entry(
        campaign_id=campaign.id,
        dispatch_id=dispatch.id,
        slug=campaign.archive_slug or "",
        subject=row.subject,
        description=row.description,
        picture_url=row.picture_url,
        picture_alt=row.picture_alt,
        language=language,
        language_note=wording.note(language, translator),
        sent_at=dispatch.started_at,
        languages=sorted(kept),
        issue_slug=issue.slug if issue and issue.is_published else "",
        has_handbill=row.has_blocks,
    )
