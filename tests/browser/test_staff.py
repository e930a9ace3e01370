"""Somebody of the office records news, writes a bulletin, sends it and sees what came of it."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit, signed_in
from tests.world.demo import Demo
from tests.world.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]


@pytest.mark.parametrize("language", ["en", "es"])
async def test_from_a_development_to_a_report(demo: Demo, visit: Visit, language: str) -> None:
    address = f"desk.{language}@example.org"
    office = await signed_in(demo, visit, address, language)
    await office.go("/staff")
    await record_news(office)
    bulletin = await write_bulletin(office)
    await look_at_it(office, bulletin)
    await try_it(demo, office, bulletin, address)
    campaign = await make_campaign(office, bulletin)
    await schedule(office, campaign)
    await send(office, campaign)
    await follow_to_the_end(office, campaign)
    await find_reader(office)


async def record_news(office: Visitor) -> None:
    """A development in two languages, side by side."""
    page = office.page
    await office.go("/staff/issues")
    issue = page.locator("main a[href^='/staff/issues/']", has_text=re.compile("Secur|Segur"))
    await office.go(f"{await issue.first.get_attribute('href')}/developments/new")
    await page.locator('input[name="happened_on"]').fill("2026-11-20")
    for code, title, words in (
        ("en", "Council speaks out", "The council asked for an end to the program."),
        ("es", "El concejo se pronuncia", "El concejo pidió el fin del programa."),
    ):
        await page.locator(f'[name="headline-{code}"]').fill(title)
        box = page.locator(".rich", has=page.locator(f'[name="summary-{code}"]'))
        await box.locator("trix-editor").fill(words)
    await page.locator('input[name="is_published"]').check()
    await office.press("Save")
    await office.go("/issues/secure-communities")
    title = {"en": "Council speaks out", "es": "El concejo se pronuncia"}[office.language]
    await office.reads(title)


async def write_bulletin(office: Visitor) -> str:
    """From the developments since a day, with subjects and a call to action."""
    page = office.page
    await office.go("/staff/bulletins/new")
    await page.locator('input[name="name"]').fill(f"November, {office.language}")
    await page.locator('select[name="issue"]').select_option("secure-communities")
    await page.locator('input[name="start"][value="since"]').check()
    await page.locator('input[name="since"]').fill("2026-11-01")
    await office.press("Begin")
    for code, subject in (("en", "What the council said"), ("es", "Lo que dijo el concejo")):
        await page.locator(f'input[name="subject-{code}"]').fill(f"{subject} {office.language}")
        await page.locator(f'[name="preheader-{code}"]').fill("…")
    await office.press("Save")
    here = page.url.partition("#")[0]
    await office.follow("Call to action")
    await page.locator('input[name="url"]').fill("https://example.org/act")
    await page.locator('input[name="label-en"]').fill("Take part")
    await page.locator('input[name="label-es"]').fill("Participe")
    await office.press("Add it")
    await office.go(here)
    first = page.locator("#blocks .block").first
    await expect(first).to_be_visible()
    return here


async def look_at_it(office: Visitor, bulletin: str) -> None:
    """Both editions, as HTML and as text."""
    for code, words in (("en", "Take part"), ("es", "Participe")):
        await office.go(f"{bulletin}/preview?language={code}")
        frame = office.page.frame_locator("iframe.preview-frame")
        await expect(frame.get_by_text(words).first).to_be_visible()
        await office.follow("As plain text")
        await expect(office.page.locator("pre.mail-text")).to_contain_text(
            "https://example.org/act"
        )


async def try_it(demo: Demo, office: Visitor, bulletin: str, address: str) -> None:
    """A test of each edition to oneself."""
    await office.go(bulletin)
    await office.press("Send a test to myself")
    for words in ("What the council said", "Lo que dijo el concejo"):
        mail = await demo.mail(address, having=f"[Test] {words} {office.language}")
        assert mail["List-Unsubscribe"]


async def make_campaign(office: Visitor, bulletin: str) -> str:
    """Who gets it, with a count that follows what is ticked; review and approval."""
    page = office.page
    await office.go(bulletin)
    await office.follow("Make a campaign")
    count = page.locator("#count .figure strong")
    everybody = await count.inner_text()
    await page.locator('input[name="languages"][value="es"]').check()
    await expect(count).not_to_have_text(everybody)
    await page.locator('input[name="languages"][value="es"]').uncheck()
    await expect(count).to_have_text(everybody)
    await office.press("Save")
    await office.press("Give it for review")
    await office.press("Approve")
    await expect(page.locator(".title .badge")).to_have_text(office.say("approved"))
    return page.url


async def schedule(office: Visitor, campaign: str) -> None:
    """At nine in New York, seen in the site's zone; then not after all."""
    await office.go(campaign)
    await office.follow("Schedule…")
    await office.page.locator('input[name="at"]').fill("2027-07-01T09:00")
    await office.page.locator('select[name="zone"]').select_option("America/Los_Angeles")
    await office.press("Schedule")
    await expect(office.page.locator(".title .badge")).to_have_text(office.say("scheduled"))
    await expect(office.page.get_by_text("America/Los Angeles")).to_be_visible()
    await expect(office.page.get_by_text("America/New York")).to_be_visible()
    await office.press("Take off the schedule")


async def send(office: Visitor, campaign: str) -> None:
    """A last look, then it begins."""
    await office.go(campaign)
    await office.page.locator(f'a[href$="{campaign.rpartition("/")[2]}/start"]').click()
    await office.page.wait_for_url("**/start")
    await office.look()
    async with office.page.expect_navigation():
        await office.page.locator('form[action$="/start"] button').click()


async def follow_to_the_end(office: Visitor, campaign: str) -> None:
    """Progress moves by itself until the report stands there."""
    badge = office.page.locator(".title .badge")
    await expect(badge).to_have_text(office.say("sent"))
    await office.go(campaign)
    await office.reads("Report")
    figures = await office.page.locator("dl.figures dd").all_inner_texts()
    assert int(re.sub(r"\D", "", figures[0])) > 100


async def find_reader(office: Visitor) -> None:
    """One person's page lists the mail that they received."""
    subject = re.compile("What the council said|Lo que dijo el concejo")
    await office.go("/demo/inbox")
    mail = office.page.get_by_role("row").filter(has_text=subject).first
    address = await mail.locator("td").first.inner_text()
    await office.go(f"/staff/people?q={address}")
    async with office.page.expect_navigation():
        await office.page.locator("main tbody a[href^='/staff/people/']").first.click()
    await office.look()
    await expect(office.page.get_by_text(address).first).to_be_visible()
    received = office.page.get_by_role("link", name=re.compile("November, "))
    await expect(received.first).to_be_visible()
