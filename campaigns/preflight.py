"""Everything that should be looked at before a campaign goes out, as a list that staff tick off."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audiences, bulletins, compiling, sections, transitions
from campaigns.findings import Finding
from campaigns.models import Bulletin, Campaign
from delivery import relay_state, routing
from foundation import errors
from foundation.errors import Speaks
from foundation.findings import Tone
from foundation.ground import Ground
from foundation.i18n import N_


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One line of the list."""

    code: str
    tone: Tone
    msgid: str
    values: Mapping[str, object] = field(default_factory=dict)
    finding: Finding | None = None
    """What the bulletin's own check said, in whose words it is told."""

    def say(self, speaks: Speaks) -> str:
        """The line in the reader's language."""
        if self.finding is not None:
            return self.finding.say(speaks)
        text = speaks.gettext(self.msgid)
        return text % self.values if self.values else text


async def check(ground: Ground, *, campaign_id: int) -> list[Item]:
    """The list for a campaign, what stops it first. Raises `errors.NotFound`."""
    async with ground.db.reading() as session:
        campaign = await transitions.get(session, campaign_id)
        bulletin = await bulletins.get(session, campaign.bulletin_id)
        items = await look(ground, session, campaign, bulletin)
        return _sorted([*items, *await _about_sections(ground, session, campaign, bulletin)])


async def refuse_red(
    ground: Ground, session: AsyncSession, campaign: Campaign, bulletin: Bulletin
) -> None:
    """Raise `errors.Refused`, which names every item, when anything on the list is red.

    Nobody is counted for it: that takes seconds where people are many, and holds up whoever writes.
    """
    items = await look(ground, session, campaign, bulletin, is_counted=False)
    red = [each for each in items if each.tone is Tone.BAD]
    if red:
        raise errors.Refused(
            N_("It can't go out like this: %(problems)s"), problems=errors.Several(red)
        )


async def look(
    ground: Ground,
    session: AsyncSession,
    campaign: Campaign,
    bulletin: Bulletin,
    *,
    is_counted: bool = True,
) -> list[Item]:
    """The list but for what takes long to count and stops nothing, in the caller's transaction."""
    languages = bulletins.languages(bulletin) or [ground.settings.site.language]
    items = [
        *_about_site(ground, campaign),
        *await _about_audience(session, campaign, languages, is_counted=is_counted),
        *await _about_sending(ground, session, campaign),
        *(_from(each) for each in await compiling.concerns(ground, session, bulletin)),
    ]
    if campaign.approved_version not in (None, bulletin.version):
        items.append(_changed())
    if not any(each.finding for each in items):
        items.append(_item("bulletin", Tone.GOOD, N_("The bulletin compiles in every language.")))
    return _sorted(items)


def _sorted(items: list[Item]) -> list[Item]:
    order = [Tone.BAD, Tone.WARN, Tone.NEUTRAL, Tone.GOOD]
    return sorted(items, key=lambda each: order.index(each.tone))


def is_clear(items: list[Item]) -> bool:
    """Whether nothing stops the campaign."""
    return all(each.tone is not Tone.BAD for each in items)


def _about_site(ground: Ground, campaign: Campaign) -> list[Item]:
    settings = ground.settings
    address = campaign.from_address or settings.mail.from_address
    has_domain = not address.endswith((".localdomain", ".localhost"))
    return [
        _item("postal-address", Tone.GOOD, N_("The postal address stands in the footer."))
        if settings.site.postal_address
        else _item(
            "postal-address",
            Tone.BAD,
            N_("There is no postal address in the settings; the law asks for one in every mail."),
        ),
        _item("from", Tone.GOOD, N_("It comes from %(address)s."), address=address)
        if has_domain
        else _item(
            "from",
            Tone.WARN,
            N_("It comes from %(address)s, which readers' servers will not believe."),
            address=address,
        ),
        _item("unsubscribe", Tone.GOOD, N_("Unsubscribing works by link and by one click.")),
    ]


async def _about_audience(
    session: AsyncSession, campaign: Campaign, languages: list[str], *, is_counted: bool
) -> list[Item]:
    try:
        audience = audiences.parse(campaign.audience)
        if not await audiences.is_anybody(session, audience):
            text = N_("Nobody would get this: choose topics that people are on.")
            return [_item("audience", Tone.BAD, text)]
        if not is_counted:
            return []
        counted = await audiences.count_in(session, audience, languages=languages)
    except errors.Invalid as problem:
        return [_item("audience", Tone.BAD, problem.msgid, **problem.values)]
    return [
        _item(
            "audience", Tone.GOOD, N_("%(count)s people would get it now."), count=counted.included
        )
    ]


async def _about_sections(
    ground: Ground, session: AsyncSession, campaign: Campaign, bulletin: Bulletin
) -> list[Item]:
    """Who would see the blocks that are not for everybody."""
    try:
        counted = await sections.count(
            ground,
            session,
            document=bulletins.document_of(bulletin),
            audience=audiences.parse(campaign.audience),
        )
    except errors.Invalid:
        return []  # an audience that can't be read is on the list already
    items = [_about_section(each) for each in counted.blocks]
    items += [
        _from(
            Finding(
                code="section-bare",
                msgid=N_("For %(count)s people, nothing is left of the edition in %(language)s."),
                values={"count": people, "language": language},
                language_values=("language",),
            )
        )
        for language, people in counted.bare.items()
    ]
    return items


def _about_section(seen: sections.Seen) -> Item:
    tone, msgid = Tone.WARN, N_("Block %(number)s is for some people only, but all would see it.")
    if not seen.readers:
        msgid = N_("Nobody would see block %(number)s: look at whom it is for.")
    elif seen.readers < seen.total:
        tone = Tone.GOOD
        msgid = N_("%(readers)s of %(total)s people would see block %(number)s.")
    return _item("section", tone, msgid, number=seen.number, readers=seen.readers, total=seen.total)


async def _about_sending(ground: Ground, session: AsyncSession, campaign: Campaign) -> list[Item]:
    """How the relays did last, and what running senders say."""
    relays = await relay_state.read(ground, session)
    if campaign.relay and campaign.relay not in [relay.name for relay in relays]:
        gone = N_("The relay “%(name)s” is not in the settings any more. Choose another.")
        return [_item("relay", Tone.BAD, gone, name=campaign.relay)]
    author = campaign.from_address or ground.settings.mail.from_address
    route = routing.route(ground.settings.relay, from_address=author, named=campaign.relay)
    relays = [relay for relay in relays if relay.name in route]
    items = [
        _item("sender", Tone.WARN, N_("Sending waits: %(said)s"), said=said)
        for said in await relay_state.troubles(session)
    ]
    items += [
        _item("relay", Tone.WARN, N_("The relay can't be reached: %(said)s."), said=relay.said)
        for relay in relays
        if relay.is_resting
    ]
    if items:
        return items
    name = ", ".join(relay.host for relay in relays)
    return [_item("relay", Tone.GOOD, N_("Mail goes out by %(relay)s."), relay=name)]


def _changed() -> Item:
    return _item(
        "approval",
        Tone.BAD,
        N_("The bulletin was changed after it was approved. Have it approved again."),
    )


def _from(finding: Finding) -> Item:
    tone = Tone.BAD if finding.is_blocking else Tone.WARN
    return Item(code=finding.code, tone=tone, msgid=finding.msgid, finding=finding)


def _item(code: str, tone: Tone, msgid: str, **values: object) -> Item:
    return Item(code=code, tone=tone, msgid=msgid, values=values)
