"""The kiosk in a real Chromium: the network goes, three people sign up, the network comes back."""

import json
from datetime import date

import pytest
from playwright.async_api import Browser, Page, expect
from sqlmodel import select

from delivery.models import QueuedNotice
from foundation import audit
from foundation.ground import Ground
from handbill import listening
from subscribers import gatherings
from tests.subscribers import mailbox
from tests.world import browsers

pytestmark = [pytest.mark.browser]
EMAILS = ("ana@example.org", "bo@example.org", "chi@example.org")
STORED = """async () => {
  const asked = indexedDB.open("handbill-kiosk", 1);
  const database = await new Promise((done) => { asked.onsuccess = () => done(asked.result); });
  const all = database.transaction("entries").objectStore("entries").getAll();
  const found = await new Promise((done) => { all.onsuccess = () => done(all.result); });
  database.close();
  return JSON.stringify([found, { ...localStorage }, { ...sessionStorage }]);
}"""


async def sign_up(page: Page, email: str, *, language: str) -> None:
    """One person at the tablet."""
    await page.locator(f'[data-speak="{language}"]').click()
    part = page.locator(f'[data-language="{language}"]')
    await part.locator('[name="email"]').fill(email)
    await part.locator('[name="first_name"]').fill("Nombre Secreto")
    await part.locator('button[type="submit"]').click()
    await expect(part.locator("[data-thanks]")).to_be_visible()
    await part.locator("[data-next]").click()
    await expect(page.locator('[data-language="en"] [name="email"]')).to_have_value("")


@pytest.mark.timeout(200)
async def test_three_sign_ups_without_a_network_are_sealed_and_mailed_when_it_is_back(
    ground: Ground, browser: Browser
) -> None:
    await mailbox.topics(ground)
    fair = gatherings.Details(
        name="Spring fair", code="spring-fair", day=date(2026, 4, 11), languages=["en", "es"]
    )
    await gatherings.create(ground, actor=audit.COMMAND, details=fair)
    context = await browser.new_context()
    page = await context.new_page()
    async with listening.open_web(ground, host="127.0.0.1", port=0) as port:
        await page.goto(f"http://127.0.0.1:{port}/kiosk/subscribe?source=spring-fair")
        await expect(page.locator("html")).to_have_attribute("data-stays", "true")
        assert await browsers.violations(page) == []
    # The server is gone as well: nothing can be answered but by what stayed on the tablet.
    await context.set_offline(True)
    await page.reload()
    for email, language in zip(EMAILS, ("en", "es", "en"), strict=True):
        await sign_up(page, email, language=language)
    await expect(page.locator("[data-waiting]")).to_have_attribute("data-number", "3")
    stored = await page.evaluate(STORED)
    assert len(json.loads(stored)[0]) == 3
    assert "example.org" not in stored
    assert "Secreto" not in stored
    assert "spring-fair" not in stored

    async with listening.open_web(ground, host="127.0.0.1", port=port):
        await context.set_offline(False)
        await expect(page.locator("[data-waiting]")).to_have_attribute("data-number", "0")
        assert json.loads(await page.evaluate(STORED))[0] == []
        await context.close()
    async with ground.db.reading() as session:
        notices = (await session.exec(select(QueuedNotice))).all()
    assert sorted((each.kind, each.to_address) for each in notices) == [
        ("confirm_at_table", email) for email in EMAILS
    ]
    assert {each.language for each in notices} == {"en", "es"}
    assert {row.source for row in await mailbox.sign_ups(ground)} == {"spring-fair"}


@pytest.mark.settings(kiosk={"idle_s": 10})
async def test_whoever_walks_away_leaves_nothing_on_the_screen(
    ground: Ground, browser: Browser
) -> None:
    await mailbox.topics(ground)
    context = await browser.new_context()
    page = await context.new_page()
    await page.clock.install()
    async with listening.open_web(ground, host="127.0.0.1", port=0) as port:
        await page.goto(f"http://127.0.0.1:{port}/kiosk/subscribe?languages=es,en")
        spanish = page.locator('[data-language="es"]')
        await spanish.locator('[name="email"]').fill("ana@gmial.com")
        await page.locator('[data-speak="en"]').click()
        english = page.locator('[data-language="en"]')
        await expect(english.locator('[name="email"]')).to_have_value("ana@gmial.com")
        await english.locator('button[type="submit"]').click()
        await expect(english.locator("[data-take]")).to_have_text("ana@gmail.com")
        await page.clock.run_for(11_000)
        await expect(english.locator("[data-still]")).to_be_visible()
        await page.clock.run_for(13_000)
        await expect(english.locator("[data-still]")).to_be_hidden()
        await expect(spanish).to_be_visible()
        for part in (spanish, english):
            await expect(part.locator('[name="email"]')).to_have_value("")
        await context.close()
