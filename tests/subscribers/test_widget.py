"""What other sites load from us: to whom it is told, what it says, and how it is kept."""

import html
import json
import re

import pytest

from foundation.audit import COMMAND
from foundation.ground import Ground
from subscribers import consent, forms, intake, partners
from subscribers.models import Form, Partner
from tests.subscribers import mailbox
from tests.world.clock import FakeClock
from tests.world.web import Answer, Web

RIVER = "https://river.example"
FORM = "/api/public/forms"
TOPIC = "secure-communities"

pytestmark = pytest.mark.usefixtures("partner")


@pytest.fixture
async def partner(ground: Ground) -> Partner:
    """A partner with a site, and a form of its own."""
    await mailbox.topics(ground)
    made = await partners.create(
        ground,
        actor=COMMAND,
        details=partners.Details(name="River Valley", key="river-valley", origins=[RIVER]),
    )
    await form(ground, partner_id=made.id)
    return made


async def form(ground: Ground, slug: str = "river", **changes: object) -> Form:
    """A form, by default of no partner."""
    details = forms.Details(slug=slug, name="River", **changes)  # type: ignore[arg-type]
    return await forms.create(ground, actor=COMMAND, details=details)


async def told(web: Web, path: str, **headers: str) -> Answer:
    """An answer to a script on the partner's page."""
    return await web.get(path, headers={"Origin": RIVER, **headers})


@pytest.mark.storage
async def test_a_script_is_told_all_that_the_form_says_in_its_readers_language(
    web: Web, ground: Ground
) -> None:
    answer = await told(web, f"{FORM}?partner=river-valley&lang=fr,es-MX,en")
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == RIVER
    said = answer.json()
    assert (said["form"], said["lang"], said["dir"]) == ("river", "es", "ltr")
    assert [each["name"] for each in said["fields"]] == ["email", "first_name", "postal_code"]
    assert {each["slug"] for each in said["topics"]} == {"secure-communities", "action-alerts"}
    assert said["consent"] == {
        "text": consent.words(ground, consent.SIGNUP, language="es"),
        "version": 1,
    }
    assert said["honeypot"] == intake.HONEYPOT
    assert said["link"] == "http://handbill.test/subscribe/river?partner=river-valley&lang=es"
    assert "origins" not in said
    assert said["button"] == ground.translator("es").gettext("Sign up")


async def test_a_partner_makes_the_code_of_each_of_its_own_forms_and_of_no_other(
    web: Web, ground: Ground, partner: Partner
) -> None:
    here = "/widget/river-valley/code"
    assert 'name="form"' not in (await web.get(here)).text, "there is nothing to choose from"
    await form(ground, "fair", partner_id=partner.id)
    await form(ground, "somebody-elses")
    for asked, shown in {"": "river", "fair": "fair", "somebody-elses": "river"}.items():
        page = (await web.get(f"{here}?form={asked}")).text
        assert f'value="{shown}" selected' in page
        assert f"/subscribe/{shown}?partner=river-valley" in page
        assert "/subscribe/somebody-elses" not in page


async def test_plain_codes_count_for_their_partner_and_the_one_for_strict_sites_has_no_style(
    web: Web, ground: Ground
) -> None:
    hill = await partners.create(
        ground, actor=COMMAND, details=partners.Details(name="Hill", key="hill")
    )
    page = (await web.get("/widget/hill/code?source=fair")).text
    section = page.partition('aria-labelledby="way-plain"')[2].partition("</section>")[0]
    styled, strict = map(html.unescape, re.findall(r"<code>(.*?)</code>", section, re.DOTALL))
    assert "style=" in styled
    assert "style=" not in strict
    for number, code in enumerate((styled, strict)):
        # The site's own form: nothing but the key in the code says whose page it is.
        assert 'action="http://handbill.test/subscribe"' in code
        assert f'name="{intake.HONEYPOT}" tabindex="-1"' in code
        sent = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', code))
        await web.post("/subscribe", {**sent, "email": f"p{number}@h.example", "topic": TOPIC})
    rows = await mailbox.sign_ups(ground)
    assert [(row.partner_id, row.source) for row in rows] == [(hill.id, "fair")] * 2


