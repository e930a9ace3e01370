"""A whole look: everything at once, whatever does not answer is said so, and all is kept."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from campaigns import senders
from delivery import dkim, signing_keys
from delivery.arriving import bulk_rules, headers, known, look, looks, mx
from delivery.arriving.known import Known
from delivery.arriving.models import ArrivingLook
from delivery.arriving.names import Names
from delivery.arriving.questions import Answers, Question
from foundation.arriving import Arriving
from foundation.config import Settings
from foundation.findings import Finding, Share, Tone
from foundation.ground import Ground
from foundation.sections import Mail
from scheduler import scheduler
from tests.delivery.arriving import zones
from tests.delivery.arriving.zones import DOMAIN, SENDING, Zone, said, txt
from tests.world import campaigning, grounds, mailing, names, people
from tests.world.clock import FakeClock
from tests.world.names import Fault
from tests.world.smtp import Catcher

ZONE: Zone = {
    (DOMAIN, "TXT"): txt("v=spf1 mx -all"),
    (DOMAIN, "A"): ["198.51.100.8"],
    (DOMAIN, "MX"): [f"10 mail.{DOMAIN}."],
    (f"mail.{DOMAIN}", "A"): [SENDING],
    ("7.100.51.198.in-addr.arpa", "PTR"): [f"mail.{DOMAIN}."],
    (f"_dmarc.{DOMAIN}", "TXT"): txt(f"v=DMARC1; p=none; rua=mailto:reports@{DOMAIN}"),
}


@asynccontextmanager
async def living(
    settings: Settings,
    clock: FakeClock,
    folder: Path,
    *,
    zone: Zone | None = None,
    faults: Mapping[str, Fault] | None = None,
    **arriving: object,
) -> AsyncIterator[Ground]:
    """A site that signs its mail, in a world where all is well unless told otherwise."""
    keys = [
        f"{key.selector}={path}" for key, path in signing_keys.create(folder / "dkim", "autumn")
    ]
    mail = Mail(from_address=f"news@{DOMAIN}", dkim_keys=keys)
    site = settings.site.model_copy(update={"url": f"https://{DOMAIN}"})
    changed = settings.model_copy(update={"mail": mail, "site": site})
    signed: Zone = {
        (name, "TXT"): [zones.strings(record)] for name, record in dkim.records(changed)
    }
    async with names.running({**ZONE, **signed, **(zone or {})}, faults) as server:
        values = {
            "name_servers": [server.place],
            "sending_addresses": [SENDING],
            "blocklists": ["lists.example"],
            **arriving,
        }
        wanted = changed.model_copy(update={"arriving": Arriving.model_validate(values)})
        async with grounds.standing(wanted, clock) as ground:
            yield ground


def lines(answers: Answers, question: Question) -> dict[str, Tone]:
    """The worst colour of each code in the answers to a question."""
    found = sorted(answers[question], key=lambda each: list(Tone).index(each.tone))
    return {each.code: each.tone for each in found}


async def test_where_all_is_well_no_line_is_red_or_amber(
    settings: Settings, clock: FakeClock, tmp_path: Path, smtp: Catcher
) -> None:
    async with living(settings, clock, tmp_path) as ground:
        answers = await looks.look_now(ground, planned=senders)
    assert lines(answers, Question.DOMAIN) == {
        "from": Tone.GOOD,
        "dmarc": Tone.GOOD,
        "alignment": Tone.GOOD,
        "spf": Tone.GOOD,
        "spf-address": Tone.GOOD,
    }
    assert lines(answers, Question.SIGNED) == {"dkim": Tone.GOOD, "one-click": Tone.GOOD}
    assert lines(answers, Question.RELAY) == {
        "relay": Tone.GOOD,
        "relay-here": Tone.GOOD,
        "ptr": Tone.GOOD,
    }
    assert lines(answers, Question.LINKS) == {"site": Tone.GOOD}
    assert lines(answers, Question.STANDING)["blocklist"] is Tone.GOOD
    assert lines(answers, Question.RETURNS) == {
        "mx": Tone.GOOD,
        "mta-sts": Tone.NEUTRAL,
        "tls-rpt": Tone.NEUTRAL,
        "returns": Tone.WARN,
    }
    judged = {each.rule.msgid: each.tone for each in bulk_rules.judge(flat(answers))}
    assert set(judged.values()) == {Tone.GOOD, Tone.NEUTRAL}
    assert [rule for rule, tone in judged.items() if tone is Tone.NEUTRAL] == [
        "Mail is handed over under TLS.",
        "Fewer than 0.3 %% of readers call it spam.",
    ]
    assert not smtp.messages


def flat(answers: Answers) -> list[Finding]:
    """Every line."""
    return [each for found in answers.values() for each in found]


async def test_one_silent_name_is_said_and_keeps_nothing_else_back(
    settings: Settings, clock: FakeClock, tmp_path: Path, smtp: Catcher
) -> None:
    faults = {f"_dmarc.{DOMAIN}": Fault.SERVFAIL, DOMAIN: Fault.SERVFAIL}
    async with living(settings, clock, tmp_path, faults=faults) as ground:
        answers = await looks.look_now(ground, planned=None)
    assert smtp.port
    assert lines(answers, Question.DOMAIN) == {"dns": Tone.BAD}
    assert lines(answers, Question.SIGNED)["dkim"] is Tone.GOOD
    assert lines(answers, Question.RELAY)["ptr"] is Tone.GOOD
    assert "DNSSEC" in said(answers[Question.DOMAIN])


async def test_a_relay_that_says_nothing_takes_no_longer_than_allowed(
    settings: Settings, clock: FakeClock, tmp_path: Path
) -> None:
    is_over = asyncio.Event()

    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await is_over.wait()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        relay = settings.relay[0].model_copy(update={"port": port, "timeout_s": 60.0})
        slow = settings.model_copy(update={"relay": [relay]})
        async with living(slow, clock, tmp_path, look_timeout_s=2) as ground:
            answers = await looks.look_now(ground, planned=None)
        is_over.set()
    assert lines(answers, Question.RELAY)["time"] is Tone.BAD
    assert lines(answers, Question.SIGNED)["one-click"] is Tone.GOOD


async def test_a_mistake_of_ours_in_one_check_does_not_end_the_others(
    settings: Settings,
    clock: FakeClock,
    tmp_path: Path,
    smtp: Catcher,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def break_down(*_values: object, **_named: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(mx, "examine", break_down)
    async with living(settings, clock, tmp_path) as ground:
        answers = await looks.look_now(ground, planned=None)
    assert smtp.port
    assert lines(answers, Question.RETURNS)["broken"] is Tone.BAD
    assert lines(answers, Question.SIGNED)["one-click"] is Tone.GOOD


@pytest.mark.usefixtures("smtp")
@pytest.mark.settings(arriving={"name_servers": []})
async def test_without_name_servers_the_rest_is_looked_at(ground: Ground) -> None:
    answers = await look.look(ground, names=None, known=known.from_settings(ground.settings))
    assert lines(answers, Question.DOMAIN) == {"dns": Tone.BAD, "from": Tone.BAD}
    assert lines(answers, Question.RELAY) == {"relay": Tone.GOOD, "relay-here": Tone.GOOD}


@pytest.mark.parametrize(
    ("author", "zone", "words"),
    [
        ("ines@gmail.com", {("gmail.com", "A"): ["192.0.2.1"]}, "only gmail.com itself"),
        ("ines@gone.org", {}, "nobody can look up"),
    ],
)
async def test_an_address_that_is_not_ours_to_write_from_is_red(
    ground: Ground, author: str, zone: Zone, words: str
) -> None:
    async with names.serving({**ZONE, **zone}) as resolver:
        answers = await look.look(ground, names=Names(resolver), known=Known(authors=[author]))
    found = [each for each in answers[Question.DOMAIN] if each.code == "from"]
    assert [each.tone for each in found] == [Tone.BAD]
    assert words in said(found)


@pytest.mark.parametrize(
    ("url", "tone"),
    [
        (f"https://{DOMAIN}", Tone.GOOD),
        (f"http://{DOMAIN}", Tone.BAD),
        ("https://gone.coalition.org", Tone.BAD),
    ],
)
async def test_links_have_to_lead_to_us_safely(
    settings: Settings, clock: FakeClock, tmp_path: Path, url: str, tone: Tone
) -> None:
    async with living(settings, clock, tmp_path) as ground:
        site = ground.settings.site.model_copy(update={"url": url})
        changed = ground.settings.model_copy(update={"site": site})
        async with grounds.standing(changed, clock) as other:
            answers = await looks.look_now(other, planned=None)
    assert lines(answers, Question.LINKS) == {"site": tone}
    is_https = url.startswith("https://")
    assert lines(answers, Question.SIGNED)["one-click"] is (Tone.GOOD if is_https else Tone.BAD)


async def test_a_sample_is_signed_over_both_headers_of_one_click(
    settings: Settings, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with living(settings, clock, tmp_path) as ground:
        (covered,) = headers.examine(ground, author=f"news@{DOMAIN}")
        (not_ours,) = headers.examine(ground, author="news@elsewhere.example")
        without = [name for name in dkim._SIGNED if name != "list-unsubscribe-post"]
        monkeypatch.setattr(dkim, "_SIGNED", tuple(without))
        (bare,) = headers.examine(ground, author=f"news@{DOMAIN}")
    assert [covered.tone, not_ours.tone, bare.tone] == [Tone.GOOD, Tone.NEUTRAL, Tone.BAD]


@pytest.mark.storage
async def test_who_writes_is_known_from_settings_the_past_and_the_plans(
    ground: Ground, clock: FakeClock
) -> None:
    topic = await mailing.crowd(ground, 1)
    await mailing.start(ground, topics=[topic])
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground)
    async with ground.db.transaction() as session:
        for table, address in (("dispatches", "past@x.org"), ("campaigns", "next@x.org")):
            await session.execute(
                sa.text(f"UPDATE {table} SET from_address = :address"), {"address": address}
            )
    assert campaign.id
    found = await known.read(ground, planned=senders)
    assert found.authors == ["bulletin@coalition.example", "past@x.org", "next@x.org"]
    clock.advance(days=91)
    assert "past@x.org" not in (await known.read(ground, planned=senders)).authors


@pytest.mark.storage
async def test_what_was_found_is_kept_as_it_was(ground: Ground, clock: FakeClock) -> None:
    written: Answers = {
        Question.STANDING: [
            Finding(
                code="complaints",
                tone=Tone.WARN,
                msgid="%(count)s of %(share)s since %(last)s",
                values={"count": 3, "share": Share(0.002), "last": clock.now()},
                advice="%(name)s",
            )
        ]
    }
    assert await looks.begin(ground)
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(ArrivingLook).values(
                answers=looks._written(written),
                looked_at=clock.now(),
                began_at=None,
                settings=looks.digest(ground.settings),
            )
        )
    async with ground.db.reading() as session:
        kept = await looks.latest(ground, session)
    assert kept.answers[Question.STANDING] == written[Question.STANDING]
    assert kept.is_of_now
    assert not kept.is_running
    other = ground.settings.model_copy(update={"mail": Mail(from_address="a@b.org")})
    assert looks.digest(other) != looks.digest(ground.settings)


@pytest.mark.storage
async def test_only_one_looks_at_a_time_and_whoever_is_lost_is_not_waited_for(
    ground: Ground, clock: FakeClock
) -> None:
    assert await looks.begin(ground)
    assert not await looks.begin(ground)
    async with ground.db.reading() as session:
        assert (await looks.latest(ground, session)).is_running
    clock.advance(minutes=6)
    async with ground.db.reading() as session:
        assert not (await looks.latest(ground, session)).is_running
    assert await looks.begin(ground)
    await looks.end(ground)
    assert await looks.begin(ground)


@pytest.mark.storage
async def test_a_look_is_due_by_itself_when_the_last_is_a_day_old(
    settings: Settings, clock: FakeClock, tmp_path: Path, smtp: Catcher
) -> None:
    assert smtp.port
    async with living(settings, clock, tmp_path) as ground:
        (task,) = [
            each for each in scheduler.tasks(ground) if each.name == "look whether mail arrives"
        ]
        moments = []
        for hours in (0, 23, 2):
            clock.advance(hours=hours)
            await task.act(ground)
            async with ground.db.reading() as session:
                moments.append((await looks.latest(ground, session)).looked_at)
    assert moments[0] is not None
    assert moments[1] == moments[0]
    assert moments[2] == moments[0] + timedelta(hours=25)
