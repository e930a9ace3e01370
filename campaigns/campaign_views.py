"""Campaigns as they stand: one with what belongs to it, a list of them, the work order of one.

What is done to them stands in `lifecycle.py`.
"""

from collections.abc import Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import bulletins, transitions
from campaigns.models import Bulletin, Campaign, CampaignState
from campaigns.transitions import TRANSITIONS, Verb
from delivery.models import Dispatch, WhenUncertain
from foundation import errors
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

PAGE = 30


@frozen
class View:
    """A campaign with what belongs to it."""

    campaign: Campaign
    bulletin: Bulletin
    languages: Sequence[str]
    """Of the bulletin's editions, its default first."""
    dispatch: Dispatch | None
    verbs: frozenset[Verb]
    """What its state allows."""
    is_changed: bool
    """The bulletin was saved after it was approved; it has to be approved again."""

    def when_uncertain(self, ground: Ground) -> WhenUncertain:
        """What becomes of recipients of whom it is uncertain whether they got it."""
        if self.dispatch is not None:
            return WhenUncertain(self.dispatch.when_uncertain)
        return WhenUncertain(self.campaign.when_uncertain or ground.settings.delivery.uncertain)


@frozen
class Page:
    """Some campaigns, newest first."""

    items: Sequence[Campaign]
    next_after: int | None = None


async def show(ground: Ground, *, campaign_id: int) -> View:
    """A campaign with its bulletin, dispatch and what may be done. Raises `errors.NotFound`."""
    async with ground.db.reading() as session:
        return await read(session, campaign_id)


async def read(session: AsyncSession, campaign_id: int) -> View:
    """The same within a session that is open already."""
    campaign = await transitions.get(session, campaign_id)
    bulletin = await bulletins.get(session, campaign.bulletin_id)
    state = CampaignState(campaign.state)
    return View(
        campaign=campaign,
        bulletin=bulletin,
        languages=bulletins.languages(bulletin),
        dispatch=await dispatch_of(session, campaign_id),
        verbs=frozenset(
            verb for verb, steps in TRANSITIONS.items() if state in steps and verb is not Verb.SIGN
        ),
        is_changed=campaign.approved_version not in (None, bulletin.version),
    )


async def listed(
    ground: Ground,
    *,
    states: Sequence[CampaignState] = (),
    after: int | None = None,
    limit: int = PAGE,
) -> Page:
    """Campaigns, newest first, perhaps only those in some states."""
    statement = select(Campaign).order_by(col(Campaign.id).desc()).limit(limit + 1)
    if states:
        statement = statement.where(col(Campaign.state).in_([state.value for state in states]))
    if after is not None:
        statement = statement.where(col(Campaign.id) < after)
    async with ground.db.reading() as session:
        found = list((await session.exec(statement)).all())
    more = found[limit - 1].id if len(found) > limit else None
    return Page(items=found[:limit], next_after=more)


async def dispatch_of(session: AsyncSession, campaign_id: int) -> Dispatch | None:
    """The campaign's work order, if it was started."""
    statement = select(Dispatch).where(Dispatch.campaign_id == campaign_id)
    return (await session.exec(statement)).first()


async def sent_lately(
    session: AsyncSession, *, chosen: Sequence[int], limit: int
) -> Sequence[Campaign]:
    """Campaigns that were started, the last first, and those of the numbers `chosen`."""
    statement = (
        select(Campaign)
        .join(Dispatch, col(Dispatch.campaign_id) == col(Campaign.id))
        .order_by(col(Dispatch.id).desc())
    )
    found = list((await session.exec(statement.limit(limit))).all())
    missing = set(chosen) - {each.id for each in found}
    if missing:
        found += (await session.exec(statement.where(col(Campaign.id).in_(missing)))).all()
    return found


async def order_of(session: AsyncSession, campaign_id: int) -> Dispatch:
    """The work order of a campaign that was started. Raises `errors.NotFound` for another."""
    order = await dispatch_of(session, campaign_id)
    if order is None:
        raise errors.NotFound(N_("This campaign was not started yet."))
    return order
