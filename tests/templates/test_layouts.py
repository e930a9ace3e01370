"""Layouts and macros: axe finds nothing, the content policy holds, and nothing is cut off."""

import functools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jinja2
import pytest
from playwright.async_api import Browser, Page, Route, expect

import templates
from foundation import i18n
from foundation.config import Settings
from foundation.sections import Site
from foundation.web import kit, security
from foundation.web.pages import Pages
from tests.world import browsers

LAYOUTS = [f"layouts/{name}.html" for name in ("public", "staff", "plain")]
FOLDER = Path(templates.__file__).parent
GALLERY = Path(__file__).with_name("gallery.html").read_text(encoding="utf-8")
COLOURS = ("color", "background", "border-color", "text-decoration-color")
"""Of styles."""
HOST = "http://handbill.test/"
NONCE = "abc"


@functools.cache
def gallery() -> Pages:
    """The site's own pages, and the gallery."""
    pages = Pages(FOLDER / "pages", FOLDER / "static")
    pages.environment.loader = jinja2.ChoiceLoader(
        [jinja2.DictLoader({"gallery.html": GALLERY}), jinja2.FileSystemLoader(FOLDER / "pages")]
    )
    return pages


def render(
    layout: str,
    language: str = "en",
    *,
    size: str = "normal",
    site: Site | None = None,
    **more: Any,
) -> str:
    """The gallery of every macro in one layout."""
    catalog = i18n.load(languages=["en", "es"], default="en", zone="America/New_York")
    values: dict[str, Any] = {
        "layout": layout,
        "site": site or Settings().site,
        "nonce": NONCE,
        "is_exchange": False,
        "csrf_token": "secret",
        "path": "/subscribe",
        "staff": {"name": "Rosa", "email": "rosa@example.org", "partner_id": None},
        "flashes": ["Saved."],
        "text_size": size,
        "text_sizes": [
            {"code": code, "url": f"?text={code}", "is_current": code == size}
            for code in kit.TEXT_SIZES
        ],
        "languages": [
            {"code": "en", "name": "English", "url": "?lang=en", "is_current": language == "en"},
            {"code": "es", "name": "español", "url": "?lang=es", "is_current": language == "es"},
        ],
        "nav": [
            {
                "label": group,
                "is_current": group == "Write",
                "rooms": [
                    {
                        "url": f"/staff/{group}/{number}",
                        "label": f"Room {number}",
                        "is_current": (group, number) == ("Write", 3),
                        "key": "b" if (group, number) == ("Write", 3) else "",
                        "is_action": False,
                        "state": "",
                    }
                    for number in range(6 if group else 1)
                ],
            }
            for group in ("", "Write", "Send", "People and partners", "Office")
        ],
        "actions": [],
        **more,
    }
    return gallery().render("gallery.html", translator=catalog.translator(language), values=values)


async def serve(route: Route, html: str) -> None:
    """Answer the browser's requests from memory and the static folder, with the real policy."""
    path = route.request.url.removeprefix(HOST)
    if not path.startswith("static/"):
        policy = {"Content-Security-Policy": security.content_policy(NONCE)}
        await route.fulfill(body=html, content_type="text/html; charset=utf-8", headers=policy)
        return
    file = FOLDER / "static" / path.split("/", 2)[2]
    kind = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}[file.suffix]
    await route.fulfill(body=file.read_bytes(), content_type=kind)


@asynccontextmanager
async def shown(browser: Browser, html: str, width: int, **options: Any) -> AsyncIterator[Page]:
    """A page with the html; at the end, nothing may have been said on the browser's console."""
    context = await browser.new_context(
        viewport={"width": width, "height": 900}, reduced_motion="reduce", **options
    )
    page = await context.new_page()
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.on("console", lambda said: mistakes.append(said.text) if said.type == "error" else None)
    await turn_to(page, html, has_scripts=options.get("java_script_enabled", True))
    yield page
    assert mistakes == []
    await context.close()


async def turn_to(page: Page, html: str, *, has_scripts: bool = True) -> None:
    """Another page in the same window."""
    await page.unroute_all()
    await page.route("**/*", lambda route: serve(route, html))
    await page.goto(HOST)
    if has_scripts:
        await page.wait_for_selector("trix-editor")


