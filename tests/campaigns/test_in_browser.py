from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from campaigns import bulletins, composer
from foundation.ground import Ground
from tests.campaigns import newsroom
from tests.campaigns.newsroom import text_block, written
from tests.world import browsers, people
from tests.world.web import Web

pytestmark = pytest.mark.browser
HERE = "/staff/bulletins/1"
_SLOW_FRAMES = """
const soon = requestAnimationFrame;
window.requestAnimationFrame = (draw) => setTimeout(() => soon(draw), %d);
"""
"""A machine that draws so many milliseconds later than it could."""


@pytest.fixture
async def page(ground: Ground, web: Web, browser: Browser) -> AsyncIterator[Page]:
    """A page of somebody who is signed in."""
    _, secret = await people.staff(ground)
    context = await browser.new_context(base_url=web.base, viewport={"width": 1280, "height": 900})
    await context.add_cookies([{"name": "handbill_session", "value": secret, "url": web.base}])
    opened = await context.new_page()
    yield opened
    await context.close()


async def words(ground: Ground) -> list[str]:
    async with ground.db.reading() as session:
        bulletin = await bulletins.get(session, 1)
    return [composer.excerpt(each, "en") for each in bulletins.document_of(bulletin).blocks]


async def drag_first_below_last(page: Page) -> None:
    """Take the first block by its handle and lead it down until it stands last."""
    dragged = await page.locator(".block").first.get_attribute("data-id")
    handle = page.locator(".block").first.locator("[data-handle]")
    await expect(handle).to_be_visible()
    start = await handle.bounding_box()
    end = await page.locator(".block").last.bounding_box()
    assert start is not None
    assert end is not None
    await page.mouse.move(start["x"] + 10, start["y"] + 10)
    await page.mouse.down()
    for step in range(200):
        # A hand is never still: the list looks where the pointer is only when it moves.
        down = min(1.0, step / 20) * (end["y"] + end["height"] - 10 - start["y"])
        await page.mouse.move(start["x"] + 40 + step % 2, start["y"] + down)
        if await page.locator(".block").last.get_attribute("data-id") == dragged:
            break
    await page.mouse.up()


async def test_blocks_are_dragged_into_another_order(ground: Ground, page: Page) -> None:
    await newsroom.issue(ground)
    blocks = [text_block("A", id="a"), text_block("B", id="b"), text_block("C", id="c")]
    await newsroom.bulletin(ground, written(blocks=blocks))
    await page.emulate_media(reduced_motion="reduce")
    # All blocks are in sight: how fast a list scrolls under a hand is the library's business.
    await page.set_viewport_size({"width": 1280, "height": 1600})
    await page.goto(HERE)
    for version, expected in ((2, ["B", "C", "A"]), (3, ["C", "A", "B"])):
        await drag_first_below_last(page)
        await page.locator(f'#composer[data-version="{version}"]').wait_for()
        assert await words(ground) == expected


@pytest.mark.parametrize("frames_ms", [0, 300])
async def test_rich_text_is_written_in_two_languages(
    ground: Ground, page: Page, frames_ms: int
) -> None:
    if frames_ms:
        await page.add_init_script(_SLOW_FRAMES % frames_ms)
    await newsroom.issue(ground)
    await newsroom.bulletin(ground, written(blocks=[text_block("Old", "Viejo", id="a")]))
    await page.goto(f"{HERE}/blocks/a")
    english, spanish = page.locator("trix-editor").first, page.locator("trix-editor").last
    await expect(english).to_contain_text("Old")
    await english.click()
    await page.keyboard.press("End")
    await page.keyboard.type(" and new")
    await spanish.click()
    await page.keyboard.press("End")
    await page.keyboard.type(" y nuevo")
    await page.get_by_role("button", name="Save").click()
    await page.wait_for_url(f"**{HERE}#blocks")
    assert await words(ground) == ["Old and new"]
    await expect(page.locator('.excerpt[lang="es"]')).to_have_text("Viejo y nuevo")


