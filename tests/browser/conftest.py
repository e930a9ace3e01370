"""One demo for all the stories, and a person at a browser for each."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser

from tests.world import demo as demo_world
from tests.world.demo import Demo
from tests.world.visitor import Visitor

Visit = Callable[..., Awaitable[Visitor]]


@pytest.fixture(scope="package")
def demo() -> Iterator[Demo]:
    """The sample coalition, running until the last story is told."""
    with demo_world.running() as started:
        yield started


@pytest.fixture
async def visit(demo: Demo, browser: Browser) -> AsyncIterator[Visit]:
    """Opens a browser for one more person, who reads a language."""
    async with AsyncExitStack() as stack:

        async def opened(language: str, *, can_script: bool = True, width: int = 1280) -> Visitor:
            context = await browser.new_context(
                base_url=demo.site,
                locale={"en": "en-US", "es": "es-MX"}[language],
                viewport={"width": width, "height": 900},
                java_script_enabled=can_script,
                reduced_motion="reduce",
            )
            stack.push_async_callback(context.close)
            return Visitor(await context.new_page(), language, can_script=can_script)

        yield opened


async def signed_in(
    demo: Demo,
    visit: Visit,
    address: str,
    language: str,
    *,
    role: str = "owner",
    width: int = 1280,
) -> Visitor:
    """Somebody of the office, who came by a link that was mailed and chose a password."""
    person = await visit(language, width=width)
    await person.go(await demo.invite(address, role=role, language=language))
    await person.fill("Choose a password", demo_world.PASSWORD)
    await person.press("Come in")
    return person
