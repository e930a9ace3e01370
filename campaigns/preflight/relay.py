"""By which relay a campaign goes out, how that did last, and what running senders say."""

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns.models import Campaign
from campaigns.preflight import items, places
from campaigns.preflight.items import Item
from delivery import relay_state, routing
from foundation.ground import Ground
from foundation.i18n import N_


async def look(ground: Ground, session: AsyncSession, campaign: Campaign) -> list[Item]:
    """Green, or each thing that is the matter."""
    relays = await relay_state.read(ground, session)
    if campaign.relay and campaign.relay not in [relay.name for relay in relays]:
        return [
            items.bad(
                "relay",
                N_("The relay “%(name)s” is not in the settings any more. Choose another."),
                place=places.sender(campaign),
                is_final=True,
                name=campaign.relay,
            )
        ]
    author = campaign.from_address or ground.settings.mail.from_address
    route = routing.route(ground.settings.relay, from_address=author, named=campaign.relay)
    relays = [relay for relay in relays if relay.name in route]
    found = [
        items.warn("sender", N_("Sending waits: %(said)s"), said=said)
        for said in await relay_state.troubles(session)
    ]
    found += [
        items.warn("relay", N_("The relay can't be reached: %(said)s."), said=relay.said)
        for relay in relays
        if relay.is_resting
    ]
    if found:
        return found
    name = ", ".join(relay.host for relay in relays)
    return [items.good("relay", N_("Mail goes out by %(relay)s."), relay=name)]
