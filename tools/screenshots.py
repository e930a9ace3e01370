"""Takes a picture of every page and mail of the demo, for people to look at before a release.

Usage: python -m tools.screenshots [FOLDER] [--only WORDS]. Each is taken in every language, on a
desktop and a phone, in light and dark; three of them go into `docs/pictures` for the README.
"""

import argparse
import asyncio
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyotp
from playwright.async_api import Browser, Page

from foundation import i18n
from foundation.i18n import Translator
from handbill.demo import content
from templates import notices
from templates.content import Brand
from tests.world import browsers
from tests.world import demo as demo_world
from tests.world.demo import Demo

ROOT = Path(__file__).parents[1]
LANGUAGES = ("en", "es")
WIDTHS = {1280: 900, 375: 812}
"""In pixels → height of the window."""
SCHEMES = ("light", "dark")
FORM_TRAP_S = 2.2
"""Forms that are sent sooner are taken for a program's work."""

PUBLIC = {
    "front": "/",
    "issues": "/issues",
    "issue": "/issues/secure-communities",
    "issue-larger": "/issues/secure-communities?text=larger",
    "developments": "/issues/secure-communities/developments?text=normal",
    "archive": "/archive",
    "archive-search": "/archive?q=lynn&issue=secure-communities&language=es",
    "archive-nothing": "/archive?q=zeppelin",
    "subscribe": "/subscribe",
    "subscribe-form": "/subscribe/lynn-legal",
    "widget-frame": "/widget/lynn-legal",
    "widget-code": "/widget/lynn-legal/code",
    "join": "/join",
    "members": "/members",
    "statement": "/statement",
    "kiosk": "/kiosk/subscribe",
    "no-such-page": "/nowhere",
    "wrong-token": "/preferences/wrong",
    "signin": "/staff/signin",
    "forgotten": "/staff/signin/forgotten",
    "link-over": "/staff/signin/a-link-that-nobody-knows-any-more",
    "inbox": "/demo/inbox",
    "inbox-mail": "/demo/inbox/1",
    "inbox-source": "/demo/inbox/1?view=source",
    "api": "/api/docs",
}
STAFF = {
    "overview": "/staff",
    "campaign-trial": "/staff/campaigns/3/trial",
    "issues": "/staff/issues",
    "issue": "/staff/issues/1",
    "issue-new": "/staff/issues/new",
    "part": "/staff/issues/1/parts/1",
    "developments": "/staff/issues/1/developments",
    "development": "/staff/issues/1/developments/1",
    "development-new": "/staff/issues/1/developments/new",
    "materials": "/staff/issues/1/materials",
    "material": "/staff/issues/1/materials/1",
    "bulletins": "/staff/bulletins",
    "bulletin-new": "/staff/bulletins/new",
    "bulletin": "/staff/bulletins/1",
    "bulletin-head": "/staff/bulletins/1/head",
    "bulletin-versions": "/staff/bulletins/1/versions",
    "media": "/staff/media",
    "media-picture": "/staff/media/1",
    "translations": "/staff/translations",
    "bulletin-translate": "/staff/bulletins/1/translate?language=es",
    "block-kinds": "/staff/bulletins/1/blocks/new",
    "block-text": "/staff/bulletins/1/blocks/new?kind=rich_text",
    "block-developments": "/staff/bulletins/1/blocks/new?kind=developments",
    "block-image": "/staff/bulletins/1/blocks/new?kind=image",
    "block-event": "/staff/bulletins/1/blocks/new?kind=event",
    "block-columns": "/staff/bulletins/1/blocks/new?kind=columns",
    "block-figures": "/staff/bulletins/1/blocks/new?kind=own_figures",
    "snippets": "/staff/snippets",
    "snippet-new": "/staff/snippets/new",
    "look": "/staff/brand",
    "templates": "/staff/templates",
    "template-new": "/staff/templates/new?of=bulletin",
    "preview": "/staff/bulletins/1/preview",
    "preview-phone": "/staff/bulletins/1/preview?width=phone&scheme=dark",
    "preview-text": "/staff/bulletins/1/preview?part=text",
    "campaigns": "/staff/campaigns",
    "campaign-new": "/staff/campaigns/new",
    "campaign-sent": "/staff/campaigns/1",
    "campaign-report": "/staff/campaigns/1/report",
    "campaign-everybody": "/staff/campaigns/1/everybody",
    "campaign-recipients": "/staff/campaigns/1/recipients",
    "campaign-came-back": "/staff/campaigns/1/recipients?state=sent",
    "campaign-scheduled": "/staff/campaigns/2",
    "campaign-schedule": "/staff/campaigns/2/schedule",
    "calendar": "/staff/calendar",
    "calendar-week": "/staff/calendar?view=week",
    "campaign-move": "/staff/calendar/move/2",
    "campaign-review": "/staff/campaigns/3/review",
    "campaign-edit": "/staff/campaigns/3/edit",
    "series-list": "/staff/series",
    "series": "/staff/series/1",
    "series-run": "/staff/series/1/runs/1",
    "series-edit": "/staff/series/1/edit",
    "series-new": "/staff/series/new",
    "desk": "/staff/inbox",
    "desk-dropped": "/staff/inbox?state=dropped",
    "desk-story": "/staff/inbox/4",
    "desk-told-again": "/staff/inbox/2?view=again",
    "desk-new": "/staff/inbox/new",
    "desk-rules": "/staff/inbox/rules?text=A+judge+in+Lynn",
    "desk-rule": "/staff/inbox/rules/1",
    "desk-ways": "/staff/inbox/ways",
    "desk-feeds": "/staff/inbox/feeds",
    "desk-feed": "/staff/inbox/feeds/1",
    "welcomes": "/staff/welcome",
    "welcome": "/staff/welcome/secure-communities",
    "welcome-step": "/staff/welcome/secure-communities/steps/1",
    "welcome-step-edit": "/staff/welcome/secure-communities/steps/2/edit",
    "returns": "/staff/returns",
    "return": "/staff/returns/1",
    "suppressions": "/staff/suppressions",
    "people": "/staff/people",
    "segments": "/staff/segments",
    "segment-new": "/staff/segments/new",
    "campaign-why": "/staff/campaigns/2/why",
    "people-doubtful": "/staff/people/doubtful",
    "people-none": "/staff/people?q=nobody-at-all",
    "person": "/staff/people/20",
    "person-erase": "/staff/people/20/erase",
    "person-join": "/staff/people/20/merge",
    "person-joined": "/staff/people/20/merge?other=21",
    "members": "/staff/members",
    "members-waiting": "/staff/members?state=applied",
    "members-unanswered": "/staff/members/unanswered",
    "member": "/staff/members/1",
    "statement": "/staff/statement",
    "gatherings": "/staff/gatherings",
    "gathering-new": "/staff/gatherings/new",
    "gathering": "/staff/gatherings/1",
    "gathering-sheet": "/staff/gatherings/1/sheet",
    "gathering-entry": "/staff/gatherings/1/entry",
    "forms": "/staff/forms",
    "form": "/staff/forms/2",
    "form-new": "/staff/forms/new",
    "form-embed": "/staff/forms/2/embed",
    "partners": "/staff/partners",
    "partner": "/staff/partners/1",
    "partner-numbers": "/staff/partners/1/numbers",
    "partner-people": "/staff/partners/1/people",
    "partner-stories": "/staff/partners/1/stories",
    "partner-new": "/staff/partners/new",
    "account": "/staff/account",
    "team": "/staff/team",
    "audit": "/staff/audit",
    "audit-narrowed": "/staff/audit?what=staff.signed_in",
    "settings": "/staff/settings",
    "tokens": "/staff/tokens",
}
README = {
    "front": "/issues/secure-communities",
    "composer": "/staff/bulletins/1",
    "report": "/staff/campaigns/1",
}
"""Pictures that are kept with the code."""
MADE_UP = {
    "campaign": "November bulletin",
    "change": "A passkey was added: my laptop.",
    "event": "the spring fair in Lowell",
    "question": "Which towns do you work in, and since when?",
    "first_name": "Inés",
    "inviter": "Inés Quiroga",
    "minutes": "30",
    "name": "Walter",
    "organisation": "Harbor Choir",
    "series": "Neighbors’ fortnight",
    "feed": "Harbor Gazette",
    "note": "Could you read the Spanish side with care?",
    "who": "Walter",
    "open": "2",
    "until": "17:30",
    "subject": "What the council said",
    "people": "4,812",
    "sent": "4,790",
    "failed": "13",
    "cancelled": "9",
    "reason": "We meet on the first Tuesday of each month, and would be glad to see you there.",
    "topics": "Secure Communities",
}
"""What the small mails speak of."""


