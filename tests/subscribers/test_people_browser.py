import pytest
from playwright.async_api import Browser, expect
from yarl import URL

from foundation.ground import Ground
from foundation.web import middleware
from tests.world import browsers, people
from tests.world.web import Web


@pytest.mark.browser
async def test_the_list_follows_what_staff_type_without_a_reload(
    browser: Browser, web: Web, ground: Ground
) -> None:
    await people.subscribed(ground, "ana@example.org", first_name="Ana")
    await people.subscribed(ground, "ben@example.org", first_name="Ben")
    _, secret = await people.staff(ground)
    context = await browser.new_context()
    await context.add_cookies(
        [{"name": middleware.SESSION_COOKIE, "value": secret, "url": web.base}]
    )
    page = await context.new_page()
    problems: list[str] = []
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    await page.goto(f"{web.base}/staff/people")
    await expect(page.locator("#people")).to_contain_text("ana@example.org")
    await page.locator("#f-q").fill("ben")
    await expect(page.locator("#people")).not_to_contain_text("ana@example.org")
    await expect(page.locator("#people")).to_contain_text("ben@example.org")
    await expect(page.locator("#f-q")).to_be_focused()
    assert URL(page.url).query["q"] == "ben"
    assert problems == []
    await context.close()


@pytest.mark.browser
async def test_a_table_that_scrolls_on_a_phone_is_told_apart_from_the_section_around_it(
    browser: Browser, web: Web, ground: Ground
) -> None:
    person = await people.subscribed(ground, topics=("secure-communities", "action-alerts"))
    _, secret = await people.staff(ground)
    context = await browser.new_context(viewport={"width": 320, "height": 700})
    await context.add_cookies(
        [{"name": middleware.SESSION_COOKIE, "value": secret, "url": web.base}]
    )
    page = await context.new_page()
    await page.goto(f"{web.base}/staff/people/{person.id}?lang=es")
    await expect(page.locator(".table-wrap[tabindex='0'][aria-label='Temas']")).to_have_count(1)
    assert await browsers.violations(page) == []
    await context.close()
