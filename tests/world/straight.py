"""The way to a browser that waits: straight, without a program in between.

`chromium.connect` starts one (Node) for each test, which takes longer than most of what tests look
at, and only passes on what both sides say. Here Playwright says it over the web socket itself.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from playwright._impl.connection import Connection
from playwright._impl.utils.tasks import wait_for_next_task
from playwright.async_api import Browser


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[Browser]:
    """The browser behind a web socket; its server closes what was opened when that ends."""
    connection = Connection(asyncio.get_running_loop())
    connection.mark_as_remote()
    said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    connection.onmessage = said.put_nowait
    async with aiohttp.ClientSession() as web, web.ws_connect(address, max_msg_size=0) as line:
        talk = [asyncio.create_task(_hear(line, connection)), asyncio.create_task(_say(line, said))]
        try:
            playwright = await connection.initialize_playwright()
            yield Browser(playwright._pre_launched_browser())
        finally:
            for each in talk:
                each.cancel()
            await asyncio.wait(talk)
            connection.close()


async def _hear(line: aiohttp.ClientWebSocketResponse, connection: Connection) -> None:
    """As Playwright's own way to its program does it, which is not made for sockets."""
    async for message in line:
        try:
            connection.dispatch(json.loads(message.data))
        except Exception as problem:  # noqa: BLE001 - the next call to the browser raises it
            connection._on_event_listener_error(problem)
        await wait_for_next_task()
    connection.close("the browser is gone")


async def _say(line: aiohttp.ClientWebSocketResponse, said: asyncio.Queue[dict[str, Any]]) -> None:
    while True:
        await line.send_str(json.dumps(await said.get()))