@dataclass(kw_only=True)
class Camera:
    """One browser window, one language."""

    demo: Demo
    page: Page
    folder: Path
    translator: Translator
    only: re.Pattern[str]
    taken: int = field(default=0)

    @property
    def language(self) -> str:
        """The code of its language."""
        return self.translator.language

    def say(self, text: str) -> str:
        """A text of ours in the window's language."""
        return self.translator.gettext(text)

    def address(self, path: str) -> str:
        """An address of the site in the window's language."""
        joint = "&" if "?" in path else "?"
        return f"{self.demo.site}{path}{joint}lang={self.language}"

    async def open(self, name: str, path: str) -> None:
        """Go to a page and take its pictures."""
        if self.only.search(name):
            await self.page.goto(self.address(path))
            await self.shoot(name)

    async def shoot(self, name: str) -> None:
        """The page as it stands now, in every size and scheme."""
        if not self.only.search(name):
            return
        for width, height in WIDTHS.items():
            await self.page.set_viewport_size({"width": width, "height": height})
            for scheme in SCHEMES:
                await self.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                path = self.folder / f"{name}.{self.language}.{width}.{scheme}.png"
                await self.page.screenshot(path=path, full_page=True, animations="disabled")
                self.taken += 1
        await self.page.set_viewport_size({"width": 1280, "height": WIDTHS[1280]})
        await self.page.emulate_media(color_scheme="light")

    async def show(self, name: str, html: str) -> None:
        """A mail's HTML, as a mail program would show it.

        It stands at an address of the site's: browsers load nothing from this machine into a page
        that has no address.
        """
        address = f"{self.demo.site}/mail"
        await self.page.route(
            address, lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8")
        )
        await self.page.goto(address, wait_until="networkidle")
        await self.page.unroute(address)
        await self.shoot(name)

    async def press(self, text: str) -> None:
        """Press a button by its words."""
        async with self.page.expect_navigation():
            await self.page.get_by_role("button", name=self.say(text), exact=True).first.click()

    async def fill(self, **values: str) -> None:
        """Type into fields by their names."""
        for name, value in values.items():
            await self.page.locator(f'[name="{name}"]').fill(value)

    async def mailed_link(self, to: str, path: str) -> None:
        """Open a link out of the newest mail that has it."""
        mail = await self.demo.mail(to, having=path)
        await self.page.goto(demo_world.link_in(mail, path))