async def test_organizations_with_lists_of_their_own_are_named_each_by_itself(
    web: Web, ground: Ground, partner: Partner
) -> None:
    await form(ground, "shared", partner_id=partner.id, shares=[partner.id])
    said = (await told(web, f"{FORM}/shared?partner=river-valley&lang=es")).json()
    (organization,) = said["organisations"]
    assert organization["key"] == "river-valley"
    assert "River Valley" in organization["words"]
    assert said["says"]["share"].startswith("Otros")
    assert (
        said["privacy"]
        != (await told(web, f"{FORM}/river?partner=river-valley&lang=es")).json()["privacy"]
    )


async def test_the_version_of_the_words_is_that_under_which_they_are_kept(
    web: Web, ground: Ground
) -> None:
    async with ground.db.transaction() as session:
        for text in ("Older words.", "Old words."):
            await consent.wording(
                session, key=consent.SIGNUP, language="en", text=text, now=ground.clock.now()
            )
    said = (await told(web, f"{FORM}?partner=river-valley&lang=en")).json()
    assert said["consent"]["version"] == 3
    await mailbox.sign_up(web, ground)
    async with ground.db.reading() as session:
        shown = await consent.shown(ground, session, consent.SIGNUP, language="en")
    assert shown == consent.Shown(text=said["consent"]["text"], version=3)


async def test_pages_that_nobody_named_are_refused_in_words_that_their_script_may_read(
    web: Web,
) -> None:
    path = f"{FORM}/river?partner=river-valley&lang=es"
    for _ in range(2):
        for origin in ("https://evil.example", "null", f"{RIVER}.evil.example"):
            refused = await told(web, path, Origin=origin)
            assert refused.status == 403
            assert refused.headers["Access-Control-Allow-Origin"] == "*"
            assert refused.json()["detail"].startswith("El formulario")
        assert (await told(web, path)).status == 200
        assert (await told(web, path, Origin="http://handbill.test")).status == 200
        assert (await web.get(path)).status == 200


async def test_a_form_of_nobodys_is_shown_on_its_own_origins_and_one_that_is_gone_is_not(
    web: Web, ground: Ground
) -> None:
    await form(ground, "open", origins=["https://open.example"])
    await form(ground, "shut", is_active=False, origins=[RIVER])
    assert (await told(web, f"{FORM}/open", Origin="https://open.example")).status == 200
    assert (await told(web, f"{FORM}/open")).status == 403
    assert (await told(web, f"{FORM}/shut")).status == 404


@pytest.mark.settings(widget={"keep_s": 60})
async def test_what_is_told_is_kept_for_a_while_and_what_is_typed_before_is_not(
    web: Web, ground: Ground, clock: FakeClock, partner: Partner
) -> None:
    path = "/widget/river-valley?lang=en"
    first = await web.get(path)
    assert first.headers["Cache-Control"] == "public, max-age=60"
    (row,) = [each.form for each in await forms.listed(ground)]
    changed = forms.Details(slug="river", name="River", asks=[], partner_id=partner.id)
    await forms.update(ground, actor=COMMAND, form_id=row.id, version=row.version, details=changed)
    assert (await web.get(path)).body == first.body
    filled_in = await web.get(f"{path}&email=ana@example.org&source=fair&utm_source=letter")
    assert filled_in.headers["Cache-Control"] == "no-store"
    assert 'value="ana@example.org"' in filled_in.text
    assert 'name="source" value="fair"' in filled_in.text
    assert 'name="first_name"' not in filled_in.text
    clock.advance(seconds=61)
    assert 'name="first_name"' not in (await web.get(path)).text


async def test_a_site_that_was_just_written_down_need_not_wait_until_the_form_is_forgotten(
    web: Web, ground: Ground, clock: FakeClock, partner: Partner
) -> None:
    path, new = f"{FORM}?partner=river-valley", "https://new.example"
    assert (await told(web, path)).status == 200
    assert (await told(web, path, Origin=new)).status == 403
    details = partners.Details(name="River Valley", key="river-valley", origins=[RIVER, new])
    await partners.update(
        ground,
        actor=COMMAND,
        partner_id=partner.id or 0,
        details=details,
    )
    assert (await told(web, path, Origin=new)).status == 403, "nobody makes us look all the time"
    clock.advance(seconds=5)
    assert (await told(web, path, Origin=new)).status == 200


