"""What happens to a bulletin's page in the archive: it is kept, named, shown to some or taken away.

`work_order.py` keeps the editions as sending starts; staff say before and after who can read them.
"""

import contextlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import archive_words, readings, transitions
from campaigns.archive_models import ArchivedEdition
from campaigns.compiling import Compiled
from campaigns.models import Campaign, CampaignState, Visibility
from delivery.models import Dispatch, DispatchPlan, Variant
from foundation import errors, tables, words
from foundation.audit import Actor
from foundation.ground import Ground
from foundation.i18n import N_
from templates import kept
from templates.plan import Plan

LONGEST_SLUG = 80
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_AT_ONCE = 50

VISIBILITY_WORDS: Mapping[Visibility, str] = {
    Visibility.PUBLIC: N_("Everybody: it is in the archive and in the feeds"),
    Visibility.SUBSCRIBERS: N_("Only who got it, by the link in their own mail"),
    Visibility.HIDDEN: N_("Nobody: it is taken back"),
}


async def keep(
    ground: Ground,
    session: AsyncSession,
    *,
    campaign: Campaign,
    dispatch_id: int,
    archive_url: str,
    editions: Iterable[Compiled],
) -> None:
    """Keep what everybody will have seen, as sending starts."""
    for each in editions:
        edition = each.resolved.edition
        values = for_anybody(ground, archive_url, campaign.name, edition.issue_title)
        record = kept.kept(edition, values)
        picture_url, picture_alt = archive_words.picture(record)
        session.add(
            ArchivedEdition(
                dispatch_id=dispatch_id,
                language=each.language,
                subject=record["subject"],
                description=archive_words.summary(record),
                picture_url=picture_url,
                picture_alt=picture_alt,
                words=archive_words.of_edition(record),
                edition=record,
            )
        )


async def fill_in(ground: Ground) -> int:
    """Keep what went out before there was this table, from its plans; returns how many editions.

    Their blocks are not known any more, so that nothing can be set anew from them.
    """
    number = 0
    while found := await _fill_in_some(ground):
        number += found
    return number


async def set_visibility(
    ground: Ground, *, actor: Actor, campaign_id: int, visibility: Visibility
) -> None:
    """Say who can read a bulletin from now on, before or after it went out.

    Raises `errors.NotFound`.
    """
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        before = campaign.visibility
        if before == visibility:
            return
        await session.execute(
            sa.update(Campaign)
            .where(col(Campaign.id) == campaign_id)
            .values(visibility=visibility.value, updated_at=ground.clock.now())
        )
        transitions.note(
            ground, session, actor, campaign_id, "visibility-set",
            before={"visibility": before}, after={"visibility": visibility.value},
        )  # fmt: skip


async def checked_slug(session: AsyncSession, wish: str, *, besides: int = 0) -> str | None:
    """The name that staff wish for a page in the archive, None for none.

    Raises `errors.Invalid` for `archive_slug`: not fit for an address, or another bulletin's.
    """
    slug = wish.strip().lower()
    if not slug:
        return None
    if not _SLUG.fullmatch(slug) or len(slug) > LONGEST_SLUG:
        raise _wrong(
            errors.Invalid(N_("Use small letters, digits and hyphens, such as clean-water."))
        )
    holder = (await session.exec(_holding(slug))).first()
    if holder is not None and holder.id != besides:
        raise _wrong(
            errors.Invalid(
                N_("The page /archive/%(slug)s is that of “%(name)s”. Choose another name."),
                slug=slug,
                name=holder.name,
            )
        )
    return slug


async def slug_for(ground: Ground, session: AsyncSession, campaign: Campaign) -> str:
    """The name of the page of a campaign that starts: as wished, else its local day and words.

    Where that is taken, numbers are tried until one is free.
    """
    if campaign.archive_slug:
        return campaign.archive_slug
    day = ground.clock.now().astimezone(ground.settings.site.tzinfo).strftime("%Y-%m-%d")
    plain = unicodedata.normalize("NFKD", campaign.name).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:60].strip("-")
    wish = slug = f"{day}-{words}" if words else day
    number = 1
    while (await session.exec(_holding(slug))).first() is not None:
        number += 1
        slug = f"{wish}-{number}"
    return slug


