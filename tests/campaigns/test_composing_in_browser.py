import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from campaigns import bulletins, composer, composing, documents
from foundation.ground import Ground
from tests.campaigns import newsroom
from tests.campaigns.newsroom import BEN, text_block, written
from tests.world import browsers, people
from tests.world.web import Web

pytestmark = pytest.mark.browser
HERE = "/staff/bulletins/1"
FIELD = '{{ subscriber.first_name | default_if_blank("friend") }}'
WORD = (
    "<html><head><style>p.MsoNormal {margin:0}</style></head><body><!--StartFragment-->"
    "<p class=MsoNormal><b>Monday</b><span style='mso-spacerun:yes'>&nbsp; </span>we met<o:p></o:p>"
    "</p><p class=MsoListParagraphCxSpFirst style='mso-list:l0 level1 lfo1'><![if !supportLists]>"
    "<span style='mso-list:Ignore'>·<span>&nbsp;&nbsp;</span></span><![endif]>One</p>"
    "<p class=MsoListParagraphCxSpLast style='mso-list:l0 level2 lfo1'><![if !supportLists]>"
    "<span style='mso-list:Ignore'>o</span><![endif]>Inner</p><!--EndFragment--></body></html>"
)
DOCS = (
    '<b style="font-weight:normal;" id="docs-internal-guid-1"><p dir="ltr"><span '
    'style="font-weight:400">Plain and </span><span style="font-weight:700">bold</span></p><ol>'
    '<li><p><span style="font-style:italic">First</span></p></li><ul><li><p>Inner</p></li></ul>'
    '<li><p><a href="https://www.google.com/url?q=https://x.example/">Second</a></p></li></ol></b>'
)
CHOSEN = """() => {
    const [from, to] = document.querySelector("trix-editor").editor.getSelectedRange();
    return from < to;
}"""
"""The editor hears a moment later than the browser what is selected."""
LEFT = "Object.entries(localStorage).filter(([name]) => name.startsWith('handbill:words'))"
COPY = """(html) => {
  document.addEventListener("copy", (event) => {
    event.clipboardData.setData("text/html", html);
    event.preventDefault();
  }, { once: true });
  document.execCommand("copy");
}"""

PASTE_AT_ONCE = """(text) => {
  const editor = document.querySelector("trix-editor");
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  getSelection().selectAllChildren(editor);
  const told = { clipboardData, bubbles: true, cancelable: true };
  editor.dispatchEvent(new ClipboardEvent("paste", told));
}"""
"""On a busy machine keys come before the browser has told the editor what was chosen."""


@pytest.fixture
async def page(ground: Ground, web: Web, browser: Browser) -> AsyncIterator[Page]:
    """A page of somebody who is signed in."""
    _, secret = await people.staff(ground)
    context = await browser.new_context(base_url=web.base, viewport={"width": 1280, "height": 900})
    await context.add_cookies([{"name": "handbill_session", "value": secret, "url": web.base}])
    opened = await context.new_page()
    yield opened
    await context.close()


async def kept(ground: Ground) -> documents.Document:
    async with ground.db.reading() as session:
        return bulletins.document_of(await bulletins.get(session, 1))


