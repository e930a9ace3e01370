"""A campaign's work order: plans of every language and the audience, handed to delivery.

Called by `lifecycle.start`, in its transaction.
"""

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    archiving,
    audience_rules,
    audiences,
    bulletins,
    calendars,
    compiling,
    reader_time,
    segments,
    trial_plans,
    trials,
)
from campaigns.compiling import Compiled
from campaigns.documents import Document
from campaigns.models import Bulletin, Campaign, Visibility
from delivery import dispatch
from delivery.models import Dispatch, WhenUncertain
from foundation import errors
from foundation.ground import Ground
from foundation.i18n import N_
from templates.plan import Plan


async def hand_over(
    ground: Ground, session: AsyncSession, campaign: Campaign, bulletin: Bulletin, slug: str
) -> Dispatch:
    """Freeze the plans and fill the ledger.

    Raises `errors.Invalid` with the place that can't go out, `errors.Refused` for nobody.
    """
    archive_url = _archive_url(ground, campaign, slug)
    trial = await trials.of_campaign(session, campaign.id)
    wanted = trial_plans.parse(trial.plan) if trial else None
    document = bulletins.document_of(bulletin)
    first, second = trial_plans.forms(wanted, document) if wanted else (document, None)
    languages = document.languages
    audience = await segments.hold(session, audiences.parse(campaign.audience))
    if audience_rules.segments_of(audience):
        campaign.audience = audience_rules.stored(audience)
    resolved = await audiences.resolve(ground, session, audience, languages=languages)
    read = await audiences.read_by(session, resolved)

    async def compiled_form(
        form: Document, first_link: int
    ) -> tuple[dict[str, Compiled], dict[str, Plan]]:
        """Each edition, and the plans of these and of stacked ones."""
        made = await compiling.compile_document(
            ground,
            session,
            form,
            bulletin_id=bulletin.id,
            campaign_name=campaign.name,
            archive_url=archive_url,
            first_link=first_link,
        )
        stacked = compiling.stack(
            ground, list(made.values()), keys=read.stacked, archive_url=archive_url
        )
        return made, {language: each.plan for language, each in made.items()} | stacked

    compiled, plans = await compiled_form(first, 1)
    others: dict[str, Plan] = {}
    if second is not None:
        _, others = await compiled_form(second, 1 + compiling.last_link(plans.values()))
    counted = await audiences.count_in(ground, session, audience, languages=languages)
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
            excluded=counted.excluded,
            when_uncertain=WhenUncertain(campaign.when_uncertain)
            if campaign.when_uncertain
            else None,
            not_before=reader_time.not_before(
                local=campaign.scheduled_local, zone=campaign.scheduled_zone
            )
            if campaign.at_readers_time
            else None,
            trial=dispatch.Trial(
                plans=others,
                percent=wanted.percent,
                from_name=wanted.from_name,
            )
            if wanted
            else None,
        ),
    )
    if not made.audience:
        raise errors.Refused(N_("Nobody would get this: choose topics that people are on."))
    await calendars.keep(ground, session, campaign=campaign, bulletin=bulletin)
    await trials.begin(ground, session, campaign=campaign, dispatch_id=made.id)
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
