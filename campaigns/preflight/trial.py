"""Whether two forms can be tried as planned, and on how many people."""

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audiences, bulletins, trial_plans, trials
from campaigns.compiling import Looked
from campaigns.findings import Finding
from campaigns.models import Bulletin, Campaign
from campaigns.preflight import items
from campaigns.preflight.items import Item, Place, Where
from delivery import dispatch
from foundation import errors
from foundation.findings import Tone
from foundation.ground import Ground
from foundation.i18n import N_, NN_


async def look(
    ground: Ground,
    session: AsyncSession,
    campaign: Campaign,
    bulletin: Bulletin,
    looked: Looked,
    *,
    is_counted: bool = True,
) -> list[Item]:
    """Nothing for a campaign that tries nothing; nobody is counted unless `is_counted`."""
    trial = await trials.of_campaign(session, campaign.id)
    if trial is None:
        return []
    place = Place(where=Where.TRIAL, path=f"/staff/campaigns/{campaign.id}/trial")
    wanted = trial_plans.parse(trial.plan)
    try:
        await trials.check(ground, session, campaign, wanted)
        if not is_counted:
            return []
        counted = await audiences.count_in(
            ground,
            session,
            audiences.parse(campaign.audience),
            languages=looked.document.languages or bulletins.languages(bulletin),
        )
    except errors.HandbillError as problem:
        return [
            Item(
                code="trial",
                tone=Tone.BAD,
                msgid=problem.msgid,
                finding=Finding(
                    code="trial", msgid=str(problem), problem=problem, is_blocking=True
                ),
                place=place,
                is_final=True,
            )
        ]
    each = sum(
        dispatch.drawn_of(people, percent=wanted.percent) for people in counted.by_language.values()
    )
    if not each:
        return [
            items.bad(
                "trial",
                N_("Too few people to try two forms: raise the share, or send it in one form."),
                place=place,
                is_final=True,
            )
        ]
    return [
        items.good(
            "trial",
            NN_(
                "Each of two forms would be tried on %(count)s person.",
                "Each of two forms would be tried on %(count)s people.",
            ),
            count=each,
        )
    ]
