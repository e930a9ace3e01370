"""What the law and readers' servers ask of whoever sends."""

from campaigns.models import Campaign
from campaigns.preflight import items, places
from campaigns.preflight.items import Item
from foundation.ground import Ground
from foundation.i18n import N_

_NO_DOMAIN = (".localdomain", ".localhost")


def look(ground: Ground, campaign: Campaign) -> list[Item]:
    """Postal address, sender and ways out."""
    return [_postal_address(ground), _from(ground, campaign), _unsubscribe()]


def _postal_address(ground: Ground) -> Item:
    if ground.settings.site.postal_address.strip():
        return items.good("postal-address", N_("The postal address stands in the footer."))
    return items.bad(
        "postal-address",
        N_("There is no postal address in the settings; the law asks for one in every mail."),
        place=places.setting("site", "postal_address"),
    )


def _from(ground: Ground, campaign: Campaign) -> Item:
    address = campaign.from_address or ground.settings.mail.from_address
    if not address.endswith(_NO_DOMAIN):
        return items.good("from", N_("It comes from %(address)s."), address=address)
    return items.warn(
        "from",
        N_("It comes from %(address)s, which readers' servers will not believe."),
        place=places.setting("mail", "from_address"),
        address=address,
    )


def _unsubscribe() -> Item:
    return items.good("unsubscribe", N_("Unsubscribing works by link and by one click."))
