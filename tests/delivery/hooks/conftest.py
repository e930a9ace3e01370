"""The application with every provider's webhook set up, and what a provider does at its door."""

import io
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from delivery.hooks import providers
from delivery.hooks.source import Source
from foundation.config import Settings
from foundation.ground import Ground
from tests.delivery.hooks import calling, parts
from tests.delivery.hooks.parts import Sent
from tests.world import amazon as amazon_world
from tests.world import grounds
from tests.world import web as web_world
from tests.world.amazon import Amazon
from tests.world.clock import FakeClock
from tests.world.web import Answer, Web


class Door:
    """`POST /hooks/{name}`."""

    def __init__(self, web: Web) -> None:
        self.web = web

    async def post(self, name: str, sent: Sent, **more: Any) -> Answer:
        """Post a call as a provider does."""
        headers = {**sent.headers, **more.pop("headers", {})}
        return await self.web.post(f"/hooks/{name}", io.BytesIO(sent.body), headers=headers, **more)


@pytest.fixture
def settings(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """As everywhere, with a webhook of every provider unless a test says otherwise."""
    marker = request.node.get_closest_marker("settings")
    changes: dict[str, Any] = {"webhook_source": calling.sources()}
    changes |= marker.kwargs if marker else {}
    port = request.getfixturevalue("smtp").port if "smtp" in request.fixturenames else None
    return grounds.settings(url=database_url, folder=tmp_path, changes=changes, relay_port=port)


@pytest.fixture
async def amazon(clock: FakeClock) -> AsyncIterator[Amazon]:
    """SNS, with a certificate that is valid now."""
    async with amazon_world.serving() as served:
        served.pages["/SimpleNotificationService-0a1b2c3d.pem"] = parts.certificate(clock.now())
        served.pages["/"] = b"<ConfirmSubscriptionResponse/>"
        yield served


@pytest.fixture
async def door(ground: Ground, amazon: Amazon) -> AsyncIterator[Door]:
    """The assembled application behind a real port."""
    async with web_world.browsing(ground, fetch=amazon.fetch) as web:
        yield Door(web)


Hooks = Mapping[str, Source]


@pytest.fixture
def hooks(settings: Settings, clock: FakeClock) -> Hooks:
    """Every source by its name, to be asked without a server in between."""

    async def fetch(_url: str) -> bytes:
        return parts.certificate(clock.now())

    return providers.build(settings, fetch=fetch)
