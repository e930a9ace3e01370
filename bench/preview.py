"""How soon the mail beside the blocks shows what somebody types, on the demo's own bulletin.

A real browser types into the composer; what is counted begins with the last key and ends when the
mail in its frame holds the words, so the pause that waits for more keys is in it.
"""

import statistics
from collections.abc import Sequence

from playwright.async_api import Page, expect

from bench import bulletin
from bench.measure import Figure
from handbill import listening
from tests.world import browsers, people

LIMIT_MS = 300.0
_TIMED = """() => {
  window.typedAt = 0;
  window.drawnAt = 0;
  window.word = "";
  document.addEventListener("input", () => { window.typedAt = performance.now(); }, true);
  const frame = document.querySelector("#preview iframe").contentDocument;
  new MutationObserver(() => {
    if (window.word && frame.body?.textContent.includes(window.word)) {
      window.drawnAt = performance.now();
      window.word = "";
    }
  }).observe(frame, { childList: true, subtree: true });
}"""
_TOOK = """() => {
  const asked = performance.getEntriesByType("resource");
  const answer = asked.findLast((each) => each.name.endsWith("/draft"));
  return [window.drawnAt - window.typedAt, answer.duration];
}"""


async def run(*, words: int) -> Sequence[Figure]:
    """The median over so many words, as a whole and of the server's answer alone."""
    async with bulletin.composed() as (ground, number):
        _, secret = await people.staff(ground)
        async with (
            listening.open_web(ground, host="127.0.0.1", port=0) as port,
            browsers.opened() as browser,
        ):
            site = f"http://127.0.0.1:{port}"
            page = await browser.new_page(base_url=site, viewport={"width": 1280, "height": 900})
            cookie = {"name": "handbill_session", "value": secret, "url": site}
            await page.context.add_cookies([cookie])  # type: ignore[list-item]
            await page.goto(f"/staff/bulletins/{number}")
            took = await _type(page, words)
    whole, answers = zip(*took, strict=True)
    return [
        Figure(
            name="live preview of the demo's bulletin, from the last key to the mail drawn",
            value=statistics.median(whole),
            unit="ms",
            limit=LIMIT_MS,
            times=words,
        ),
        Figure(
            name="of it, the server's answer",
            value=statistics.median(answers),
            unit="ms",
            limit=LIMIT_MS,
            times=words,
        ),
    ]


async def _type(page: Page, words: int) -> list[tuple[float, float]]:
    """Write words into the first text, and wait for each in the mail; the first warms things up."""
    await page.locator(".block [data-open]").first.click()
    await expect(page.locator("trix-editor").first).to_be_focused()
    await page.keyboard.press("Control+End")
    await page.evaluate(_TIMED)
    mail = page.frame_locator("#preview iframe").locator("body")
    took: list[tuple[float, float]] = []
    for number in range(words + 1):
        word = f"word{number}x"
        await page.evaluate("(word) => { window.word = word; }", word)
        await page.keyboard.type(f" {word}")
        await expect(mail).to_contain_text(word)
        whole, answer = await page.evaluate(_TOOK)
        took.append((whole, answer))
    return took[1:]
