"""One window of the browser, and how pictures are taken by it."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.async_api import Page

from foundation.i18n import Translator
from tests.world import browsers
from tests.world import demo as demo_world
from tests.world.demo import Demo

Scheme = Literal["light", "dark"]
LANGUAGES = ("en", "es")
WIDTHS = {1280: 900, 375: 812}
"""In pixels → height of the window."""
_TALLEST = 40_000
"""Of a page that is taller, such as the one for programs, what the window shows is enough."""
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
CHOSEN: dict[str, tuple[tuple[int, Scheme], ...]] = {
    "en": ((1280, "light"), (375, "dark")),
    "es": ((1280, "dark"), (375, "light")),
}
"""Language → what is taken of each page where not everything is: the four that differ most."""


@dataclass(kw_only=True)
class Camera:
    """One browser window, one language."""

    demo: Demo
    page: Page
    folder: Path
    translator: Translator
    only: re.Pattern[str]
    is_all: bool = False
    """Every width and scheme in every language, instead of those that are `CHOSEN`."""
    taken: int = field(default=0)

    @property
    def language(self) -> str:
        """The code of its language."""
        return self.translator.language

    def say(self, text: str) -> str:
        """A text of ours in the window's language."""
        return self.translator.gettext(text)

    def address(self, path: str) -> str:
        """An address of the site in the window's language."""
        joint = "&" if "?" in path else "?"
        return f"{self.demo.site}{path}{joint}lang={self.language}"

    async def open(self, name: str, path: str) -> None:
        """Go to a page and take its pictures."""
        if self.only.search(name):
            await self.page.goto(self.address(path))
            await self.shoot(name)

    async def shoot(self, name: str) -> None:
        """The page as it stands now, in its sizes and schemes."""
        if not self.only.search(name):
            return
        every = tuple((width, scheme) for width in WIDTHS for scheme in SCHEMES)
        for width, scheme in every if self.is_all else CHOSEN[self.language]:
            await self.page.set_viewport_size({"width": width, "height": WIDTHS[width]})
            await self.page.emulate_media(color_scheme=scheme)
            path = self.folder / f"{name}.{self.language}.{width}.{scheme}.png"
            height = await self.page.evaluate("document.documentElement.scrollHeight")
            await self.page.screenshot(
                path=path,
                full_page=height <= _TALLEST,
                animations="disabled",
                timeout=browsers.PATIENCE_MS,
            )
            self.taken += 1
        await self.page.set_viewport_size({"width": 1280, "height": WIDTHS[1280]})
        await self.page.emulate_media(color_scheme="light")

    async def show(self, name: str, html: str) -> None:
        """A mail's HTML, as a mail program would show it.

        It stands at an address of the site's: browsers load nothing from this machine into a page
        that has no address.
        """
        address = f"{self.demo.site}/mail"
        await self.page.route(
            address, lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8")
        )
        await self.page.goto(address, wait_until="networkidle")
        await self.page.unroute(address)
        await self.shoot(name)

    async def here(self) -> str:
        """The page that came of what was pressed, opened in the window's language; its path."""
        path = self.page.url.removeprefix(self.demo.site).partition("?")[0].partition("#")[0]
        await self.page.goto(self.address(path))
        return path

    async def press(self, text: str) -> None:
        """Press a button by its words."""
        async with self.page.expect_navigation():
            await self.page.get_by_role("button", name=self.say(text), exact=True).first.click()

    async def fill(self, **values: str) -> None:
        """Type into fields by their names."""
        for name, value in values.items():
            await self.page.locator(f'[name="{name}"]').fill(value)

    async def mailed_link(self, to: str, path: str) -> None:
        """Open a link out of the newest mail that has it."""
        mail = await self.demo.mail(to, having=path)
        await self.page.goto(demo_world.link_in(mail, path))

    async def come_in(self) -> None:
        """Sign in as the owner, once."""
        await self.page.goto(self.address("/staff/signin"))
        field = self.page.locator('main [name="email"]')
        if await field.count():
            await self.fill(email=self.demo.owner, password=demo_world.PASSWORD)
            await self.press("Sign in")
