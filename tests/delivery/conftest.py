"""Fixtures for tests that need a mail server which misbehaves."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from foundation.config import Settings
from tests.world import grounds, sink
from tests.world.sink import Sink


@pytest.fixture
async def server() -> AsyncIterator[Sink]:
    """A server that can be told to misbehave; `ground` sends to it."""
    async with sink.running() as started:
        yield started


@pytest.fixture
def settings(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """As everywhere, with whichever server the test asks for as the relay."""
    marker = request.node.get_closest_marker("settings")
    changes: dict[str, Any] = dict(marker.kwargs) if marker else {}
    relays = [name for name in ("smtp", "server") if name in request.fixturenames]
    port = request.getfixturevalue(relays[0]).port if relays else None
    return grounds.settings(url=database_url, folder=tmp_path, changes=changes, relay_port=port)
