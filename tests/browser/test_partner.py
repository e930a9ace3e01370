"""A page on another origin holds our plain form; who signs up there is attributed to it."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit, signed_in
from tests.world import demo as demo_world
from tests.world import elsewhere
from tests.world.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]


@pytest.mark.parametrize("language", ["en", "es"])
async def test_the_code_of_a_form_works_on_somebody_elses_page(
    demo: Demo, visit: Visit, language: str
) -> None:
    slug, address = f"harbor-{language}", f"reader.{language}@example.org"
    office = await signed_in(demo, visit, f"office.partner.{language}@example.org", language)
    await office.go("/staff/forms/new")
    await office.fill("Name, for the office", f"Harbor page {language}")
    await office.fill("Name in the address", slug)
    await office.press("Make the form")
    code = office.page.locator("details[open] pre, details[open] textarea").first
    copied = await code.evaluate("element => element.value || element.textContent")
    here = office.page.url

    async with elsewhere.page_with(copied, language=language) as origin:
        assert not origin.startswith(demo.site)
        reader = await visit(language)
        await reader.page.goto(origin)
        await reader.page.locator('input[type="email"]').fill(address)
        async with reader.page.expect_navigation():
            await reader.page.locator('button, input[type="submit"]').first.click()
        await reader.look()
        await reader.reads("Now look into your mail")

    mail = await demo.mail(address, having="/confirm/")
    await reader.go(demo_world.link_in(mail, "/confirm/"))
    await reader.press("Yes, sign me up")
    await reader.reads("What happens next")

    await office.go("/staff/forms")
    row = office.page.get_by_role("row").filter(has_text=slug)
    assert await row.locator("td.number").all_inner_texts() == ["1", "1"]
    await office.go(f"/staff/people?q={address}")
    await office.page.get_by_role("link", name=address).click()
    await office.look()
    await expect(office.page.get_by_text(f"Harbor page {language}").first).to_be_visible()
    assert here.startswith(f"{demo.site}/staff/forms/")
