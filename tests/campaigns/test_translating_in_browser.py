"""A translator at work in a real browser: words are kept while they are written."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Dialog, Locator, Page, Route, expect

from campaigns import bulletins
from foundation.accounts.models import Role
from foundation.ground import Ground
from tests.campaigns import newsroom
from tests.campaigns.newsroom import ANA, text_block, written
from tests.world import browsers, people
from tests.world.web import Web

pytestmark = pytest.mark.browser
HERE = "/staff/bulletins/1/translate?language=es"


@pytest.fixture
async def page(ground: Ground, web: Web, browser: Browser) -> AsyncIterator[Page]:
    """A translator's page on a phone."""
    _, secret = await people.staff(ground, Role.TRANSLATOR)
    context = await browser.new_context(base_url=web.base, viewport={"width": 375, "height": 812})
    await context.add_cookies([{"name": "handbill_session", "value": secret, "url": web.base}])
    opened = await context.new_page()
    yield opened
    await context.close()


async def spanish(ground: Ground) -> dict[str, str]:
    async with ground.db.reading() as session:
        document = bulletins.document_of(await bulletins.get(session, 1))
    texts = {block.id: getattr(block, "texts", {}).get("es") for block in document.blocks}
    return {name: text.html for name, text in texts.items() if text}


async def test_a_translator_goes_from_one_waiting_text_to_the_next_and_saves_without_a_press(
    ground: Ground, page: Page
) -> None:
    first = [text_block("One", "Uno", id="a"), text_block("Two", "Dos", id="b")]
    await newsroom.bulletin(ground, written(issue="", blocks=first))
    blocks = [
        text_block("One", "Uno", id="a"),
        text_block("Three", "Dos", id="b"),
        text_block("Four", id="c"),
    ]
    await bulletins.save(
        ground, actor=ANA, bulletin_id=1, version=1, document=written(issue="", blocks=blocks)
    )
    await page.goto(HERE)
    editors = page.locator("[data-place] :is(trix-editor, [contenteditable=true])")
    await expect(editors).to_have_count(3)
    await page.get_by_role("link", name="Next that waits").click()
    await expect(page.locator('[data-place="b"] :focus')).to_have_count(1)
    await page.keyboard.press("Control+End")
    await page.keyboard.type(" o tres")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator('[data-place="b"]')).to_have_attribute("data-state", "done")
    await expect(page.locator('[data-place="c"] :focus')).to_have_count(1)
    await page.keyboard.type("Cuatro")
    await expect(page.locator('[data-place="c"]')).to_have_attribute("data-state", "done")
    kept = await spanish(ground)
    assert ("Dos o tres" in kept["b"], "Cuatro" in kept["c"], kept["a"]) == (
        True,
        True,
        "<p>Uno</p>",
    )
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("all 5 texts")).to_be_visible()
    assert await spanish(ground) == kept, "what nobody touched is not written again"
    assert await browsers.violations(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= 375


async def two_texts(ground: Ground, page: Page) -> Locator:
    """A page with two texts; gives the editors."""
    blocks = [text_block("One", "Uno", id="a"), text_block("Two", "Dos", id="b")]
    await newsroom.bulletin(ground, written(issue="", blocks=blocks))
    await page.goto(HERE)
    editors = page.locator("[data-place] trix-editor")
    await expect(editors).to_have_count(2)
    return editors


async def typed(page: Page, place: str, words: str) -> None:
    """Write at the end of a text, until the page has it."""
    await page.locator(f'[data-place="{place}"] trix-editor').click()
    await page.keyboard.press("Control+End")
    await page.keyboard.type(words)
    area = page.locator(f'[data-place="{place}"] textarea')
    await expect(area).to_have_value(re.compile(re.escape(words.strip())))


async def test_who_saves_right_after_writing_on_does_not_meet_their_own_words(
    ground: Ground, page: Page
) -> None:
    await two_texts(ground, page)
    await typed(page, "a", " dos")
    await expect(page.locator("[data-status]")).to_have_text("Saved.")
    await typed(page, "a", " tres")
    await expect(page.locator("[data-status]")).to_have_text("Not saved yet")
    async with page.expect_navigation():
        await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("Somebody else wrote")).to_have_count(0)
    assert (await spanish(ground))["a"] == "<p>Uno dos tres</p>"


async def test_who_leaves_while_a_text_waits_behind_another_is_asked_first(
    ground: Ground, page: Page
) -> None:
    await two_texts(ground, page)
    arrived, free = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        arrived.set()
        await free.wait()
        await route.continue_()

    await page.route("**/translate", hold)
    await typed(page, "a", " dos")
    await typed(page, "b", " tres")
    await page.keyboard.press("Control+Enter")
    await arrived.wait()
    asked: list[str] = []

    async def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.dismiss()

    page.on("dialog", stay)
    await page.get_by_role("link", name="Back to the bulletin").click()
    assert asked == ["beforeunload"]
    free.set()
    await expect(page.locator("[data-status]")).to_have_text("Saved.")
    kept = await spanish(ground)
    assert (kept["a"], kept["b"]) == ("<p>Uno dos</p>", "<p>Dos tres</p>")


async def test_who_saves_while_a_text_is_being_kept_again_does_not_meet_their_own_words(
    ground: Ground, page: Page
) -> None:
    await two_texts(ground, page)
    arrived = [asyncio.Event() for _ in range(2)]
    free = [asyncio.Event() for _ in range(2)]
    numbers = itertools.count()

    async def hold(route: Route) -> None:
        if route.request.headers["accept"] == "application/json":
            number = next(numbers)
            arrived[number].set()
            await free[number].wait()
        await route.continue_()

    await page.route("**/translate", hold)
    for words in (" dos", " tres"):
        await typed(page, "a", words)
        await page.keyboard.press("Control+Enter")
    free[0].set()
    await arrived[1].wait()
    async with page.expect_navigation():
        await page.get_by_role("button", name="Save", exact=True).click()
        free[1].set()
    await expect(page.get_by_text("Somebody else wrote")).to_have_count(0)
    assert (await spanish(ground))["a"] == "<p>Uno dos tres</p>"
