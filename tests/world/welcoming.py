"""A process of its own that welcomes new people and sends, over a database that others share."""

import asyncio
import json
import os
import sys

from campaigns import welcome_sending
from delivery import worker
from foundation import logs
from foundation.clock import SystemClock
from foundation.config import Settings
from tests.world import forking, grounds
from tests.world.forking import Forked


async def process(settings: Settings) -> Forked:
    """Such a process; end it by a signal."""
    return await forking.started(
        json.dumps(settings.model_dump(mode="json")),
        module="tests.world.welcoming",
        environment={**os.environ, "PYTHONWARNINGS": "ignore"},
    )


def main() -> None:
    """Tick again and again, and send what that hands over, until SIGTERM."""
    from handbill import serving

    settings = Settings.model_validate(json.loads(sys.argv[1]))
    logs.configure(level="error")

    async def tick(stop: asyncio.Event) -> None:
        async with grounds.standing(settings, SystemClock()) as ground:
            while not stop.is_set():
                await welcome_sending.work(ground)
                await asyncio.sleep(0.2)

    async def both() -> None:
        stop = serving.stop_on_signals()
        async with grounds.standing(settings, SystemClock()) as ground:
            await asyncio.gather(worker.Worker(ground).run(stop), tick(stop))

    asyncio.run(both())
