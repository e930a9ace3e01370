"""Links are followed and SpamAssassin is asked beforehand; what came of it is kept and read."""

import asyncio
import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from sqlmodel import select

from campaigns import bulletins, lifecycle
from campaigns.preflight import checklist, following, items, looking, overriding, spam
from campaigns.preflight.models import LinkCheck, Look
from foundation import errors
from foundation.audit import COMMAND, AuditEntry
from foundation.findings import Tone
from foundation.ground import Ground
from tests.campaigns import newsroom
from tests.world import abroad, campaigning, people
from tests.world.clock import FakeClock

FOLLOWED = pytest.mark.settings(preflight={"links": True})
PAGES: dict[str, web.Response | str | int] = {
    "/good": 200,
    "/moved": "/good",
    "/gone": 404,
    "HEAD /shy": 405,
    "GET /shy": 200,
    "HEAD /liar": 404,
    "GET /liar": 200,
    "/closed": 403,
    "/failing": 503,
    "/round": "/round",
    "/inside": "http://inside.coop:PORT/secret",
}


async def looked_at(ground: Ground, campaign_id: int, *, is_anew: bool = False) -> None:
    work = await looking.begin(ground, campaign_id=campaign_id, is_anew=is_anew)
    assert work is not None
    await looking.finish(ground, work)


async def about(ground: Ground, campaign_id: int, code: str) -> dict[str, Tone]:
    """What lines of a code are about, and their tones."""
    found = await checklist.check(ground, campaign_id=campaign_id)
    assert all(each.say(ground.translator("es")) for each in found)
    return {each.about: each.tone for each in found if each.code == code}


@FOLLOWED
@pytest.mark.storage
async def test_each_link_is_told_by_what_following_it_said(ground: Ground) -> None:
    await people.subscribed(ground)
    async with abroad.serving(PAGES) as there:
        there.names["inside.coop"] = ["10.1.2.3"]
        ground = dataclasses.replace(ground, outward=there.outward())
        wanted = ("good", "moved", "gone", "shy", "liar", "closed", "failing", "round", "inside")
        links = [there.url(f"/{name}") for name in wanted]
        links += [there.url("/x", host="nowhere.coop"), "http://10.9.8.7/"]
        campaign = await campaigning.approved(ground, links=links)
        before = await about(ground, campaign.id, "links")
        assert before == {"": Tone.NEUTRAL}, "nothing is known yet"
        await looked_at(ground, campaign.id)
        assert await about(ground, campaign.id, "link") == {
            there.url("/gone"): Tone.BAD,
            there.url("/round"): Tone.BAD,
            there.url("/x", host="nowhere.coop"): Tone.BAD,
            there.url("/closed"): Tone.WARN,
            there.url("/failing"): Tone.WARN,
            there.url("/inside"): Tone.WARN,
            "http://10.9.8.7/": Tone.WARN,
        }
        assert "GET /good" not in there.asked, "HEAD is enough where it says that all is well"
        with pytest.raises(errors.Refused, match="/gone"):
            await lifecycle.start(ground, actor=COMMAND, campaign_id=campaign.id)


@FOLLOWED
async def test_what_was_found_is_true_for_a_while_and_trouble_that_may_pass_is_not(
    ground: Ground, clock: FakeClock
) -> None:
    async with abroad.serving(PAGES) as there:
        ground = dataclasses.replace(ground, outward=there.outward())
        links = [there.url("/good"), there.url("/good#part"), there.url("/failing")]
        campaign = await campaigning.draft(ground, links=links)
        await looked_at(ground, campaign.id)
        assert there.asked.count("HEAD /good") == 2
        there.asked.clear()
        await looked_at(ground, campaign.id)
        assert there.asked == ["HEAD /failing", "GET /failing"]
        there.asked.clear()
        await looked_at(ground, campaign.id, is_anew=True)
        assert "HEAD /good" in there.asked
        there.asked.clear()
        clock.advance(hours=7)
        await looked_at(ground, campaign.id)
        assert "HEAD /good" in there.asked
        clock.advance(days=31)
        assert await following.tidy(ground) == 2


