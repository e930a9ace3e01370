"""The live count and the progress that moves, in a real browser; and what axe finds there."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Browser, Page, expect

from campaigns import lifecycle
from foundation.ground import Ground
from tests.world import browsers, campaigning, people
from tests.world.smtp import Catcher
from tests.world.web import Web

pytestmark = pytest.mark.browser


@pytest.fixture
async def page(ground: Ground, web: Web, browser: Browser) -> AsyncIterator[Page]:
    """A page of somebody who is signed in."""
    _, secret = await people.staff(ground)
    context = await browser.new_context(base_url=web.base, viewport={"width": 1280, "height": 900})
    await context.add_cookies([{"name": "handbill_session", "value": secret, "url": web.base}])
    opened = await context.new_page()
    yield opened
    await context.close()


async def test_the_count_follows_what_is_ticked(ground: Ground, page: Page) -> None:
    await people.subscribed(ground, "ana@example.org", language="es")
    await people.subscribed(ground, "bo@example.org")
    campaign = await campaigning.draft(ground)
    await page.goto(f"/staff/campaigns/{campaign.id}/edit")
    count = page.locator("#count .figure strong")
    await expect(count).to_have_text("2")
    await page.get_by_label("Spanish").check()
    await expect(count).to_have_text("1")
    assert await browsers.violations(page) == []


async def test_progress_moves_and_ends_in_the_report(
    ground: Ground, page: Page, smtp: Catcher, deliver: Callable[[], Awaitable[None]]
) -> None:
    await people.subscribed(ground)
    campaign, _ = await campaigning.started(ground)
    await page.goto(f"/staff/campaigns/{campaign.id}")
    await expect(page.get_by_text("0 of 1 done")).to_be_visible()
    await deliver()
    await expect(page.get_by_text("1 of 1 done")).to_be_visible()
    await lifecycle.follow_dispatches(ground)
    await expect(page.locator(".title .badge")).to_have_text("sent")
    assert await page.locator("progress").count() == 0
    assert len(smtp.messages) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_on_pages_of_campaigns(
    ground: Ground, page: Page, scheme: str
) -> None:
    await people.subscribed(ground)
    await campaigning.draft(ground)
    ready = await campaigning.approved(ground)
    sending, _ = await campaigning.started(ground)
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    one = "/staff/campaigns/"
    for path in (
        "/staff",
        "/staff/campaigns",
        f"{one}new",
        f"{one}{ready.id}",
        f"{one}{ready.id}/start",
        f"{one}{ready.id}/schedule",
        f"{one}{sending.id}",
    ):
        for width in (375, 1280):
            await page.set_viewport_size({"width": width, "height": 900})
            await page.goto(path)
            assert await browsers.violations(page) == [], path
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, path
