"""Headers by which a provider gives a campaign's number back that gives back nothing else of ours.

Postmark writes its own Message-ID and envelope sender, Brevo its own envelope sender. One header,
the same for all mail of a campaign, says which it was; with the address, that is one delivery.
"""

from delivery import naming
from foundation.config import Settings
from foundation.webhook_sources import Provider

CAMPAIGN = "campaign"
_PREFIX = "handbill-campaign:"


def headers(settings: Settings, *, campaign_id: int) -> list[tuple[str, str]]:
    """Those of the providers whose webhooks are set up."""
    wanted = {
        Provider.POSTMARK: (f"X-PM-Metadata-{CAMPAIGN}", naming.mark(campaign_id)),
        Provider.BREVO: ("X-Mailin-custom", f"{_PREFIX}{naming.mark(campaign_id)}"),
    }
    asked = {source.provider for source in settings.webhook_source}
    return [header for provider, header in wanted.items() if provider in asked]


def read(custom: str) -> str:
    """The campaign in what came back of `X-Mailin-custom`; blank when it is not ours."""
    return custom.removeprefix(_PREFIX) if custom.startswith(_PREFIX) else ""
