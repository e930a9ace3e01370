"""A supporter signs up from the issue's page, keeps control of it, and leaves without a trace."""

import json
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.world import demo as demo_world
from tests.world.demo import Demo
from tests.world.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]
in_both_languages = pytest.mark.parametrize("language", ["en", "es"])
ISSUE = "/issues/secure-communities"


async def sign_up(demo: Demo, visitor: Visitor, address: str) -> None:
    """From the issue's page to the page behind the mailed link."""
    await visitor.go(ISSUE)
    await visitor.follow("Sign up for the bulletin")
    assert await visitor.page.locator('input[name="topic"]:checked').count() == 1
    await visitor.fill("E-mail address", address)
    await visitor.fill("First name", "Inés")
    await visitor.take_their_time()
    await visitor.press("Sign up")
    await visitor.reads("Now look into your mail")
    mail = await demo.mail(address, having="/confirm/")
    assert "Inés" not in str(mail["To"])
    await visitor.go(demo_world.link_in(mail, "/confirm/"))
    await visitor.reads("One press, and you are on the list")


async def confirm(demo: Demo, visitor: Visitor, address: str) -> str:
    """Press the button; gives the address of the preferences in the mail of welcome."""
    await visitor.press("Yes, sign me up")
    await visitor.reads("What happens next")
    mail = await demo.mail(address, having="/preferences/")
    assert f'lang="{visitor.language}"' in demo_world.html_of(mail)
    return demo_world.link_in(mail, "/preferences/")


@in_both_languages
async def test_a_supporter_signs_up_and_keeps_control(
    demo: Demo, visit: Visit, language: str, tmp_path: Path
) -> None:
    address = f"ines.{language}@example.org"
    visitor = await visit(language)
    await sign_up(demo, visitor, address)
    preferences = await confirm(demo, visitor, address)
    await visitor.go(preferences)
    await change_everything(visitor, preferences)
    await take_it_along(visitor, address, tmp_path)
    await leave(visitor)
    await be_forgotten(visitor, preferences)


async def change_everything(visitor: Visitor, preferences: str) -> None:
    """Topics, name, being counted, and the language there and back."""
    other = {"en": "es", "es": "en"}[visitor.language]
    for box in await visitor.page.locator('input[name="topic"]').all():
        await box.check()
    topics = await visitor.page.locator('input[name="topic"]').count()
    await visitor.page.locator('input[name="allows_tracking"]').check()
    await visitor.fill("First name", "Inés María")
    for language in (other, visitor.language):
        await visitor.page.locator('select[name="lang"]').select_option(language)
        button = visitor.button("Save")
        visitor.language = language
        async with visitor.page.expect_navigation():
            await button.click()
        await visitor.look()
        await expect(visitor.page.get_by_text(visitor.say("Kept."), exact=True)).to_be_visible()
    await visitor.go(preferences)
    assert await visitor.page.locator('input[name="topic"]:checked').count() == topics
    await expect(visitor.page.locator('input[name="allows_tracking"]')).to_be_checked()
    await expect(visitor.field("First name")).to_have_value("Inés María")
    await visitor.reads("Who has my address, and why")


async def take_it_along(visitor: Visitor, address: str, folder: Path) -> None:
    """Everything that is held, as a file."""
    async with visitor.page.expect_download() as coming:
        await visitor.button("Download my data").click()
    file = folder / "held.json"
    await (await coming.value).save_as(file)
    held = json.loads(file.read_text(encoding="utf-8"))
    assert address in json.dumps(held)
    assert "Inés María" in json.dumps(held, ensure_ascii=False)


async def leave(visitor: Visitor) -> None:
    """Unsubscribe from everything, with a reason."""
    await visitor.follow("Unsubscribe from everything")
    await visitor.fill("Would you tell us why?", "Too much mail")
    await visitor.press("Unsubscribe")
    await visitor.reads("Done. You are unsubscribed.")


async def be_forgotten(visitor: Visitor, preferences: str) -> None:
    """Erase means erase: the link leads nowhere afterwards."""
    await visitor.go(preferences)
    await visitor.press("Erase my data…")
    await visitor.press("Erase it all")
    await visitor.reads("Done. We have forgotten you.")
    answer = await visitor.page.request.get(preferences)
    assert answer.status in (404, 410)


@in_both_languages
async def test_all_of_it_works_without_scripts(demo: Demo, visit: Visit, language: str) -> None:
    address = f"plain.{language}@example.org"
    visitor = await visit(language, can_script=False)
    await sign_up(demo, visitor, address)
    preferences = await confirm(demo, visitor, address)
    await visitor.go(preferences)
    await leave(visitor)
    await be_forgotten(visitor, preferences)


async def test_all_of_it_works_by_keyboard_alone(demo: Demo, visit: Visit) -> None:
    visitor = await visit("en")
    page, keys = visitor.page, visitor.page.keyboard
    await visitor.go(ISSUE)
    await keys.press("Tab")
    way_past_the_menu = await page.evaluate("document.activeElement.href")
    assert way_past_the_menu.endswith("#main")
    await visitor.tab_to(page.locator("main a.button[href^='/subscribe']").first)
    async with page.expect_navigation():
        await keys.press("Enter")
    await visitor.tab_to(visitor.field("E-mail address"))
    await keys.type("keys@example.org")
    await visitor.tab_to(page.locator('input[name="topic"]').last)
    await keys.press("Space")
    await expect(page.locator('input[name="topic"]').last).to_be_checked()
    await visitor.tab_to(visitor.button("Sign up"))
    await visitor.take_their_time()
    async with page.expect_navigation():
        await keys.press("Enter")
    mail = await demo.mail("keys@example.org", having="/confirm/")
    await visitor.go(demo_world.link_in(mail, "/confirm/"))
    await visitor.tab_to(visitor.button("Yes, sign me up"))
    async with page.expect_navigation():
        await keys.press("Space")
    await visitor.reads("What happens next")
