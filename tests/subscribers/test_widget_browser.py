"""The element in somebody else's page, in a real browser: whatever that page is like, it works."""

import asyncio
import contextlib
import functools
import json
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, Request, Route, expect
from playwright.async_api import Error as PlaywrightError

from foundation.audit import COMMAND
from foundation.ground import Ground
from subscribers import embed, forms, partners
from tests.subscribers import mailbox
from tests.subscribers.mailbox import ANA
from tests.world import browsers, elsewhere
from tests.world.web import Web

pytestmark = pytest.mark.browser

SHOTS = os.environ.get("HANDBILL_TEST_PICTURES")
HOSTILE = """
* { margin: 40px !important; font: 6px cursive !important; color: #fff !important;
    letter-spacing: 1em !important; text-transform: uppercase !important; }
input, button, label, fieldset { display: none !important; }
form { position: fixed; opacity: 0; }
html { font-size: 4px; color-scheme: SCHEME; }
main { margin: 0 !important; }
handbill-signup { --handbill-accent: rgb(10, 20, 30); }
handbill-signup::part(button) { border-radius: 9px; }
"""
SUBMIT = {"en": "Sign up", "es": "Inscribirme"}
Host = Callable[..., Awaitable[Page]]


async def shoot(page: Page, name: str) -> None:
    """A picture to look at, where somebody wants to."""
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"widget-{name}.png", full_page=True)


