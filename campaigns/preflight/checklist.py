"""Puts the list before sending together, and lets no campaign go while something is red."""

import contextlib
from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audiences, bulletins, compiling, transitions
from campaigns.audiences import Counted, Resolved
from campaigns.compiling import Looked
from campaigns.findings import Finding
from campaigns.models import Bulletin, Campaign
from campaigns.preflight import (
    audience,
    editions,
    fields,
    following,
    handouts,
    images,
    items,
    links,
    looking,
    overlap,
    overrides,
    places,
    reading,
    relay,
    site,
    spam,
    trial,
    weight,
    words,
)
from campaigns.preflight.items import Item
from campaigns.preflight.models import Look
from campaigns.trial_plans import Plan
from foundation import errors
from foundation.findings import Tone
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

_TOLD_ELSEWHERE = frozenset(
    {"no-postal-address", "too-large", "nearly-too-large", "picture-without-words"}
)
"""What the compiler notices and a line of the list says better."""


@frozen
class Subject:
    """What the list is about."""

    campaign: Campaign
    bulletin: Bulletin
    looked: Looked
    told: Sequence[Item]
    """What is said of the bulletin, whoever gets it."""


async def subject(
    ground: Ground, session: AsyncSession, campaign: Campaign, bulletin: Bulletin
) -> Subject:
    """A campaign with its bulletin, compiled and read."""
    looked = await compiling.look(ground, session, bulletin)
    told = await _about_bulletin(ground, session, bulletin, looked)
    return Subject(campaign=campaign, bulletin=bulletin, looked=looked, told=told)


async def check(ground: Ground, *, campaign_id: int) -> list[Item]:
    """The list for a campaign, what stops it first. Raises `errors.NotFound`."""
    async with ground.db.reading() as session:
        campaign = await transitions.get(session, campaign_id)
        bulletin = await bulletins.get(session, campaign.bulletin_id)
        about = await subject(ground, session, campaign, bulletin)
        last = await looking.last(session, campaign_id)
        told = await without_counting(ground, session, about, last)
        counted = None
        with contextlib.suppress(errors.Invalid):  # the list says already what is not there
            counted = await audiences.count_in(
                ground,
                session,
                audiences.parse(campaign.audience),
                languages=_languages(ground, about.looked),
            )
        return whole(about, told, counted, await beyond(ground, session, about))


async def without_counting(
    ground: Ground, session: AsyncSession, about: Subject, last: Look | None
) -> list[Item]:
    """What of it can be told at once: whatever can be red, and more that counts nobody.

    `last` is what was looked at last that takes long.
    """
    found = await _look(ground, session, about)
    found += [
        *editions.look(about.bulletin, about.looked),
        *await handouts.look(session, about.looked),
        *spam.look(last),
    ]
    return items.ordered(found)


@frozen
class Beyond:
    """What has to be looked up among all who would get it, beside how many they are."""

    items: Sequence[Item]
    last: int
    """The audience of the last campaign like it; 0 if none was."""
    trial: Plan | None
    """Where two forms are to be tried."""


async def beyond(ground: Ground, session: AsyncSession, about: Subject) -> Beyond:
    """What takes about as long as counting, or is needed for what counting says."""
    campaign, bulletin, looked = about.campaign, about.bulletin, about.looked
    mine = await _people(ground, session, about)
    found = await fields.look(session, bulletin, looked, mine)
    if mine is not None:
        found += [
            *await audience.look_at_sections(ground, session, campaign, bulletin, looked),
            *await overlap.look(ground, session, campaign, mine),
            *await weight.look_at_stacked(ground, session, bulletin, looked, mine),
        ]
    return Beyond(
        items=found,
        last=await audience.last(session, campaign, mine) if mine is not None else 0,
        trial=await trial.planned(session, campaign),
    )


async def _people(ground: Ground, session: AsyncSession, about: Subject) -> Resolved | None:
    """The audience; None for one that can't be read, as the list says already."""
    try:
        return await audiences.resolve(
            ground,
            session,
            audiences.parse(about.campaign.audience),
            languages=_languages(ground, about.looked),
        )
    except errors.Invalid:
        return None


