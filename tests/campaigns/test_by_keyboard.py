"""A bulletin is made from nothing, and on its way to readers, by people without a pointer."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser, Page, expect

from campaigns import bulletins, composer
from campaigns.models import CampaignState
from foundation.accounts.models import Role
from foundation.ground import Ground
from tests.campaigns import newsroom
from tests.world import campaigning, people
from tests.world.web import Web

pytestmark = pytest.mark.browser
HERE = re.compile(r"/staff/bulletins/1(\?|#|$)")
CAMPAIGN = re.compile(r"/staff/campaigns/1(\?|#|$)")
MOST = 25
"""So many presses of Tab at most to what comes next: few enough to keep count of."""
LOOKS = 100
"""So often it is looked whether something still lies over the focus while a page settles."""
FOCUS = """() => {
  const at = document.activeElement;
  const { top, bottom, left, width } = at.getBoundingClientRect();
  const style = getComputedStyle(at);
  const seen = document.elementFromPoint(left + Math.min(width / 2, 15), (top + bottom) / 2);
  return {
    name: (at.ariaLabel || at.labels?.[0]?.innerText || at.innerText || "").trim(),
    isLost: at === document.body,
    // In a frame the mail's own links show it.
    isShown: at.matches("iframe") || style.outlineStyle !== "none" || style.boxShadow !== "none",
    isCovered: !at.contains(seen) && !seen?.contains(at) && bottom - top < innerHeight,
  };
}"""


class Keys:
    """A keyboard; every stop on the way to what is wanted has to be seen."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.press = page.keyboard.press
        self.type = page.keyboard.type

    async def to(self, name: str, key: str = "Tab", most: int = MOST) -> None:
        """Press a key until the focus is at something that is called so."""
        passed = []
        for _ in range(most):
            await self.press(key)
            focus = await self.page.evaluate(FOCUS)
            passed.append(focus["name"])
            assert not focus["isLost"], passed
            assert focus["isShown"], passed
            for _ in range(LOOKS):
                if focus["isCovered"]:
                    focus = await self.page.evaluate(FOCUS)
            assert not focus["isCovered"], passed
            if re.match(name, focus["name"]):
                return
        raise AssertionError(f"{name} is not among {passed}")

    async def go(self, name: str, where: str | re.Pattern[str], most: int = MOST) -> None:
        """Follow or press what is called so, and wait for the page that it leads to."""
        await self.to(name, most=most)
        async with self.page.expect_navigation(url=where):
            await self.press("Enter")

    async def stays(self, name: str) -> None:
        """The focus is at something that is called so, although nothing was pressed for it."""
        await expect(self.page.locator(":focus")).to_have_accessible_name(re.compile(name))


Sit = Callable[[Role], Awaitable[Keys]]


@pytest.fixture
async def sit(ground: Ground, web: Web, browser: Browser) -> AsyncIterator[Sit]:
    """Gives a keyboard to one more person of the office."""
    async with AsyncExitStack() as stack:

        async def down(role: Role) -> Keys:
            _, secret = await people.staff(ground, role)
            context = await browser.new_context(
                base_url=web.base, viewport={"width": 1280, "height": 900}
            )
            stack.push_async_callback(context.close)
            cookie = {"name": "handbill_session", "value": secret, "url": web.base}
            await context.add_cookies([cookie])  # type: ignore[list-item]
            return Keys(await context.new_page())

        yield down


