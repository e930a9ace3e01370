"""Whether two forms can be tried as planned, and on how many people."""

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import trial_plans, trials
from campaigns.audiences import Counted
from campaigns.findings import Finding
from campaigns.models import Campaign
from campaigns.preflight import items
from campaigns.preflight.items import Item, Place, Where
from campaigns.trial_plans import Plan
from delivery import dispatch
from foundation import errors
from foundation.findings import Tone
from foundation.ground import Ground
from foundation.i18n import N_, NN_

CODE = "trial"


async def look(ground: Ground, session: AsyncSession, campaign: Campaign) -> list[Item]:
    """What stops it: a second form that can't be made. Nothing for a campaign that tries none."""
    wanted = await planned(session, campaign)
    if wanted is None:
        return []
    try:
        await trials.check(ground, session, campaign, wanted)
    except errors.HandbillError as problem:
        return [
            Item(
                code=CODE,
                tone=Tone.BAD,
                msgid=problem.msgid,
                finding=Finding(code=CODE, msgid=str(problem), problem=problem, is_blocking=True),
                place=_place(campaign),
                is_final=True,
            )
        ]
    return []


async def planned(session: AsyncSession, campaign: Campaign) -> Plan | None:
    """The plan to try two forms, if there is one."""
    trial = await trials.of_campaign(session, campaign.id)
    return trial_plans.parse(trial.plan) if trial else None


def of_count(campaign: Campaign, wanted: Plan, counted: Counted) -> list[Item]:
    """On how many each form would be tried."""
    each = sum(
        dispatch.drawn_of(people, percent=wanted.percent) for people in counted.by_language.values()
    )
    if not each:
        return [
            items.bad(
                CODE,
                N_("Too few people to try two forms: raise the share, or send it in one form."),
                place=_place(campaign),
                is_final=True,
            )
        ]
    return [
        items.good(
            CODE,
            NN_(
                "Each of two forms would be tried on %(count)s person.",
                "Each of two forms would be tried on %(count)s people.",
            ),
            count=each,
        )
    ]


def _place(campaign: Campaign) -> Place:
    return Place(where=Where.TRIAL, path=f"/staff/campaigns/{campaign.id}/trial")
