"""A bulletin is made from nothing, and on its way to readers, by somebody without a pointer."""

import re

import pytest
from playwright.async_api import Browser, Page, expect

from campaigns import bulletins, composer
from foundation.ground import Ground
from tests.campaigns import newsroom
from tests.world import people
from tests.world.web import Web

pytestmark = pytest.mark.browser
HERE = re.compile(r"/staff/bulletins/1(\?|#|$)")
MOST = 25
"""So many presses of Tab at most to what comes next: few enough to keep count of."""
FOCUS = """() => {
  const at = document.activeElement;
  const { top, bottom, left, width } = at.getBoundingClientRect();
  const style = getComputedStyle(at);
  const seen = document.elementFromPoint(left + Math.min(width / 2, 15), (top + bottom) / 2);
  return {
    name: (at.ariaLabel || at.labels?.[0]?.innerText || at.innerText || "").trim(),
    isLost: at === document.body,
    isShown: style.outlineStyle !== "none" || style.boxShadow !== "none",
    isCovered: !at.contains(seen) && !seen?.contains(at) && bottom - top < innerHeight,
  };
}"""


class Keys:
    """A keyboard; every stop on the way to what is wanted has to be seen."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.press = page.keyboard.press
        self.type = page.keyboard.type

    async def to(self, name: str, key: str = "Tab", most: int = MOST) -> None:
        """Press a key until the focus is at something that is called so."""
        passed = []
        for _ in range(most):
            await self.press(key)
            focus = await self._page.evaluate(FOCUS)
            passed.append(focus["name"])
            assert not focus["isLost"], passed
            assert focus["isShown"], passed
            assert not focus["isCovered"], passed
            if re.match(name, focus["name"]):
                return
        raise AssertionError(f"{name} is not among {passed}")


async def test_a_bulletin_is_written_and_given_for_review_without_a_pointer(
    ground: Ground, web: Web, browser: Browser
) -> None:
    await newsroom.issue(ground)
    _, secret = await people.staff(ground)
    context = await browser.new_context(base_url=web.base, viewport={"width": 1280, "height": 900})
    await context.add_cookies([{"name": "handbill_session", "value": secret, "url": web.base}])
    page = await context.new_page()
    keys = Keys(page)
    await page.goto("/staff/bulletins/new")
    await keys.to("Name")
    await keys.type("By hand")
    await keys.to("The developments since")
    await keys.press("ArrowDown")
    await keys.press("Enter")
    await page.wait_for_url(re.compile("/1/head$"))
    await keys.to("Subject")
    await keys.type("What the council said")
    await keys.to("Save", most=40)
    await keys.press("Enter")
    await page.wait_for_url(HERE)
    await write(page, keys)
    await move_and_undo(page, keys)
    async with ground.db.reading() as session:
        document = bulletins.document_of(await bulletins.get(session, 1))
    assert document.editions["en"].subject == "What the council said"
    texts = [composer.excerpt(each, "en") for each in document.blocks]
    assert texts == ["Good news", "See https://example.org/"]
    assert 'href="https://example.org/"' in str(document.blocks[1])
    await keys.to("Make a campaign")
    await keys.press("Enter")
    await page.wait_for_url(re.compile(r"/campaigns/new\?bulletin=1$"))
    # Its name and its issue's topic are there already.
    await keys.to("Secure Communities")
    await expect(page.locator("[name=topics]:focus")).to_be_checked()
    await keys.to("Save")
    await keys.press("Enter")
    await page.wait_for_url("**/campaigns/1")
    await keys.to("Give it for review")
    await keys.press("Enter")
    await expect(page.locator(".title .badge")).to_have_text("in review")
    await context.close()


async def write(page: Page, keys: Keys) -> None:
    """A heading, and a text with a link."""
    for kind, words in (("Heading", "Good news"), ("Text", "See ")):
        # All kinds are one stop: arrows lead to the one that is wanted.
        while not await page.evaluate("!!document.activeElement.closest('[data-adders]')"):
            await keys.press("Tab")
        await keys.to(f"{kind}$", "ArrowRight")
        await keys.press("Enter")
        await expect(
            page.locator("[data-place] :is(#f-text-en, trix-editor)").first
        ).to_be_focused()
        await keys.type(words)
        if kind == "Heading":
            await keys.press("Control+Enter")
            await expect(page.locator(".block [data-open]")).to_be_focused()
    await keys.press("Shift+Tab")
    await keys.to("Link", "ArrowRight")
    await keys.press("Enter")
    await keys.type("https://example.org/")
    await keys.press("Enter")
    await expect(page.locator("trix-editor").first).to_be_focused()
    await keys.press("Control+Enter")
    await expect(page.locator(".block").last.locator("[data-open]")).to_be_focused()


async def move_and_undo(page: Page, keys: Keys) -> None:
    """The last block above the first, and back again."""
    said, status = page.locator("[data-announce]"), page.locator("[data-status]")
    await keys.to("Move Text", "Shift+Tab")
    await keys.press("Alt+ArrowUp")
    await expect(said).to_have_text("Text is now block 1 of 2.")
    await keys.press("Control+z")
    await expect(status).to_have_text("Undone.")
    await expect(page.locator(".block").last.locator("[data-handle]")).to_be_focused()
