"""The service where its settings say that it is: mailed links and frames work in a real browser."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from yarl import URL

from foundation.config import Settings
from foundation.ground import Ground
from handbill import listening
from tests.world.web import Web


def moved(settings: Settings) -> Settings:
    """The same settings, with an address on this machine at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    site = settings.site.model_copy(update={"url": f"http://localhost:{port}"})
    return settings.model_copy(update={"site": site})


@asynccontextmanager
async def at_home(ground: Ground) -> AsyncIterator[Web]:
    """The application at the address that its settings name, and a browser at its door."""
    home = ground.settings.site.url
    async with listening.open_web(ground, host="127.0.0.1", port=URL(home).port or 0):
        web = Web(ground, home)
        try:
            yield web
        finally:
            await web.close()