@pytest.fixture
async def host(browser: Browser, web: Web, ground: Ground) -> AsyncIterator[Host]:
    """Opens a page of a partner's with our script and some code in it."""
    await mailbox.topics(ground)
    async with AsyncExitStack() as stack:

        async def opened(
            code: str = '<handbill-signup partner="river"></handbill-signup>',
            *,
            language: str = "en",
            is_named: bool = True,
            reads: str = "en-US",
            scheme: str = "light",
            style: str = "",
            query: str = "",
            asked: list[Request] | None = None,
            before: Callable[[Page], Awaitable[None]] | None = None,
        ) -> Page:
            policy = (
                f"default-src 'none'; style-src 'self'; img-src data:; script-src {web.base}; "
                f"connect-src {web.base}; form-action {web.base}; "
                "require-trusted-types-for 'script'"
            )
            script = f'<script type="module" src="{web.base}/widget.js"></script>'
            origin = await stack.enter_async_context(
                elsewhere.page_with(script + code, language=language, style=style, policy=policy)
            )
            # Another host than ours, though both are this machine.
            origin = origin.replace("127.0.0.1", "localhost")
            named = [origin.rstrip("/")] if is_named else []
            details = partners.Details(name="River", key="river", origins=named)
            await partners.create(ground, actor=COMMAND, details=details)
            context = await browser.new_context(
                locale=reads,
                viewport={"width": 375, "height": 900},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            stack.push_async_callback(context.close)
            page = await context.new_page()
            page.on("request", lambda each: None if asked is None else asked.append(each))
            if before:
                await before(page)
            # Whoever is slow to come, such as our script, is not waited for here.
            await page.goto(f"{origin}news/today{query}", wait_until="commit")
            return page

        yield opened


# The language is what the element says, else what the page around it does, else the reader's.
@pytest.mark.parametrize(
    ("language", "scheme", "said", "around"),
    [("en", "light", ' lang="en"', "es"), ("es", "dark", "", "")],
)
async def test_it_works_by_keyboard_under_a_strict_policy_and_styles_that_hide_everything(
    host: Host, ground: Ground, language: str, scheme: str, said: str, around: str
) -> None:
    asked: list[Request] = []
    page = await host(
        f'<handbill-signup partner="river"{said}></handbill-signup>',
        asked=asked,
        language=around,
        reads="es-MX",
        scheme=scheme,
        style=HOSTILE.replace("SCHEME", scheme),
        query="?utm_source=letter&ref=fair&secret=1&first_name=Ana",
    )
    troubles: list[str] = []
    page.on("console", lambda said: troubles.append(said.text))
    email = page.locator("handbill-signup input[name=email]")
    await expect(email).to_be_visible()
    letters = await page.locator("handbill-signup [part=title]").evaluate(
        "title => { const { letterSpacing, textTransform } = getComputedStyle(title);"
        " return [letterSpacing, textTransform]; }"
    )
    assert letters == ["normal", "none"]
    button = page.locator("handbill-signup [part=button]")
    await expect(button).to_have_css("background-color", "rgb(10, 20, 30)")
    await expect(button).to_have_css("border-radius", "9px")
    await shoot(page, f"hostile-{language}")
    await email.focus()
    await page.keyboard.type("nobody at all")
    await page.keyboard.press("Enter")
    await expect(email).to_have_attribute("aria-invalid", "true")
    await expect(email).to_be_focused()
    await shoot(page, f"hostile-wrong-{language}")
    await email.fill(ANA)
    await page.keyboard.press("Enter")
    await expect(page.locator("handbill-signup [part=thanks]")).to_be_focused()
    (row,) = await mailbox.sign_ups(ground)
    assert (row.language, row.source, row.utm_source) == (language, "fair", "letter")
    assert (row.referrer_host, row.page_path) == ("localhost", "/news/today")
    assert (row.first_name, row.partner_id) == ("Ana", 1)
    steps = [each for each in asked if each.url.endswith("/api/public/steps")]
    assert [json.loads(each.post_data or "") for each in steps] == [
        {"form": "", "partner": "river", "step": step, "page": "/news/today", "lang": language}
        for step in ("seen", "started")
    ]
    assert await page.context.cookies() == []
    assert {urlsplit(each.url).hostname for each in asked} <= {"localhost", "127.0.0.1", None}
    assert [each for each in troubles if "status of 422" not in each] == []


@pytest.mark.settings(signup={"challenge": "always", "challenge_rounds": 20_000})
async def test_what_was_typed_before_is_kept_a_slip_is_mended_and_the_browser_proves_its_work(
    host: Host, ground: Ground
) -> None:
    async with ground.db.reading() as session:
        offer = await forms.offered(session)
    before = str(embed.plain(ground, offer, "en", trap=embed.Trap.HIDDEN))
    typed = before.replace(' name="first_name"', ' name="first_name" value="Ana"')
    page = await host(f'<handbill-signup partner="river">{typed}</handbill-signup>')
    element = page.locator("handbill-signup [part=root]")
    email = element.locator("input[name=email]")
    await expect(element.locator("input[name=first_name]")).to_have_value("Ana")
    assert await browsers.violations(page) == []
    await email.fill("ana@gmail.con")
    await element.get_by_label("Action alerts").check()
    await element.get_by_role("button", name="Sign up").click()
    await expect(email).to_be_focused()
    assert await browsers.violations(page) == []
    await shoot(page, "slip")
    await element.get_by_role("button", name="Use ana@gmail.com").click()
    await expect(element.locator("[part=thanks]")).to_be_focused()
    assert await browsers.violations(page) == []
    await shoot(page, "thanks")
    (row,) = await mailbox.sign_ups(ground)
    assert (row.first_name, row.doubt) == ("Ana", "")
    assert set(row.topics) == {"secure-communities", "action-alerts"}
    assert await mailbox.person(ground, "ana@gmail.com") is not None


async def test_where_it_may_not_be_there_is_a_link_or_what_stood_there(host: Host) -> None:
    page = await host(
        '<handbill-signup partner="river"></handbill-signup>'
        '<handbill-signup partner="river"><a href="https://own.example">Our words</a>'
        "</handbill-signup>",
        language="es",
        is_named=False,
    )
    link = page.get_by_role("link", name="El formulario de inscripción no se puede mostrar")
    await expect(link).to_have_attribute("href", re.compile(r"/subscribe\?partner=river$"))
    await expect(page.get_by_role("link", name="Our words")).to_be_visible()
    assert await browsers.violations(page) == []


GONE_BY_QUERY = """
const gone = new URLSearchParams(location.search).get("without");
if (gone === "customElements") delete window.customElements;
if (gone === "adoptedStyleSheets") delete Document.prototype.adoptedStyleSheets;
"""


async def test_in_an_old_web_view_the_link_leads_to_the_form_and_nothing_fails(
    host: Host, web: Web
) -> None:
    troubles: list[str] = []

    async def grow_old(page: Page) -> None:
        page.on("pageerror", lambda problem: troubles.append(str(problem)))
        await page.add_init_script(GONE_BY_QUERY)

    link = f'<a href="{web.base}/subscribe?partner=river">Our words</a>'
    page = await host(f'<handbill-signup partner="river">{link}</handbill-signup>', before=grow_old)
    await expect(page.locator("handbill-signup [part=form]")).to_be_visible()
    await expect(page.get_by_role("link", name="Our words")).to_be_hidden()
    here = page.url
    for gone in ("customElements", "adoptedStyleSheets", "script"):
        if gone == "script":
            # One that knows no modules does not ask for ours.
            await page.route("**/widget.js", lambda route: route.abort())
        await page.goto(f"{here}?without={gone}")
        assert await page.locator("handbill-signup").evaluate("it => it.shadowRoot") is None
        await page.get_by_role("link", name="Our words").click()
        await expect(page.locator("#f-email")).to_be_visible()
        assert page.url == f"{web.base}/subscribe?partner=river"
    assert troubles == []


THIRD_GENERATION = {
    "offline": False,
    "latency": 300,
    "downloadThroughput": 50_000,
    "uploadThroughput": 50_000,
}


async def test_on_a_slow_line_the_form_is_used_before_the_script_has_come(
    host: Host, web: Web, ground: Ground
) -> None:
    script, told = asyncio.Event(), asyncio.Event()

    async def slow_down(page: Page) -> None:
        line = await page.context.new_cdp_session(page)
        await line.send("Network.enable")
        await line.send("Network.emulateNetworkConditions", THIRD_GENERATION)
        for path, arrives in (("**/widget.js", script), ("**/api/public/forms**", told)):
            await page.route(path, functools.partial(hold, arrives))

    async with ground.db.reading() as session:
        offer = await forms.offered(session)
    code = str(embed.plain(ground, offer, "en", partner="river", trap=embed.Trap.HIDDEN))
    code = code.replace(ground.settings.site.url, web.base)
    page = await host(
        f'<handbill-signup partner="river">{code}</handbill-signup>', before=slow_down
    )
    plain, element = page.locator("handbill-signup > form"), page.locator("[part=root]")
    await plain.locator("[name=email]").fill(ANA)
    async with page.expect_response("**/widget.js"):
        script.set()
    async with page.expect_request("**/api/public/forms**"):
        pass
    await plain.locator("[name=first_name]").fill("Ana")
    await plain.get_by_label("Action alerts").check()
    told.set()
    await expect(element.locator("[name=email]")).to_have_value(ANA)
    await expect(element.locator("[name=first_name]")).to_have_value("Ana")
    await expect(element.get_by_label("Action alerts")).to_be_checked()
    script.clear()
    await page.goto(page.url, wait_until="commit")
    await plain.locator("[name=email]").fill("ben@example.org")
    await plain.get_by_role("button", name="Sign up").click()
    await page.wait_for_url("**/subscribe/sent**")
    script.set()
    (row,) = await mailbox.sign_ups(ground)
    assert (row.partner_id, row.state) == (1, "submitted")


async def hold(arrives: asyncio.Event, route: Route) -> None:
    """An answer is on its way until the test lets it arrive; by then the page may be gone."""
    await arrives.wait()
    with contextlib.suppress(PlaywrightError):
        await route.continue_()
