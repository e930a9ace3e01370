"""Says why a campaign waits for a person, and tells staff by mail."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns.models import Campaign
from foundation import errors
from foundation.accounts.models import Role, Staff
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.notices import Notice

OVERDUE = N_("It was due while the service was down, and that is too long ago to start by itself.")
"""The reason of a campaign that is too late."""


async def tell_staff(
    ground: Ground, session: AsyncSession, *, campaign: Campaign, reason: errors.HandbillError
) -> None:
    """Queue a notice to `[mail] staff_address`, or to every owner, in the caller's transaction."""
    for to, language in await whom(ground, session):
        await ground.notices.queue(
            session,
            Notice(
                kind="campaign_needs_attention",
                to=to,
                language=language,
                context={
                    "campaign": campaign.name,
                    "reason": reason.say(ground.translator(language)),
                    "url": ground.url(f"/staff/campaigns/{campaign.id}"),
                },
            ),
        )


def why(campaign: Campaign, language: str) -> str:
    """Why a campaign waits, in a language where it is known in several."""
    return campaign.waiting_texts.get(language) or campaign.waiting_reason


async def whom(ground: Ground, session: AsyncSession) -> list[tuple[str, str]]:
    """Address and language of whoever is told when nobody looks after a thing."""
    fixed = ground.settings.mail.staff_address
    if fixed:
        return [(fixed, ground.settings.site.language)]
    statement = (
        select(Staff)
        .where(Staff.role == Role.OWNER.value, col(Staff.is_active).is_(True))
        .order_by(col(Staff.id))
    )
    return [(person.email, person.language) for person in (await session.exec(statement)).all()]
