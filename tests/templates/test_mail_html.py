"""The HTML of our mails, judged as mail: sound, readable by ear and eye, by day and at night."""

import dataclasses
import functools
import re
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from playwright.async_api import Browser, Page, Route

from templates import notices, plan
from templates.conditions import Condition
from templates.content import Action, DevelopmentItem, Developments, Divider, Heading, Template
from tests.templates import editions, letters_to_write
from tests.world import browsers, node

# Mail is laid out with tables, styled in place, and speaks to Outlook in comments; the rest holds.
RULES = Path(__file__).with_name("mail-rules.json").read_text(encoding="utf-8")
_JUDGE = """
const { HtmlValidate, StaticConfigLoader } = require("html-validate");
const judge = new HtmlValidate(new StaticConfigLoader(RULES));
(async () => {
  const found = [];
  const mails = JSON.parse(require("fs").readFileSync(0, "utf8"));
  for (const [name, html] of Object.entries(mails)) {
    const report = await judge.validateString(html);
    for (const result of report.results)
      for (const each of result.messages)
        found.push(`${name}:${each.line}: ${each.ruleId}: ${each.message}`);
  }
  console.log(JSON.stringify(found));
})();
""".replace("RULES", RULES)
NEAR = Condition(towns=("Lynn",))
FOREIGN = Developments(
    items=(
        DevelopmentItem(
            kind="news",
            kind_label="News",
            date_label="November 1, 2026",
            headline="Reunión en Chelsea",
            summary_html="<p>Vinieron muchos.</p>",
            language_note="(in Spanish)",
            language="es",
        ),
    )
)


def bulletin(language: str, template: Template = Template.BULLETIN) -> plan.Plan:
    """Every kind of block, some of them once more for some readers alone."""
    for_some = [dataclasses.replace(each, shown_to=NEAR) for each in editions.EVERY_BLOCK]
    return editions.compiled(
        *editions.EVERY_BLOCK, FOREIGN, *for_some, language=language, template=template
    )


@functools.cache
def bulletins() -> dict[str, str]:
    """The HTML of bulletins in each look and language, for who sees all and who sees less."""
    found = {}
    for language in ("en", "es"):
        for template in Template:
            made = bulletin(language, template)
            values = editions.values_for(made)
            for seen in (True, False):
                found[f"{template.value} {language} {seen}"] = made.html(values, (seen,))
    return found


@functools.cache
def letters() -> dict[str, str]:
    """The HTML of every notice in each language."""
    return {
        f"{kind.value} {language}": notices.render_notice(
            kind,
            translator=editions.CATALOG.translator(language),
            context=letters_to_write.context(kind),
            brand=editions.BRAND,
        ).html
        for language in ("en", "es")
        for kind in notices.Kind
    }


def test_html_validate_finds_nothing_wrong_with_any_mail() -> None:
    assert node.judged(_JUDGE, bulletins() | letters()) == []


def test_html_validate_does_judge() -> None:
    wrong = {"wrong": "<!doctype html><html><body><p><div>x</p></body></html>"}
    assert node.judged(_JUDGE, wrong) != []


PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="1104" height="600">'
    '<rect width="1104" height="600" fill="#857763"/></svg>'
)


async def load(page: Page, html: str) -> None:
    """The mail as a page of its own, with the pictures that it names."""

    async def answer(route: Route) -> None:
        if route.request.url == "https://mail.example/":
            await route.fulfill(body=html, content_type="text/html; charset=utf-8")
        else:
            await route.fulfill(body=PICTURE, content_type="image/svg+xml")

    await page.unroute_all()
    await page.route("**/*", answer)
    await page.goto("https://mail.example/")


@pytest.mark.browser
async def test_axe_finds_nothing_in_any_mail_and_none_is_wider_than_a_phone(
    browser: Browser,
) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    every = bulletins() | letters()
    for name in ("bulletin en True", "alert es False", "confirm es", "join_approved en"):
        await load(page, every[name])
        assert await browsers.troubles(page) == [], name
    await context.close()


@pytest.mark.browser
@pytest.mark.parametrize("accent", ["#ffe94d", "#000000"])
async def test_any_accent_can_be_read_by_day_and_at_night(browser: Browser, accent: str) -> None:
    made = editions.compiled(brand=dataclasses.replace(editions.BRAND, accent=accent))
    html = made.html(editions.values_for(made))
    context = await browser.new_context(viewport={"width": 600, "height": 800})
    page = await context.new_page()
    await load(page, html)
    assert await browsers.violations(page) == []
    await page.emulate_media(color_scheme="dark")
    assert await browsers.violations(page) == []
    await context.close()


def faces(element: Element, inherited: str = "") -> list[str]:
    """The styles that each piece of text has without any style sheet, its own last."""
    own = f"{inherited};{element.get('style') or ''}"
    is_shown = isinstance(element.tag, str)  # a comment's is a function
    found = [own] if is_shown and (element.text or "").strip() else []
    for child in element:
        found += faces(child, own)
        if (child.tail or "").strip():
            found.append(own)
    return found


def last(name: str, style: str) -> str:
    """What a property comes to after all that was said."""
    said = re.findall(rf"(?:^|;)\s*{name}\s*:\s*([^;]+)", style)
    return said[-1].strip() if said else ""


def test_without_a_style_sheet_every_word_has_face_size_and_colour() -> None:
    """Some programs drop what stands in the head (Gmail's does for accounts of other houses)."""
    for name, html in (bulletins() | letters()).items():
        for style in faces(editions.body_of(html)):
            if "display:none" not in style:
                assert last("font-family", style), (name, style)
                assert last("color", style).startswith("#"), (name, style)
                assert float(last("font-size", style).removesuffix("px")) >= 14, (name, style)


def test_nothing_is_fetched_for_the_look_of_a_mail() -> None:
    for name, html in (bulletins() | letters()).items():
        for never in ("@import", "@font-face", "url(", "<link", "<script"):
            assert never not in html, name


def test_a_button_is_one_for_outlook_too() -> None:
    made = editions.compiled(Action(label="Go", url="https://a.example/x"))
    html = made.html(editions.values_for(made))
    cell = re.search(r"<td[^>]*bgcolor[^>]*>", html)
    assert cell
    assert 'bgcolor="#8c2f1b"' in cell[0]
    assert "mso-padding-alt:14px 28px" in cell[0]
    assert re.search(r"<!--\[if mso\]><style>[^<]*Georgia[^<]*</style><!\[endif\]-->", html)


def test_outlook_is_told_the_widths_that_there_are() -> None:
    html = bulletins()["bulletin en True"]
    cells = re.findall(r'<td\s+style="vertical-align:\w+;width:([\d.]+)px', html)
    assert len(cells) > 15
    assert {float(width) for width in cells} == {552.0, 287.04, 276.0, 264.96}


def test_words_in_another_language_say_which() -> None:
    made = editions.compiled(FOREIGN)
    body = editions.body_of(made.html(editions.values_for(made)))
    spoken = ["".join(each.itertext()).strip() for each in body.iter() if each.get("lang") == "es"]
    assert spoken == ["Reunión en Chelsea", "Vinieron muchos."]


def test_under_a_line_nothing_begins_with_another() -> None:
    action = Action(label="Go", url="https://a.example/x")
    for before, lines in ((Heading(text="x"), 0), (Divider(), 0), (FOREIGN, 1)):
        made = editions.compiled(before, action)
        html = made.html(editions.values_for(made))
        assert html.count("border-top:3px solid") == lines