def whole(
    about: Subject, told: Sequence[Item], counted: Counted | None, found: Beyond
) -> list[Item]:
    """Everything on the list; `counted` is None of an audience that can't be counted."""
    campaign = about.campaign
    every, are_told = list(told), {each.code for each in told}
    if counted is not None and audience.CODE not in are_told:
        every += audience.of_count(campaign, counted, last=found.last)
    if counted is not None and found.trial is not None and trial.CODE not in are_told:
        every += trial.of_count(campaign, found.trial, counted)
    return items.ordered([*every, *found.items])


async def refuse_red(
    ground: Ground, session: AsyncSession, campaign: Campaign, bulletin: Bulletin
) -> None:
    """Raise `errors.Refused`, which names every item, when anything on the list stops it.

    Nobody is counted for it: that takes seconds where people are many, and holds up whoever writes.
    """
    found = await look(ground, session, campaign, bulletin)
    red = [each for each in found if each.stops]
    if red:
        raise errors.Refused(
            N_("It can't go out like this: %(problems)s"), problems=errors.Several(red)
        )


async def look(
    ground: Ground, session: AsyncSession, campaign: Campaign, bulletin: Bulletin
) -> list[Item]:
    """Whatever can be red, in the caller's transaction: what is counted stops nothing."""
    about = await subject(ground, session, campaign, bulletin)
    return items.ordered(await _look(ground, session, about))


async def of_bulletin(
    ground: Ground, session: AsyncSession, bulletin: Bulletin
) -> tuple[Looked, list[Item]]:
    """What can be said of a bulletin before anybody makes a campaign of it."""
    looked = await compiling.look(ground, session, bulletin)
    found = [
        *await _about_bulletin(ground, session, bulletin, looked),
        *editions.look(bulletin, looked),
        *await handouts.look(session, looked),
    ]
    return looked, items.ordered(found)


async def _look(ground: Ground, session: AsyncSession, about: Subject) -> list[Item]:
    """Whatever can be red, and more of the same."""
    campaign, bulletin = about.campaign, about.bulletin
    found = [
        *site.look(ground, campaign),
        *await audience.look(ground, session, campaign),
        *await relay.look(ground, session, campaign),
        *await trial.look(ground, session, campaign),
        *about.told,
    ]
    if campaign.approved_version not in (None, bulletin.version):
        found.append(_changed(bulletin))
    return await overrides.applied(session, campaign.id, bulletin, found)


async def _about_bulletin(
    ground: Ground, session: AsyncSession, bulletin: Bulletin, looked: Looked
) -> list[Item]:
    """Findings of the compiler, words, links, pictures, weight, and how it reads."""
    targets = links.targets(ground, bulletin, looked)
    checks = await following.known(session, targets.followed)
    return [
        *_findings(bulletin, looked),
        *words.look(bulletin, looked),
        *links.look(ground, targets, checks),
        *await images.look(ground, session, bulletin, looked, checks),
        *weight.look(ground, bulletin, looked),
        *reading.look(ground, bulletin, looked),
    ]


def _findings(bulletin: Bulletin, looked: Looked) -> list[Item]:
    told = [each for each in looked.findings if each.code not in _TOLD_ELSEWHERE]
    if not told:
        return [items.good("bulletin", N_("The bulletin compiles in every language."))]
    return [_from(bulletin, looked, each) for each in told]


def _from(bulletin: Bulletin, looked: Looked, finding: Finding) -> Item:
    return Item(
        code=finding.code,
        tone=Tone.BAD if finding.is_blocking else Tone.WARN,
        msgid=finding.msgid,
        finding=finding,
        place=places.of_finding(bulletin.id, looked, finding),
        about=f"{finding.language}:{finding.block}",
        is_final=finding.is_blocking,
    )


def _changed(bulletin: Bulletin) -> Item:
    return items.bad(
        "approval",
        N_("The bulletin was changed after it was approved. Have it approved again."),
        place=places.bulletin(bulletin.id),
        is_final=True,
    )


def _languages(ground: Ground, looked: Looked) -> list[str]:
    found: Sequence[str] = looked.document.languages
    return list(found) or [ground.settings.site.language]