@FOLLOWED
async def test_where_no_name_can_be_looked_up_nobody_is_said_not_to_be_there(
    ground: Ground,
) -> None:
    async with abroad.serving({}) as there:
        there.names.clear()
        ground = dataclasses.replace(ground, outward=there.outward())
        campaign = await campaigning.draft(ground, links=["https://some.coop/"])
        await looked_at(ground, campaign.id)
        assert await about(ground, campaign.id, "link") == {"https://some.coop/": Tone.WARN}


@FOLLOWED
async def test_names_for_examples_shorteners_and_plain_http_are_pointed_out(
    ground: Ground,
) -> None:
    links = ["https://news.example/x", "https://bit.ly/abc", "http://some.coop/"]
    campaign = await campaigning.draft(ground, links=links)
    for code, url in zip(("link-example", "link-short", "link-plain"), links, strict=True):
        assert await about(ground, campaign.id, code) == {url: Tone.WARN}, code


@pytest.mark.settings(preflight={"links": True, "links_at_most": 2})
async def test_only_so_many_links_are_followed_and_the_list_says_how_many_were_not(
    ground: Ground,
) -> None:
    async with abroad.serving(PAGES) as there:
        ground = dataclasses.replace(ground, outward=there.outward())
        links = [there.url(f"/good?{number}") for number in range(5)]
        campaign = await campaigning.draft(ground, links=links)
        await looked_at(ground, campaign.id)
        assert there.asked == ["HEAD /good"] * 2
        found = await checklist.check(ground, campaign_id=campaign.id)
        said = [each.say(ground.translator("en")) for each in found if each.code == "links"]
        assert said == ["3 addresses were not followed yet."]


@pytest.mark.settings(preflight={"links": True}, site={"url": "https://handbill.test"})
async def test_where_a_link_ends_is_said_of_shorteners_and_of_what_leads_on_to_plain_http(
    ground: Ground,
) -> None:
    links = ["https://bit.ly/abc", "https://some.coop/"]
    campaign = await campaigning.draft(ground, links=links)
    async with ground.db.transaction() as session:
        for url in links:
            session.add(
                LinkCheck(
                    digest=following.digest(url),
                    url=url,
                    verdict="good",
                    status=200,
                    final_url="http://end.coop/page",
                    checked_at=ground.clock.now(),
                )
            )
    found = await checklist.check(ground, campaign_id=campaign.id)
    for code, urls in (("link-short", links[:1]), ("link-plain", links)):
        said = [each for each in found if each.code == code]
        assert [each.about for each in said] == urls
        assert all("http://end.coop/page" in each.say(ground.translator("es")) for each in said)


@FOLLOWED
async def test_each_line_leads_to_where_it_can_be_mended(ground: Ground) -> None:
    campaign = await campaigning.draft(ground, links=["https://bit.ly/abc?a=1&amp;b=2"])
    found = await checklist.check(ground, campaign_id=campaign.id)
    line = next(each for each in found if each.code == "link-short")
    async with ground.db.reading() as session:
        bulletin = await bulletins.get(session, campaign.bulletin_id)
    block = bulletins.document_of(bulletin).blocks[0]
    assert line.place is not None
    assert line.place.path == f"/staff/bulletins/{bulletin.id}/blocks/{block.id}"
    assert line.place.say(ground.translator("es")) == "Bloque 1"


