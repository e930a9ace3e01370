"""The live count and the progress that moves, in a real browser; and what axe finds there."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Browser, Page, expect

from campaigns import campaign_views, lifecycle, series_runs
from foundation.audit import COMMAND
from foundation.ground import Ground
from tests.campaigns import editions, newsroom
from tests.world import browsers, campaigning, people
from tests.world.clock import FakeClock
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
    await page.locator("#f-add-all_of").select_option("language")
    await page.locator("button[value='add:all_of']").click()
    await page.get_by_label("Spanish").check()
    await expect(count).to_have_text("1")
    assert await browsers.violations(page) == []


@pytest.mark.parametrize(
    ("language", "none", "half", "sent"),
    [
        ("en", "0 of 2 done", "1 of 2 done", "sent"),
        ("es", "0 de 2", "1 de 2", "enviado"),
    ],
)
async def test_progress_moves_by_itself_and_ends_in_the_report(
    ground: Ground,
    page: Page,
    smtp: Catcher,
    deliver: Callable[[], Awaitable[None]],
    clock: FakeClock,
    language: str,
    none: str,
    half: str,
    sent: str,
) -> None:
    await people.subscribed(ground, "ana@example.org")
    await people.subscribed(ground, "bo@example.org")
    smtp.answer("RCPT", "bo@example.org", "450 4.2.1 Later")
    campaign, _ = await campaigning.started(ground)
    await page.goto(f"/staff/campaigns/{campaign.id}?lang={language}")
    block = page.locator("[data-live]")
    await expect(block.get_by_text(none).first).to_be_visible()
    await expect(block.locator("[data-again]")).to_be_hidden()
    assert await browsers.violations(page) == []
    await page.evaluate("window.isTheSamePage = true")
    await deliver()
    await expect(block.get_by_text(half).first).to_be_visible()
    await expect(block.locator("[data-list=reasons] li")).to_contain_text("(450)")
    await expect(block.locator("[data-list=relays] li")).to_contain_text("100")
    assert await page.evaluate("window.isTheSamePage"), "nothing was loaded anew"
    assert await block.get_by_role("status").inner_text() == "", "not a word each second"
    assert await browsers.violations(page) == []
    smtp.answers.clear()
    clock.advance(hours=1)
    await deliver()
    await lifecycle.follow_dispatches(ground)
    await expect(page.locator(".title .badge")).to_have_text(sent)
    assert await page.locator(".moving progress").count() == 0
    assert len(smtp.messages) == 2


async def test_who_asks_for_less_motion_sees_figures_change_less_often(
    ground: Ground, page: Page, deliver: Callable[[], Awaitable[None]], smtp: Catcher
) -> None:
    await people.subscribed(ground, "ana@example.org")
    await people.subscribed(ground, "bo@example.org")
    smtp.answer("RCPT", "bo@example.org", "450 4.2.1 Later")
    campaign, _ = await campaigning.started(ground)
    await page.emulate_media(reduced_motion="reduce")
    await page.add_init_script(LISTEN_TOO)
    await page.add_init_script("window.ms = 10_000; performance.now = () => window.ms;")
    await page.goto(f"/staff/campaigns/{campaign.id}")
    figure = page.locator("[data-text=done]")
    await expect(page.locator("html")).to_have_attribute("data-told", "0")
    await deliver()
    await expect(page.locator("html")).to_have_attribute("data-told", "1")
    assert await figure.inner_text() == "0 of 2 done"
    await page.evaluate("window.ms += 5_000")
    await expect(figure).to_have_text("1 of 2 done")


async def test_a_tab_that_nobody_looks_at_closes_its_stream(ground: Ground, page: Page) -> None:
    await people.subscribed(ground)
    campaign, _ = await campaigning.started(ground)
    await page.add_init_script(LISTEN_TOO)
    await page.goto(f"/staff/campaigns/{campaign.id}")
    await expect(page.locator("html")).to_have_attribute("data-told", "0")
    await page.evaluate(LOOK_AWAY)
    assert await page.evaluate("window.sources[0].readyState") == 2


LISTEN_TOO = """
window.sources = [];
const Real = window.EventSource;
window.EventSource = class extends Real {
  constructor(address) {
    super(address);
    window.sources.push(this);
    this.addEventListener("progress", (event) => {
      document.documentElement.dataset.told = JSON.parse(event.data).value;
    });
  }
};
"""
LOOK_AWAY = """
Object.defineProperty(document, "hidden", {value: true, configurable: true});
document.dispatchEvent(new Event("visibilitychange"));
"""


@pytest.mark.parametrize("language", ["en", "es"])
async def test_axe_finds_nothing_on_the_list_of_who_did_not_get_it(
    ground: Ground,
    page: Page,
    smtp: Catcher,
    deliver: Callable[[], Awaitable[None]],
    language: str,
) -> None:
    for name, reply in (("a", "550 5.3.5 No"), ("b", "450 4.2.1 Later")):
        await people.subscribed(ground, f"{name}.with.a.long.name@example.org")
        smtp.answer("RCPT", f"{name}.with.a.long.name@example.org", reply)
    campaign, _ = await campaigning.started(ground)
    await deliver()
    here = f"/staff/campaigns/{campaign.id}/recipients?lang={language}"
    for state in ("failed", "deferred", "uncertain"):
        await page.goto(f"{here}&state={state}")
        assert await browsers.troubles(page) == []
    await page.goto(f"{here}&state=failed")
    await page.locator("input[name=delivery]").focus()
    await page.keyboard.press("Space")
    assert await page.locator("input[name=delivery]").is_checked()


async def test_axe_finds_nothing_on_pages_of_campaigns(ground: Ground, page: Page) -> None:
    await people.subscribed(ground)
    await campaigning.draft(ground)
    ready = await campaigning.approved(ground)
    sending, _ = await campaigning.started(ground)
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
        await page.goto(path)
        assert await browsers.troubles(page) == []


async def test_a_series_form_shows_only_what_its_rhythm_needs_and_axe_finds_nothing(
    ground: Ground, page: Page
) -> None:
    await newsroom.issue(ground)
    await editions.news(ground, "A new ruling", ground.clock.now().date())
    await editions.news(ground, "Left out", ground.clock.now().date(), is_published=False)
    await editions.made(ground)
    await series_runs.run_now(ground, actor=COMMAND, series_id=1)
    await page.goto("/staff/series/1/edit")
    await page.get_by_label("Every month, on a day of the month").check()
    await expect(page.get_by_label("Day of the month", exact=True)).to_be_visible()
    await expect(page.get_by_label("Weekday", exact=True)).to_be_hidden()
    await page.set_viewport_size({"width": 375, "height": 812})
    for path in ("", "/1", "/1/edit", "/1/runs/1"):
        for language, scheme in (("en", "dark"), ("es", "light")):
            await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            await page.goto(f"/staff/series{path}?lang={language}")
            for summary in await page.locator("main details > summary").all():
                await summary.click()
            assert await browsers.violations(page) == [], path
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width <= 375, path


async def test_a_campaign_is_dragged_to_another_day_and_moved_by_keyboard(
    ground: Ground, page: Page
) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground, name="News")
    await lifecycle.schedule(
        ground,
        actor=COMMAND,
        campaign_id=campaign.id,
        at="2026-12-01T09:00",
        zone="America/New_York",
    )
    await page.goto("/staff/calendar?view=month&day=2026-12-01")
    entry = page.locator("[data-move][draggable=true]", has_text="News")
    async with page.expect_navigation():
        await entry.locator(".entry-time").drag_to(page.locator('td[data-day="2026-12-09"]'))
    await expect(page.locator('td[data-day="2026-12-09"] [data-move]')).to_contain_text("News")
    await page.get_by_role("link", name="Move… News").press("Enter")
    await page.get_by_label("Day and time").fill("2026-12-16T09:00")
    async with page.expect_navigation():
        await page.get_by_role("button", name="Move it").press("Enter")
    there = page.locator('td[data-day="2026-12-16"] [data-move]')
    await expect(there).to_contain_text("News")
    await expect(there).to_contain_text("9:00 AM")
    moved = (await campaign_views.show(ground, campaign_id=campaign.id)).campaign
    assert moved.scheduled_local == "2026-12-16T09:00"


async def test_conditions_are_chosen_read_as_a_sentence_counted_and_kept_as_a_segment(
    ground: Ground, page: Page
) -> None:
    await people.subscribed(ground, "ana@example.org", postal_code="01608", language="es")
    await people.subscribed(ground, "bo@example.org", postal_code="01609")
    await people.subscribed(ground, "cy@example.org", postal_code="02108")
    await page.goto("/staff/segments/new")
    await page.get_by_label("Name").first.fill("Around Worcester")
    count = page.locator("#count .figure strong")
    await expect(count).to_have_text("3")
    for number, (group, kind) in enumerate((("all_of", "postal-code"), ("none_of", "language"))):
        await page.locator(f"#f-add-{group}").select_option(kind)
        await page.locator(f"button[value='add:{group}']").press("Enter")
        if number == 0:
            await page.locator("#f-c0-text").fill("016")
            await expect(count).to_have_text("2")
    await page.get_by_label("Spanish").check()
    await expect(count).to_have_text("1")
    sentence = page.locator("#count .sentence")
    await expect(sentence).to_contain_text("016")
    await expect(sentence).to_contain_text("Spanish")
    assert await browsers.violations(page) == []
    async with page.expect_navigation():
        await page.get_by_role("button", name="Save", exact=True).press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Around Worcester")
    await expect(count).to_have_text("1")
