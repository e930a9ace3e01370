"""The page on deliverability: it answers at once, looks behind it, and speaks two languages."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from campaigns import senders
from delivery.arriving import looks
from delivery.arriving.known import Planned
from delivery.arriving.pages import Looker
from delivery.arriving.questions import Answers
from foundation.accounts.models import Role
from foundation.config import Settings
from foundation.ground import Ground
from tests.delivery.arriving.test_look import living
from tests.delivery.arriving.zones import DOMAIN, txt
from tests.world import browsers, people
from tests.world import web as web_world
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher
from tests.world.web import Web

HERE = "/staff/deliverability"
FORGED = {(DOMAIN, "TXT"): txt("v=spf1 a -all")}


class Gate:
    """Keeps looks that the page asks for waiting, so that a test sees them under way."""

    def __init__(self) -> None:
        self.may_look = asyncio.Event()
        self.has_looked = asyncio.Event()
        self._perform = looks.perform

    async def perform(self, ground: Ground, *, planned: Planned | None) -> Answers:
        """Look, when that may be."""
        await self.may_look.wait()
        found = await self._perform(ground, planned=planned)
        self.has_looked.set()
        return found


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """It is shut."""
    shut = Gate()
    monkeypatch.setattr(looks, "perform", shut.perform)
    return shut


async def looked(ground: Ground) -> None:
    """A look that is over."""
    assert await looks.begin(ground)
    await looks.perform(ground, planned=None)


async def test_the_page_answers_before_anybody_has_looked_and_looking_at_it_looks_nowhere(
    web: Web, ground: Ground
) -> None:
    owner = await web.as_staff(Role.OWNER)
    page = await owner.get(HERE)
    assert "Nobody has looked yet" in page.text
    async with ground.db.reading() as session:
        kept = await looks.latest(ground, session)
    assert kept.looked_at is None
    assert not kept.is_running


async def test_editors_find_it_in_the_navigation_and_authors_do_not(web: Web) -> None:
    editor, author = await web.as_staff(Role.EDITOR), await web.as_staff(Role.AUTHOR)
    assert f'href="{HERE}"' in (await editor.get("/staff")).text
    assert f'href="{HERE}"' not in (await author.get("/staff")).text
    assert (await author.get(HERE)).status == 403
    assert (await author.post(HERE)).status == 403


async def test_what_was_found_stands_with_what_to_do_in_both_languages(
    settings: Settings, clock: FakeClock, tmp_path: Path, smtp: Catcher
) -> None:
    assert smtp.port
    async with living(settings, clock, tmp_path, zone=FORGED) as ground:
        await looked(ground)
        async with web_world.browsing(ground) as web:
            owner = await web.as_staff(Role.OWNER)
            english = (await owner.get(f"{HERE}?lang=en")).text
            spanish = (await owner.get(f"{HERE}?lang=es")).text
    for page, words in (
        (english, ("May we send for this domain?", "Mend this", "does not let", "Copy the value")),
        (spanish, ("¿Podemos enviar por este dominio?", "Corrija esto", "no deja enviar")),
    ):
        assert all(each in page for each in words)
        assert "v=spf1 a ip4:198.51.100.7 -all" in page
    texts = re.findall(r"<p>([^<]+)</p>", english)
    assert not set(texts) & set(re.findall(r"<p>([^<]+)</p>", spanish)), "left in English"


async def test_asking_for_a_look_answers_at_once_and_the_page_has_it_later(
    settings: Settings, clock: FakeClock, tmp_path: Path, smtp: Catcher, gate: Gate
) -> None:
    assert smtp.port
    async with living(settings, clock, tmp_path) as ground, web_world.browsing(ground) as web:
        owner = await web.as_staff(Role.OWNER)
        answer = await owner.post(HERE)
        assert (answer.status, answer.location) == (303, HERE)
        async with ground.db.reading() as session:
            assert (await looks.latest(ground, session)).looked_at is None
        part = await owner.get(HERE, headers={"HX-Request": "true"})
        assert 'hx-trigger="every 1s"' in part.text
        gate.may_look.set()
        await gate.has_looked.wait()
        whole = (await owner.get(HERE)).text
        assert "May we send for this domain?" in whole
        assert 'hx-trigger="every 1s"' not in whole


async def test_when_the_service_ends_a_look_ends_and_others_may(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_values: object, **_named: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(looks, "perform", never)
    looker = Looker(ground, planned=senders)
    await looker.start()
    assert not await looks.begin(ground)
    await looker.close()
    assert await looks.begin(ground)


@pytest.mark.browser
async def test_in_a_browser_it_looks_by_itself_and_reads_well_in_the_dark_and_on_a_phone(
    settings: Settings,
    clock: FakeClock,
    tmp_path: Path,
    smtp: Catcher,
    browser: Browser,
    gate: Gate,
) -> None:
    assert smtp.port
    gate.may_look.set()
    async with living(settings, clock, tmp_path, zone=FORGED) as ground:
        async with web_world.browsing(ground) as web:
            _, secret = await people.staff(ground)
            context = await browser.new_context(base_url=web.base, color_scheme="dark")
            cookie = {"name": "handbill_session", "value": secret, "url": web.base}
            await context.add_cookies([cookie])  # type: ignore[list-item]
            page = await context.new_page()
            await page.goto(HERE)
            await expect(page.get_by_role("heading", name="Is our mail signed?")).to_be_visible()
            again = page.get_by_role("button", name="Look again")
            for width in (1280, 375):
                await page.set_viewport_size({"width": width, "height": 800})
                assert await browsers.violations(page) == []
                wide = await page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width
            await expect(page.get_by_role("button", name="Copy the value").first).to_be_visible()
            gate.may_look.clear()
            await again.click()
            await expect(page.get_by_role("status")).to_be_visible()
            gate.may_look.set()
            await expect(again).to_be_visible()
            await context.close()
