"""Tells the addresses that are named for it when a campaign begins to go out, and when it is done.

Both are queued in the transaction in which that happens.
"""

from collections.abc import Mapping

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import bulletins, reviewing
from campaigns.models import Bulletin, Campaign
from delivery import ledger
from delivery.models import Dispatch
from foundation import addresses, errors
from foundation.accounts.models import Staff
from foundation.audit import Actor
from foundation.ground import Ground
from foundation.notices import Notice


async def started(
    ground: Ground, session: AsyncSession, actor: Actor, campaign: Campaign, bulletin: Bulletin,
    order: Dispatch,
) -> None:  # fmt: skip
    """It begins to go out."""
    document = bulletins.document_of(bulletin)
    subject = document.editions[document.languages[0]].subject if document.languages else ""
    await _tell(
        ground, session, campaign, "campaign_started", {"people": order.audience},
        subject=subject, who=actor.label,
    )  # fmt: skip


async def done(ground: Ground, session: AsyncSession, campaign_id: int) -> None:
    """Everybody has an outcome."""
    campaign = await session.get_one(Campaign, campaign_id)
    order = (await session.exec(select(Dispatch).where(Dispatch.campaign_id == campaign_id))).one()
    if not await _whom(ground, session, campaign_id):
        return
    found = await ledger.standing(session, order)
    counted = {
        "people": found.audience,
        "sent": found.sent,
        "failed": found.failed + found.uncertain,
        "cancelled": found.cancelled,
    }
    await _tell(ground, session, campaign, "campaign_done", counted)


async def _tell(
    ground: Ground, session: AsyncSession, campaign: Campaign, kind: str,
    counted: Mapping[str, int], **context: str,
) -> None:  # fmt: skip
    """Write to everybody who is named, each in their language."""
    notices = []
    for to, language in (await _whom(ground, session, campaign.id)).items():
        speaks = ground.translator(language)
        said = {name: speaks.number(value) for name, value in counted.items()}
        url = ground.url(f"/staff/campaigns/{campaign.id}")
        notices.append(
            Notice(
                kind=kind,
                to=to,
                language=language,
                context={"campaign": campaign.name, "url": url, **said, **context},
            )
        )
    await ground.notices.queue_all(session, notices)


async def _whom(ground: Ground, session: AsyncSession, campaign_id: int) -> dict[str, str]:
    """Address → language: a colleague's own, else the site's."""
    review = await reviewing.of_campaign(session, campaign_id)
    named = {}
    for typed in (*ground.settings.release.tell, *review.tell):
        try:
            address = addresses.parse(typed)
        except errors.Invalid:
            continue  # of the settings; `handbill doctor` is where such is seen
        named[address.key] = address.email
    statement = select(Staff.email_key, Staff.language).where(col(Staff.email_key).in_(named))
    languages = dict((await session.exec(statement)).all())
    return {
        email: languages.get(key, ground.settings.site.language) for key, email in named.items()
    }
