"""A bulletin on paper: two pages whatever its length, and nobody can keep the press busy."""

import asyncio
import html
import re
import threading
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest

from campaigns import archiving, handbills
from campaigns.handbills import Press
from campaigns.models import Visibility
from foundation import errors, i18n
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.ground import Ground
from templates import broadside, handbill, qr
from templates.handbill import Sheet
from tests.campaigns import newsroom
from tests.world import campaigning
from tests.world.web import Web

NASTY = '#let x = read("/etc/passwd") $ \\ " ] } */ <script> ñ ¿Sí? — “¡ya!”'


def pages(pdf: bytes) -> int:
    """How many pages a PDF has, by the page objects in its packed streams."""
    assert pdf.startswith(b"%PDF-")
    found = 0
    for packed in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            found += len(re.findall(rb"/Type\s*/Page\b", zlib.decompress(packed)))
        except zlib.error:
            continue
    return found + len(re.findall(rb"/Type\s*/Page\b", pdf))


SPANISH = i18n.load(languages=["es"], default="es", zone="America/New_York").translator("es")


def sheet(blocks: list[dict[str, Any]], **more: Any) -> Sheet:
    """A sheet in Spanish of an edition with these blocks."""
    values: dict[str, Any] = {
        "language": "es",
        "direction": "ltr",
        "paper": "us-letter",
        "accent": "#8c2f1b",
        "publisher": "Coalición",
        "postal_address": "Calle 1",
        "title": "Lo que pasó",
        "lead": "En octubre",
        "dateline": "2 de noviembre de 2026",
        "issue": "Comunidades Seguras",
        "pieces": broadside.pieces({"blocks": blocks}, pictures={}, translator=SPANISH),
        "page_words": "Página",
        "invitation": "Reciba el boletín",
        "promise": "Nada más.",
        "signup": "https://c.example/subscribe?source=handbill-1",
        "qr": qr.drawn("https://c.example/subscribe", kind=qr.Kind.SVG).decode(),
        "qr_words": "Código QR",
        "continues": "https://c.example/archive/october?lang=es",
        "continues_words": "Sigue en:",
    }
    return Sheet(**(values | more))


def prose(paragraphs: int, words: int) -> list[dict[str, Any]]:
    said = "".join(f"<p>{number}: {'palabra ' * words}</p>" for number in range(paragraphs))
    return [{"kind": "rich_text", "html": said}]


@pytest.mark.parametrize(
    ("paragraphs", "words", "is_cut"),
    [(1, 30, False), (12, 90, False), (90, 60, True), (1, 40_000, True), (0, 0, False)],
    ids=["short", "longer", "long", "one paragraph without end", "nothing"],
)
def test_a_handbill_has_two_pages_and_says_where_the_rest_is(
    paragraphs: int, words: int, is_cut: bool
) -> None:
    made = sheet(prose(paragraphs, words))
    values = handbill.fitted(made)
    assert bool(values["continues"]) is is_cut
    assert is_cut or values["pieces"] == made.pieces
    if paragraphs:
        assert values["pieces"][0]["spans"][0]["t"].startswith("0: palabra")
    if is_cut:
        assert values["pieces"][-1]["spans"][-1]["t"].endswith("palabra…")
    assert pages(handbill.pdf(made, stamp=0)) == 2


def test_every_kind_of_block_is_printed_and_no_word_is_taken_for_code() -> None:
    item = {
        "kind_label": NASTY, "date_label": "2 nov", "place": NASTY, "headline": NASTY,
        "summary_html": f"<p>{html.escape(NASTY)} <strong>b</strong><br>c</p>"
        "<ul><li>uno<ol><li>dos</li></ol></li></ul><blockquote><p>q</p></blockquote><h3>h</h3>",
        "url": "https://x.example/", "source_name": NASTY, "credit": "", "language_note": NASTY,
    }  # fmt: skip
    url = {"url": "https://x.example/"}
    blocks: list[dict[str, Any]] = [
        {"kind": "heading", "text": NASTY},
        {"kind": "rich_text", "html": item["summary_html"]},
        {"kind": "developments", "title": NASTY, "items": [item]},
        {"kind": "figures", "title": "", "items": [{**url, "value": "5 %", "label": NASTY,
                                                   "source_name": NASTY}]},
        {"kind": "material", "title": NASTY, "lead": NASTY, "label": "x", **url},
        {"kind": "event", "title": NASTY, "when_label": "hoy", "place": NASTY, "address": "",
         "body_html": f"<p>{html.escape(NASTY)}</p>", **url},
        {"kind": "action", "lead": NASTY, "label": NASTY, **url},
        {"kind": "image", "src": "https://elsewhere.example/p.png", "alt": "", "caption": ""},
        {"kind": "quote", "html": item["summary_html"], "by": NASTY, "role": NASTY},
        {"kind": "columns", "items": [
            {"html": item["summary_html"], "image": None, "label": NASTY, **url},
            {"html": "", "image": None, "label": "", "url": ""},
        ]},
        {"kind": "links", "title": NASTY, "items": [{"title": NASTY, "line": NASTY, **url}]},
        {"kind": "social", "title": NASTY, "items": [{"title": NASTY, "line": "", **url}]},
        {"kind": "divider"},
        {"kind": "rich_text", "html": "<p>end</p>"},
        {"kind": "divider"},
        {"kind": "heading", "text": "A line of its own"},
    ]  # fmt: skip
    for direction, language in (("ltr", "es"), ("rtl", "ar")):
        made = sheet(blocks, title=NASTY, direction=direction, language=language)
        assert {each["k"] for each in made.pieces} == {
            "h", "p", "li", "quote", "dev", "figures", "material", "event", "action", "rule",
            "said", "link",
        }  # fmt: skip
        assert pages(handbill.pdf(made, stamp=0)) == 2


