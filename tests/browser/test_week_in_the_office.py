"""A week in the office: an author, a translator on a phone, and an editor bring a bulletin out.

The author reads English; the others, Spanish.
"""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit, signed_in
from tests.world.demo import Demo
from tests.world.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]
_PHONE = 375


async def test_from_a_development_to_a_report(demo: Demo, visit: Visit) -> None:
    address = "week.author@example.org"
    author = await signed_in(demo, visit, address, "en", role="author")
    editor = await signed_in(demo, visit, "week.editor@example.org", "es", role="editor")
    translator = await signed_in(
        demo, visit, "week.translator@example.org", "es", role="translator", width=_PHONE
    )
    # Monday
    await collect(editor)
    # Tuesday
    bulletin = await write(author)
    await translate_meanwhile(author, translator, bulletin)
    await look_at_it(author, bulletin)
    await try_it(demo, author, bulletin, address)
    # Wednesday
    campaign = await make_campaign(author, bulletin)
    await send_it_back(editor, campaign)
    await mend_and_ask_again(author, bulletin, campaign)
    await approve(editor, campaign)
    # Thursday
    await schedule(editor, campaign)
    await change_their_mind(editor, campaign)
    await send(editor, campaign)
    await follow_to_the_end(editor, campaign)
    # Friday
    await read_the_report(author, campaign)
    await find_reader(editor)


async def collect(office: Visitor) -> None:
    """One story from the inbox, and one written down in two languages, side by side."""
    page = office.page
    await office.go("/staff/inbox")
    async with page.expect_navigation():
        await page.locator(".incoming .headline a").first.click()
    await office.look()
    await office.press("Keep as a draft")
    await office.go("/staff/issues")
    issue = page.locator("main a[href^='/staff/issues/']", has_text=re.compile("Secur|Segur"))
    await office.go(f"{await issue.first.get_attribute('href')}/developments/new")
    await page.locator('input[name="happened_on"]').fill("2026-11-20")
    for code, title, words in (
        ("en", "Council speaks out", "The council asked for an end to the program."),
        ("es", "El concejo se pronuncia", "El concejo pidió el fin del programa."),
    ):
        await page.locator(f'[name="headline-{code}"]').fill(title)
        box = page.locator(".rich", has=page.locator(f'[name="summary-{code}"]'))
        await box.locator("trix-editor").fill(words)
    await page.locator('input[name="is_published"]').check()
    await office.press("Save")
    await office.go("/issues/secure-communities")
    title = {"en": "Council speaks out", "es": "El concejo se pronuncia"}[office.language]
    await office.reads(title)


async def write(office: Visitor) -> str:
    """From the developments since a day, in English, with a call to action written in place."""
    page = office.page
    await office.go("/staff/bulletins/new")
    await page.locator('input[name="name"]').fill("A week in November")
    await page.locator('select[name="issue"]').select_option("secure-communities")
    await page.locator('input[name="start"][value="since"]').check()
    await page.locator('input[name="since"]').fill("2026-11-01")
    await office.press("Begin")
    await page.locator('input[name="subject-en"]').fill("What the council said")
    await page.locator('[name="preheader-en"]').fill("And what you can do about it")
    await office.press("Save")
    here = page.url.partition("#")[0]
    await expect(page.locator("#blocks [data-handle]").first).to_be_visible()
    await page.locator(".adders [data-add=action]").click()
    await page.locator("#f-url").fill("https://example.org/act")
    await page.locator("#f-label-en").fill("Take part")
    await expect(page.locator("[data-status]")).to_contain_text(re.compile(r"\d:\d\d"))
    await office.button("Done").click()
    await expect(page.frame_locator("#preview iframe").get_by_text("Take part")).to_be_visible()
    await office.look()
    return here