async def overflow(page: Page) -> int:
    """How many pixels the page is wider than its window."""
    found: int = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return found


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "es"])
async def test_every_part_passes_axe(browser: Browser, language: str) -> None:
    async with shown(browser, render(LAYOUTS[0], language), 1280) as page:
        for layout in LAYOUTS:
            await turn_to(page, render(layout, language))
            assert await browsers.troubles(page) == [], layout


@pytest.mark.browser
async def test_any_accent_of_a_site_can_be_read(browser: Browser) -> None:
    async with shown(browser, render("layouts/public.html"), 1280) as page:
        for accent in ("#ffe94d", "#000000", "#ffffff", "#00c2ff", "#39ff14"):
            await turn_to(page, render("layouts/public.html", site=Site(accent=accent)))
            for scheme in browsers.SCHEMES:
                await page.emulate_media(color_scheme=scheme)
                found = await browsers.violations(page, rules=browsers.COLOURS)
                assert found == [], (accent, scheme)


def test_by_night_nothing_but_colours_is_different() -> None:
    """So whoever looks at a page by day and at night asks at night for colours alone."""
    checked = 0
    for file in (*(FOLDER / "static").glob("*.css"), FOLDER / "mail" / "dark.css"):
        style = re.sub(r"\{\{.*?\}\}", "filled in", file.read_text(encoding="utf-8"))
        for block in re.findall(r"scheme: dark\) \{((?:[^{}]|\{[^{}]*\})*)\}", style):
            for name in re.findall(r"([\w-]+): [^;{}]+;", block):
                assert name.startswith("--") or name in COLOURS, f"{file.name}: {name}"
                checked += 1
    assert checked > 30


@pytest.mark.browser
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
async def test_largest_text_fits_the_smallest_phone_in_both_directions(
    browser: Browser, direction: str
) -> None:
    async with shown(browser, render(LAYOUTS[0]), 320) as page:
        for layout in LAYOUTS:
            await turn_to(page, render(layout, "es", size="larger", dir=direction))
            assert await overflow(page) <= 0, layout


@pytest.mark.browser
@pytest.mark.parametrize("layout", LAYOUTS[:2])
async def test_menu_opens_without_script_on_a_phone_and_is_a_row_on_a_desk(
    browser: Browser, layout: str
) -> None:
    html = render(layout)
    async with shown(browser, html, 375, java_script_enabled=False) as page:
        last = page.locator(".menu nav > ul > li, nav.menu-sheet > ul > li").last
        assert not await last.is_visible()
        await page.locator(".menu > summary").click()
        assert await last.is_visible()
        assert await overflow(page) <= 0
    async with shown(browser, html, 1280, java_script_enabled=False) as page:
        last = page.locator(".menu nav > ul > li, nav.menu-sheet > ul > li").last
        assert await last.is_visible()
        assert not await page.locator(".menu > summary").is_visible()


@pytest.mark.browser
@pytest.mark.parametrize("width", [375, 1280])
async def test_one_group_of_rooms_is_open_at_a_time_and_none_needs_a_script(
    browser: Browser, width: int
) -> None:
    html = render("layouts/staff.html")
    async with shown(browser, html, width, java_script_enabled=False) as page:
        if width == 375:
            await page.locator(".menu > summary").click()
        first, last = page.locator(".rooms").first, page.locator(".rooms").last
        for group in (first, last):
            await group.locator("summary").click()
            assert await group.get_by_role("link", name="Room 5").is_visible()
            assert await overflow(page) <= 0
        assert not await first.get_by_role("link", name="Room 5").is_visible()


@pytest.mark.browser
async def test_open_menu_passes_axe_and_closes_with_escape_from_the_inside(
    browser: Browser,
) -> None:
    async with shown(browser, render("layouts/staff.html"), 375) as page:
        await page.locator(".menu > summary").click()
        room = page.locator(".rooms").first.get_by_role("link", name="Room 3")
        await page.locator(".rooms > summary").first.click()
        assert await room.is_visible()
        assert await browsers.violations(page) == []
        await page.keyboard.press("Escape")
        assert not await room.is_visible()
        assert await page.locator(".rooms").first.is_visible()
        await page.keyboard.press("Escape")
        assert not await page.locator(".rooms").first.is_visible()


