"""The doctor: what it finds well and not, against real servers, and what it leaves untouched."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from dns.asyncresolver import Resolver

from delivery import dkim, signing_keys
from delivery.arriving.names import Names
from foundation import audit
from foundation.clock import Clock, SystemClock
from foundation.config import Settings
from foundation.findings import Finding, Record, Tone
from foundation.ground import Ground
from handbill import doctor
from tests.handbill.test_cli import handbill
from tests.world import names
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher

DOMAIN = "coalition.org"
WELL = {
    (DOMAIN, "TXT"): ['"google-site-verification=x"', '"v=spf1 mx " "-all"'],
    (DOMAIN, "A"): ["198.51.100.8"],
    (f"_dmarc.{DOMAIN}", "TXT"): [f'"v=DMARC1; p=none; rua=mailto:reports@{DOMAIN}"'],
    (DOMAIN, "MX"): [f"10 mail.{DOMAIN}."],
    (f"mail.{DOMAIN}", "A"): ["198.51.100.7"],
}
BARE = {(DOMAIN, "A"): ["198.51.100.8"]}
SECTIONS = {
    "site": {"url": "https://coalition.org"},
    "mail": {"from_address": f"news@{DOMAIN}"},
}
well_set = pytest.mark.settings(**SECTIONS)


async def found(
    ground: Ground, resolver: Resolver | None = None, *, clock: Clock | None = None
) -> dict[str, Finding]:
    """Every finding by its code."""
    return await found_for(ground.settings, resolver, clock=clock or ground.clock)


async def found_for(
    settings: Settings, resolver: Resolver | None, *, clock: Clock
) -> dict[str, Finding]:
    """The same; of several with one code, the worst."""
    names = Names(resolver) if resolver is not None else None
    lines = [each.finding async for each in doctor.examine(settings, clock=clock, names=names)]
    order = [Tone.GOOD, Tone.NEUTRAL, Tone.WARN, Tone.BAD]
    return {each.code: each for each in sorted(lines, key=lambda each: order.index(each.tone))}


def bad(findings: dict[str, Finding]) -> set[str]:
    """What is not well; each of it with what to do."""
    assert all(each.advice for each in findings.values() if each.is_bad)
    return {code for code, each in findings.items() if each.is_bad}


@pytest.mark.storage
@well_set
async def test_all_is_green_where_all_is_well(ground: Ground, smtp: Catcher) -> None:
    async with names.serving(WELL) as resolver:
        findings = await found(ground, resolver, clock=SystemClock())
    assert bad(findings) == set()
    assert set(findings) >= {
        "configuration", "key", "journal", "disk", "database", "clock", "relay", "spf", "dmarc",
        "mx",
    }  # fmt: skip
    assert "v=spf1 mx -all" in findings["spf"].say(ground.translator("en"))
    assert smtp.messages == []


@well_set
@pytest.mark.usefixtures("smtp")
async def test_each_missing_record_is_named_with_its_domain(ground: Ground) -> None:
    async with names.serving(BARE) as resolver:
        findings = await found(ground, resolver)
    assert bad(findings) == {"spf", "dmarc"}
    assert findings["mx"].tone is Tone.WARN
    publish = findings["dmarc"].publish
    assert publish is not None
    assert publish.name == f"_dmarc.{DOMAIN}"


@well_set
@pytest.mark.usefixtures("smtp")
async def test_two_spf_records_are_as_bad_as_none(ground: Ground) -> None:
    records = {**WELL, (DOMAIN, "TXT"): ['"v=spf1 mx -all"', '"v=spf1 a -all"']}
    async with names.serving(records) as resolver:
        assert bad(await found(ground, resolver)) == {"spf"}


@pytest.mark.settings(**{**SECTIONS, "mail": {"from_address": f"news@mail.{DOMAIN}"}})
@pytest.mark.usefixtures("smtp")
async def test_the_dmarc_record_of_the_domain_above_counts(ground: Ground) -> None:
    records = {**WELL, (f"mail.{DOMAIN}", "MX"): [f"10 mail.{DOMAIN}."]}
    async with names.serving(records) as resolver:
        assert "dmarc" not in bad(await found(ground, resolver))


@well_set
@pytest.mark.usefixtures("smtp")
async def test_a_domain_that_takes_no_mail_can_not_get_bounces(ground: Ground) -> None:
    async with names.serving({**WELL, (DOMAIN, "MX"): ["0 ."]}) as resolver:
        assert bad(await found(ground, resolver)) == {"mx"}


@well_set
@pytest.mark.usefixtures("smtp")
async def test_no_name_server_says_nothing_about_the_domain(ground: Ground) -> None:
    assert bad(await found(ground)) == {"dns"}


def signing(ground: Ground, folder: Path) -> tuple[Settings, dict[str, str]]:
    """Settings with new keys, and the records that they need."""
    named = [
        f"{key.selector}={path}" for key, path in signing_keys.create(folder / "dkim", "autumn")
    ]
    mail = ground.settings.mail.model_copy(update={"dkim_keys": named})
    settings = ground.settings.model_copy(update={"mail": mail})
    return settings, dict(dkim.records(settings))


@well_set
@pytest.mark.usefixtures("smtp")
async def test_keys_that_are_published_are_green_and_others_red_with_their_record(
    ground: Ground, tmp_path: Path
) -> None:
    settings, records = signing(ground, tmp_path)
    (rsa, record), (ed25519, _) = records.items()
    parts = f'"{record[:200]}" "{record[200:]}"'
    async with names.serving({**WELL, (rsa, "TXT"): [parts]}) as resolver:
        findings = [
            each.finding
            async for each in doctor.examine(settings, clock=ground.clock, names=Names(resolver))
            if each.finding.code == "dkim"
        ]
    assert [each.tone for each in findings] == [Tone.GOOD, Tone.BAD]
    assert findings[1].publish == Record(name=ed25519, kind="TXT", content=records[ed25519])


@well_set
@pytest.mark.usefixtures("smtp")
async def test_a_key_that_can_not_be_read_is_red(ground: Ground) -> None:
    mail = ground.settings.mail.model_copy(update={"dkim_keys": ["autumn=/nowhere/autumn.pem"]})
    settings = ground.settings.model_copy(update={"mail": mail})
    async with names.serving(WELL) as resolver:
        findings = await found_for(settings, resolver, clock=ground.clock)
    assert bad(findings) == {"dkim"}
    assert "/nowhere/autumn.pem" in findings["dkim"].say(ground.translator("en"))


@well_set
async def test_a_relay_that_does_not_answer_is_red_in_its_own_words(ground: Ground) -> None:
    async with names.serving(WELL) as resolver:
        findings = await found(ground, resolver)
    assert bad(findings) == {"relay"}
    assert "127.0.0.1:9" in findings["relay"].say(ground.translator("en"))


@well_set
@pytest.mark.usefixtures("smtp")
async def test_a_journal_that_can_not_be_written_is_red(ground: Ground, tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("in the way")
    async with names.serving(WELL) as resolver:
        assert "journal" in bad(await found(ground, resolver))


@well_set
@pytest.mark.usefixtures("smtp")
async def test_a_clock_behind_what_was_written_is_red(ground: Ground, clock: FakeClock) -> None:
    async with ground.db.transaction() as session:
        audit.record(
            session,
            actor=audit.COMMAND,
            at=clock.now() + timedelta(hours=1),
            action="staff.added",
            object_kind="staff",
            object_id=1,
        )
    async with names.serving(WELL) as resolver:
        assert bad(await found(ground, resolver)) == {"clock"}


@pytest.mark.settings(arriving={"name_servers": []})
async def test_what_is_set_for_nobody_to_reach_is_red(ground: Ground) -> None:
    assert {"site", "from"} <= bad(await found(ground))


def test_the_command_says_what_to_do_and_changes_nothing(tmp_path: Path) -> None:
    done = handbill(tmp_path, "doctor", "--json", HANDBILL_RELAY__PORT="9")
    assert done.returncode == 1, done.stderr
    red = {each["code"]: each["advice"] for each in json.loads(done.stdout) if not each["is_good"]}
    assert {"key", "database", "relay"} <= set(red)
    assert all(red.values())
    assert not list(tmp_path.rglob("*.db"))
    assert not list(tmp_path.rglob("*.key"))
    assert not list(tmp_path.rglob("*.journal"))


def test_a_wrong_configuration_is_the_first_thing_said(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("[server]\nprot = 1\n")
    done = handbill(tmp_path, "doctor", "--config", "other.toml")
    assert done.returncode == 1
    assert "other.toml, line 2" in done.stdout
    assert "Traceback" not in done.stderr