@pytest.mark.settings(release={"undo_s": 600})
async def test_a_bulletin_goes_from_nothing_to_its_start_without_a_pointer(
    ground: Ground, sit: Sit
) -> None:
    await newsroom.issue(ground)
    await newsroom.picture(ground)
    for number, language in enumerate(("en", "es", "es")):
        await people.subscribed(ground, f"reader{number}@example.org", language=language)
    author = await sit(Role.AUTHOR)
    await begin(author)
    await write(author.page, author)
    await move_and_undo(author.page, author)
    async with ground.db.reading() as session:
        document = bulletins.document_of(await bulletins.get(session, 1))
    assert document.editions["en"].subject == "What the council said"
    texts = [composer.excerpt(each, "en") for each in document.blocks]
    assert texts == ["Good news", "See https://example.org/"]
    assert 'href="https://example.org/"' in str(document.blocks[1])
    await show_a_picture(author)
    await translate(author)
    await choose_people(author)
    await author.go("Give it for review", CAMPAIGN)
    await expect(author.page.locator(".title .badge")).to_have_text("in review")
    editor = await sit(Role.EDITOR)
    await find(editor)
    await remark_and_approve(editor)
    await plan_and_move(editor)
    await start_and_undo(editor)
    assert await campaigning.state(ground, 1) == CampaignState.APPROVED


async def begin(keys: Keys) -> None:
    """A new bulletin that begins with nothing, and its subject."""
    await keys.page.goto("/staff/bulletins/new")
    await keys.to("Name")
    await keys.type("By hand")
    await keys.to("The developments since")
    await keys.press("ArrowDown")
    await keys.press("Enter")
    await keys.page.wait_for_url(re.compile("/1/head$"))
    await keys.to("Subject")
    await keys.type("What the council said")
    await keys.to("Save", most=40)
    await keys.press("Enter")
    await keys.page.wait_for_url(HERE)


async def write(page: Page, keys: Keys) -> None:
    """A heading, and a text with a link."""
    for kind, words in (("Heading", "Good news"), ("Text", "See ")):
        await add(keys, kind)
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


async def add(keys: Keys, kind: str) -> None:
    """One more block; all kinds are one stop, and arrows lead to the one that is wanted."""
    while not await keys.page.evaluate("!!document.activeElement.closest('[data-adders]')"):
        await keys.press("Tab")
    await keys.to(f"{kind}$", "ArrowRight")
    await keys.press("Enter")


async def move_and_undo(page: Page, keys: Keys) -> None:
    """The last block above the first, and back again."""
    said, status = page.locator("[data-announce]"), page.locator("[data-status]")
    await keys.to("Move Text", "Shift+Tab")
    await keys.press("Alt+ArrowUp")
    await expect(said).to_have_text("Text is now block 1 of 2.")
    await keys.press("Control+z")
    await expect(status).to_have_text("Undone.")
    await expect(page.locator(".block").last.locator("[data-handle]")).to_be_focused()


async def show_a_picture(keys: Keys) -> None:
    """One out of the library, and what it shows; a block that was too much is deleted."""
    blocks = keys.page.locator(".block")
    await add(keys, "Picture")
    await keys.stays("Find a picture")
    await keys.to("figures.png")
    await keys.press("Space")
    for words in ("Three figures", "Tres cifras"):
        await keys.to("What it shows")
        await keys.type(words)
    await keys.press("Control+Enter")
    await expect(blocks.nth(2).locator("[data-open]")).to_be_focused()
    await add(keys, "Line")
    await expect(blocks.nth(3).locator("[data-place] form")).to_be_visible()
    await keys.press("Control+Enter")
    await expect(blocks.nth(3).locator("[data-open]")).to_be_focused()
    await keys.to("Delete", "ArrowRight")
    await keys.press("Enter")
    await expect(blocks).to_have_count(3)
    await expect(blocks.nth(2).locator("h3")).to_be_focused()


async def translate(keys: Keys) -> None:
    """Each text that waits, one after another."""
    page = keys.page
    await page.goto("/staff/bulletins/1/translate?language=es")
    await expect(page.locator("trix-editor")).to_have_count(1)
    # Nothing is waited for: what is typed is meant for the next one, while the last is being saved.
    for words in ("Lo que dijo el concejo", "Buenas noticias", "Vea"):
        await keys.press("Control+Enter")
        await keys.type(words)
    await keys.press("Control+Enter")
    await expect(page.locator('[data-place]:not([data-state="done"])')).to_have_count(0)
    await expect(page.locator("trix-editor")).to_be_focused()


