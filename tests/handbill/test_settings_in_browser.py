"""Owners change settings in the browser; every process takes them, and the file comes first."""

import re
from pathlib import Path

import pytest
from sqlmodel import col, select

from foundation import changeable, changing, config
from foundation.accounts.models import Role
from foundation.audit import AuditEntry
from foundation.changing import SettingValue
from foundation.config import Origin, Settings
from foundation.ground import Ground
from foundation.relaying import DOMAIN_LIMITS, Relay
from tests.world import grounds
from tests.world.clock import FakeClock
from tests.world.web import Answer, Web

RELAY_NUMBERS = ("connections", "messages_per_connection")


def typed(page: Answer, group: str, **changed: str) -> dict[str, str]:
    """What a browser would send of a group's form, but for what is changed."""
    form = page.text.partition(f'action="/staff/settings/{group}"')[2].partition("</form>")[0]
    fields = dict(
        re.findall(r'<input id="[^"]*" name="([a-z_.]+)" type="text" value="([^"]*)"', form)
    )
    for box in re.findall(r"<textarea[^>]*name=\"([a-z_.]+)\"", form):
        fields[box] = ""
    wanted = {name.replace("__", "."): value for name, value in changed.items()}
    assert fields.keys() >= wanted.keys()
    return {"version": page.field("version"), **fields, **wanted}


@pytest.mark.storage
async def test_a_change_counts_in_every_process_and_is_in_the_log(
    web: Web, ground: Ground, settings: Settings, clock: FakeClock
) -> None:
    owner = await web.as_staff(Role.OWNER)
    page = await owner.get("/staff/settings")
    sent = typed(
        page, "sending", release__alert_minutes="90", release__tell="a@b.example c@d.example"
    )
    async with grounds.standing(settings.model_copy(deep=True), clock) as node:
        assert node.settings.release.alert_minutes == 15
        assert (await owner.post("/staff/settings/sending", sent)).status == 303
        assert ground.settings.release.alert_minutes == 90
        assert await changing.refresh(node)
        assert not await changing.refresh(node)
        assert node.settings.release.alert_minutes == 90
        assert node.settings.release.tell == ["a@b.example", "c@d.example"]
        assert node.settings.release.approvers == 1
        async with ground.db.reading() as session:
            statement = select(AuditEntry).where(col(AuditEntry.action) == "settings.changed")
            entry = (await session.exec(statement)).one()
        assert (entry.before["release.alert_minutes"], entry.after["release.alert_minutes"]) == (
            15,
            90,
        )
        # Whoever saw the page before is told; the default counts again when it is typed.
        assert (
            await owner.post("/staff/settings/sending", {**sent, "release.alert_minutes": "5"})
        ).status == 409
        back = typed(await owner.get("/staff/settings"), "sending", release__alert_minutes="15")
        assert (await owner.post("/staff/settings/sending", back)).status == 303
        assert await changing.refresh(node)
        assert node.settings.release == settings.given("release")


async def test_what_cannot_be_is_refused_by_field_and_only_owners_change(web: Web) -> None:
    owner, editor = await web.as_staff(Role.OWNER), await web.as_staff(Role.EDITOR)
    page = await owner.get("/staff/settings")
    for wrong in ("9999", "soon", "-1", ""):
        answer = await owner.post(
            "/staff/settings/sending", typed(page, "sending", release__alert_minutes=wrong)
        )
        assert answer.status == 422, wrong
        assert "Type a number from 1 to 240." in answer.text
    answer = await owner.post("/staff/settings/site", typed(page, "site", mail__reply_to="nobody"))
    assert (answer.status, "This is no e-mail address" in answer.text) == (422, True)
    assert (await owner.post("/staff/settings/keys", {"version": "0"})).status == 404
    assert (await editor.post("/staff/settings/sending", {})).status == 403
    assert 'action="/staff/settings/' not in (await editor.get("/staff/settings")).text
    # The site of these tests has its name from the file.
    assert "Fixed in config.toml" in page.text
    forged = {**typed(page, "site", mail__from_name="Us"), "site.name": "Forged"}
    assert (await owner.post("/staff/settings/site", forged)).status == 303
    settings = web.ground.settings
    assert (settings.site.name, settings.from_name) == ("Bay State Coalition", "Us")
    async with web.ground.db.reading() as session:
        kept = (await session.exec(select(SettingValue).order_by(col(SettingValue.id)))).all()
    assert [(row.key, row.value) for row in kept] == [("from_name", {"value": "Us"})]
    assert grounds.KEY not in (await owner.get("/staff/settings")).text


