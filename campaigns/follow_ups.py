"""What follows a campaign: a correction for whoever has it, the same for the others, a duplicate.

All are drafts like any other: they are looked over, approved and sent by a person. What has gone
out is never changed; its page in the archive says that a correction followed.
"""

import enum
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    audience_rules,
    audiences,
    bulletins,
    campaign_views,
    documents,
    lifecycle,
    segments,
    transitions,
)
from campaigns.audience_rules import Rules
from campaigns.audiences import Audience
from campaigns.block_models import KINDS
from campaigns.documents import Document
from campaigns.models import Bulletin, Campaign, CampaignState, Visibility
from delivery.models import Dispatch
from foundation import errors
from foundation.audit import Actor
from foundation.ground import Ground
from foundation.i18n import N_, Translator

_TITLE = N_("Correction: %(subject)s")
_OPENING = N_(
    "Our bulletin of %(date)s, “%(subject)s”, held a mistake. We are sorry. This is what is right:"
)
_COPY = N_("%(name)s (copy)")
_LONGEST_LINE = 300
_LONGEST_NAME = 200


class Besides(enum.StrEnum):
    """Who is left out of a duplicate."""

    NOBODY = "nobody"
    """It goes to the same people."""
    GOT_IT = "got-it"
    """Whoever got the first, or is still to get it."""
    FOLLOWED_IT = "followed-it"
    """Whoever followed a link in the first, as far as they agreed to be counted by name."""


BESIDES_WORDS: Mapping[Besides, str] = {
    Besides.NOBODY: N_("Nobody: it goes to the same people"),
    Besides.GOT_IT: N_("Who got this one"),
    Besides.FOLLOWED_IT: N_("Who followed a link in this one"),
}


async def correct(ground: Ground, *, actor: Actor, campaign_id: int) -> Campaign:
    """A draft to everybody who got a campaign, or may have, and is still subscribed.

    Its bulletin is a copy that opens by saying what it is. Raises `errors.NotFound`,
    `errors.Refused` for a campaign that nobody has.
    """
    async with ground.db.transaction() as session:
        campaign, order = await _sent(session, campaign_id)
        bulletin = await bulletins.get(session, campaign.bulletin_id)
        document = _opened(ground, bulletins.document_of(bulletin), order)
        copy = await bulletins.add(ground, session, actor=actor, document=document)
        audience = _whoever_got(audiences.parse(campaign.audience), campaign_id)
        made = await _draft(ground, session, actor, campaign, copy, audience)
        made.corrects_id = campaign_id
        transitions.note(
            ground, session, actor, campaign_id, "corrected", before={}, after={"by": made.id}
        )
        return made


async def send_to_others(ground: Ground, *, actor: Actor, campaign_id: int) -> Campaign:
    """A draft of the same bulletin to those of its audience whom it did not reach.

    They came later, or their mail failed; whoever has it from any campaign is left out. Raises as
    `correct`.
    """
    async with ground.db.transaction() as session:
        campaign, _ = await _sent(session, campaign_id)
        bulletin = await bulletins.get(session, campaign.bulletin_id)
        before = await session.exec(
            select(Campaign.id)
            .join(Dispatch, col(Dispatch.campaign_id) == col(Campaign.id))
            .where(Campaign.bulletin_id == bulletin.id)
            .order_by(col(Campaign.id))
        )
        audience = segments.loosened(audiences.parse(campaign.audience))
        numbers = sorted({*audience.not_received, *before.all()})
        audience = audience.model_copy(update={"not_received": numbers})
        made = await _draft(ground, session, actor, campaign, bulletin, audience)
        # It stands in the archive already.
        made.visibility = Visibility.SUBSCRIBERS.value
        return made


async def duplicate(
    ground: Ground, *, actor: Actor, campaign_id: int, besides: Besides
) -> Campaign:
    """A draft with a copy of the bulletin to the same people, perhaps without some of them.

    Raises `errors.NotFound`, and `errors.Refused` where it would leave out whoever got what was not
    sent yet.
    """
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        if besides is not Besides.NOBODY:
            await _sent(session, campaign_id)
        bulletin = await bulletins.get(session, campaign.bulletin_id)
        document = documents.with_ids(bulletins.document_of(bulletin))
        site = ground.translator(ground.settings.site.language)
        name = (site.gettext(_COPY) % {"name": campaign.name})[:_LONGEST_NAME]
        copy = await bulletins.add(
            ground, session, actor=actor, document=document.model_copy(update={"name": name})
        )
        audience = _without(
            segments.loosened(audiences.parse(campaign.audience)), besides, campaign_id
        )
        return await _draft(ground, session, actor, campaign, copy, audience)


