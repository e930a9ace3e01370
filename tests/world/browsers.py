"""A real Chromium, driven by Playwright."""

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, BrowserContext, Frame, Page, async_playwright, expect

from tests.world import straight

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE_MS = 60_000
"""How long a page may take on a busy machine; what comes sooner is not waited for."""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_LOOK = """
async rules => {
    const only = rules.length ? {runOnly: {type: 'rule', values: rules}} : {};
    const how = {resultTypes: ['violations'], iframes: false, ...only};
    return (await axe.run(document, how)).violations;
}
"""
"""What holds need not be told in detail, which would take as long as the look itself. Nor is axe
waited for in frames, where it only is if a test looked there.
"""
COLOURS = ("color-contrast", "link-in-text-block")
"""The rules that ask for colours; nothing else is different at night."""
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
    command = [sys.executable, "-m", "playwright", "launch-server", "--browser", "chromium"]
    command += ["--config", str(file)]
    # Whoever is killed ends nothing: it ends by itself when nobody holds its standard input.
    server = subprocess.Popen(
        ["/bin/sh", "-c", '"$@" & read -r _; kill 0', "sh", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    with server.stdin, server.stdout:
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
    async with straight.connected(address) as browser:
        yield _patient(browser)


def _patient(browser: Browser) -> Browser:
    """Whoever opens a window in it waits for a page as long as for what stands there."""
    new_context = browser.new_context

    async def opened(**options: Any) -> BrowserContext:
        context = await new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        return context

    browser.new_context = opened  # type: ignore[method-assign]
    return browser


async def violations(page: Page | Frame, *, rules: Sequence[str] = ()) -> list[str]:
    """What axe-core finds on the page or in the frame, as `impact rule: element`, of every impact.

    By every rule of axe's unless some are named.
    """
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_axe())
    found = await page.evaluate(_LOOK, list(rules))
    return [
        f"{each['impact']} {each['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for each in found
        for node in each["nodes"]
    ]


async def troubles(page: Page) -> list[str]:
    """The same on a phone and on a desk, by day and at night; and whether it is wider than either.

    The page is loaded once: it has to keep up with whoever turns their phone or the light.
    """
    found = []
    for width in (375, 1280):
        await page.set_viewport_size({"width": width, "height": 900})
        wide = await page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            found.append(f"{page.url} is {wide} pixels wide where {width} are")
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            seen = await violations(page, rules=() if scheme == SCHEMES[0] else COLOURS)
            found += [f"{page.url} at {width}, {scheme}: {each}" for each in seen]
    return found


@functools.cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")