@FOLLOWED
@pytest.mark.storage
async def test_one_look_goes_on_at_a_time_and_a_dead_one_is_not_waited_for(
    ground: Ground, clock: FakeClock
) -> None:
    campaign = await campaigning.draft(ground, links=["https://news.example/"])
    first = await looking.begin(ground, campaign_id=campaign.id)
    assert first is not None
    assert await looking.begin(ground, campaign_id=campaign.id) is None
    clock.advance(minutes=5)
    second = await looking.begin(ground, campaign_id=campaign.id)
    assert second is not None
    await looking.finish(ground, first)
    async with ground.db.reading() as session:
        row = await session.get(Look, campaign.id)
        assert row is not None
        assert row.finished_at is None, "the one that was given up changes nothing any more"
    await looking.finish(ground, second)
    assert await looking.begin(ground, campaign_id=campaign.id) is not None


@FOLLOWED
@pytest.mark.storage
async def test_pictures_elsewhere_are_weighed_by_what_their_server_says(ground: Ground) -> None:
    heavy = web.Response(
        body=newsroom.png(3000, 10) + b"\x00" * 600_000, headers={"Content-Type": "image/png"}
    )
    async with abroad.serving({"/p.png": heavy}) as there:
        ground = dataclasses.replace(ground, outward=there.outward())
        src = there.url("/p.png")
        document = campaigning.document(links=())
        image = {"kind": "image", "src": src, "texts": {"en": {"alt": "IMG_2041.jpg"}}}
        campaign = await campaigning.of_blocks(ground, document, image)
        await looked_at(ground, campaign.id)
        assert await about(ground, campaign.id, "picture-heavy") == {src: Tone.WARN}
        assert await about(ground, campaign.id, "picture-wide") == {src: Tone.WARN}
        assert list(await about(ground, campaign.id, "picture-words")) == ["en:2"]
        async with ground.db.reading() as session:
            row = (await session.exec(select(LinkCheck))).one()
        assert (row.width, row.height) == (3000, 10)


REPORT = """Content analysis details:   (4.1 points, 5.0 required)

 pts rule name              description
---- ---------------------- --------------------------------------------------
-0.0 NO_RELAYS              Informational: message was not relayed via SMTP
 0.7 HTML_FONT_LOW_CONTRAST BODY: HTML font color similar or identical to
                            background
 3.4 FREE_MONEY             Offers money for nothing
"""


def test_a_report_is_read_with_the_rules_that_cost_most() -> None:
    score = spam.parse(REPORT)
    assert score is not None
    assert (score.points, score.required) == (4.1, 5.0)
    assert [each.name for each in score.rules] == ["FREE_MONEY", "HTML_FONT_LOW_CONTRAST"]
    assert score.rules[1].words.endswith("identical to background")
    assert spam.parse("nothing of the sort") is None
    assert spam.read(score.as_dict()) == dataclasses.replace(score, rules=tuple(score.rules))


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.mark.settings(preflight={"spamassassin": True, "spamassassin_timeout_s": 30})
async def test_spamassassin_is_asked_where_it_is_and_only_warns(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground, links=())
    monkeypatch.setenv("PATH", str(tmp_path))
    await looked_at(ground, campaign.id)
    assert await about(ground, campaign.id, "spam") == {"": Tone.NEUTRAL}
    found = await checklist.check(ground, campaign_id=campaign.id)
    assert any("not installed" in each.say(ground.translator("en")) for each in found)
    (tmp_path / "report").write_text(REPORT)
    program(tmp_path, "spamc", "exit 69")  # its service does not run
    program(tmp_path, "spamassassin", f"/bin/cat > {tmp_path}/mail; /bin/cat {tmp_path}/report")
    await looked_at(ground, campaign.id)
    assert await about(ground, campaign.id, "spam") == {"en": Tone.WARN, "es": Tone.WARN}
    assert b"List-Unsubscribe:" in (tmp_path / "mail").read_bytes()
    await lifecycle.start(ground, actor=COMMAND, campaign_id=campaign.id)


