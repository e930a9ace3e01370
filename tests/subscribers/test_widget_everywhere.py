"""Each code of the builder in a page elsewhere, in each language and light, until it counts."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Literal

import pytest
from playwright.async_api import Browser, Frame, Page, expect

from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.config import Settings
from foundation.ground import Ground
from subscribers import forms, funnel, partners
from subscribers.funnel import Part, Row, Stage, Wish
from subscribers.models import Partner
from tests.subscribers import mailbox
from tests.world import browsers, elsewhere, homes, people
from tests.world import demo as demo_world
from tests.world.elsewhere import Pasted
from tests.world.smtp import Catcher
from tests.world.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

LANGUAGES = ("en", "es")
BUTTON = {"en": "Sign up", "es": "Inscribirme"}
# Of each way the button that copies, counted among those of its section, and its line in the
# builder's table of policies.
WAYS = {"element": (0, 0), "frame": (0, 1), "plain": (1, 2), "link": (1, None)}
STRICT = (
    "default-src 'none'; base-uri 'none'; style-src 'self'; img-src data:; "
    "require-trusted-types-for 'script'; "
)
IS_BRIGHT = """field => {
  const parts = getComputedStyle(field).color.match(/[0-9.]+/g).slice(0, 3);
  return parts.reduce((sum, part) => sum + Number(part), 0) > 384;
}"""
HAS_ROOM = """() => document.documentElement.scrollHeight <= innerHeight
  && innerHeight - document.body.getBoundingClientRect().height < 3"""
"""The frame is as tall as the form, and no taller."""
Light = Literal["light", "dark"]
Look = tuple[str, Light]
LOOKS: list[Look] = [(language, light) for language in LANGUAGES for light in browsers.SCHEMES]
Codes = dict[str, Pasted]
Site = tuple[str, Codes]
"""Its address, and what stands at its paths."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """What is copied leads to this test's server."""
    return homes.moved(settings)


async def river(ground: Ground, origins: list[str]) -> Partner:
    """A partner with some web sites, and a form of its own."""
    details = partners.Details(name="River", key="river", origins=origins)
    made = await partners.create(ground, actor=COMMAND, details=details)
    await forms.create(
        ground, actor=COMMAND, details=forms.Details(slug="river", name="Front", partner_id=made.id)
    )
    return made


async def reader(
    browser: Browser, stack: AsyncExitStack, language: str, troubles: list[str]
) -> Visitor:
    """Somebody who reads a language, and may copy and paste; `troubles` are what browsers say."""
    context = await browser.new_context(
        locale={"en": "en-US", "es": "es-MX"}[language],
        permissions=["clipboard-read", "clipboard-write"],
        reduced_motion="reduce",
    )
    stack.push_async_callback(context.close)
    context.on("console", lambda said: troubles.append(f"{said.location['url']}: {said.text}"))
    return Visitor(await context.new_page(), language)


def address(way: str, language: str, light: Light) -> str:
    """Of somebody who signed up in this way."""
    return f"{way}.{language}.{light}@example.org"


def numbers_of(row: Row) -> list[int]:
    """From seen to confirmed."""
    return [row.counts[stage] for stage in Stage if stage is not Stage.STAYED]


async def copied(maker: Visitor, language: str, light: Light) -> Codes:
    """What a webmaster copies who chose a language and a light, with the policy beside it."""
    page = maker.page
    await maker.field("Language").select_option(language)
    await maker.field("Light or dark").select_option(light)
    chosen = page.locator("section[aria-labelledby=way-element] code").first
    for word in (f'lang="{language}"', f'theme="{light}"'):
        await expect(chosen).to_contain_text(word)
    lines = await page.locator("section[aria-labelledby=way-policy] td code").all_inner_texts()
    found = {}
    for way, (place, line) in WAYS.items():
        section = page.locator(f"section[aria-labelledby=way-{way}]")
        button = section.locator("[data-copy]").nth(place)
        if not await button.is_visible():
            await section.locator("summary").click()
        await button.click()
        await expect(button).to_have_text(maker.say("Copied"))
        found[f"/{way}"] = Pasted(
            code=await page.evaluate("navigator.clipboard.readText()"),
            policy=STRICT + ("" if line is None else lines[line]),
        )
    return found


