"""The sign-up form in a real browser, while it is under attack and when an address has a slip."""

import os
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from foundation.ground import Ground
from tests.subscribers import mailbox
from tests.subscribers.mailbox import ANA
from tests.world import browsers
from tests.world.web import Web

SHOTS = os.environ.get("HANDBILL_TEST_PICTURES")


@pytest.mark.browser
@pytest.mark.settings(signup={"challenge": "always", "challenge_rounds": 50_000})
@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("es", "dark")])
async def test_a_browser_works_for_its_person_and_needs_no_hand(
    browser: Browser, web: Web, ground: Ground, language: str, scheme: str
) -> None:
    await mailbox.topics(ground)
    context = await browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": 375, "height": 900}
    )
    page = await context.new_page()
    problems: list[str] = []
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    await page.goto(f"{web.base}/subscribe?lang={language}")
    await expect(page.locator("input[name=altcha]")).not_to_have_value("")
    assert await browsers.violations(page) == []
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"challenge-{language}.png", full_page=True)
    await page.locator("#f-email").fill(ANA)
    await page.get_by_role("button", name={"en": "Sign up", "es": "Inscribirme"}[language]).click()
    await page.wait_for_url("**/subscribe/sent**")
    assert problems == []
    (sent,) = await mailbox.notices(ground)
    assert sent.language == language
    await context.close()


@pytest.mark.browser
async def test_a_slip_is_mended_by_one_press_and_enter_keeps_what_was_typed(
    browser: Browser, web: Web, ground: Ground
) -> None:
    await mailbox.topics(ground)
    context = await browser.new_context(viewport={"width": 375, "height": 900})
    page = await context.new_page()
    await page.goto(f"{web.base}/subscribe?lang=en")
    await page.locator("#f-email").fill("ana@gmail.con")
    await page.locator("#f-email").press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("ana@gmail.com")
    assert await browsers.violations(page) == []
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / "slip.png", full_page=True)
    await page.get_by_role("button", name="Use ana@gmail.com").click()
    await page.wait_for_url("**/subscribe/sent**")
    assert await mailbox.person(ground, "ana@gmail.com") is not None
    await page.goto(f"{web.base}/subscribe?lang=en")
    await page.locator("#f-email").fill("ben@gmial.com")
    await page.locator("#f-email").press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("ben@gmail.com")
    await page.locator("#f-email").press("Enter")
    await page.wait_for_url("**/subscribe/sent**")
    assert await mailbox.person(ground, "ben@gmial.com") is not None
    await context.close()