async def test_the_mail_in_its_frame_is_as_high_as_it_has_to_be(ground: Ground, page: Page) -> None:
    await newsroom.issue(ground)
    long = [text_block("<p>" + "Words. " * 400 + "</p>", "x") for _ in range(3)]
    await newsroom.bulletin(ground, written(blocks=long))
    await page.goto(f"{HERE}/preview?width=phone")
    await page.wait_for_function(
        "() => document.querySelector('iframe').getBoundingClientRect().height > 2000"
    )


async def test_axe_finds_nothing_and_nothing_sticks_out(ground: Ground, page: Page) -> None:
    issue = await newsroom.issue(ground)
    await newsroom.parts(ground, issue)
    await newsroom.handout(ground, issue, languages=("en", "es"))
    await newsroom.picture(ground)
    await newsroom.development(ground, issue, newsroom.news(key="meeting"))
    blocks = [
        text_block("Hello", "Hola", id="a"),
        {"kind": "developments", "keys": ["meeting"]},
        {"kind": "action", "url": "https://x.example/" + "long" * 40, "texts": {}},
    ]
    await newsroom.bulletin(ground, written(blocks=blocks))
    found: list[str] = []
    for path in (
        "/",
        "/issues/secure-communities",
        "/issues/secure-communities?lang=es&text=larger",
        "/archive",
        "/staff/issues/1?text=normal",
        "/staff/issues/1/developments/1",
        "/staff/issues/1/materials/1",
        HERE,
        f"{HERE}/head",
        f"{HERE}/blocks/a",
        f"{HERE}/blocks/new?kind=developments",
        f"{HERE}/blocks/new?kind=image",
        f"{HERE}/preview",
    ):
        await page.goto(path)
        found += await browsers.troubles(page)
    assert found == []


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("es", 375)])
async def test_who_sees_a_block_is_chosen_by_keyboard_alone_in_both_languages(
    ground: Ground, page: Page, language: str, width: int
) -> None:
    await newsroom.issue(ground)
    await newsroom.bulletin(ground, written(blocks=[{"kind": "divider", "id": "a"}]))
    await page.set_viewport_size({"width": width, "height": 900})
    await page.goto(f"{HERE}/blocks/a?lang={language}")
    assert await browsers.troubles(page) == []
    await page.set_viewport_size({"width": width, "height": 900})
    await page.locator('input[name="seen_by"][value="everybody"]').focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Tab")
    await page.keyboard.type("Worcester, Lynn")
    await page.keyboard.press("Tab")
    await page.keyboard.type("016")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**{HERE}#blocks")
    await page.goto(f"{HERE}?lang={language}")
    told = {
        "en": "Only for: Worcester, Lynn, postal codes 016, coalition members",
        "es": "Solo para: Worcester, Lynn, códigos postales 016, miembros de la coalición",
    }
    await expect(page.locator(".seen-by")).to_have_text(told[language])
    assert await browsers.troubles(page) == []


async def test_a_bulletin_is_looked_at_as_one_person_gets_it(ground: Ground, page: Page) -> None:
    await newsroom.issue(ground)
    blocks = [
        text_block("To all", "A todos"),
        {**text_block("To Lynn", "A Lynn"), "only_to": {"towns": ["Lynn"]}},
    ]
    await newsroom.bulletin(ground, written(blocks=blocks))
    await people.subscribed(ground, "far@example.org", town="Boston")
    await page.goto(f"{HERE}/preview")
    mail = page.frame_locator("iframe")
    await expect(mail.get_by_text("To Lynn")).to_be_visible()
    await expect(page.get_by_text("Only for: Lynn")).to_be_visible()
    assert await browsers.violations(page) == []
    await page.get_by_label("Their e-mail address").fill("nobody@example.org")
    await page.keyboard.press("Enter")
    await expect(page.locator(".error")).to_be_visible()
    await page.get_by_label("Their e-mail address").fill("far@example.org")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**reader=**")
    assert "far@example.org" not in page.url
    await expect(mail.get_by_text("To all")).to_be_visible()
    await expect(mail.get_by_text("To Lynn")).to_have_count(0)
    await expect(page.get_by_text("not for this person")).to_be_visible()
    assert await browsers.violations(page) == []
    await page.get_by_role("link", name="As plain text").click()
    await expect(page.locator(".mail-text")).to_contain_text("To all")
    await expect(page.locator(".mail-text")).not_to_contain_text("To Lynn")