async def sign_up(page: Page, way: str, language: str, light: Light) -> None:
    """Sign up: what is typed and pressed is the same, where it stands differs."""
    place: Page | Frame = page
    if way == "link":
        await page.locator("main a").click()
        await expect(page.locator("#f-email")).to_be_visible()
    elif way == "frame":
        place = page.frames[1]
    # A frame holds the plain form, too, until its script has made the element's.
    is_made = way in ("element", "frame")
    field = place.locator("[part=input][type=email]" if is_made else "input[type=email]:visible")
    await expect(field).to_be_visible()
    assert await field.evaluate(IS_BRIGHT) == (light == "dark")
    assert await browsers.violations(page) == []
    if way == "frame":
        assert await browsers.violations(place) == []
        for width in (375, 1280):
            await page.set_viewport_size({"width": width, "height": 900})
            await place.wait_for_function(HAS_ROOM)
    await field.fill(address(way, language, light))
    button = BUTTON[language]
    await place.get_by_role("button", name=button, exact=True).click()
    if is_made:
        await expect(place.locator("[part=thanks]")).to_be_focused()
    else:
        await page.wait_for_url("**/subscribe/sent**")


async def test_each_code_in_both_languages_and_lights_lives_elsewhere_to_confirmed_and_counts(
    browser: Browser, ground: Ground, smtp: Catcher, deliver: Callable[[], Awaitable[None]]
) -> None:
    await mailbox.topics(ground)
    async with homes.at_home(ground) as home, AsyncExitStack() as stack:
        sites: dict[Look, Site] = {}
        for look in LOOKS:
            language, light = look
            codes: Codes = {}
            site = elsewhere.pages(
                codes.__getitem__, language=language, style=f":root {{ color-scheme: {light} }}"
            )
            sites[look] = (await stack.enter_async_context(site), codes)
        partner = await river(ground, [origin.rstrip("/") for origin, _ in sites.values()])
        troubles: list[str] = []
        readers = {each: await reader(browser, stack, each, troubles) for each in LANGUAGES}
        for (language, light), (origin, codes) in sites.items():
            page = readers[language].page
            await page.emulate_media(color_scheme=light)
            await page.goto(f"{home.base}/widget/river/code?source=our+page")
            codes.update(await copied(readers[language], language, light))
            for way in WAYS:
                await page.goto(f"{origin}{way}?utm_medium=letter")
                await sign_up(page, way, language, light)
        await deliver()
        for language, light in LOOKS:
            who = readers[language]
            await who.page.emulate_media(color_scheme=light)
            for way in WAYS:
                (mail,) = smtp.to(address(way, language, light))
                await who.page.goto(demo_world.link_in(mail.parsed, "/confirm/"))
                await who.button("Yes, sign me up").click()
                await who.reads("What happens next")
        await people.staff_of_partner(ground, partner.id)
        own = await home.as_staff(Role.PARTNER)
        numbers = (await own.get(f"/staff/partners/{partner.id}/numbers.csv")).text.splitlines()
        assert numbers[-1].split(",")[4:6] == ["10", "10"], "a partner is told tens"
    assert troubles == []
    rows = await mailbox.sign_ups(ground)
    assert {(row.source, row.form_id) for row in rows} == {("our page", 1)}
    # A plain form and a link know nothing of the address that they stand at.
    assert sorted(row.utm_medium for row in rows) == [""] * 8 + ["letter"] * 8
    # Now that the service is down, what browsers told is written, too.
    today = ground.clock.now().date()
    found = await funnel.funnel(ground, Wish(partner_id=partner.id, since=today, until=today))
    by = {part: {row.name: numbers_of(row) for row in found.rows[part]} for part in Part}
    # A plain form tells nobody that it was seen; the three other ways do.
    assert by[Part.LANGUAGE] == {"en": [6, 6, 8, 8], "es": [6, 6, 8, 8]}
    # Nor does it say on which page it stands.
    told = {path: [4, 4, 4, 4] for path in ("/element", "/frame", "/link")}
    assert by[Part.PAGE] == {**told, "": [0, 0, 4, 4]}