@pytest.mark.settings(preflight={"spamassassin": True, "spamassassin_timeout_s": 0.2})
async def test_spamassassin_that_has_no_answer_is_not_waited_for(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    program(tmp_path, "spamassassin", "exec /bin/sleep 600")
    async with asyncio.timeout(90):
        score = await spam.ask(ground, b"Subject: x\r\n\r\nx\r\n")
    assert score.asked is spam.Asked.SILENT


REASON = "The address stands in the text of this bulletin."


@pytest.mark.storage
@pytest.mark.settings(site={"postal_address": ""})
async def test_an_owners_word_counts_for_what_was_red_in_this_version_alone(
    ground: Ground,
) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground, links=())
    with pytest.raises(errors.Invalid, match="Say why"):
        await overriding.override(ground, actor=COMMAND, campaign_id=campaign.id, reason="so")
    with pytest.raises(errors.Refused, match="no postal address"):
        await lifecycle.start(ground, actor=COMMAND, campaign_id=campaign.id)
    await overriding.override(ground, actor=COMMAND, campaign_id=campaign.id, reason=REASON)
    found = await checklist.check(ground, campaign_id=campaign.id)
    red = [each for each in found if each.tone is Tone.BAD]
    assert [each.code for each in red] == ["postal-address"]
    assert REASON in red[0].reason
    assert items.is_clear(found)
    async with ground.db.reading() as session:
        entries = (await session.exec(select(AuditEntry))).all()
    entry = next(each for each in entries if each.action == "campaign.override")
    assert entry.after["reason"] == REASON
    assert "no postal address" in entry.after["red"][0]
    changed = campaigning.document("TK, to be written", links=())
    await bulletins.save(
        ground, actor=COMMAND, bulletin_id=campaign.bulletin_id, version=1, document=changed
    )
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=campaign.id)
    assert not items.is_clear(await checklist.check(ground, campaign_id=campaign.id))
    with pytest.raises(errors.Refused, match="no postal address"):
        await lifecycle.start(ground, actor=COMMAND, campaign_id=campaign.id)
    await overriding.override(ground, actor=COMMAND, campaign_id=campaign.id, reason=REASON)
    await lifecycle.start(ground, actor=COMMAND, campaign_id=campaign.id)


async def test_what_turns_red_later_is_not_meant(ground: Ground) -> None:
    await people.subscribed(ground)
    async with abroad.serving(PAGES) as there:
        links = [there.url("/gone"), there.url("/good")]
        preflight = ground.settings.preflight.model_copy(update={"links": True})
        ground = dataclasses.replace(
            ground,
            outward=there.outward(),
            settings=ground.settings.model_copy(update={"preflight": preflight}),
        )
        campaign = await campaigning.approved(ground, links=links)
        await looked_at(ground, campaign.id)
        await overriding.override(ground, actor=COMMAND, campaign_id=campaign.id, reason=REASON)
        assert items.is_clear(await checklist.check(ground, campaign_id=campaign.id))
        async with ground.db.transaction() as session:
            row = await session.get(LinkCheck, following.digest(links[1]))
            assert row is not None
            row.verdict = "gone"
            session.add(row)
        assert not items.is_clear(await checklist.check(ground, campaign_id=campaign.id))


async def test_nobody_can_send_to_nobody_or_past_a_change(ground: Ground) -> None:
    campaign = await campaigning.approved(ground, links=())
    with pytest.raises(errors.Refused, match="Nobody can send past this: Nobody would get this"):
        await overriding.override(ground, actor=COMMAND, campaign_id=campaign.id, reason=REASON)
    await people.subscribed(ground)
    with pytest.raises(errors.Refused, match="Nothing is red"):
        await overriding.override(ground, actor=COMMAND, campaign_id=campaign.id, reason=REASON)


async def test_a_look_that_is_old_is_of_another_version(ground: Ground) -> None:
    campaign = await campaigning.draft(ground, links=())
    await looked_at(ground, campaign.id)
    async with ground.db.reading() as session:
        row = await looking.last(session, campaign.id)
    assert row is not None
    assert row.bulletin_version == 1
    assert not looking.is_going_on(ground, row)
    assert row.finished_at is not None
    assert row.finished_at - row.started_at == timedelta(0)
