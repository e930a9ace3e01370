import pytest
from playwright.async_api import Browser

from campaigns.models import Campaign
from foundation.ground import Ground
from tests.campaigns import newsroom
from tests.world import browsers, people
from tests.world.web import Web

pytestmark = pytest.mark.browser


async def afterwards(ground: Ground) -> Campaign:
    """A bulletin with an event that went out, and a correction of it."""
    issue = await newsroom.issue(ground)
    await newsroom.parts(ground, issue)
    event = {
        "kind": "event",
        "starts_at": "2027-03-13T18:30",
        "texts": {
            "en": {"title": "A meeting", "place": "City Hall", "body_html": "<p>Come.</p>"},
            "es": {"title": "Una reunión", "place": "Ayuntamiento"},
        },
    }
    blocks = [newsroom.text_block("Hello", "Hola"), event]
    sent = await newsroom.sent(ground, document=newsroom.written(blocks=blocks))
    await newsroom.sent(ground, slug="mended", corrects_id=sent.id)
    return sent


async def test_what_is_read_afterwards_can_be_used_by_everybody_on_any_screen(
    ground: Ground, web: Web, browser: Browser
) -> None:
    sent = await afterwards(ground)
    _, secret = await people.staff(ground)
    context = await browser.new_context(base_url=web.base)
    await context.add_cookies([{"name": "handbill_session", "value": secret, "url": web.base}])
    page = await context.new_page()
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    await page.set_viewport_size({"width": 1280, "height": 900})
    for path in ("/archive?q=h", "/archive/october"):
        await page.goto(path)
        assert await browsers.violations(page) == [], path
    await page.set_viewport_size({"width": 375, "height": 812})
    await page.emulate_media(color_scheme="dark")
    for path in (
        "/archive?q=zeppelin&language=es",
        "/archive/october?text=larger",
        "/issues/secure-communities?text=larger",
        f"/staff/campaigns/{sent.id}?text=normal",
    ):
        await page.goto(f"{path}&lang=es")
        assert await browsers.violations(page) == [], path
        assert not await page.evaluate(wide), path
    await page.goto("/issues/secure-communities?lang=en")
    async with page.expect_download() as started:
        await page.get_by_role("link", name="A meeting: Add it to your calendar").press("Enter")
    assert (await started.value).suggested_filename == "event.ics"
    await context.close()
