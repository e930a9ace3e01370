"""Pages that somebody comes to by what they do: forms that are sent, links in mails.

Each walk says by which word the names of its pictures begin, so that it is left out whole where
none of them is wanted, and which addresses it passes.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pyotp

from tests.world import demo as demo_world
from tools.screenshots.camera import LANGUAGES, Camera

FORM_TRAP_S = 2.2
"""Forms that are sent sooner are taken for a program's work."""


async def supporter(camera: Camera) -> None:
    """From the form to being forgotten, with what people do wrong."""
    page, address = camera.page, f"lookout.{camera.language}@example.org"
    await page.goto(camera.address("/subscribe"))
    await page.wait_for_timeout(FORM_TRAP_S * 1000)
    await camera.fill(email="nobody at", first_name="Inés")
    await camera.press("Sign up")
    await camera.shoot("supporter-1-mistake")
    await camera.fill(email=address)
    await camera.press("Sign up")
    await camera.shoot("supporter-2-sent")
    await camera.mailed_link(address, "/confirm/")
    await camera.shoot("supporter-3-confirm")
    await camera.press("Yes, sign me up")
    await camera.shoot("supporter-4-confirmed")
    await camera.mailed_link(address, "/preferences/")
    preferences = page.url
    await camera.shoot("supporter-5-preferences")
    await camera.press("Save")
    await camera.shoot("supporter-6-kept")
    await page.get_by_role("link", name=camera.say("Unsubscribe from everything")).click()
    await camera.shoot("supporter-7-unsubscribe")
    await camera.press("Unsubscribe")
    await camera.shoot("supporter-8-unsubscribed")
    await page.goto(preferences)
    await camera.press("Erase my data…")
    await camera.shoot("supporter-9-erase")
    await camera.press("Erase it all")
    await camera.shoot("supporter-9-erased")


async def widget(camera: Camera) -> None:
    """The form as an element in a partner's page that follows the reader's scheme, and its list."""
    page, address = camera.page, f"widget.{camera.language}@example.org"
    element = page.locator("handbill-signup [part=form]")
    html = (
        f'<!doctype html><html lang="{camera.language}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" '
        'content="light dark"><title>Lynn</title><style>body { font: 18px/1.6 system-ui; '
        "max-inline-size: 44rem; margin: 2rem auto; padding-inline: 1rem }</style>"
        f'<script type="module" src="{camera.demo.site}/widget.js"></script>'
        "<h1>Lynn Legal Project</h1><p>Lynn, Massachusetts</p>"
        '<handbill-signup partner="lynn-legal" accent="#12496b"></handbill-signup>'
    )
    # In place of a page that is really there: else browsers load nothing from this machine.
    await page.goto(camera.demo.partner)
    await page.set_content(html)
    await element.wait_for()
    await camera.shoot("widget-1")
    await element.locator("input[name=email]").fill("lookout@gmail.con")
    await element.locator("button").click()
    await element.locator("[part=suggestion]").wait_for()
    await camera.shoot("widget-2-slip")
    await element.locator("input[name=email]").fill(address)
    await element.locator("input[name=share]").check()
    await element.locator("[part=button]").click()
    await page.locator("handbill-signup [part=thanks]").wait_for()
    await camera.shoot("widget-3-thanks")
    await camera.mailed_link(address, "/confirm/")
    await camera.press("Yes, sign me up")
    await camera.mailed_link(address, "/preferences/")
    await camera.shoot("widget-4-preferences")


async def stopped(camera: Camera) -> None:
    """Somebody whose mail was stopped because it came back asks for it again."""
    page = camera.page
    await camera.come_in()
    await page.goto(camera.address("/staff/returns?kind=hard"))
    told = page.locator("tbody a[href^='/staff/people/']")
    address = await told.nth(LANGUAGES.index(camera.language)).inner_text()
    await camera.mailed_link(address, "/preferences/")
    preferences = page.url.split("?")[0]
    await page.goto(f"{preferences}?lang={camera.language}")
    await camera.shoot("stopped-1")
    await camera.press("Write to me again")
    await camera.shoot("stopped-2-asked")
    await camera.mailed_link(address, "/come-back/")
    await page.goto(f"{page.url.split('?')[0]}?lang={camera.language}")
    await camera.shoot("stopped-3-come-back")
    await camera.press("Yes, write to me again")
    await camera.shoot("stopped-4-back")


async def organisation(camera: Camera) -> None:
    """An application, up to the thanks; staff pages show it waiting."""
    page, address = camera.page, f"choir.{camera.language}@example.org"
    await page.goto(camera.address("/join"))
    await page.wait_for_timeout(FORM_TRAP_S * 1000)
    await camera.fill(name=f"Harbor Choir {camera.language}", contact_name="Lidia Sosa")
    await camera.fill(contact_email=address, mission="We sing for our neighbors, and with them.")
    await camera.press("Send the application")
    await camera.shoot("organisation-1-mistake")
    await page.locator('input[name="agrees"]').check()
    await camera.press("Send the application")
    await camera.shoot("organisation-2-sent")
    await camera.mailed_link(address, "/join/confirm/")
    await camera.shoot("organisation-3-confirm")
    await camera.press("Yes, this is me")
    await camera.shoot("organisation-4-thanks")


