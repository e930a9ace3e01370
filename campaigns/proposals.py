"""What partners propose for bulletins: by a form behind their sign-in, or by a program of theirs.

A proposal is an item of the inbox that carries the partner, so that what is kept of it is credited
and counted as the partner's in every series. It names no way around the desk: staff decide.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import feed_reading, inbox_lists, incoming, issues, links, series_plans
from campaigns.inbox_models import IncomingItem, ItemState, Origin
from campaigns.incoming import Offer
from campaigns.models import DevelopmentKind, Issue
from campaigns.series_models import Series, SeriesState
from foundation import errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers.models import Partner

MOST_WAITING = 30
"""So many proposals of one partner may wait at a time."""
_SHOWN_DAYS = 120
STATE_WORDS = {
    ItemState.NEW: N_("waits for an answer"),
    ItemState.APART: N_("waits for an answer"),
    ItemState.HELD: N_("waits for a later edition"),
    ItemState.KEPT: N_("taken"),
    ItemState.SAME: N_("told by others, too"),
    ItemState.DROPPED: N_("not taken"),
}


@frozen
class Proposal:
    """A story as a partner tells it."""

    issue_id: int
    headline: str
    summary: str
    language: str
    happened_on: date
    kind: DevelopmentKind = DevelopmentKind.NEWS
    place: str = ""
    source_url: str = ""


@frozen
class CutOff:
    """Until when stories are taken for the next edition of a series."""

    series: str
    closes_at: datetime
    sends_at: datetime


async def propose(
    ground: Ground, *, actor: Actor, partner_id: int, proposal: Proposal
) -> IncomingItem:
    """Put a partner's story into the inbox; the same one again is the same item.

    Raises `errors.Invalid`, `errors.NotFound`, and `errors.Refused` when too many wait already.
    """
    offer = _offer(ground, actor, partner_id, proposal)
    async with ground.db.transaction() as session:
        partner = await session.get(Partner, partner_id)
        if partner is None or not partner.is_active:
            raise errors.NotFound(N_("There is no such partner."))
        issue = await issues.get(session, proposal.issue_id)
        if not issue.is_published:
            raise errors.NotFound(N_("There is no such issue."))
        waiting = await session.scalar(
            sa.select(sa.func.count())
            .select_from(IncomingItem)
            .where(
                col(IncomingItem.partner_id) == partner_id,
                col(IncomingItem.origin) == Origin.PARTNER.value,
                col(IncomingItem.state) == ItemState.NEW.value,
            )
        )
        if (waiting or 0) >= MOST_WAITING:
            raise errors.Refused(
                N_("%(most)s of your stories wait for an answer already."), most=MOST_WAITING
            )
        taken = await incoming.put(
            ground, session, issue_id=issue.id, origin=Origin.PARTNER, offers=[offer], actor=actor
        )
        return await inbox_lists.get(session, taken.every[0])


async def listed(ground: Ground, *, partner_id: int) -> Sequence[IncomingItem]:
    """What a partner proposed in the last months, the last first."""
    statement = (
        select(IncomingItem)
        .where(
            IncomingItem.partner_id == partner_id,
            IncomingItem.origin == Origin.PARTNER.value,
            col(IncomingItem.received_at) > ground.clock.now() - timedelta(days=_SHOWN_DAYS),
        )
        .order_by(col(IncomingItem.id).desc())
        .limit(100)
    )
    async with ground.db.reading() as session:
        return (await session.exec(statement)).all()


async def cut_offs(ground: Ground, session: AsyncSession) -> list[CutOff]:
    """Until when stories are taken, of each series that draws on them; the next first."""
    now = ground.clock.now()
    statement = select(Series).where(
        Series.state == SeriesState.ACTIVE.value, col(Series.closes_at) > now
    )
    found = (await session.exec(statement.order_by(col(Series.closes_at)).limit(20))).all()
    return [
        CutOff(series=each.name, closes_at=each.closes_at, sends_at=each.sends_at or each.closes_at)
        for each in found
        if each.closes_at is not None and series_plans.parse(each.document).sections
    ]


async def open_issues(session: AsyncSession) -> list[Issue]:
    """Those for which stories can be proposed: what the public sees."""
    return await issues.everything(session, is_published=True)


def _offer(ground: Ground, actor: Actor, partner_id: int, proposal: Proposal) -> Offer:
    headline = feed_reading.line(proposal.headline)
    if not headline:
        problem = errors.Invalid(N_("Give it a headline too."))
        raise errors.Invalid(problem.msgid, fields={"headline": problem})
    if proposal.language not in ground.catalog.languages:
        problem = errors.Invalid(N_("Choose one of the site's languages."))
        raise errors.Invalid(problem.msgid, fields={"language": problem})
    url = links.check(proposal.source_url, field="source_url")
    if url and not feed_reading.web_link(url):
        problem = errors.Invalid(N_("Its link is no address of the web."))
        raise errors.Invalid(problem.msgid, fields={"source_url": problem})
    summary = feed_reading.plain(proposal.summary)
    return Offer(
        identity=f"{partner_id}\n{url or headline}",
        headline=headline,
        summary=feed_reading.paragraphs(feed_reading.shortened(summary, 2000)),
        source_url=url,
        language=proposal.language,
        happened_on=proposal.happened_on,
        kind=proposal.kind,
        place=" ".join(proposal.place.split())[:120],
        partner_id=partner_id,
        sender=actor.label,
    )
