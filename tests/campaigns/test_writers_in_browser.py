"""Two in one text; a development told shorter, a template in its editor, dropped pictures."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Browser, Page, expect

from campaigns import bulletins, composer, mail_templates
from foundation.accounts.models import Role
from foundation.ground import Ground
from templates import content
from tests.campaigns import newsroom
from tests.campaigns.newsroom import text_block, written
from tests.world import browsers, people
from tests.world.web import Web

pytestmark = pytest.mark.browser
HERE = "/staff/bulletins/1"
PUT = """async ([how, name, colour]) => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 40, height: 30 });
  const pen = canvas.getContext("2d");
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 40, 30);
  const blob = await new Promise((done) => canvas.toBlob(done));
  const data = new DataTransfer();
  data.items.add(new File([blob], name, { type: "image/png" }));
  const place = document.querySelector("[data-drop]");
  const options = { bubbles: true, cancelable: true };
  place.dispatchEvent(how === "drop"
    ? new DragEvent("drop", { ...options, dataTransfer: data })
    : new ClipboardEvent("paste", { ...options, clipboardData: data }));
}"""
Opened = Callable[[Role], Awaitable[Page]]


@pytest.fixture
async def opened(ground: Ground, web: Web, browser: Browser) -> AsyncIterator[Opened]:
    """Opens a browser of its own for somebody with a role."""
    contexts = []

    async def _open(role: Role) -> Page:
        _, secret = await people.staff(ground, role)
        context = await browser.new_context(
            base_url=web.base, viewport={"width": 1280, "height": 900}
        )
        contexts.append(context)
        await context.add_cookies([{"name": "handbill_session", "value": secret, "url": web.base}])
        return await context.new_page()

    yield _open
    for each in contexts:
        await each.close()


async def said(ground: Ground) -> list[str]:
    async with ground.db.reading() as session:
        document = bulletins.document_of(await bulletins.get(session, 1))
    return [composer.excerpt(document.blocks[0], code) for code in ("en", "es")]


async def write(page: Page, language: int, words: str) -> None:
    """Type into a side of the block that is open."""
    editor = page.locator("trix-editor").nth(language)
    await expect(editor.locator("..").locator(".trix-button-row")).to_be_attached()
    await editor.click()
    await page.keyboard.press("Control+End")
    await page.keyboard.type(words)


async def test_two_people_who_write_one_block_at_once_both_keep_their_words(
    ground: Ground, opened: Opened
) -> None:
    await newsroom.issue(ground)
    await newsroom.bulletin(ground, written(blocks=[text_block("One", "Uno", id="a")]))
    pages = [await opened(Role.EDITOR), await opened(Role.AUTHOR)]
    for page in pages:
        await page.goto(HERE)
        await page.locator("#block-a [data-open]").click()
        await expect(page.locator("trix-editor").first).to_be_focused()
    editor, author = pages
    # Neither hears of the other before both have typed.
    for page in pages:
        await page.route("**/here", lambda route: route.abort())
    await write(editor, 0, " hour")
    await expect(editor.locator("[data-status]")).to_contain_text("Saved at")
    await write(author, 1, " solo")
    await expect(author.locator("[data-status]")).to_contain_text("Saved at")
    await expect(author.locator("#f-html-en")).to_have_value("<p>One hour</p>")
    assert await said(ground) == ["One hour", "Uno solo"]

    await write(editor, 0, " left")
    await expect(editor.locator("#f-html-es")).to_have_value("<p>Uno solo</p>")
    await write(author, 0, " more")
    clash = author.locator("[data-clash]")
    await expect(clash).to_contain_text("One hour left")
    await expect(clash).to_contain_text("One hour more")
    assert await said(ground) == ["One hour left", "Uno solo"], "nothing was overwritten"
    await clash.get_by_role("button", name="Keep mine").click()
    await expect(author.locator("[data-status]")).to_contain_text("Saved at")
    assert await said(ground) == ["One hour more", "Uno solo"]


async def test_what_else_is_written_works_by_keyboard_drop_and_paste(
    ground: Ground, opened: Opened
) -> None:
    issue = await newsroom.issue(ground)
    await newsroom.development(ground, issue, newsroom.news())
    block = {"kind": "developments", "id": "news", "keys": ["1"]}
    await newsroom.bulletin(ground, written(blocks=[block]))
    page = await opened(Role.EDITOR)
    await page.goto(HERE)
    await page.locator("#block-news").get_by_role("link", name="Shorten").press("Enter")
    await expect(page.locator("trix-editor").first).to_be_attached()
    await page.locator("#f-headline-en").fill("Chelsea met")
    mail = page.frame_locator("#preview iframe")
    await expect(mail.get_by_text("Chelsea met")).to_be_visible()
    await expect(page.locator("[data-status]")).to_contain_text("Saved at")
    assert await browsers.violations(page) == []
    await page.get_by_role("button", name="Done").click()
    await expect(page.locator("#block-news")).to_contain_text("Own words")

    source = mail_templates.original(content.Template.BULLETIN)
    broken = source.replace("page.date_label", "page.day")
    await page.goto("/staff/templates/new?of=bulletin")
    code = page.get_by_role("textbox", name="Source code")
    await expect(code).to_be_visible()
    await expect(code).not_to_have_js_property("tagName", "TEXTAREA")
    await page.locator("#f-name").fill("Ours")
    await page.keyboard.press("Tab")
    await expect(code).to_be_focused()
    await page.keyboard.press("Control+a")
    await page.keyboard.insert_text(broken)
    await expect(page.locator(".cm-lintRange-error").first).to_contain_text("page.day")
    await page.keyboard.press("Control+z")
    await expect(page.locator(".cm-lintRange-error")).to_have_count(0)
    assert await browsers.violations(page) == []
    await page.keyboard.press("Control+Home")
    await page.keyboard.press("Tab")
    await expect(code).to_be_focused()
    await expect(page.locator("#f-source")).to_have_value("  " + source)
    await page.keyboard.press("Escape")
    await page.keyboard.press("Tab")
    await expect(code).not_to_be_focused()

    await page.goto("/staff/media")
    await expect(page.get_by_text("drop them here or paste them")).to_be_visible()
    await page.evaluate(PUT, ["drop", "march.png", "#c00"])
    await page.wait_for_url("**/staff/media/1")  # of the first, there is something to be said
    await page.goto("/staff/media")
    await expect(page.get_by_text("drop them here or paste them")).to_be_visible()
    await page.evaluate(PUT, ["paste", "rally.png", "#00c"])
    await expect(page.locator("[data-pictures] li")).to_have_count(2)