@pytest.mark.browser
async def test_keys_open_the_box_that_finds_anything_and_lead_to_rooms(browser: Browser) -> None:
    async with shown(browser, render("layouts/staff.html"), 1280) as page:
        box = page.locator("#quick")
        await page.keyboard.press("Control+k")
        await expect(page.locator("#quick-q")).to_be_focused()
        assert await browsers.violations(page) == []
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("ArrowDown")
        await expect(box.locator("a").nth(1)).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(box).to_be_hidden()
        await page.locator("#f-email").focus()
        await page.keyboard.type("gb")  # somebody types a word; it leads nowhere
        assert await page.locator("#f-email").input_value() == "gb"
        await page.locator("#main").focus()
        await page.keyboard.press("g")
        async with page.expect_request("**/staff/Write/3"):
            await page.keyboard.press("b")


@pytest.mark.browser
async def test_what_can_be_pressed_is_large_enough(browser: Browser) -> None:
    async with shown(browser, render("layouts/staff.html"), 375) as page:
        await page.locator(".menu > summary").click()
        small = await page.evaluate(
            """() => [...document.querySelectorAll(
                'button, .button, summary, select, input:not([type=checkbox], [type=radio]), nav a'
            )].filter((each) => each.checkVisibility())
              .filter((each) => each.getBoundingClientRect().height < 43.5)
              .map((each) => each.outerHTML.slice(0, 80))"""
        )
        assert small == []


@pytest.mark.browser
async def test_htmx_carries_the_secret_of_staff_forms(browser: Browser) -> None:
    async with shown(browser, render("layouts/staff.html"), 1280) as page:
        await page.evaluate(
            """() => {
                document.querySelector("main").insertAdjacentHTML(
                  "beforeend", '<button id="go" hx-post="/staff/do" hx-swap="none">Go</button>');
                htmx.process(document.querySelector("#go"));
            }"""
        )
        async with page.expect_request("**/staff/do") as sent:
            await page.locator("#go").click()
        request = await sent.value
        assert request.method == "POST"
        assert request.headers[security.CSRF_HEADER.lower()] == "secret"


@pytest.mark.browser
async def test_editor_keeps_the_form_up_to_date_and_its_link_box_works(browser: Browser) -> None:
    async with shown(browser, render("layouts/staff.html"), 1280) as page:
        area = page.locator("textarea[name=rich]")
        assert await area.input_value() == "<p>some <strong>words</strong></p>"
        await page.locator("trix-editor").click()
        await page.keyboard.press("Control+End")
        await page.keyboard.type(" more")
        await page.keyboard.press("Shift+Control+ArrowLeft")
        await page.locator("[data-trix-action=link]").click()
        await page.locator(".trix-dialog input").fill("https://example.org/")
        await page.locator("[data-trix-method=setAttribute]").click()
        value = await area.input_value()
        assert value.startswith("<p>")
        assert '<a href="https://example.org/">' in value
        assert "more" in value


@pytest.mark.browser
async def test_problem_summary_has_the_focus_and_leads_to_the_field(browser: Browser) -> None:
    async with shown(browser, render("layouts/public.html"), 375) as page:
        assert await page.evaluate("document.activeElement.getAttribute('role')") == "alert"
        await page.locator("[role=alert] a").first.click()
        assert await page.evaluate("document.activeElement.id") == "f-email"
        described = await page.locator("#f-email").get_attribute("aria-describedby")
        assert described
        for each in described.split():
            assert await page.locator(f"#{each}").is_visible()


def test_pages_for_supporters_weigh_little() -> None:
    html = render("layouts/plain.html").encode()
    static = FOLDER / "static"
    files = ["tokens.css", "base.css", "parts.css", "issue.css", "handbill.js"]
    assert len(html) + sum((static / name).stat().st_size for name in files) < 50_000
