"""The panel: staff see it before they send, look again, mend, or answer for what is red."""

import dataclasses
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from campaigns.models import CampaignState
from foundation.accounts.models import Role
from foundation.ground import Ground
from tests.world import abroad, browsers, campaigning, people
from tests.world import web as web_world
from tests.world.abroad import Abroad
from tests.world.web import Web

REASON = "The address stands in the text of this bulletin."
NO_ADDRESS = pytest.mark.settings(site={"postal_address": ""})


@NO_ADDRESS
async def test_the_list_stands_before_sending_and_scheduling_with_links_to_mend(
    ground: Ground, web: Web
) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground, links=("https://bit.ly/abc",))
    editor, viewer = await web.as_staff(Role.EDITOR), await web.as_staff(Role.VIEWER)
    here = f"/staff/campaigns/{campaign.id}"
    for path in (here, f"{here}/start", f"{here}/schedule"):
        page = (await editor.get(f"{path}?lang=es")).text
        assert "Falta la dirección postal" in page
        assert 'href="/staff/settings#site-postal_address"' in page
        assert f'href="/staff/bulletins/{campaign.bulletin_id}/blocks/' in page
        assert "/override" not in page, "only an owner answers for it"
    assert "/blocks/" not in (await viewer.get(here)).text
    settings = (await viewer.get("/staff/settings?lang=es")).text
    assert 'id="site-postal_address"' in settings


@NO_ADDRESS
async def test_an_owner_answers_for_what_is_red_and_an_editor_may_send_then(
    ground: Ground, web: Web
) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground, links=())
    owner, editor = await web.as_staff(Role.OWNER), await web.as_staff(Role.EDITOR)
    here = f"/staff/campaigns/{campaign.id}"
    assert f'action="{here}/override"' in (await owner.get(here)).text
    assert (await editor.post(f"{here}/override", {"why": REASON})).status == 403
    short = await owner.post(f"{here}/override?lang=es", {"why": "sí"})
    assert short.status == 409
    assert "Diga por qué" in short.text
    assert (await owner.post(f"{here}/override", {"why": REASON})).status == 303
    assert REASON in (await editor.get(here)).text
    assert (await editor.post(f"{here}/start", {})).status == 303
    assert await campaigning.state(ground, campaign.id) == CampaignState.SENDING


@pytest.fixture
async def there() -> AsyncIterator[Abroad]:
    """Somebody else's web server."""
    async with abroad.serving({"/good": 200, "/gone": 404}) as serving:
        yield serving


LIST = {"en": ("Before it goes out", "Look again"), "es": ("Antes de enviarlo", "Revisar de nuevo")}


async def test_a_part_of_a_page_speaks_as_the_page_around_it(ground: Ground, web: Web) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground, links=())
    viewer = await web.as_staff(Role.VIEWER)  # whose account speaks English
    here = f"/staff/campaigns/{campaign.id}"
    for path, words in ((f"{here}/check", "Antes de enviarlo"), (f"{here}/check/progress", "Se ")):
        told = []
        for around in ("?lang=es", "?lang=en", "", "?lang=en&x=[", "http://[nowhere"):
            page = around if "//" in around else f"{web.base}{here}{around}"
            headers = {"HX-Request": "true", "HX-Current-URL": page}
            answer = await viewer.get(path, headers=headers)
            assert answer.status == 200, around
            told.append(words in answer.text)
        assert told == [True, False, False, False, False], path
    headers = {"HX-Request": "true", "HX-Current-URL": f"{web.base}{here}?lang=es"}
    assert "Before it goes out" in (await viewer.get(f"{here}/check?lang=en", headers=headers)).text


@pytest.mark.browser
@pytest.mark.settings(preflight={"links": True})
async def test_in_a_browser_red_takes_the_button_away_until_an_owner_answers_for_it(
    ground: Ground, browser: Browser, there: Abroad
) -> None:
    await people.subscribed(ground)
    ground = dataclasses.replace(ground, outward=there.outward())
    campaign = await campaigning.approved(ground, links=(there.url("/gone"), there.url("/good")))
    _, secret = await people.staff(ground)  # whose account speaks English
    here = f"/staff/campaigns/{campaign.id}"
    async with web_world.browsing(ground) as site:
        context = await browser.new_context(base_url=site.base, reduced_motion="reduce")
        await context.add_cookies([{"name": "handbill_session", "value": secret, "url": site.base}])
        page = await context.new_page()
        await page.goto(f"{here}?lang=es")
        line = page.locator(".checklist > [data-tone=bad]")
        await expect(line).to_contain_text(f"No hay ninguna página en {there.url('/gone')}")
        start = page.locator(f'a[href="{here}/start"]')
        for language, (title, again) in LIST.items():
            await page.goto(f"{here}?lang={language}")
            await expect(start).to_have_count(0)
            await page.locator("#check").evaluate("each => each.dataset.before = '1'")
            await page.get_by_role("button", name=again).press("Enter")
            await expect(page.locator("#check[data-before]")).to_have_count(0)
            # Who pressed it finds it again where it was, although all around it was exchanged.
            await expect(page.get_by_role("button", name=again)).to_be_focused()
            await expect(page.get_by_role("heading", name=title)).to_be_visible()
            await page.locator("#check details:not(.well) > summary").click()
            assert await _everywhere(page) == []
        await page.get_by_role("textbox", name="Por qué (obligatorio)").fill(REASON)
        await page.get_by_role("button", name="Yo respondo por ello").click()
        await expect(start).to_have_count(1)
        await expect(page.locator(".checklist [data-overridden]")).to_contain_text(REASON)
        await context.close()


async def _everywhere(page: Page) -> list[str]:
    """What axe finds by day and at night on a phone and a desk, and whether a phone scrolls."""
    found = []
    for width in (375, 1280):
        await page.set_viewport_size({"width": width, "height": 900})
        wide = await page.evaluate("document.documentElement.scrollWidth")
        found += [f"{wide} pixels wide on {width}"] if wide > width else []
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            found += await browsers.violations(page)
    return found
