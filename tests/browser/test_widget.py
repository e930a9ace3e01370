"""The four codes of the builder on a page elsewhere; sign-ups there count for its partner."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visit, signed_in
from tests.world import demo as demo_world
from tests.world import elsewhere
from tests.world.demo import Demo
from tests.world.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]

WAYS = ("way-element", "way-frame", "way-plain", "way-link")
BUTTON = {"en": "Sign up", "es": "Inscribirme"}


async def brought(office: Visitor) -> list[int]:
    """Sign-ups of the partner that were sent in, and of those confirmed, as its row says."""
    await office.go("/staff/partners")
    heads = await office.page.get_by_role("columnheader").all_inner_texts()
    row = office.page.get_by_role("row").filter(has_text="Lynn Legal Project")
    cells = await row.locator("th, td").all_inner_texts()
    wanted = (office.say("Sign-ups sent in"), office.say("Confirmed"))
    return [int(cells[heads.index(head)]) for head in wanted]


async def send(page: Page, way: str, address: str, language: str) -> None:
    """Sign up by a way: what is typed and pressed is the same, where it stands differs."""
    place = page.frame_locator("iframe") if way == "way-frame" else page
    if way == "way-link":
        await page.locator("main a").click()
        await expect(page.locator("#f-email")).to_be_visible()
        # Our own page takes who is quicker than a person for a program.
        await page.evaluate(
            "new Promise(done => setTimeout(done, Math.max(0, 2100 - performance.now())))"
        )
    # A frame holds the plain form, too, until its script has made the element's.
    is_made = way in ("way-element", "way-frame")
    field = '[part=input][type="email"]' if is_made else 'input[type="email"]:visible'
    await place.locator(field).fill(address)
    await place.get_by_role("button", name=BUTTON[language], exact=True).click()
    if is_made:
        await expect(place.locator("[part=thanks]")).to_be_focused()
    else:
        await page.wait_for_url("**/subscribe/sent**")


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("es", "dark")])
async def test_each_code_of_the_builder_lives_elsewhere_and_counts_for_its_partner(
    demo: Demo, visit: Visit, language: str, theme: str
) -> None:
    office = await signed_in(demo, visit, f"office.widget.{language}.{theme}@example.org", language)
    before = await brought(office)
    maker = await visit(language)
    await maker.go(f"/widget/lynn-legal/code?language={language}&theme={theme}&source=our+page")
    for way in WAYS:
        address = f"{way}.{language}.{theme}@example.org"
        codes = maker.page.locator(f"section[aria-labelledby={way}] code:visible")
        code = (await codes.all_inner_texts())[-1]
        async with elsewhere.page_with(
            code, language=language, style=f":root {{ color-scheme: {theme} }}"
        ) as origin:
            if way == "way-element":
                await office.go("/staff/partners/1")
                await office.fill("Its web sites", origin)
                await office.press("Keep")
            reader = await visit(language)
            await reader.page.goto(f"{origin}about/us?utm_medium=letter")
            await send(reader.page, way, address, language)
        mail = await demo.mail(address, having="/confirm/")
        await reader.go(demo_world.link_in(mail, "/confirm/"))
        await reader.press("Yes, sign me up")
        await reader.reads("What happens next")
    assert await brought(office) == [each + len(WAYS) for each in before]
    for way, page in {"way-element": "/about/us", "way-frame": "/about/us"}.items():
        await office.go(f"/staff/people?q={way}.{language}.{theme}@example.org")
        await office.page.get_by_role("link", name=f"{way}.{language}.{theme}@example.org").click()
        await expect(office.page.get_by_text(page).first).to_be_visible()
        await expect(office.page.get_by_text("our page").first).to_be_visible()
