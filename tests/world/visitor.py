"""Somebody at a real browser, who looks closely at every page that they come to."""

import re

from playwright.async_api import ConsoleMessage, Locator, Page, Response, expect

from foundation import i18n
from tests.world import browsers

_SERIOUS = ("serious", "critical")
_CATALOG = i18n.load(languages=("en", "es"), default="en", zone="UTC")


class Visitor:
    """Reads one language; every page must speak it, pass axe, and fit a phone."""

    def __init__(self, page: Page, language: str, *, can_script: bool = True) -> None:
        self.page = page
        self.language = language
        self._can_script = can_script
        self._troubles: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda problem: self._troubles.append(str(problem)))

    def say(self, text: str, **values: object) -> str:
        """A text of ours in this person's language."""
        return _CATALOG.translator(self.language).gettext(text) % values

    async def go(self, url: str) -> Response | None:
        """Open an address in this person's language, and look."""
        answer = await self.page.goto(url)
        await self.look()
        return answer

    async def press(self, text: str, **values: object) -> None:
        """Press a button by its words, and look at the page that comes."""
        async with self.page.expect_navigation():
            await self.button(text, **values).click()
        await self.look()

    async def follow(self, text: str, **values: object) -> None:
        """Follow the first link with these words, and look at the page that comes."""
        async with self.page.expect_navigation():
            await self.page.get_by_role("link", name=self.say(text, **values)).first.click()
        await self.look()

    async def fill(self, label: str, typed: str) -> None:
        """Type into a field by its label."""
        await self.field(label).fill(typed)

    def button(self, text: str, **values: object) -> Locator:
        """A button by its words."""
        words = self.say(text, **values)
        return self.page.get_by_role("button", name=words, exact=True).first

    def field(self, label: str) -> Locator:
        """A field by its label; a mark that it is required may follow."""
        words = re.compile(rf"^\s*{re.escape(self.say(label))}\b|^\s*{re.escape(self.say(label))}")
        return self.page.get_by_label(words).first

    async def reads(self, text: str, **values: object) -> None:
        """A heading with these words is there."""
        heading = self.page.get_by_role("heading", name=self.say(text, **values))
        await expect(heading.first).to_be_visible()

    async def take_their_time(self) -> None:
        """Nobody fills in a form in two seconds; who does is taken for a program."""
        if self._can_script:
            await self.page.evaluate(
                "new Promise(done => setTimeout(done, Math.max(0, 2100 - performance.now())))"
            )
        else:
            await self.page.wait_for_timeout(2100)

    async def look(self) -> None:
        """Language, accessibility, width on a phone, and what the console says."""
        assert await self.page.locator("html").get_attribute("lang") == self.language, self.page.url
        if not self._can_script:
            return
        found = [each for each in await browsers.violations(self.page) if each.startswith(_SERIOUS)]
        assert found == [], self.page.url
        size = self.page.viewport_size
        assert size is not None
        await self.page.set_viewport_size({"width": 375, "height": size["height"]})
        wide = await self.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 375, f"{self.page.url} is {wide} px wide on a phone"
        await self.page.set_viewport_size(size)
        assert not self._troubles, f"{self.page.url}: {self._troubles}"

    async def tab_to(self, wanted: Locator, *, within: int = 60) -> None:
        """Move the focus with the Tab key, seeing at each stop where it is."""
        for _ in range(within):
            if await wanted.evaluate("element => element === document.activeElement"):
                return
            await self.page.keyboard.press("Tab")
            assert await self.page.evaluate(_IS_FOCUS_SEEN), await self.page.evaluate(
                "document.activeElement.outerHTML.slice(0, 200)"
            )
        raise AssertionError(f"Tab does not lead to {wanted}")

    def _heard(self, message: ConsoleMessage) -> None:
        # A form that comes back to be mended is an error to the browser's console.
        if message.type in ("error", "warning") and "status of 422" not in message.text:
            self._troubles.append(message.text)


_IS_FOCUS_SEEN = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return true;
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const hasRing = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)
    || style.boxShadow !== "none";
  return hasRing && box.width > 0 && box.height > 0;
}"""
