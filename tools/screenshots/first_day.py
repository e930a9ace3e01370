"""A site on its first day: nothing is in it but the one who set it up."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from foundation.accounts import team
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.clock import SystemClock
from tests.world import demo as demo_world
from tests.world import grounds, service
from tests.world.demo import Demo

OWNER = "office@coalition.example"


@asynccontextmanager
async def running() -> AsyncIterator[Demo]:
    """A service over an empty database, as if it were a demo; its owner has come in once."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'handbill.db'}"
        settings = grounds.settings(url=url, folder=folder, changes={})
        async with service.running(settings, folder, is_forked=False) as serving:
            async with grounds.standing(settings, SystemClock()) as ground:
                link = await team.add(ground, actor=COMMAND, email=OWNER, role=Role.OWNER)
            await demo_world.come_in(serving.url, serving.url + urlsplit(link).path)
            yield Demo(site=serving.url, partner="", owner=OWNER, shown={})
