"""Campaigns, developments and returned mail by the command line, with real mail on loopback."""

import asyncio
import email
import email.policy
import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from campaigns import issues, series, welcome
from campaigns.issues import IssueDraft
from campaigns.welcome_models import StepKind
from delivery import worker
from delivery.models import Worker
from foundation.audit import COMMAND
from foundation.clock import SystemClock
from foundation.ground import Ground
from tests.campaigns import editions, newsroom
from tests.handbill import test_cli
from tests.world import campaigning, grounds, people
from tests.world.smtp import Catcher

DOCUMENT = """
name = "October"
default_language = "en"
[editions.en]
subject = "What happened, {{ subscriber.first_name | default_if_blank(\\"friend\\") }}"
preheader = "Read on"
[editions.es]
subject = "Lo que pasó"
preheader = "Siga leyendo"
[[blocks]]
kind = "rich_text"
[blocks.texts.en]
html = "<p>Good news.</p>"
[blocks.texts.es]
html = "<p>Buenas noticias.</p>"
[audience]
topics = ["secure-communities"]
[campaign]
name = "The October campaign"
"""

Done = subprocess.CompletedProcess[str]
Run = Callable[..., Awaitable[Done]]


@pytest.fixture
def run(ground: Ground, smtp: Catcher, tmp_path: Path) -> Run:
    """Run a command on the test's database, its mail going to `smtp`."""
    environment = {
        "HANDBILL_DATABASE__URL": ground.settings.database.url,
        "HANDBILL_SECURITY__SECRET_KEY_FILE": "shared.key",
        "HANDBILL_SITE__POSTAL_ADDRESS": "1 Example Street",
        "HANDBILL_MAIL__FROM_ADDRESS": "news@coalition.example",
        "HANDBILL_DELIVERY__JOURNAL_DIR": str(tmp_path / "journal"),
        "HANDBILL_RELAY__PORT": str(smtp.port),
        "HANDBILL_RELAY__HELLO_NAME": "sender.test",
        "HANDBILL_OUTWARD__PRIVATE_NETWORKS": "127.0.0.0/8",
        "HANDBILL_PREFLIGHT__LINKS": "false",
        "HANDBILL_PREFLIGHT__SPAMASSASSIN": "false",
    }
    (tmp_path / "shared.key").write_text(grounds.KEY)
    (tmp_path / "bulletin.toml").write_text(DOCUMENT)

    async def run(*arguments: str) -> Done:
        return await asyncio.to_thread(test_cli.handbill, tmp_path, *arguments, **environment)

    return run


async def made(run: Run) -> str:
    """The id of a campaign made from the document, as the last line says it."""
    done = await run("campaigns", "create", "bulletin.toml")
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1]
    assert last.isdigit()
    return last


async def report(run: Run, number: str) -> Any:
    """The campaign's report."""
    return json.loads((await run("campaigns", "report", number, "--json")).stdout)


async def test_two_forms_are_planned_and_chosen_from_the_command_line(
    ground: Ground, run: Run, tmp_path: Path
) -> None:
    await people.topic(ground)
    number = await made(run)
    plan = 'what = "subject"\npercent = 40\nsubjects = { en = "Other", es = "Otra" }\n'
    (tmp_path / "trial.toml").write_text(plan)
    planned = await run("campaigns", "trial", number, "--plan", "trial.toml", "--json")
    assert planned.returncode == 0, planned.stderr
    told = json.loads(planned.stdout)
    assert (told["state"], told["plan"]["percent"], told["forms"]) == ("planned", 40, {})
    early = await run("campaigns", "choose", number, "b")
    assert (early.returncode, early.stdout) == (1, "")


