"""A campaign's work order: plans of every language and the audience, handed to delivery.

Called by `lifecycle.start`, in its transaction.
"""

import re
import unicodedata

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audiences, compiling
from campaigns.models import Bulletin, Campaign
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
    plans = await compiling.compile_plans(
        ground,
        session,
        bulletin,
        campaign_name=campaign.name,
        archive_url=ground.url(f"/archive/{slug}"),
    )
    languages = list(plans)
    resolved = await audiences.resolve(
        session, audiences.parse(campaign.audience), languages=languages
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
            recipients=audiences.select_recipients(resolved),
            excluded=excluded,
            when_uncertain=WhenUncertain(campaign.when_uncertain)
            if campaign.when_uncertain
            else None,
        ),
    )
    if not made.audience:
        raise errors.Refused(N_("Nobody would get this: choose topics that people are on."))
    return made


async def archive_slug(ground: Ground, session: AsyncSession, campaign: Campaign) -> str:
    """The page's name in the archive: local day and words; with a number when it is taken."""
    day = ground.clock.now().astimezone(ground.settings.site.tzinfo).strftime("%Y-%m-%d")
    plain = unicodedata.normalize("NFKD", campaign.name).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:60].strip("-")
    slug = f"{day}-{words}" if words else day
    taken = sa.select(col(Campaign.id)).where(col(Campaign.archive_slug) == slug)
    if (await session.execute(taken)).first() is not None:
        slug = f"{slug}-{campaign.id}"
    return slug
