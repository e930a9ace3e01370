"""A real Chromium, driven by Playwright."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright, expect

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE_MS = 60_000
"""How long a page may take on a busy machine; what comes sooner is not waited for."""
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]


def find() -> str:
    """The browser's path; `$HANDBILL_CHROMIUM` overrules."""
    named = os.environ.get("HANDBILL_CHROMIUM")
    found = named or next(
        (
            path
            for name in ("chromium", "chromium-browser", "google-chrome")
            if (path := shutil.which(name))
        ),
        None,
    )
    assert found, "no Chromium here: `make setup` installs it, or set HANDBILL_CHROMIUM"
    return found


@asynccontextmanager
async def opened() -> AsyncIterator[Browser]:
    """A browser, for as long as the block lasts."""
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find(), args=_FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@contextmanager
def waiting(folder: Path) -> Iterator[str]:
    """A browser that many may use in turn, each for a while; gives the address for `reached`."""
    file = folder / "launch.json"
    file.write_text(json.dumps({"executablePath": find(), "args": _FLAGS}), encoding="utf-8")
    command = [sys.executable, "-m", "playwright", "launch-server"]
    server = subprocess.Popen(
        [*command, "--browser", "chromium", "--config", str(file)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert server.stdout is not None
    with server.stdout:
        address = server.stdout.readline().strip()
        assert address, "the browser did not start"
        try:
            yield address
        finally:
            # Python's part of it only waits for the one that holds the browser.
            os.killpg(server.pid, signal.SIGTERM)
            server.wait()


@asynccontextmanager
async def reached(address: str) -> AsyncIterator[Browser]:
    """The browser that waits at an address; what was opened in it is closed after the block."""
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.connect(address)
        try:
            yield browser
        finally:
            await browser.close()


async def violations(page: Page) -> list[str]:
    """What axe-core finds on the page, as `impact rule: element`, of every impact."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found = await page.evaluate("async () => (await axe.run(document)).violations")
    return [
        f"{each['impact']} {each['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for each in found
        for node in each["nodes"]
    ]