async def corrections(session: AsyncSession, campaign_id: int) -> Sequence[Campaign]:
    """The corrections of a campaign that were not cancelled, in their order."""
    statement = (
        select(Campaign)
        .where(
            Campaign.corrects_id == campaign_id,
            Campaign.state != CampaignState.CANCELLED.value,
        )
        .order_by(col(Campaign.id))
    )
    return (await session.exec(statement)).all()


def _whoever_got(audience: Audience, campaign_id: int) -> Audience:
    """Everybody who has a campaign, whether or not they fit its conditions today."""
    freed: dict[str, Any] = {name: [] for name in Rules.model_fields}
    if not audience.topics and not audience.members:
        freed["topics"] = [audiences.MEMBERS_TOPIC]
    return audience.model_copy(update={**freed, "received": [campaign_id], "not_received": []})


def _without(audience: Audience, besides: Besides, campaign_id: int) -> Audience:
    conditions: Mapping[Besides, Sequence[audience_rules.Condition]] = {
        Besides.NOBODY: [],
        Besides.GOT_IT: [audience_rules.Received(campaigns=[campaign_id])],
        Besides.FOLLOWED_IT: [audience_rules.Clicked(campaigns=[campaign_id])],
    }
    return audience.model_copy(update={"none_of": [*audience.none_of, *conditions[besides]]})


async def _sent(session: AsyncSession, campaign_id: int) -> tuple[Campaign, Dispatch]:
    campaign = await transitions.get(session, campaign_id)
    order = await campaign_views.dispatch_of(session, campaign_id)
    if order is None:
        raise errors.Refused(N_("This campaign was not sent yet: change it instead."))
    return campaign, order


async def _draft(
    ground: Ground,
    session: AsyncSession,
    actor: Actor,
    like: Campaign,
    bulletin: Bulletin,
    audience: Audience,
) -> Campaign:
    """A draft from the same sender."""
    relays = [each.name for each in ground.settings.relay]
    return await lifecycle.add(
        ground,
        session,
        actor=actor,
        bulletin_id=bulletin.id,
        name=bulletin.name,
        audience=audience,
        from_name=like.from_name,
        from_address=like.from_address,
        reply_to=like.reply_to,
        relay=like.relay if like.relay in relays else "",
        when_uncertain=like.when_uncertain,
    )


def _opened(ground: Ground, document: Document, order: Dispatch) -> Document:
    """A copy that says in each language, in subject and first block, that it corrects another."""
    speakers = {code: ground.translator(code) for code in document.editions}
    editions = {
        code: edition.model_copy(
            update={"subject": _line(speakers[code], edition.subject), "title": ""}
        )
        for code, edition in document.editions.items()
    }
    words = {
        code: {
            "html": f"<p><strong>{_sentence(speakers[code], edition.subject, order)}</strong></p>"
        }
        for code, edition in document.editions.items()
    }
    opening = KINDS["rich_text"].model_validate({"texts": words})
    site = ground.translator(ground.settings.site.language)
    kept = document.blocks[: documents.MAX_BLOCKS - 1]
    values: Mapping[str, Any] = {
        "name": _line(site, document.name)[:_LONGEST_NAME],
        "editions": editions,
        "blocks": [opening, *kept],
        "audience": {},
    }
    return documents.with_ids(document.model_copy(update=values))


def _line(speaks: Translator, subject: str) -> str:
    return (speaks.gettext(_TITLE) % {"subject": subject})[:_LONGEST_LINE]


def _sentence(speaks: Translator, subject: str, order: Dispatch) -> str:
    date = speaks.date(order.started_at.astimezone(speaks.zone), "long")
    return escape(speaks.gettext(_OPENING) % {"subject": subject, "date": date}, quote=False)