async def test_a_document_is_made_checked_and_sent_to_everybody_once(
    ground: Ground, smtp: Catcher, run: Run
) -> None:
    await people.subscribed(ground, "ana@example.org", language="es")
    await people.subscribed(ground, "bob@example.org", first_name="Bob")
    number = await made(run)
    checked = await run("campaigns", "check", number)
    assert checked.returncode == 0, checked.stdout
    assert "2 people" in checked.stdout
    sent = await run("campaigns", "start", number, "--wait")
    assert (sent.returncode, sent.stdout.splitlines()[-1]) == (0, "sent"), sent.stderr
    subjects = {each.rcpt_to: str(each.parsed["Subject"]) for each in smtp.messages}
    assert subjects == {
        "ana@example.org": "Lo que pasó",
        "bob@example.org": "What happened, Bob",
    }
    found = await report(run, number)
    assert (found["state"], found["audience"], found["sent"]) == ("sent", 2, 2)
    again = await run("campaigns", "start", number)
    assert again.returncode == 1
    assert len(smtp.messages) == 2


async def test_waiting_says_at_the_end_how_it_went_and_why_not_for_all(
    ground: Ground, smtp: Catcher, run: Run
) -> None:
    for name in ("ana", "bob", "cy"):
        await people.subscribed(ground, f"{name}@example.org")
    smtp.answer("RCPT", "cy@example.org", "550 5.3.5 Setup")
    sent = await run("campaigns", "start", await made(run), "--wait")
    assert sent.returncode == 0, sent.stderr
    assert "3 of 3 done" in sent.stderr
    assert "on average" in sent.stderr
    assert "relay: 2 (100%)" in sent.stderr
    assert "1 refused for good by the receiving side (550)" in sent.stderr


async def test_waiting_sends_by_itself_once_another_process_is_known_dead(
    ground: Ground, smtp: Catcher, run: Run
) -> None:
    await people.subscribed(ground, "ana@example.org")
    now = SystemClock().now()
    async with ground.db.transaction() as session:
        session.add(
            Worker(
                node="elsewhere",
                pid=1,
                journal="gone.journal",
                started_at=now - timedelta(minutes=5),
                seen_at=now - timedelta(seconds=44),
            )
        )
    sent = await run("campaigns", "start", await made(run), "--wait")
    assert sent.returncode == 0, sent.stderr
    assert len(smtp.messages) == 1


async def test_a_campaign_is_held_resumed_and_cancelled(
    ground: Ground, smtp: Catcher, run: Run
) -> None:
    await people.subscribed(ground, "ana@example.org")
    number = await made(run)
    assert (await run("campaigns", "start", number)).returncode == 0
    assert (await run("campaigns", "pause", number, "--reason", "a typo")).stdout == "paused\n"
    shown = json.loads((await run("campaigns", "show", number, "--json")).stdout)
    assert (shown["state"], shown["waiting_reason"]) == ("paused", "a typo")
    assert (await run("campaigns", "resume", number)).returncode == 0
    assert (await run("campaigns", "cancel", number)).returncode == 0
    found = await report(run, number)
    assert (found["state"], found["cancelled"], found["audience"]) == ("cancelled", 1, 1)
    assert smtp.messages == []


async def test_a_campaign_is_scheduled_at_a_local_time(ground: Ground, run: Run) -> None:
    await people.subscribed(ground)
    number = await made(run)
    done = await run(
        "campaigns", "schedule", number, "--at", "2101-12-01T09:00", "--zone", "America/New_York"
    )
    assert done.returncode == 0, done.stderr
    assert "2101-12-01T14:00:00+00:00" in done.stdout
    [listed] = json.loads((await run("campaigns", "list", "--json")).stdout)
    assert (listed["id"], listed["state"]) == (int(number), "scheduled")
    for wrong in (("2001-01-01T09:00", "UTC"), ("2101-12-01T09:00", "Mars"), ("soon", "UTC")):
        refused = await run("campaigns", "schedule", number, "--at", wrong[0], "--zone", wrong[1])
        assert refused.returncode == 2
        assert "Traceback" not in refused.stderr