async def choose_people(keys: Keys) -> None:
    """A campaign to a topic, by a condition, and one that is taken away again."""
    count = keys.page.locator("#count .figure strong")
    await keys.page.goto("/staff/bulletins/1")
    await keys.go("Make a campaign", re.compile(r"/campaigns/new\?bulletin=1$"))
    # Its name and its issue's topic are there already.
    await keys.to("Secure Communities")
    await expect(keys.page.locator("[name=topics]:focus")).to_be_checked()
    await expect(count).to_have_text("3")
    for kind, here in (("lang", "language"), ("post", "Postal codes")):
        await keys.to("Go by")
        await keys.type(kind)
        await keys.to("Add a condition")
        await keys.press("Enter")
        await keys.stays(here)
    await keys.to("Remove: ")
    await keys.press("Enter")
    await keys.stays("Go by")
    await keys.to("Spanish", "Shift+Tab")
    await keys.press("Space")
    await expect(count).to_have_text("2")
    await keys.go("Save", CAMPAIGN)


async def find(keys: Keys) -> None:
    """The sheet of keys, a box that is closed again, and the campaign by its name."""
    page = keys.page
    await page.goto("/staff/calendar")
    await keys.press("?")
    await page.wait_for_url("**/staff/keys")
    await keys.to("Letters lead", most=60)
    await keys.press("Control+k")
    await expect(page.locator("#quick-q")).to_be_focused()
    await keys.press("Escape")
    await keys.stays("Letters lead")
    await keys.press("Control+k")
    await keys.type("By hand")
    await expect(page.locator("[data-found] a").first).to_contain_text("By hand")
    await keys.to("By hand.*in review", "ArrowDown")
    await keys.press("Enter")
    await page.wait_for_url(CAMPAIGN)


async def remark_and_approve(keys: Keys) -> None:
    """A remark on a block, which is settled; then it is approved."""
    await keys.go("Read it block by block", re.compile("/review$"))
    await keys.to("Remark on this block", most=40)
    await keys.press("Enter")
    await keys.to("What should be looked at")
    await keys.type("Which council?")
    await keys.go("Remark$", re.compile("/review#block-"))
    await keys.go("Mark as settled", re.compile("/review#block-"))
    await keys.to("Approve", "Shift+Tab", most=40)
    async with keys.page.expect_navigation(url=CAMPAIGN):
        await keys.press("Enter")


async def plan_and_move(keys: Keys) -> None:
    """A day and an hour; then another, from the calendar; then none."""
    page = keys.page
    await keys.go("Schedule…", re.compile("/schedule$"))
    await at_nine(keys, "12162026")
    await keys.go("Schedule$", CAMPAIGN)
    await expect(page.locator("#when")).to_contain_text("December 16, 2026")
    await page.goto("/staff/calendar?view=month&day=2026-12-16")
    await keys.go("Move…", re.compile("/move/1"), most=40)
    await at_nine(keys, "12172026")
    await keys.go("Move it", re.compile("/calendar"))
    await expect(page.locator('td[data-day="2026-12-17"]')).to_contain_text("By hand")
    await keys.go("By hand", CAMPAIGN, most=40)
    await keys.go("Take off the schedule", CAMPAIGN)


async def at_nine(keys: Keys, day: str) -> None:
    """Type a day, as Americans write it, and nine in the morning."""
    await keys.to("Day and time")
    await keys.type(day)
    await keys.press("ArrowRight")
    await keys.type("0900AM")


async def start_and_undo(keys: Keys) -> None:
    """The page before it starts; the start; and not after all."""
    badge = keys.page.locator(".title .badge")
    await keys.go("Send to 2 people…", re.compile("/start$"))
    await keys.go("Send to 2 people now", CAMPAIGN, most=40)
    await keys.stays("It goes out in a moment")
    await keys.go("Undo", CAMPAIGN)
    await expect(badge).to_have_text("approved")