async def test_the_script_is_squeezed_and_asked_for_again_only_when_it_changed(web: Web) -> None:
    for path in ("/widget.js", "/widget-proof.js"):
        plain = await web.get(path, headers={"Accept-Encoding": "identity"})
        assert plain.headers["Access-Control-Allow-Origin"] == "*"
        assert plain.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert plain.headers["Vary"] == "Accept-Encoding"
        tags = set()
        for coding in ("identity", "gzip", "br"):
            answer = await web.get(path, headers={"Accept-Encoding": coding})
            assert answer.body == plain.body
            assert answer.headers.get("Content-Encoding", "identity") == coding
            assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
            assert int(answer.headers["Content-Length"]) < 10_000 or coding == "identity"
            etag = answer.headers["ETag"]
            tags.add(etag)
            again = await web.get(path, headers={"Accept-Encoding": coding, "If-None-Match": etag})
            assert (again.status, again.body, again.headers["ETag"]) == (304, b"", etag)
        assert len(tags) == 3
    refused = await web.get("/widget.js", headers={"Accept-Encoding": "br;q=0, gzip"})
    assert refused.headers["Content-Encoding"] == "gzip"


async def test_the_form_in_a_frame_runs_nothing_of_others_and_works_without_a_script(
    web: Web, ground: Ground, partner: Partner
) -> None:
    page = await web.get("/widget/river-valley?lang=es&theme=dark")
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self'; style-src 'self'" in policy
    assert "frame-ancestors *" in policy
    assert "Set-Cookie" not in page.headers
    assert '<html lang="es" dir="ltr" data-theme="dark">' in page.text
    assert 'target="_top"' in page.text
    assert "style=" not in page.text
    sent = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    answer = await web.post(
        "/subscribe/river",
        {**sent, "email": "ana@example.org", "topic": "action-alerts"},
        headers={"Origin": "http://handbill.test", "Referer": f"{RIVER}/news?secret=1"},
    )
    assert answer.status == 303
    (row,) = await mailbox.sign_ups(ground)
    assert (row.partner_id, row.language) == (partner.id, "es")
    assert (row.referrer_host, row.page_path) == ("river.example", "/news")


async def test_a_key_that_nobody_has_shows_the_sites_own_form(web: Web) -> None:
    page = await web.get("/widget/nobody")
    assert page.status == 200
    assert 'action="http://handbill.test/subscribe"' in page.text
    assert (await web.get("/widget/nobody?form=gone")).status == 404


@pytest.mark.parametrize("url", ["/subscribe/river?partner=river-valley", "/widget/river-valley"])
async def test_editors_of_web_pages_learn_how_to_show_a_link_of_ours(web: Web, url: str) -> None:
    page = await web.get(url)
    found = re.findall(r'type="(application/json|text/xml)\+oembed"\s+href="([^"]+)"', page.text)
    links = {kind: link.replace("&amp;", "&") for kind, link in found}
    answer = await web.get(links["application/json"])
    said = json.loads(answer.body)
    assert (said["version"], said["type"]) == ("1.0", "rich")
    src = "http://handbill.test/widget/river-valley?form=river"
    assert f'<iframe src="{src}"' in said["html"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    xml = await web.get(f"{links['text/xml']}&maxwidth=300")
    assert xml.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert "<width>300</width>" in xml.text
    assert "&lt;iframe" in xml.text


async def test_only_our_own_forms_are_shown_or_drawn(web: Web) -> None:
    for url in (
        "",
        "https://evil.example/subscribe/river",
        "http://handbill.test/archive",
        "http://[::1",
        "http://handbill.test/subscribe/gone",
    ):
        answer = await web.get("/oembed?format=json&url=" + url.replace(":", "%3A"))
        assert answer.status == 404, url
    assert (await web.get("/oembed?url=http://handbill.test/subscribe&format=pdf")).status == 422
    assert (await web.get("/qr.gif?form=river")).status == 404
    assert (await web.get("/qr.svg?form=gone")).status == 404


async def test_a_code_for_paper_leads_to_the_form_and_says_for_whom(web: Web) -> None:
    answer = await web.get("/qr.svg?partner=river-valley&lang=es&source=flyer")
    link = "http://handbill.test/subscribe/river?partner=river-valley&amp;lang=es&amp;source=flyer"
    assert f"<title>{link}</title>" in answer.text
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert (await web.get("/qr.png?form=river")).headers["Content-Type"] == "image/png"
    assert (await web.get("/qr.pdf?partner=nobody")).body.startswith(b"%PDF")