async def public_pages(camera: Camera) -> None:
    """Everything that anybody can open."""
    for name, path in PUBLIC.items():
        await camera.open(f"public-{name}", path)
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


async def widget(camera: Camera) -> None:
    """The form as an element in a partner's page that follows the reader's scheme."""
    page = camera.page
    element = page.locator("handbill-signup [part=form]")
    if not camera.only.search("widget-host"):
        return
    html = (
        f'<!doctype html><html lang="{camera.language}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" '
        'content="light dark"><title>Lynn</title><style>body { font: 18px/1.6 system-ui; '
        "max-inline-size: 44rem; margin: 2rem auto; padding-inline: 1rem }</style>"
        f'<script type="module" src="{camera.demo.site}/widget.js"></script>'
        "<h1>Lynn Legal Project</h1><p>Lynn, Massachusetts</p>"
        '<handbill-signup partner="lynn-legal" form="main" accent="#12496b"></handbill-signup>'
    )
    # In place of a page that is really there: else browsers load nothing from this machine.
    await page.goto(camera.demo.partner)
    await page.set_content(html)
    await element.wait_for()
    await camera.shoot("widget-host-1")
    await element.locator("input[name=email]").fill("lookout@gmail.con")
    await element.locator("button").click()
    await element.locator("[part=suggestion]").wait_for()
    await camera.shoot("widget-host-2-slip")
    await element.locator("input[name=email]").fill(f"widget.{camera.language}@example.org")
    await element.locator("[part=button]").click()
    await page.locator("handbill-signup [part=thanks]").wait_for()
    await camera.shoot("widget-host-3-thanks")


async def stopped(camera: Camera) -> None:
    """Somebody whose mail was stopped because it came back asks for it again."""
    page = camera.page
    await page.goto(camera.address("/staff/returns?kind=hard"))
    told = page.locator("tbody a[href^='/staff/people/']")
    address = await told.nth(LANGUAGES.index(camera.language)).inner_text()
    await camera.mailed_link(address, "/preferences/")
    preferences = page.url.split("?")[0]
    await page.goto(f"{preferences}?lang={camera.language}")
    await camera.shoot("supporter-stopped-1")
    await camera.press("Write to me again")
    await camera.shoot("supporter-stopped-2-asked")
    await camera.mailed_link(address, "/come-back/")
    await page.goto(f"{page.url.split('?')[0]}?lang={camera.language}")
    await camera.shoot("supporter-stopped-3-come-back")
    await camera.press("Yes, write to me again")
    await camera.shoot("supporter-stopped-4-back")


async def checks(camera: Camera) -> None:
    """The list before sending, what is well in it too."""
    page = camera.page
    await page.goto(camera.address("/staff/campaigns/3"))
    again = page.get_by_role("button", name=camera.say("Look again"), exact=True)
    await again.wait_for(timeout=90_000)
    await camera.shoot("staff-campaign-check")
    await page.locator("#check details.well > summary").click()
    await camera.shoot("staff-campaign-check-all")


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


