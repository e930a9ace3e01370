"""Who keeps sign-ups is killed under load: whoever was answered is there, and it goes on."""

import asyncio
import itertools
import json
import os
import signal
from pathlib import Path

import aiohttp

from foundation.clock import SystemClock
from tests.faults.test_kill_under_load import UNLIMITED, Crowd, checked_sign_ups
from tests.subscribers import mailbox
from tests.world import grounds, service

AT_ONCE = 8
SIGN_UPS = 60
"""So many are answered before the kill, and as many after it."""


async def test_when_who_keeps_sign_ups_is_killed_the_service_keeps_them_and_none_is_lost(
    database_url: str, tmp_path: Path
) -> None:
    changes = {"signup": {**UNLIMITED, "own_process": True}}
    settings = grounds.settings(url=database_url, folder=tmp_path, changes=changes)
    async with grounds.standing(settings, SystemClock()) as ground:
        await mailbox.topics(ground)
        forms = (
            ("/subscribe", {"email": f"p{number}@load.example", "topic": "secure-communities"})
            for number in itertools.count()
        )
        async with (
            service.running(settings, tmp_path) as serving,
            aiohttp.ClientSession() as client,
        ):
            begun = next(line for line in serving.said if "process of their own" in line)
            keeper = int(json.loads(begun)["process"])
            crowd = Crowd(serving.url, may_be_busy=True)
            asking = [asyncio.create_task(crowd.ask(client, forms)) for _ in range(AT_ONCE)]
            await crowd.until(lambda: len(crowd.answered) >= SIGN_UPS)
            os.kill(keeper, signal.SIGKILL)
            before = len(crowd.answered)
            await crowd.until(lambda: len(crowd.answered) >= before + SIGN_UPS)
            assert await serving.stop() == 0
            await asyncio.gather(*asking)
        await checked_sign_ups(ground, {email for email, _ in crowd.answered})
