"""Layouts and macros pass axe at small and wide windows, light and dark."""

from pathlib import Path
from typing import Any

import jinja2
import pytest
from playwright.async_api import Browser, Route

import templates
from foundation import i18n
from foundation.config import Settings
from foundation.web.pages import Pages
from tests.world import browsers

LAYOUTS = [f"layouts/{name}.html" for name in ("public", "staff", "plain")]
FOLDER = Path(templates.__file__).parent

GALLERY = Path(__file__).with_name("gallery.html").read_text(encoding="utf-8")


def render(layout: str, language: str) -> str:
    """The gallery of every macro in one layout."""
    pages = Pages(FOLDER / "pages", FOLDER / "static")
    pages.environment.loader = jinja2.ChoiceLoader(
        [jinja2.DictLoader({"gallery.html": GALLERY}), jinja2.FileSystemLoader(FOLDER / "pages")]
    )
    catalog = i18n.load(languages=["en", "es"], default="en", zone="America/New_York")
    values: dict[str, Any] = {
        "layout": layout,
        "site": Settings().site,
        "nonce": "abc",
        "csrf_token": "secret",
        "path": "/subscribe",
        "staff": {"name": "Rosa", "email": "rosa@example.org"},
        "flashes": ["Saved."],
        "text_size": "normal",
        "languages": [
            {"code": "en", "name": "English", "url": "?lang=en", "is_current": language == "en"},
            {"code": "es", "name": "español", "url": "?lang=es", "is_current": language == "es"},
        ],
        "nav": [
            {"url": f"/staff/{number}", "label": f"Room {number}", "is_current": number == 3}
            for number in range(10)
        ],
    }
    return pages.render("gallery.html", translator=catalog.translator(language), values=values)


async def serve(route: Route, html: str) -> None:
    """Answer the browser's requests from memory and the static folder."""
    path = route.request.url.partition("//handbill.test/")[2]
    if not path:
        await route.fulfill(body=html, content_type="text/html; charset=utf-8")
        return
    file = FOLDER / "static" / path.split("/", 2)[2]
    kind = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}[file.suffix]
    await route.fulfill(body=file.read_bytes(), content_type=kind)


@pytest.mark.browser
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
async def test_every_part_passes_axe(
    browser: Browser, layout: str, scheme: str, width: int, tmp_path: Path
) -> None:
    html = render(layout, "es" if scheme == "dark" else "en")
    context = await browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 900},
        reduced_motion="reduce",
    )
    page = await context.new_page()
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.on("console", lambda said: mistakes.append(said.text) if said.type == "error" else None)
    await page.route("**/*", lambda route: serve(route, html))
    await page.goto("http://handbill.test/")
    await page.wait_for_selector("trix-editor")
    assert await browsers.violations(page) == []
    assert mistakes == []
    too_wide = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert too_wide <= 0
    await page.screenshot(path=tmp_path / "page.png", full_page=True)