async def staff_pages(camera: Camera) -> None:
    """The whole staff room, and the page behind a one-time link."""
    await camera.page.goto(camera.address("/staff/signin"))
    await camera.fill(email=camera.demo.owner, password=demo_world.PASSWORD)
    await camera.press("Sign in")
    for name, path in STAFF.items():
        await camera.open(f"staff-{name}", path)
    await camera.page.goto(camera.address("/staff/deliverability"))
    await camera.page.locator("h2#domain").wait_for()  # it looks by itself the first time
    await camera.shoot("staff-deliverability")
    await checks(camera)
    await camera.page.goto(camera.address("/staff/bulletins/1"))
    block = camera.page.locator('.block a[href*="/blocks/"]').first
    own_words = camera.page.locator('.block a[href*="/words/"]').first
    href = await own_words.get_attribute("href")
    await camera.open("staff-block", await block.get_attribute("href") or "")
    await camera.open("staff-own-words", href or "")
    await camera.page.set_viewport_size({"width": 375, "height": 812})
    await camera.page.goto(camera.address("/staff"))
    await camera.page.locator("details.menu summary").click()
    await camera.page.screenshot(path=camera.folder / f"staff-menu.{camera.language}.375.png")
    await camera.page.set_viewport_size({"width": 1280, "height": 900})


async def coming_in(camera: Camera) -> None:
    """Somebody who was invited sets up a second step, and takes it."""
    if not camera.only.search("coming-in"):
        return
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


async def bulletins(camera: Camera) -> None:
    """What staff get when they try out each of the sample bulletins."""
    page = camera.page
    for number in (1, 2, 3):
        name = f"mail-bulletin-{number}"
        if not camera.only.search(name):
            continue
        await page.goto(camera.address(f"/staff/bulletins/{number}"))
        subject = await page.locator(f'.subjects dd[lang="{camera.language}"]').first.inner_text()
        await camera.press("Send a test to myself")
        mail = await camera.demo.mail(camera.demo.owner, having=f"[Test] {subject}")
        await camera.show(name, demo_world.html_of(mail))


async def small_mails(camera: Camera) -> None:
    """One mail of each kind that is no bulletin, with values made up."""
    site = content.load(datetime.now(UTC).date()).coalition.site
    brand = Brand(
        site_name=site.name, site_url=camera.demo.site, postal_address=site.postal_address
    )
    for kind in notices.Kind:
        values = {key: MADE_UP.get(key, f"{camera.demo.site}/") for key in notices.keys(kind)}
        mail = notices.render_notice(
            kind, translator=camera.translator, context=values, brand=brand
        )
        if camera.only.search(f"mail-{kind.value}"):
            await camera.show(f"mail-{kind.value}", mail.html)


async def for_readme(camera: Camera) -> None:
    """The three pictures that the README shows: the top of a page, in English, light."""
    folder = ROOT / "docs" / "pictures"
    folder.mkdir(exist_ok=True)
    for name, path in README.items():
        await camera.page.goto(camera.address(path))
        await camera.page.screenshot(path=folder / f"{name}.png", animations="disabled")


async def in_language(browser: Browser, demo: Demo, folder: Path, language: str, only: str) -> int:
    """Everything in one language; says how many pictures that was."""
    context = await browser.new_context(viewport={"width": 1280, "height": WIDTHS[1280]})
    catalog = i18n.load(languages=LANGUAGES, default="en", zone="America/New_York")
    camera = Camera(
        demo=demo,
        page=await context.new_page(),
        folder=folder,
        translator=catalog.translator(language),
        only=re.compile(only),
    )
    await public_pages(camera)
    await supporter(camera)
    await widget(camera)
    await organisation(camera)
    await staff_pages(camera)
    await stopped(camera)
    await bulletins(camera)
    await small_mails(camera)
    await coming_in(camera)
    if language == "en" and not only:
        await for_readme(camera)
    await context.close()
    return camera.taken


async def take(demo: Demo, folder: Path, only: str) -> int:
    """Everything; says how many pictures that was."""
    async with browsers.opened() as browser, asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(in_language(browser, demo, folder, language, only))
            for language in LANGUAGES
        ]
    return sum(task.result() for task in tasks)


def main() -> None:
    """Read the command line, start the demo, take the pictures."""
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "var" / "screenshots")
    parser.add_argument("--only", default="", help="a regular expression over pictures' names")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with demo_world.running() as demo:
        taken = asyncio.run(take(demo, given.folder, given.only))
    print(f"{taken} pictures in {given.folder}")


if __name__ == "__main__":
    main()