async def test_a_preview_is_the_mail_as_the_person_would_get_it(
    ground: Ground, smtp: Catcher, run: Run, tmp_path: Path
) -> None:
    await people.subscribed(ground, "bob@example.org", first_name="Bob", language="fr")
    number = await made(run)
    done = await run("campaigns", "preview", number, "--as", "bob@example.org", "--out", "b.eml")
    assert done.returncode == 0, done.stderr
    mail = email.message_from_bytes((tmp_path / "b.eml").read_bytes(), policy=email.policy.default)
    assert (mail["To"], mail["Subject"]) == ("bob@example.org", "What happened, Bob")
    await run("campaigns", "preview", number, "--language", "es", "--out", "es.eml")
    assert b"Buenas noticias" in (tmp_path / "es.eml").read_bytes()
    nobody = await run("campaigns", "preview", number, "--as", "x@example.org", "--out", "n.eml")
    assert nobody.returncode == 2
    unknown = await run("campaigns", "preview", number, "--language", "tlh", "--out", "n.eml")
    assert (unknown.returncode, "en, es" in unknown.stderr) == (2, True)
    assert not (tmp_path / "n.eml").exists()
    assert smtp.messages == []


FOR_LYNN = """
[[blocks]]
kind = "rich_text"
[blocks.only_to]
towns = ["Lynn"]
[blocks.texts.en]
html = "<p>To Lynn.</p>"
"""


async def test_a_preview_leaves_out_what_the_person_would_not_see(
    ground: Ground, run: Run, tmp_path: Path
) -> None:
    await people.subscribed(ground, "lynn@example.org", town="Lynn")
    await people.subscribed(ground, "boston@example.org", town="Boston")
    (tmp_path / "bulletin.toml").write_text(DOCUMENT + FOR_LYNN)
    number = await made(run)
    for reader, is_shown in (("lynn", True), ("boston", False), ("", True)):
        asked = ["--as", f"{reader}@example.org"] if reader else ["--language", "en"]
        done = await run("campaigns", "preview", number, *asked, "--out", "mail.eml")
        assert done.returncode == 0, done.stderr
        assert (b"To Lynn." in (tmp_path / "mail.eml").read_bytes()) is is_shown
    checked = await run("campaigns", "check", number)
    assert "1 of 2 people would see block" in checked.stdout


async def test_a_test_is_marked_and_counts_nowhere(ground: Ground, smtp: Catcher, run: Run) -> None:
    await people.topic(ground)
    number = await made(run)
    done = await run("campaigns", "test", number, "--to", "me@example.org")
    assert done.returncode == 0, done.stderr
    assert [str(each.parsed["Subject"])[:7] for each in smtp.messages] == ["[Test] "] * 2
    assert (await report(run, number))["audience"] == 0


async def test_what_stops_a_campaign_ends_the_check_with_status_1(
    ground: Ground, smtp: Catcher, run: Run, tmp_path: Path
) -> None:
    await people.topic(ground)
    (tmp_path / "bulletin.toml").write_text(DOCUMENT.replace("Good news.", "{{ nonsense }}"))
    number = await made(run)
    done = await run("campaigns", "check", number, "--json")
    assert done.returncode == 1
    assert "bad" in [each["tone"] for each in json.loads(done.stdout)]
    refused = await run("campaigns", "start", number)
    assert refused.returncode != 0
    assert smtp.messages == []


async def test_nobody_sends_past_a_red_item(ground: Ground, smtp: Catcher, run: Run) -> None:
    await people.topic(ground)
    number = await made(run)
    timing = ("--at", "2101-12-01T09:00", "--zone", "UTC")
    for step in (("start", number), ("schedule", number, *timing)):
        refused = await run("campaigns", *step)
        assert refused.returncode == 1
        assert "It can't go out like this: Nobody would get this" in refused.stderr
    assert smtp.messages == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[[blocks]]", "[[blocks"),
        ('"rich_text"', '"poem"'),
        ('["secure-communities"]', '["nowhere"]'),
        ("[audience]", "[audience]\nages = 3"),
        ('"The October campaign"', '"x"\nfrom_address = "nobody"'),
    ],
)
async def test_a_wrong_document_leaves_nothing_behind(
    ground: Ground, run: Run, tmp_path: Path, old: str, new: str
) -> None:
    await people.topic(ground)
    assert old in DOCUMENT
    (tmp_path / "bulletin.toml").write_text(DOCUMENT.replace(old, new))
    done = await run("campaigns", "create", "bulletin.toml")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert json.loads((await run("campaigns", "list", "--json")).stdout) == []


