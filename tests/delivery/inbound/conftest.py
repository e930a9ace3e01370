"""A listener of our own, over the ground of a test."""

from collections.abc import AsyncIterator

import pytest

from delivery.inbound import listener as inbound_listener
from delivery.inbound.listener import Listener
from foundation.ground import Ground


@pytest.fixture
async def listener(ground: Ground) -> AsyncIterator[Listener]:
    """It listens at a free port; a test's settings for it have to say `port=0`."""
    async with inbound_listener.listening(ground) as found:
        yield found