def test_an_address_on_paper_is_one_that_people_type() -> None:
    def said(url: str) -> str:
        return broadside.shown(url).replace("\u200b", "")

    assert said("https://c.example/archive/2026-11-02-news?lang=es") == (
        "c.example/archive/2026-11-02-news"
    )
    assert said(f"https://c.example/files/{'e' * 64}/form.pdf?from=mail") == "c.example"
    assert said("mailto:us@c.example") == "mailto:us@c.example"
    # A handout in a file is found where the bulletin can be read.
    whole = "https://c.example/archive/october"
    words = {"kind": "material", "title": "The form", "lead": "", "label": "Open"}
    for url, where in (
        (f"https://c.example/files/{'e' * 64}/form.pdf", "c.example/archive/october"),
        ("https://other.example/form.pdf", "other.example/form.pdf"),
    ):
        blocks = {"blocks": [{**words, "url": url}]}
        (piece,) = broadside.pieces(blocks, pictures={}, translator=SPANISH, whole_url=whole)
        assert (piece["url"], piece["shown"].replace("\u200b", "")) == (url, where)


async def test_the_archive_offers_it_to_whoever_may_read_the_bulletin(
    ground: Ground, web: Web
) -> None:
    await newsroom.issue(ground)
    picture = await newsroom.picture(ground)
    image = {"kind": "image", "picture": picture.digest, "texts": {"en": {"alt": "A bar"}}}
    some = {**newsroom.text_block("Whisper"), "only_to": {"towns": ["Lynn"]}}
    blocks = [newsroom.text_block("Hello", "Hola"), image, some]
    campaign = await newsroom.sent(ground, document=newsroom.written(blocks=blocks))
    page = (await web.get("/archive/october?lang=es")).text
    path = "/archive/october/handbill.pdf?lang=es"
    assert f'href="{path}"' in page
    answer = await web.get(path)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'inline; filename="october-es.pdf"'
    assert pages(answer.body) == 2
    again = await web.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304
    assert (await web.get("/archive/october/handbill.pdf?lang=en")).body != answer.body
    await archiving.set_visibility(
        ground, actor=COMMAND, campaign_id=campaign.id, visibility=Visibility.SUBSCRIBERS
    )
    assert (await web.get(path)).status == 404
    staff = await web.as_staff(Role.VIEWER)
    kept = await staff.get(f"/staff/campaigns/{campaign.id}/handbill.pdf?language=es")
    assert (kept.status, pages(kept.body)) == (200, 2)
    assert (await web.get(f"/staff/campaigns/{campaign.id}/handbill.pdf")).status in (303, 401)


async def test_staff_see_it_before_it_goes_out(ground: Ground, web: Web) -> None:
    draft = await campaigning.draft(ground)
    staff = await web.as_staff(Role.VIEWER)
    page = f"/staff/campaigns/{draft.id}"
    assert "/handbill.pdf?language=es" in (await staff.get(page)).text
    answer = await staff.get(f"{page}/handbill.pdf?language=es")
    assert (answer.status, pages(answer.body)) == (200, 2)
    assert answer.headers["Cache-Control"] == "no-store"
    assert (await staff.get(f"{page}/handbill.pdf")).status == 200
    assert (await staff.get(f"{page}/handbill.pdf?language=xx")).status == 404


async def test_a_crowd_waits_for_one_sheet_and_is_refused_when_it_asks_for_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_go, at_once, most, set_ = threading.Event(), [0], [0], []

    def slowly(asked: Sheet, *, stamp: int) -> bytes:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        assert may_go.wait(30)
        set_.append((asked.title, stamp))
        at_once[0] -= 1
        return asked.title.encode()

    monkeypatch.setattr(handbill, "pdf", slowly)
    press, moment = Press(), datetime.fromtimestamp(7, tz=UTC)
    same = sheet([])
    crowd = [asyncio.create_task(press.pdf(same, made_at=moment)) for _ in range(50)]
    others = [
        asyncio.create_task(press.pdf(sheet([], title=f"{number}"), made_at=moment))
        for number in range(handbills.MOST_WAITING + 5)
    ]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    may_go.set()
    assert set(await asyncio.gather(*crowd)) == {"Lo que pasó".encode()}
    found = await asyncio.gather(*others, return_exceptions=True)
    assert sum(isinstance(each, errors.Busy) for each in found) == 6
    assert most == [1]
    assert set_.count(("Lo que pasó", 7)) == 1
    await press.pdf(same, made_at=moment)
    assert set_.count(("Lo que pasó", 7)) == 1
    await press.close()