async def test_returned_mail_is_read_and_acted_on_once(
    ground: Ground, smtp: Catcher, run: Run, tmp_path: Path
) -> None:
    await people.subscribed(ground, "ana@example.org")
    campaign, _ = await campaigning.started(ground)
    await worker.run_until_idle(ground)
    sender = smtp.messages[0].mail_from
    (tmp_path / "dead.eml").write_text(bounce(sender))
    (tmp_path / "news.eml").write_text("From: a@example.org\nSubject: Hello\n\nHello!\n")
    done = await run("bounces", "classify", "dead.eml", "news.eml")
    dead, news = map(json.loads, done.stdout.splitlines())
    assert dead == {
        "file": "dead.eml",
        "kind": "hard",
        "recipients": [
            {
                "address": "ana@example.org",
                "kind": "hard",
                "status": "5.1.1",
                "reason": "user-unknown",
            }
        ],
        "reply_code": 550,
    }
    assert (news["kind"], news["recipients"]) == ("none", [])
    first = json.loads((await run("bounces", "ingest", "dead.eml")).stdout)
    second = json.loads((await run("bounces", "ingest", "dead.eml")).stdout)
    assert (first["is_ours"], first["is_new"], second["is_new"]) == (True, True, False)
    found = await report(run, str(campaign.id))
    assert found["bounced"] == {"hard": 1, "soft": 0, "block": 0}
    assert (await run("bounces", "classify", "missing.eml")).returncode == 2


def bounce(sender: str) -> str:
    """A report that says that ana's mailbox does not exist."""
    return (
        f"From: <>\nTo: <{sender}>\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nNo such mailbox.\n"
        "--b\nContent-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.example.org\n\n"
        "Final-Recipient: rfc822; ana@example.org\nAction: failed\nStatus: 5.1.1\n"
        "Diagnostic-Code: smtp; 550 5.1.1 no such user\n\n--b--\n"
    )


FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>City Desk</title>
<language>es-us</language>
<item><title>Reunión &lt;b&gt;pública&lt;/b&gt;</title><link>https://news.example/1</link>
<guid>one</guid><pubDate>Mon, 05 Oct 2026 10:00:00 GMT</pubDate>
<description>&lt;script&gt;alert(1)&lt;/script&gt;&lt;p&gt;Vengan.&lt;/p&gt;</description></item>
<item><title>No link</title></item>
<item><title>Wrong link</title><link>javascript:alert(1)</link></item>
<item><title>Second</title><link>https://news.example/2</link></item>
</channel></rss>"""


@asynccontextmanager
async def feed(body: str, status: int = 200) -> AsyncIterator[str]:
    """The address of a page that answers so."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=body, status=status, content_type="application/rss+xml")

    application = web.Application()
    application.router.add_get("/feed.xml", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/feed.xml"
    finally:
        await runner.cleanup()


async def with_issue(ground: Ground) -> None:
    """An issue to write about."""
    draft = IssueDraft(texts={"en": {"title": "Clean water", "summary": ""}}, is_published=True)
    await issues.create(ground, actor=COMMAND, slug="clean-water", draft=draft)


async def test_a_feed_becomes_drafts_once(ground: Ground, run: Run) -> None:
    await with_issue(ground)
    async with feed(FEED) as url:
        fetching = ("developments", "fetch", "--issue", "clean-water", "--feed", url, "--json")
        first = json.loads((await run(*fetching)).stdout)
        second = json.loads((await run(*fetching)).stdout)
    assert first == {"title": "City Desk", "added": 2, "known": 0, "skipped": 2}
    assert (second["added"], second["known"]) == (0, 2)
    listed = await run("developments", "list", "--issue", "clean-water", "--json")
    rows = {each["headline"]: each for each in json.loads(listed.stdout)}
    assert set(rows) == {"Reunión pública", "Second"}
    row = rows["Reunión pública"]
    assert (row["day"], row["published"]) == ("2026-10-05", False)
    assert row["texts"] == {"es": {"headline": "Reunión pública", "summary": "<p>Vengan.</p>"}}


async def test_what_is_no_feed_is_said(ground: Ground, run: Run) -> None:
    await with_issue(ground)
    fetching = ("developments", "fetch", "--issue", "clean-water", "--feed")
    async with feed("<html>Hello</html>") as url:
        assert (await run(*fetching, url)).returncode == 1
    async with feed(FEED, status=500) as url:
        assert "answers with 500" in (await run(*fetching, url)).stderr
    assert (await run(*fetching, "http://127.0.0.1:9/feed.xml")).returncode == 1
    assert (await run(*fetching, "file:///etc/passwd")).returncode == 2


async def test_a_development_is_written_in_two_languages(ground: Ground, run: Run) -> None:
    await with_issue(ground)
    adding = ("developments", "add", "--issue", "clean-water", "--on", "2026-10-05")
    words = ("--headline", "A meeting", "--headline", "es=Una reunión", "--publish")
    done = await run(*adding, *words, "--kind", "public-meeting")
    assert done.returncode == 0, done.stderr
    listed = await run("developments", "list", "--issue", "clean-water", "--json")
    [row] = json.loads(listed.stdout)
    assert (row["id"], row["published"]) == (int(done.stdout), True)
    assert {code: text["headline"] for code, text in row["texts"].items()} == {
        "en": "A meeting",
        "es": "Una reunión",
    }
    twice = await run(*adding, "--headline", "One", "--headline", "Two")
    assert twice.returncode == 2
    assert (await run("developments", "list", "--issue", "nowhere")).returncode == 2


async def test_series_are_listed_and_their_next_dates_tried_out(ground: Ground, run: Run) -> None:
    await newsroom.issue(ground)
    await editions.made(ground, rule={**editions.RULE, "starts_on": "2040-01-01"})
    (kept,) = json.loads((await run("series", "list", "--json")).stdout)
    assert (kept["name"], kept["next_on"]) == ("Neighbors", "2040-01-05")
    ahead = json.loads((await run("series", "next", "1", "--count", "3", "--json")).stdout)
    assert [each["day"] for each in ahead["dates"]] == ["2040-01-05", "2040-01-19", "2040-02-02"]
    assert "2040-02-02" in (await run("series", "next", "1")).stdout
    assert json.loads((await run("series", "runs", "1", "--json")).stdout) == []
    assert (await run("series", "next", "7")).returncode == 2
    assert (await run("series", "delete", "1", "--reason", "It is over.")).returncode == 0
    assert (await series.listed(ground)).items == []


async def test_a_welcome_is_shown_and_switched(ground: Ground, run: Run) -> None:
    issue = await newsroom.issue(ground)
    draft = welcome.StepDraft(kind=StepKind.EXPLAINER, object_id=issue.id, days=1)
    await welcome.add_step(
        ground, actor=COMMAND, topic="secure-communities", version=0, draft=draft
    )
    switched = await run("welcome", "switch", "secure-communities", "--language", "en")
    assert switched.returncode == 0, switched.stderr
    told = json.loads((await run("welcome", "show", "secure-communities", "--json")).stdout)
    assert list(told["on_since"]) == ["en"]
    assert [(each["name"], each["sent"]) for each in told["steps"]] == [("Secure Communities", 0)]
    assert (await run("welcome", "show", "nowhere")).returncode == 2
