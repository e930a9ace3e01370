"""A partner signs in by its mailed link, looks at its numbers, and fetches its people."""

import os
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from foundation.accounts import team
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.ground import Ground
from subscribers import forms, partners
from subscribers.partner_models import Step
from subscribers.steps import Steps
from tests.subscribers import mailbox
from tests.world import browsers
from tests.world.web import Web

SHOTS = os.environ.get("HANDBILL_TEST_PICTURES")


@pytest.mark.browser
async def test_a_partner_signs_in_and_sees_its_numbers_on_a_phone_and_at_night(
    browser: Browser, web: Web, ground: Ground, tmp_path: Path
) -> None:
    await mailbox.topics(ground)
    details = partners.Details(name="River Valley", key="river-valley")
    river = await partners.create(ground, actor=COMMAND, details=details)
    await forms.create(
        ground,
        actor=COMMAND,
        details=forms.Details(slug="river", name="Front", partner_id=river.id, shares=[river.id]),
    )
    counting = Steps(ground)
    for place in range(45):
        counting.count(
            Step.SEEN if place % 3 else Step.STARTED,
            partner_id=river.id,
            form_id=1,
            page="/help/with/a/rather/long/path/to/a/page",
            language="en",
            network=str(place),
        )
    await counting.write()
    for place in range(13):
        await mailbox.sign_up(
            web, ground, f"p{place}@example.org", path="/subscribe/river", share="river-valley"
        )
    link = await team.add(
        ground, actor=COMMAND, email="dara@river.example", role=Role.PARTNER, partner_id=river.id
    )
    context = await browser.new_context(
        color_scheme="dark", viewport={"width": 375, "height": 900}, accept_downloads=True
    )
    page = await context.new_page()
    await page.goto(link.replace(ground.settings.site.url, web.base))
    await page.get_by_role("button").first.click()
    await page.goto(f"{web.base}/staff")
    await expect(page.get_by_role("heading", name="River Valley")).to_be_visible()
    await expect(page.locator("dl.steps")).to_contain_text("10")
    await expect(page.get_by_text("fewer than 10").first).to_be_visible()
    for language, scheme, width in (
        ("en", "dark", 375),
        ("es", "light", 1280),
        ("es", "dark", 1280),
    ):
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await page.set_viewport_size({"width": width, "height": 900})
        for name in ("numbers", "people"):
            await page.goto(f"{web.base}/staff/partners/{river.id}/{name}?lang={language}")
            if SHOTS:
                path = Path(SHOTS) / f"partner-{name}-{language}-{scheme}-{width}.png"
                await page.screenshot(path=path, full_page=True)
            assert await browsers.violations(page) == []
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
    async with page.expect_download() as waiting:
        await page.get_by_role("button", name="Descargar lo nuevo").click()
    download = await waiting.value
    await download.save_as(tmp_path / "people.csv")
    assert (tmp_path / "people.csv").read_bytes().count(b"given") == 13
    await context.close()