@contextlib.contextmanager
def named_once() -> Iterator[None]:
    """Around a change of a campaign's name in the archive: of two at one moment, one is told.

    Raises `errors.Conflict`.
    """
    try:
        yield
    except exc.IntegrityError as problem:
        if "archive_slug" not in str(problem.orig):  # both engines name the index
            raise
        raise errors.Conflict(
            N_("Another bulletin took this page of the archive at the same moment. Try again.")
        ) from problem


def _holding(slug: str) -> Any:
    return select(Campaign).where(Campaign.archive_slug == slug)


def _wrong(problem: errors.Invalid) -> errors.Invalid:
    return errors.Invalid(problem.msgid, fields={"archive_slug": problem}, **problem.values)


async def _fill_in_some(ground: Ground) -> int:
    missing = (
        select(DispatchPlan, Campaign)
        .join(Dispatch, col(Dispatch.id) == col(DispatchPlan.dispatch_id))
        .join(Campaign, col(Campaign.id) == col(Dispatch.campaign_id))
        .outerjoin(
            ArchivedEdition,
            sa.and_(
                col(ArchivedEdition.dispatch_id) == col(DispatchPlan.dispatch_id),
                col(ArchivedEdition.language) == col(DispatchPlan.language),
            ),
        )
        .where(
            col(ArchivedEdition.id).is_(None),
            col(Campaign.state) != CampaignState.CANCELLED.value,
            # Two under one another are no edition of their own.
            ~col(DispatchPlan.language).contains(readings.STACK),
        )
        .limit(_AT_ONCE)
    )
    async with ground.db.transaction() as session:
        rows = (await session.exec(missing)).all()
        for row, campaign in rows:
            await _fill_in_one(session, campaign, row, row.plan)
    return len(rows)


async def keep_as_sent(session: AsyncSession, *, campaign: Campaign, dispatch_id: int) -> None:
    """Show the second form of a bulletin, which most get, in place of the first."""
    await session.execute(
        sa.delete(ArchivedEdition).where(col(ArchivedEdition.dispatch_id) == dispatch_id)
    )
    rows = select(DispatchPlan).where(col(DispatchPlan.dispatch_id) == dispatch_id)
    for row in (await session.exec(rows)).all():
        if not readings.is_stacked(row.language):
            await _fill_in_one(session, campaign, row, row.of(Variant.B))


async def _fill_in_one(
    session: AsyncSession, campaign: Campaign, row: DispatchPlan, frozen: bytes
) -> None:
    plan = Plan.thaw(frozen)
    values = dict.fromkeys(plan.slot_names, "")
    subject = plan.subject(values)
    # Another process may fill in the same.
    await session.execute(
        tables.insert_for(session, ArchivedEdition)
        .values(
            dispatch_id=row.dispatch_id,
            language=row.language,
            subject=subject,
            description="",
            picture_url="",
            picture_alt="",
            words=words.folded(f"{campaign.name} {subject} {plan.text(values, plan.nobody)}"),
            edition={},
            has_blocks=False,
        )
        .on_conflict_do_nothing()
    )


def for_anybody(
    ground: Ground, archive_url: str, campaign_name: str, issue_title: str
) -> Mapping[str, str]:
    """What merge fields stand for when nobody in particular reads."""
    door = ground.url("/subscribe?source=archive")
    site = ground.settings.site
    return {
        "archive_url": archive_url,
        "view_url": archive_url,
        "unsubscribe_url": door,
        "preferences_url": door,
        "site.name": site.name,
        "site.postal_address": site.postal_address,
        "campaign.name": campaign_name,
        "issue.title": issue_title,
    }
