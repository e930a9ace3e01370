"""A campaign's work order: plans of every language and the audience, handed to delivery.

Called by `lifecycle.start`, in its transaction.
"""

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import archiving, audiences, calendars, compiling
from campaigns.models import Bulletin, Campaign, Visibility
from delivery import dispatch
from delivery.models import Dispatch, WhenUncertain
from foundation import errors
from foundation.ground import Ground
from foundation.i18n import N_


async def hand_over(
    ground: Ground, session: AsyncSession, campaign: Campaign, bulletin: Bulletin, slug: str
) -> Dispatch:
    """Freeze the plans and fill the ledger.

    Raises `errors.Invalid` with the place that can't go out, `errors.Refused` for nobody.
    """
    archive_url = _archive_url(ground, campaign, slug)
    compiled = await compiling.compile_editions(
        ground, session, bulletin, campaign_name=campaign.name, archive_url=archive_url
    )
    plans = {language: each.plan for language, each in compiled.items()}
    languages = list(plans)
    resolved = await audiences.resolve(
        session, audiences.parse(campaign.audience), languages=languages
    )
    read = await audiences.read_by(session, resolved)
    plans |= compiling.stack(
        ground, list(compiled.values()), keys=read.stacked, archive_url=archive_url
    )
    excluded = await audiences.count_excluded(session, resolved)
    settings = ground.settings
    made = await dispatch.start(
        ground,
        session,
        dispatch.Order(
            campaign_id=campaign.id,
            name=campaign.name,
            from_name=campaign.from_name or settings.from_name,
            from_address=campaign.from_address or settings.mail.from_address,
            reply_to=campaign.reply_to or settings.mail.reply_to,
            relay=campaign.relay,
            default_language=languages[0],
            plans=plans,
            topics=resolved.topic_ids,
            recipients=audiences.select_recipients(resolved, read),
            excluded=excluded,
            when_uncertain=WhenUncertain(campaign.when_uncertain)
            if campaign.when_uncertain
            else None,
        ),
    )
    if not made.audience:
        raise errors.Refused(N_("Nobody would get this: choose topics that people are on."))
    await calendars.keep(ground, session, campaign=campaign, bulletin=bulletin)
    await archiving.keep(
        ground,
        session,
        campaign=campaign,
        dispatch_id=made.id,
        archive_url=archive_url,
        editions=compiled.values(),
    )
    return made


def _archive_url(ground: Ground, campaign: Campaign, slug: str) -> str:
    """Where mails say that they can be read: a page that is not for everybody is not named."""
    is_public = campaign.visibility == Visibility.PUBLIC
    return ground.url(f"/archive/{slug}" if is_public else "/archive")
