"""Ways through the staff room: what is more than an address, and what has to be made first."""

import pyotp

from tests.world import demo as demo_world
from tools.screenshots.camera import Camera


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
    await page.goto(camera.address("/staff/signin/forgotten"))
    await camera.fill(email=address)
    await camera.press("Send me the link")
    await camera.shoot("coming-in-7-link-sent")
    await camera.mailed_link(address, "/staff/signin/password/")
    await camera.shoot("coming-in-8-password")


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


async def kept(camera: Camera) -> None:
    """A snippet and a template of one's own."""
    page = camera.page
    snippet = {"en": "Who we are", "es": "Quiénes somos"}[camera.language]
    template = {"en": "Ours", "es": "La nuestra"}[camera.language]
    await page.goto(camera.address("/staff/snippets/new"))
    await camera.fill(name=snippet)
    editor = page.locator("trix-editor").first
    await editor.wait_for()
    await editor.press_sequentially("We are twelve organizations.")
    await camera.press("Save it as a snippet")
    await page.goto(camera.address("/staff/snippets"))
    async with page.expect_navigation():
        await page.get_by_role("link", name=snippet).click()
    await camera.here()
    await camera.shoot("office-snippet")
    await page.goto(camera.address("/staff/templates/new?of=bulletin"))
    await camera.fill(name=template)
    await page.locator(".cm-content").wait_for()
    await camera.press("Save this template")
    await camera.here()
    await page.wait_for_load_state("networkidle")  # with the mail in its frame
    await camera.shoot("office-template")


async def segment(camera: Camera) -> None:
    """People chosen by two conditions, kept under a name."""
    page = camera.page
    await page.goto(camera.address("/staff/segments/new"))
    await camera.fill(name=f"Worcester ({camera.language})")
    await page.locator("#f-add-all_of").select_option("postal-code")
    await page.locator("button[value='add:all_of']").click()
    await page.locator("#f-c0-text").fill("01")
    await page.locator("#f-add-none_of").select_option("language")
    await page.locator("button[value='add:none_of']").click()
    await page.locator("[name='c1-chosen']").last.check()
    await page.locator("#count .sentence").wait_for()
    await camera.press("Save")
    here = await camera.here()
    await camera.shoot("people-segment")
    await camera.open("people-segment-edit", f"{here}/edit")
    await camera.open("people-segment-why", f"{here}/why")


async def going_out(camera: Camera) -> None:
    """A copy of a campaign up to the moments in which its start can be undone; and as an alert."""
    page = camera.page
    await page.goto(camera.address("/staff/campaigns/1"))
    await page.locator("summary", has_text=camera.say("Duplicate")).click()
    await camera.press("Make a duplicate")
    here = await camera.here()
    bulletin = await page.locator("dd > a[href^='/staff/bulletins/']").first.get_attribute("href")
    await camera.shoot("send-draft")
    await camera.press("Approve")
    await page.goto(camera.address(f"{here}/start"))
    await page.locator("#send button").wait_for()
    await camera.shoot("send-start")
    async with page.expect_navigation():
        await page.locator("#send button").click()
    await camera.here()
    await camera.shoot("send-undo")
    await camera.press("Undo")
    await page.goto(camera.address(f"{bulletin}/head"))
    await page.locator('[name="template"][value="alert"]').check()
    await camera.press("Save")
    await page.goto(camera.address(f"{here}/release"))
    await page.locator("#count .figure").wait_for()
    await camera.shoot("send-release")
