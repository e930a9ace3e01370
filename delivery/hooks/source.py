"""A configured source: its settings, who reads its calls, and what is counted of it."""

from delivery.hooks.call import Hook
from delivery.hooks.state import Tally
from foundation.frozen import frozen
from foundation.webhook_sources import WebhookSource


@frozen
class Source:
    """Made by `delivery/hooks/providers.py`."""

    settings: WebhookSource
    hook: Hook
    tally: Tally