async def coming_in(camera: Camera) -> None:
    """Somebody who was invited sets up a second step, and takes it."""
    page, address = camera.page, f"new.{camera.language}@example.org"
    await page.context.clear_cookies()
    await page.goto(await camera.demo.invite(address, role="translator", language=camera.language))
    await camera.shoot("coming-in-1-invited")
    await camera.fill(name="Lucía", password=demo_world.PASSWORD)
    await camera.press("Come in")
    await page.goto(camera.address("/staff/account"))
    await camera.shoot("coming-in-2-account")
    await camera.press("Set up an app")
    await camera.shoot("coming-in-3-app")
    secret = await page.locator("details code").text_content() or ""
    await camera.fill(code=pyotp.TOTP(secret.replace(" ", "")).now())
    await camera.press("Ask for codes from now on")
    await camera.shoot("coming-in-4-codes")
    await page.goto(camera.address("/staff/account"))
    await camera.shoot("coming-in-5-set-up")
    await camera.press("Sign out")
    await camera.fill(email=address, password=demo_world.PASSWORD)
    await camera.press("Sign in")
    await camera.fill(code="000000")
    await camera.press("Sign in")
    await camera.shoot("coming-in-6-second-step")


async def partner(camera: Camera) -> None:
    """Somebody of a partner comes in by their link, and sees what is theirs."""
    page, address = camera.page, f"denise.{camera.language}@lynnlegal.example"
    await camera.come_in()
    await page.goto(camera.address("/staff/partners/1/people"))
    await camera.fill(email=address)
    await camera.press("Invite")
    await page.context.clear_cookies()
    await camera.mailed_link(address, "/staff/signin/")
    async with page.expect_navigation():
        await page.locator("main button").first.click()
    for name in ("numbers", "people", "stories"):
        await camera.open(f"partner-{name}", f"/staff/partners/1/{name}")
    await page.context.clear_cookies()


async def office(camera: Camera) -> None:
    """What of the staff room is more than an address: a look that takes its time, an open menu."""
    page = camera.page
    await page.goto(camera.address("/staff/deliverability"))
    await page.locator("h2#domain").wait_for()  # it looks by itself the first time
    await camera.shoot("send-deliverability")
    await page.goto(camera.address("/staff/campaigns/3"))
    again = page.get_by_role("button", name=camera.say("Look again"), exact=True)
    await again.wait_for(timeout=90_000)
    await camera.shoot("send-check")
    await page.locator("#check details.well > summary").click()
    await camera.shoot("send-check-all")


async def block(camera: Camera) -> None:
    """A block that is there already, and a development in words of its own."""
    page, found = camera.page, {}
    await page.goto(camera.address("/staff/bulletins/1"))
    for name, part in (("block", "/blocks/"), ("own-words", "/words/")):
        link = page.locator(f'.block a[href*="{part}"]').first
        found[name] = await link.get_attribute("href") or ""
    for name, href in found.items():
        await camera.open(f"write-{name}", href)


async def archived(camera: Camera) -> None:
    """The newest bulletin in the archive."""
    await camera.page.goto(camera.address("/archive"))
    href = await camera.page.locator('main a[href^="/archive/"]').first.get_attribute("href")
    await camera.open("public-archived", (href or "").split("?")[0])


@dataclass(frozen=True, kw_only=True, slots=True)
class Walk:
    """A way through pages."""

    room: str
    """How the names of its pictures begin."""
    go: Callable[[Camera], Awaitable[None]]
    passes: tuple[str, ...] = ()
    """Addresses, as the routes write them."""


WALKS = (
    Walk(room="public", go=archived, passes=("/archive/{slug}",)),
    Walk(
        room="supporter",
        go=supporter,
        passes=("/subscribe/sent", "/confirm/{token}", "/unsubscribe/{token}"),
    ),
    Walk(room="stopped", go=stopped, passes=("/come-back/{token}",)),
    Walk(room="widget", go=widget),
    Walk(room="organisation", go=organisation, passes=("/join/sent", "/join/confirm/{token}")),
    Walk(room="partner", go=partner),
    Walk(
        room="write",
        go=block,
        passes=("/staff/bulletins/{id}/blocks/{block}/words/{development}",),
    ),
    Walk(
        room="send",
        go=office,
        passes=("/staff/deliverability", "/staff/campaigns/{id}/check/progress"),
    ),
    Walk(room="coming-in", go=coming_in, passes=("/staff/signin/second-step",)),
)
"""In the order of the rooms."""
