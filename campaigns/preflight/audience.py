"""How many would get it, whether that is a surprise, and who would see which blocks."""

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audiences, sections
from campaigns.audiences import Counted, Resolved
from campaigns.block_models import Near
from campaigns.compiling import Looked
from campaigns.models import Bulletin, Campaign
from campaigns.preflight import items, places
from campaigns.preflight.items import Item
from delivery.models import Dispatch
from foundation import errors
from foundation.findings import Tone
from foundation.ground import Ground
from foundation.i18n import N_, NN_

CODE = "audience"
"""Of what is said of the audience as a whole."""
SURPRISING = 10
"""So many times the audience of the last campaign are worth a second look."""
_LOOKED_BACK = 50
"""Campaigns that are looked through for one to the same topics."""


async def look(ground: Ground, session: AsyncSession, campaign: Campaign) -> list[Item]:
    """What stops it: an audience that can't be read, or that is nobody. Else nothing."""
    place = places.audience(campaign)
    try:
        if await audiences.is_anybody(ground, session, audiences.parse(campaign.audience)):
            return []
    except errors.Invalid as problem:
        return [
            Item(
                code=CODE,
                tone=Tone.BAD,
                msgid=problem.msgid,
                values=problem.values,
                place=place,
                is_final=True,
            )
        ]
    return [
        items.bad(
            CODE,
            N_("Nobody would get this: choose topics that people are on."),
            place=place,
            is_final=True,
        )
    ]


def of_count(campaign: Campaign, counted: Counted, *, last: int) -> list[Item]:
    """How many would get it now; `last` is the audience of the last campaign like it, if any."""
    found = [
        items.good(
            CODE,
            NN_("%(count)s person would get it now.", "%(count)s people would get it now."),
            count=counted.included,
        )
    ]
    if last and counted.included >= SURPRISING * last:
        found.append(
            items.warn(
                "audience-surprise",
                N_("This would go to %(count)s people; the last campaign went to %(last)s."),
                place=places.audience(campaign),
                last=last,
                count=counted.included,
            )
        )
    return found


async def last(session: AsyncSession, campaign: Campaign, mine: Resolved) -> int:
    """The audience of the last campaign to one of the topics, else of the last; 0 if none was."""
    statement = (
        sa.select(col(Dispatch.topics), col(Dispatch.audience))
        .where(col(Dispatch.campaign_id) != campaign.id, col(Dispatch.audience) > 0)
        .order_by(col(Dispatch.id).desc())
        .limit(_LOOKED_BACK)
    )
    past = (await session.execute(statement)).all()
    of_alike = [people for on, people in past if set(mine.topic_ids).intersection(on)]
    return next(iter([*of_alike, *(people for _, people in past)]), 0)


async def look_at_sections(
    ground: Ground, session: AsyncSession, campaign: Campaign, bulletin: Bulletin, looked: Looked
) -> list[Item]:
    """Who would see the blocks that are not for everybody."""
    try:
        audience = audiences.parse(campaign.audience)
        counted = await sections.count(ground, session, document=looked.document, audience=audience)
    except errors.Invalid:
        return []  # an audience that can't be read is on the list already
    found = [
        section(each, places.block(bulletin.id, looked, each.number)) for each in counted.blocks
    ]
    found += [
        items.warn(
            "section-bare",
            NN_(
                "For %(count)s person, nothing is left of the edition in %(language)s.",
                "For %(count)s people, nothing is left of the edition in %(language)s.",
            ),
            place=places.bulletin(bulletin.id),
            about=language,
            count=people,
            language=language,
        )
        for language, people in counted.bare.items()
    ]
    return found


_SEEN_WORDS = {
    Near.NO: (
        N_("Nobody would see block %(number)s: look at whom it is for."),
        N_("%(readers)s of %(total)s people would see block %(number)s."),
        N_("Block %(number)s is for some people only, but all would see it."),
    ),
    Near.FIRST: (
        N_("Nobody lives near anything in block %(number)s: all see it in its usual order."),
        N_("%(readers)s of %(total)s people live near something in block %(number)s: first there."),
        N_("Everybody lives near something in block %(number)s, and has that first."),
    ),
    Near.ONLY: (
        N_("Nobody lives near anything in block %(number)s: nobody would see it."),
        N_("%(readers)s of %(total)s people live near something in block %(number)s: they see it."),
        N_("Everybody lives near something in block %(number)s, and sees that."),
    ),
}
"""What is said when nobody, some or all are those that a block is for."""


def section(seen: sections.Seen, place: items.Place | None = None) -> Item:
    """How many a block that is for some is for, in words."""
    none, some, everybody = _SEEN_WORDS[seen.near]
    tone, msgid = Tone.WARN, everybody
    if not seen.readers:
        msgid = none
    elif seen.readers < seen.total:
        tone, msgid = Tone.GOOD, some
    values = {"number": seen.number, "readers": seen.readers, "total": seen.total}
    return Item(
        code="section", tone=tone, msgid=msgid, values=values, place=place, about=str(seen.number)
    )