async def test_a_bulletin_is_written_in_place_beside_the_mail(ground: Ground, page: Page) -> None:
    await newsroom.issue(ground)
    first = text_block(f"Dear {FIELD}, welcome", "Hola", id="a")
    await newsroom.bulletin(ground, written(blocks=[first, text_block("B", "Be", id="b")]))
    status, mail = page.locator("[data-status]"), page.frame_locator("#preview iframe")
    await page.goto(HERE)
    await expect(page.locator("#block-a [data-handle]")).to_be_visible()
    await page.locator("#block-a [data-open]").click()
    english = page.locator("trix-editor").first
    await expect(english.locator(".chip")).to_have_text("First name, else “friend”")
    await expect(english).to_be_focused()
    await page.keyboard.press("Control+End")
    await page.keyboard.type(" now")
    await expect(mail.get_by_text("welcome now")).to_be_visible()
    await expect(status).to_contain_text("Saved at")
    assert await browsers.violations(page) == []
    theirs = documents.dump(await kept(ground))
    theirs["blocks"][0]["texts"]["es"]["html"] = "<p>De Ben</p>"
    await composing.save(
        ground, actor=BEN, bulletin_id=1, version=2, change=lambda _: documents.parse(theirs)
    )
    await expect(page.locator("trix-editor").last).to_have_text("De Ben")
    await english.click()
    await page.keyboard.press("Control+End")
    for _ in ", welcome now":
        await page.keyboard.press("Backspace")
    await expect(english).not_to_contain_text(re.compile("”.*,"))
    # Before a chip, a first press chooses all of it, and the next takes it away, though what was
    # typed before is saved in between.
    await page.keyboard.press("Backspace")
    await expect(status).to_contain_text("Saved at")
    assert await english.locator(".chip").count() == 1
    await page.keyboard.press("Backspace")
    await expect(english.locator(".chip")).to_have_count(0)
    await page.get_by_role("button", name="Done").click()
    await expect(page.locator("#block-a trix-editor")).to_have_count(0)
    await expect(page.locator("#block-a [data-open]")).to_be_focused()
    texts = [composer.excerpt((await kept(ground)).blocks[0], code) for code in ("en", "es")]
    assert texts == ["Dear", "De Ben"]
    await page.keyboard.press("Control+z")
    await expect(status).to_have_text("Undone.")
    assert FIELD in str(documents.dump(await kept(ground)))
    await page.locator("#block-a [data-handle]").focus()
    await page.keyboard.press("Alt+ArrowDown")
    await expect(page.locator("[data-announce]")).to_have_text("Text is now block 2 of 2.")
    await expect(page.locator("#block-a [data-handle]")).to_be_focused()
    await page.locator("#block-b [data-insert]").click()
    await page.locator(".inserter [data-add=heading]").click()
    await expect(page.locator("#f-text-en")).to_be_focused()
    assert [each.kind for each in (await kept(ground)).blocks][1] == "heading"


async def test_words_that_were_not_saved_are_offered_after_a_crash_and_pasted_ones_are_clean(
    ground: Ground, page: Page
) -> None:
    await newsroom.issue(ground)
    await newsroom.bulletin(ground, written(blocks=[text_block("A", "Á", id="a")]))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(HERE)
    # A second press must not bring a second form over words typed in the first.
    await page.locator("#block-a [data-open]").dblclick()
    english = page.locator("trix-editor").first
    await expect(english).to_have_text("A")
    await expect(english).to_be_focused()
    assert len([each for each in asked if each.endswith("/blocks/a")]) == 1
    await page.route("**/blocks/a", lambda route: route.abort())
    await page.evaluate(PASTE_AT_ONCE, "At once")
    await expect(page.locator("#f-html-en")).to_have_value("<p>At once</p>")
    for html in (WORD, DOCS):
        await page.keyboard.press("Control+a")
        await page.wait_for_function(CHOSEN)
        await page.keyboard.press("Backspace")
        await expect(english).to_have_text("")
        await page.evaluate(COPY, html)
        await page.keyboard.press("Control+v")
        tag = "ul" if html is WORD else "ol"
        await expect(page.locator("#f-html-en")).to_have_value(
            {
                "ul": "<p><strong>Monday</strong> we met</p><ul><li>One<ul><li>Inner</li></ul>"
                "</li></ul>",
                "ol": "<p>Plain and <strong>bold</strong></p><ol><li><em>First</em><ul>"
                '<li>Inner</li></ul></li><li><a href="https://x.example/">Second</a></li></ol>',
            }[tag]
        )
    await expect(page.locator("[data-status]")).to_contain_text("kept in this browser")
    page.on("dialog", lambda dialog: dialog.accept())
    # What a window sends when it is left is not always stopped on its way; now it leads nowhere.
    cookies = await page.context.cookies()
    await page.context.clear_cookies()
    await page.goto("/staff")
    await page.unroute("**/blocks/a")
    await page.context.add_cookies(cookies)  # type: ignore[arg-type]
    await page.goto(HERE)
    left = await page.evaluate(LEFT)
    await page.get_by_role("button", name="Put them back").click()
    await expect(page.locator("[data-status]")).to_contain_text("Saved at")
    assert "Plain and bold" in composer.excerpt((await kept(ground)).blocks[0], "en")
    await page.evaluate("left => left.forEach(each => localStorage.setItem(...each))", left)
    await page.goto(HERE)
    await page.get_by_role("button", name="Put them back").click()
    await page.wait_for_function(f"() => ({LEFT}).length === 0")