async def translate_meanwhile(author: Visitor, translator: Visitor, bulletin: str) -> None:
    """While the author writes on at one block, a translator on a phone puts all into Spanish."""
    page, phone = author.page, translator.page
    await author.go(bulletin)
    await page.locator(".block [data-open]").first.click()
    await expect(page.locator("trix-editor").first).to_be_focused()
    await page.keyboard.type("Neighbors, this was our month.")
    await expect(page.locator("[data-status]")).to_contain_text(re.compile(r"\d:\d\d"))
    await translator.go("/staff/translations")
    async with phone.expect_navigation():
        await phone.get_by_role("link", name="A week in November", exact=True).first.click()
    await translator.look()
    await phone.locator('[name="head.subject:text"]').fill("Lo que dijo el concejo")
    await phone.locator('[name="head.preheader:text"]').fill("Y lo que usted puede hacer")
    await phone.locator("trix-editor").first.click()
    await expect(phone.locator("trix-editor").first).to_be_focused()
    await phone.keyboard.type("Vecinos, este fue nuestro mes.")
    await phone.locator('[name$=":label"]').fill("Participe")
    await expect(phone.locator("[data-place]:not([data-state=done])")).to_have_count(0)
    await expect(phone.locator("[data-status]")).to_have_text("Guardado.")
    await translator.go(phone.url)
    await expect(page.locator("trix-editor").last).to_have_text("Vecinos, este fue nuestro mes.")
    await expect(page.locator("trix-editor").first).to_be_focused()
    await page.keyboard.type(" Thank you.")
    await author.button("Done").click()
    await expect(page.locator(".block").first).to_contain_text("this was our month. Thank you.")
    await expect(page.locator(".block").first).to_contain_text("este fue nuestro mes.")


async def look_at_it(office: Visitor, bulletin: str) -> None:
    """Both editions, as HTML and as text."""
    for code, words in (("en", "Take part"), ("es", "Participe")):
        await office.go(f"{bulletin}/preview?language={code}")
        frame = office.page.frame_locator("iframe.preview-frame")
        await expect(frame.get_by_text(words).first).to_be_visible()
        await office.follow("As plain text")
        await expect(office.page.locator("pre.mail-text")).to_contain_text(
            "https://example.org/act"
        )


async def try_it(demo: Demo, office: Visitor, bulletin: str, address: str) -> None:
    """A test of each edition to oneself."""
    await office.go(bulletin)
    await office.press("Send a test to myself")
    for words in ("What the council said", "Lo que dijo el concejo"):
        mail = await demo.mail(address, having=f"[Test] {words}")
        assert mail["List-Unsubscribe"]


async def make_campaign(office: Visitor, bulletin: str) -> str:
    """Who gets it, with a count that follows what is ticked; then somebody is asked to read it."""
    page = office.page
    await office.go(bulletin)
    await office.follow("Make a campaign")
    count = page.locator("#count .figure strong")
    everybody = await count.inner_text()
    await page.locator("#f-add-all_of").select_option("language")
    await page.locator("button[value='add:all_of']").click()
    await page.locator('.condition input[value="es"]').check()
    await expect(count).not_to_have_text(everybody)
    await page.locator("button[value^='remove:']").click()
    await expect(count).to_have_text(everybody)
    await office.press("Save")
    await office.press("Give it for review")
    await expect(page.locator(".title .badge")).to_have_text(office.say("in review"))
    return page.url


async def send_it_back(office: Visitor, campaign: str) -> None:
    """With a remark on the first block."""
    page = office.page
    await office.go(f"{campaign}/review")
    block = page.locator(".review-blocks > li").first
    await block.get_by_text(office.say("Remark on this block")).click()
    await block.locator('textarea[name="text"]').last.fill("Say which month.")
    async with page.expect_navigation():
        await block.get_by_role("button", name=office.say("Remark"), exact=True).click()
    await expect(page.get_by_text("Say which month.").first).to_be_visible()
    await office.go(campaign)
    await page.get_by_text(office.say("Send back to the author")).click()
    await page.locator('input[name="reason"]').fill("See my remark")
    await office.press("Send back")
    await expect(page.locator(".title .badge")).to_have_text(office.say("draft"))


