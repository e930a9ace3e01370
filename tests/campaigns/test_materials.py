import re
from collections.abc import Awaitable, Callable

import pytest

from campaigns import lifecycle, material_counts, materials, pictures, reports
from campaigns.preflight import checklist
from foundation import errors
from foundation.accounts.models import Role
from foundation.findings import Tone
from foundation.ground import Ground
from tests.campaigns import newsroom
from tests.campaigns.newsroom import ANA
from tests.campaigns.test_tracking import PERSON
from tests.handbill.test_api import bearer
from tests.world import campaigning, people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher
from tests.world.web import Web


@pytest.mark.storage
async def test_a_reader_gets_the_handout_in_their_language_first(ground: Ground) -> None:
    issue = await newsroom.issue(ground)
    made = await newsroom.handout(ground, issue, languages=("en", "es"))
    async with ground.db.reading() as session:
        files = await materials.copies(session, [made.id])
    told = materials.tell(ground, made, files, ground.translator("es"))
    assert told.title == "La ficha de ingreso"
    assert [copy.language for copy in told.copies] == ["es", "en"]
    assert told.copies[0].url.endswith("/form-es.pdf")


@pytest.mark.storage
async def test_a_second_file_takes_the_place_of_the_first(ground: Ground) -> None:
    issue = await newsroom.issue(ground)
    made = await newsroom.handout(ground, issue)
    await materials.put_link(
        ground, actor=ANA, material_id=made.id, language="en", url="https://x.example/form"
    )
    async with ground.db.reading() as session:
        files = await materials.copies(session, [made.id])
    assert [each.url for each in files] == ["https://x.example/form"]


async def test_a_file_is_judged_by_its_content_not_its_name(ground: Ground) -> None:
    issue = await newsroom.issue(ground)
    made = await newsroom.handout(ground, issue, languages=())
    with pytest.raises(errors.Invalid) as caught:
        await materials.put_file(
            ground,
            actor=ANA,
            material_id=made.id,
            language="en",
            file_name="form.pdf",
            content=b"MZ\x90\x00 a program",
        )
    assert "file" in caught.value.fields


async def test_a_web_page_that_is_called_a_handout_comes_back_as_plain_text(
    ground: Ground, web: Web
) -> None:
    issue = await newsroom.issue(ground)
    made = await newsroom.handout(ground, issue, languages=())
    file = await materials.put_file(
        ground,
        actor=ANA,
        material_id=made.id,
        language="en",
        file_name='../..\\x"; a=b\r\n.html',
        content=b"<script>alert(1)</script>",
    )
    answer = await web.get(materials.path(file))
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Disposition"] == f'inline; filename="{file.file_name}"'


async def test_a_handout_is_served_under_its_hash_and_kept_by_browsers(
    ground: Ground, web: Web
) -> None:
    issue = await newsroom.issue(ground)
    made = await newsroom.handout(ground, issue, languages=("es",))
    async with ground.db.reading() as session:
        (file,) = await materials.copies(session, [made.id])
    answer = await web.get(materials.path(file))
    assert answer.body == newsroom.PDF + b"es"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Type"] == "application/pdf"
    assert (await web.get(f"/files/{'0' * 64}/x.pdf")).status == 404


async def test_a_picture_is_kept_once_and_found_by_name(ground: Ground, web: Web) -> None:
    first = await newsroom.picture(ground)
    second = await newsroom.picture(ground, "again.png")
    assert first.id == second.id
    async with ground.db.reading() as session:
        for name in ("figures", "figures.png", first.digest):
            found = await pictures.find(session, name)
            assert found is not None
            assert found.id == first.id
        assert await pictures.find(session, "other") is None
    answer = await web.get(pictures.path(first))
    assert answer.body == newsroom.png()
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


@pytest.mark.parametrize(
    "content",
    [b"<svg xmlns='http://www.w3.org/2000/svg'/>", newsroom.PDF, newsroom.png(13_000, 1), b""],
)
async def test_what_mail_programs_do_not_show_is_refused(ground: Ground, content: bytes) -> None:
    with pytest.raises(errors.Invalid):
        await pictures.add(ground, actor=ANA, file_name="x.png", content=content)


@pytest.mark.storage
async def test_who_takes_a_handout_is_counted_by_campaign_and_way_and_machines_apart(
    web: Web, smtp: Catcher, clock: FakeClock, deliver: Callable[[], Awaitable[None]]
) -> None:
    ground = web.ground
    issue = await newsroom.issue(ground)
    made = await newsroom.handout(ground, issue)
    await people.subscribed(ground, "ana@example.org", language="es")
    block = {"kind": "material", "material": made.slug}
    campaign = await campaigning.of_blocks(ground, campaigning.document(links=()), block)
    listed = {each.code: each for each in await checklist.check(ground, campaign_id=campaign.id)}
    amber = listed["handout-without-language"]
    assert amber.tone is Tone.WARN
    assert "has no file in Spanish" in amber.say(ground.translator("en"))
    assert amber.place is not None
    assert amber.place.path == f"/staff/issues/{issue.id}/materials/{made.id}#files-title"
    await lifecycle.approve(ground, actor=ANA, campaign_id=campaign.id)
    await lifecycle.start(ground, actor=ANA, campaign_id=campaign.id)
    await deliver()
    link = re.findall(r'href="([^"]+/r/[^"]+)"', smtp.messages[0].html)[0]
    clock.advance(minutes=5)
    led = (await web.get(link, headers=PERSON)).location
    assert (await web.get(led, headers=PERSON)).status == 200
    await web.get(link, headers={"User-Agent": "Barracuda"})
    # The file is another since; the old mail's link still counts.
    await materials.put_file(
        ground, actor=ANA, material_id=made.id, language="en", file_name="new.pdf",
        content=newsroom.PDF + b"new",
    )  # fmt: skip
    await web.get(link, headers=PERSON)
    page = (await web.get(f"/issues/{issue.slug}")).text
    (offered,) = re.findall(r'href="([^"]+from=issue)"', page)
    await web.get(offered, headers=PERSON)
    await web.request("HEAD", offered, headers=PERSON)
    await web.get(offered.partition("?")[0], headers={"User-Agent": "curl/8"})
    counts = await material_counts.of_material(ground, material_id=made.id)
    assert [(each.source.value, each.campaign_id, each.human, each.machine) for each in counts] == [
        ("mail", campaign.id, 2, 1),
        ("direct", None, 0, 1),
        ("issue", None, 1, 1),
    ]
    (of_it,) = (await reports.report(ground, campaign_id=campaign.id)).handouts
    assert (of_it.title, of_it.language, of_it.human, of_it.machine) == (
        "The intake form", "en", 2, 1,
    )  # fmt: skip
    staff = await web.as_staff(Role.EDITOR)
    here = f"/staff/issues/{issue.id}/materials/{made.id}"
    assert "Bulletins read in the browser" not in (await staff.get(here)).text
    assert "How often it was taken" in (await staff.get(here)).text
    rows = (await staff.get(f"{here}/taken.csv")).text.splitlines()
    assert rows[1] == f"intake-form,mail,{campaign.id},News,en,2,1"
    assert "Taken by people" in (await staff.get(f"/staff/campaigns/{campaign.id}")).text
    key = await bearer(ground)
    told = await web.request("GET", f"/api/v1/materials/{made.id}/taken", headers=key)
    assert [each["people"] for each in told.json()["items"]] == [2, 0, 1]
    listing = await web.request("GET", "/api/v1/materials", headers=key)
    assert [each["slug"] for each in listing.json()["items"]] == ["intake-form"]
