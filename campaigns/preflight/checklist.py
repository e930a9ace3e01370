"""Puts the list before sending together, and lets no campaign go while something is red."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import bulletins, compiling, transitions
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
from foundation import errors
from foundation.findings import Tone
from foundation.ground import Ground
from foundation.i18n import N_

_TOLD_ELSEWHERE = frozenset(
    {"no-postal-address", "too-large", "nearly-too-large", "picture-without-words"}
)
"""What the compiler notices and a line of the list says better."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """What the list is about."""

    campaign: Campaign
    bulletin: Bulletin
    looked: Looked
    told: Sequence[Item]
    """What is said of the bulletin, whoever gets it."""


async def subject(ground: Ground, session: AsyncSession, *, campaign_id: int) -> Subject:
    """A campaign with its bulletin, compiled and read. Raises `errors.NotFound`."""
    campaign = await transitions.get(session, campaign_id)
    bulletin = await bulletins.get(session, campaign.bulletin_id)
    return await _read(ground, session, campaign, bulletin)


async def _read(
    ground: Ground, session: AsyncSession, campaign: Campaign, bulletin: Bulletin
) -> Subject:
    looked = await compiling.look(ground, session, bulletin)
    told = await _about_bulletin(ground, session, bulletin, looked)
    return Subject(campaign=campaign, bulletin=bulletin, looked=looked, told=told)


async def check(ground: Ground, *, campaign_id: int) -> list[Item]:
    """The list for a campaign, what stops it first. Raises `errors.NotFound`."""
    async with ground.db.reading() as session:
        about = await subject(ground, session, campaign_id=campaign_id)
        return await whole(ground, session, about)


async def whole(ground: Ground, session: AsyncSession, about: Subject) -> list[Item]:
    """Everything on the list; it takes as long as counting the audience a few times."""
    campaign, bulletin, looked = about.campaign, about.bulletin, about.looked
    languages = _languages(ground, looked)
    return items.ordered(
        [
            *await _look(ground, session, about),
            *await audience.look_at_sections(ground, session, campaign, bulletin, looked),
            *await overlap.look(ground, session, campaign, languages),
            *await fields.look(ground, session, campaign, bulletin, looked),
            *await weight.look_at_stacked(ground, session, campaign, bulletin, looked),
            *await _of_what_is_kept(session, about),
        ]
    )


async def without_counting(ground: Ground, session: AsyncSession, about: Subject) -> list[Item]:
    """What of it can be told at once: whatever can be red, and more that counts nobody."""
    return items.ordered(
        [
            *await _look(ground, session, about, is_counted=False),
            *await _of_what_is_kept(session, about),
        ]
    )


async def _of_what_is_kept(session: AsyncSession, about: Subject) -> list[Item]:
    """What neither stops it nor counts anybody."""
    return [
        *editions.look(about.bulletin, about.looked),
        *await handouts.look(session, about.looked),
        *spam.look(await looking.last(session, about.campaign.id)),
    ]


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
    about = await _read(ground, session, campaign, bulletin)
    return items.ordered(await _look(ground, session, about, is_counted=False))


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


async def _look(
    ground: Ground, session: AsyncSession, about: Subject, *, is_counted: bool = True
) -> list[Item]:
    """Whatever can be red, and more of the same."""
    campaign, bulletin, looked = about.campaign, about.bulletin, about.looked
    found = [
        *site.look(ground, campaign),
        *await audience.look(
            ground, session, campaign, _languages(ground, looked), is_counted=is_counted
        ),
        *await relay.look(ground, session, campaign),
        *await trial.look(ground, session, campaign, bulletin, looked, is_counted=is_counted),
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