async def mend_and_ask_again(office: Visitor, bulletin: str, campaign: str) -> None:
    """The remark stands at its block; it is settled once that is mended."""
    page = office.page
    await office.go(bulletin)
    block = page.locator(".block").first
    await expect(block.get_by_text("Say which month.")).to_be_visible()
    await block.locator("[data-open]").click()
    await expect(page.locator("trix-editor").first).to_be_focused()
    await page.keyboard.press("Control+End")
    await page.keyboard.type(" In November.")
    await expect(page.locator("[data-status]")).to_contain_text(re.compile(r"\d:\d\d"))
    await office.button("Done").click()
    await expect(page.locator(".block").first).to_contain_text("In November.")
    async with page.expect_navigation():
        await page.get_by_role("button", name=office.say("Mark as settled")).first.click()
    await office.go(campaign)
    await office.press("Give it for review")


async def approve(office: Visitor, campaign: str) -> None:
    """By somebody who did not write it."""
    await office.go(campaign)
    await office.press("Approve")
    await expect(office.page.locator(".title .badge")).to_have_text(office.say("approved"))


async def schedule(office: Visitor, campaign: str) -> None:
    """At nine in New York, seen in the site's zone; then not after all."""
    await office.go(campaign)
    await office.follow("Schedule…")
    await office.page.locator('input[name="at"]').fill("2027-07-01T09:00")
    await office.page.locator('select[name="zone"]').select_option("America/Los_Angeles")
    await office.press("Schedule")
    await expect(office.page.locator(".title .badge")).to_have_text(office.say("scheduled"))
    await expect(office.page.get_by_text("America/Los Angeles")).to_be_visible()
    await expect(office.page.get_by_text("America/New York")).to_be_visible()
    await office.press("Take off the schedule")


async def change_their_mind(office: Visitor, campaign: str) -> None:
    """Sending is undone before the first mail leaves."""
    await send(office, campaign)
    await office.press("Undo")
    await expect(office.page.locator(".title .badge")).to_have_text(office.say("approved"))


async def send(office: Visitor, campaign: str) -> None:
    """A last look at everything in words, then it begins."""
    page = office.page
    await office.go(campaign)
    await page.locator(f'a[href$="{campaign.rpartition("/")[2]}/start"]').click()
    await page.wait_for_url("**/start")
    await office.look()
    await expect(page.get_by_text("Lo que dijo el concejo").first).to_be_visible()
    async with page.expect_navigation():
        await page.locator('form[action$="/start"] button').click()


async def follow_to_the_end(office: Visitor, campaign: str) -> None:
    """Progress moves by itself until the report stands there."""
    badge = office.page.locator(".title .badge")
    await expect(badge).to_have_text(office.say("sent"))
    await office.go(campaign)
    await office.reads("Report")
    figures = await office.page.locator("dl.figures dd").all_inner_texts()
    assert int(re.sub(r"\D", "", figures[0])) > 100


async def read_the_report(office: Visitor, campaign: str) -> None:
    """In full, as it can be printed."""
    await office.go(f"{campaign}/report")
    figures = await office.page.locator("dl.figures dd").all_inner_texts()
    assert int(re.sub(r"\D", "", figures[0])) > 100


async def find_reader(office: Visitor) -> None:
    """One person's page lists the mail that they received."""
    subject = re.compile("What the council said|Lo que dijo el concejo")
    await office.go("/demo/inbox")
    mail = office.page.get_by_role("row").filter(has_text=subject).first
    address = await mail.locator("td").first.inner_text()
    await office.go(f"/staff/people?q={address}")
    async with office.page.expect_navigation():
        await office.page.locator("main tbody a[href^='/staff/people/']").first.click()
    await office.look()
    await expect(office.page.get_by_text(address).first).to_be_visible()
    received = office.page.get_by_role("link", name=re.compile("A week in November"))
    await expect(received.first).to_be_visible()
