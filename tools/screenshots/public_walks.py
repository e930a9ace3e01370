"""Ways of people outside the office: signing up, applying, signing, coming back."""

from tools.screenshots.camera import LANGUAGES, Camera

FORM_TRAP_S = 2.2
"""Forms that are sent sooner are taken for a program's work."""


async def archived(camera: Camera) -> None:
    """The newest bulletin in the archive."""
    await camera.page.goto(camera.address("/archive"))
    href = await camera.page.locator('main a[href^="/archive/"]').first.get_attribute("href")
    await camera.open("public-archived", (href or "").split("?")[0])


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


async def organisation(camera: Camera) -> None:
    """An application, what the office asks, and the member's own page."""
    page = camera.page
    name = {"en": "Harbor Choir", "es": "Coro del Puerto"}[camera.language]
    address = f"choir.{camera.language}@example.org"
    await page.goto(camera.address("/join"))
    await page.wait_for_timeout(FORM_TRAP_S * 1000)
    await camera.fill(name=name, contact_name="Lidia Sosa")
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
    await camera.come_in()
    await page.goto(camera.address("/staff/members?state=applied"))
    async with page.expect_navigation():
        await page.get_by_role("link", name=name).click()
    office = await camera.here()
    await page.locator("summary", has_text=camera.say("Ask something first")).click()
    asked = {"en": "How many of you sing?", "es": "¿Cuántas voces son?"}
    await camera.fill(question=asked[camera.language])
    await camera.press("Send the question")
    await camera.here()
    await camera.shoot("organisation-5-asked")
    await camera.mailed_link(address, "/join/answer/")
    await camera.shoot("organisation-6-question")
    await camera.fill(answer="24")
    await camera.press("Send the answer")
    await camera.shoot("organisation-7-answered")
    await page.goto(camera.address(office))
    await camera.press("Approve and tell them")
    await camera.mailed_link(address, "/member/")
    await camera.shoot("organisation-8-member")
    await camera.press("Leave the coalition…")
    await camera.shoot("organisation-9-leaving")
    await page.context.clear_cookies()


async def statement(camera: Camera) -> None:
    """An organisation signs the coalition's statement, which changes nothing until it confirms."""
    page, address = camera.page, f"signs.{camera.language}@example.org"
    await page.goto(camera.address("/statement"))
    await page.wait_for_timeout(FORM_TRAP_S * 1000)
    await camera.fill(organisation="Harbor Choir", town="Lynn", name="Lidia Sosa", email=address)
    await page.locator('input[name="agrees"]').check()
    await camera.press("Sign")
    await camera.shoot("statement-1-sent")
    await camera.mailed_link(address, "/statement/confirm/")
    await camera.shoot("statement-2-confirm")
    await camera.press("Yes, my organization signs")
    await camera.shoot("statement-3-signed")