async def test_a_role_chosen_there_needs_a_second_step_at_once(web: Web) -> None:
    owner, viewer = await web.as_staff(Role.OWNER), await web.as_staff(Role.VIEWER)
    page = await owner.get("/staff/settings")
    sent = {**typed(page, "signing-in"), "security.second_step_roles": "viewer"}
    assert (await owner.post("/staff/settings/signing-in", sent)).status == 303
    assert (await viewer.get("/staff/bulletins")).location == "/staff/account"
    assert (await owner.get("/staff/bulletins")).status == 200


async def test_an_owner_says_how_fast_a_relay_may_send_unless_the_file_does(
    web: Web, ground: Ground, settings: Settings, clock: FakeClock
) -> None:
    owner = await web.as_staff(Role.OWNER)
    page = await owner.get("/staff/settings")
    assert "Most that the relay “relay” gets" in page.text
    shown = {
        "version": page.field("version"),
        "relay:relay.connections": "4",
        "relay:relay.messages_per_connection": "1000",
    }
    sent = shown | {"relay:relay.rates": "600/h\n20/s", "relay:relay.warmup": "50, 100\n500"}
    sent["relay:relay.connections"] = "2"
    for key, value in (("rates", "600 an hour"), ("warmup", "many"), ("connections", "0")):
        wrong = {**sent, f"relay:relay.{key}": value}
        assert (await owner.post("/staff/settings/relays", wrong)).status == 422, key
    async with grounds.standing(settings.model_copy(deep=True), clock) as node:
        before = node.settings.relay[0]
        assert (await owner.post("/staff/settings/relays", sent)).status == 303
        assert await changing.refresh(node)
        wanted = {"rates": ["600/h", "20/s"], "warmup": [50, 100, 500], "connections": 2}
        assert node.settings.relay[0] == before.model_copy(update=wanted)
        assert not await changing.refresh(node)
        back = {**shown, "version": (await owner.get("/staff/settings")).field("version")}
        assert (await owner.post("/staff/settings/relays", back)).status == 303
        assert await changing.refresh(node)
        assert node.settings.relay == [before]
    # What the file says about a relay is not changed here.
    fixed = Relay(name="other", rates=["5/s"])
    ground.settings.relay.append(fixed)
    assert (
        "Fixed in config.toml"
        in (await owner.get("/staff/settings"))
        .text.partition("Most that the relay “other” gets")[2]
        .partition("</form>")[0]
    )
    forged = {**sent, **back, "relay:other.rates": "", "version": "2"}
    forged |= {f"relay:other.{key}": forged[f"relay:relay.{key}"] for key in RELAY_NUMBERS}
    assert (await owner.post("/staff/settings/relays", forged)).status == 303
    assert ground.settings.relay[1] == fixed


async def test_an_owner_says_how_fast_mail_goes_to_a_large_provider(web: Web) -> None:
    owner = await web.as_staff(Role.OWNER)
    page = await owner.get("/staff/settings")
    settings = web.ground.settings
    sent = {
        f"host:{limit.name}.{key}": value
        for limit in settings.domain_limit
        for key, value in (("rates", ""), ("connections", "0"), ("back_off", "1"))
    } | {"version": page.field("version")}
    assert (await owner.post("/staff/settings/hosts", sent)).location == "/staff/settings#hosts"
    assert settings.domain_limit == list(DOMAIN_LIMITS)
    changed = {"host:gmail.rates": "20/s", "host:gmail.connections": "3", "host:yahoo.back_off": ""}
    assert (await owner.post("/staff/settings/hosts", sent | changed)).status == 303
    gmail, microsoft, yahoo, _ = settings.domain_limit
    assert (gmail.rates, gmail.connections, gmail.back_off) == (["20/s"], 3, True)
    assert gmail.domains == DOMAIN_LIMITS[0].domains
    assert (microsoft, yahoo.back_off) == (DOMAIN_LIMITS[1], False)


def test_a_file_that_lists_defaults_decides_nothing_and_a_variable_always_does(
    tmp_path: Path,
) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[release]\nundo_s = 30\napprovers = 2\n", encoding="utf-8")
    found = config.load(file, {"HANDBILL_RELEASE__ALERT_MINUTES": "15"})
    assert found.fixed_by("release", "undo_s") is None
    assert found.fixed_by("release", "approvers") is Origin.FILE
    assert found.fixed_by("release", "alert_minutes") is Origin.ENVIRONMENT
    assert found.variable("release", "alert_minutes") == "HANDBILL_RELEASE__ALERT_MINUTES"


def test_no_secret_is_offered() -> None:
    settings = Settings()
    offered = {offer.name for group in changeable.groups(settings) for offer in group.offers}
    assert not [name for name in offered if re.search(r"secret|_key|password$|token|url", name)]
    for name in offered:
        section, _, key = name.partition(".")
        assert key in type(settings.given(section)).model_fields
