"""A configured source: its settings, who reads its calls, and what is counted of it."""

from dataclasses import dataclass

from delivery.hooks.call import Hook
from delivery.hooks.state import Tally
from foundation.webhook_sources import WebhookSource


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Made by `delivery/hooks/providers.py`."""

    settings: WebhookSource
    hook: Hook
    tally: Tally
