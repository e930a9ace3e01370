"""The list before sending: what stops a campaign is red, and says what to do."""

import shutil
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col

from campaigns import (
    audiences,
    bulletins,
    campaign_views,
    compiling,
    documents,
    due,
    lifecycle,
    materials,
)
from campaigns.models import CampaignState
from campaigns.preflight import checklist, items
from delivery.models import Dispatch
from foundation import errors
from foundation.accounts import api_tokens
from foundation.accounts.api_tokens import Scope
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.findings import Tone
from foundation.ground import Ground
from subscribers import erasing
from subscribers.models import MemberState, SubscriptionState
from templates import compiler, typesetting
from tests.campaigns import newsroom
from tests.world import campaigning, people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher
from tests.world.web import Web


async def tones(ground: Ground, campaign_id: int) -> dict[str, Tone]:
    """Each line's tone by its code."""
    found = await checklist.check(ground, campaign_id=campaign_id)
    speaks = ground.translator("es")
    assert all(item.say(speaks) for item in found)
    return {item.code: item.tone for item in found}


@pytest.mark.storage
async def test_a_good_campaign_is_green_all_through(ground: Ground) -> None:
    await people.subscribed(ground, first_name="Ana")
    campaign = await campaigning.approved(ground, links=())
    found = await tones(ground, campaign.id)
    assert {code for code, tone in found.items() if tone is not Tone.GOOD} == {"spam"}
    assert found["spam"] is Tone.NEUTRAL, "nobody has asked it"
    assert items.is_clear(await checklist.check(ground, campaign_id=campaign.id))


@pytest.mark.settings(site={"postal_address": ""}, mail={"from_address": "x@here.localdomain"})
async def test_what_the_law_and_servers_ask_for_is_looked_at(ground: Ground) -> None:
    campaign = await campaigning.draft(ground)
    found = await tones(ground, campaign.id)
    assert found["postal-address"] is Tone.BAD
    assert found["from"] is Tone.WARN
    assert found["audience"] is Tone.BAD


async def test_a_change_after_approval_is_red(ground: Ground) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground)
    await bulletins.save(
        ground,
        actor=COMMAND,
        bulletin_id=campaign.bulletin_id,
        version=1,
        document=campaigning.document("Other"),
    )
    assert (await tones(ground, campaign.id))["approval"] is Tone.BAD


async def test_a_relay_that_is_away_is_said(
    ground: Ground, deliver: Callable[[], Awaitable[None]]
) -> None:
    await people.subscribed(ground)
    campaign, _ = await campaigning.started(ground)
    await deliver()  # nothing listens at the relay's port in this test
    assert (await tones(ground, campaign.id))["relay"] is Tone.WARN


NO_ADDRESS = pytest.mark.settings(site={"postal_address": ""})


@NO_ADDRESS
@pytest.mark.storage
async def test_nothing_red_is_scheduled_or_started_and_every_red_item_is_named(
    ground: Ground,
) -> None:
    campaign = await campaigning.approved(ground)
    for step in (
        lifecycle.start(ground, actor=COMMAND, campaign_id=campaign.id),
        lifecycle.schedule(
            ground, actor=COMMAND, campaign_id=campaign.id, at="2026-12-01T09:00", zone="UTC"
        ),
    ):
        with pytest.raises(errors.Refused) as caught:
            await step
        for said in (str(caught.value), caught.value.say(ground.translator("en"))):
            assert "no postal address" in said
            assert "Nobody would get this" in said
        assert "Falta la dirección postal" in caught.value.say(ground.translator("es"))
    assert await campaigning.state(ground, campaign.id) == CampaignState.APPROVED
    async with ground.db.reading() as session:
        assert await session.scalar(sa.select(sa.func.count(col(Dispatch.id)))) == 0


@NO_ADDRESS
async def test_an_owner_can_not_send_past_the_list_either(ground: Ground, web: Web) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground)
    owner = await web.as_staff(Role.OWNER)
    here = f"/staff/campaigns/{campaign.id}"
    _, _, form = (await owner.get(f"{here}/start")).text.partition(f'action="{here}/start"')
    asked, _, _ = form.partition("</form>")
    assert "It can be sent when nothing on the list stops it any more." in asked
    assert 'type="submit"' not in asked
    timing = {"at": "2026-12-01T09:00", "zone": "UTC"}
    for path, typed in ((f"{here}/start", {}), (f"{here}/schedule", timing)):
        told = await owner.post(f"{path}?lang=es", typed)
        assert told.status == 409
        assert "No puede salir así: Falta la dirección postal" in told.text
    assert await campaigning.state(ground, campaign.id) == CampaignState.APPROVED


@NO_ADDRESS
async def test_programs_are_refused_with_the_red_items(ground: Ground, web: Web) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground)
    token = await api_tokens.create(
        ground, actor=COMMAND, name="Sender", scopes=frozenset({Scope.CAMPAIGNS})
    )
    headers = {"Authorization": f"Bearer {token}"}
    one = f"/api/v1/campaigns/{campaign.id}"
    timing = {"at": "2026-12-01T09:00", "zone": "UTC"}
    for path, body in ((f"{one}/start", {}), (f"{one}/schedule", timing)):
        told = await web.request("POST", path, headers=headers, json=body)
        assert told.status == 409
        assert told.headers["Content-Type"].startswith("application/problem+json")
        assert "no postal address" in told.json()["detail"]


async def test_what_stopped_a_due_campaign_is_said_in_each_readers_language(
    ground: Ground,
    web: Web,
    clock: FakeClock,
    smtp: Catcher,
    deliver: Callable[[], Awaitable[None]],
) -> None:
    person = await people.subscribed(ground)
    campaign = await campaigning.approved(ground)
    await lifecycle.schedule(
        ground, actor=COMMAND, campaign_id=campaign.id, at="2026-11-03T09:00", zone="UTC"
    )
    await erasing.erase(ground, subscriber_id=person.id, via="staff", actor=COMMAND)
    clock.set(datetime(2026, 11, 3, 9, 1, tzinfo=UTC))
    owner = await web.as_staff(Role.OWNER)
    assert await due.start_due(ground) == []
    view = await campaign_views.show(ground, campaign_id=campaign.id)
    assert view.campaign.state == CampaignState.APPROVED
    english = "Nobody would get this: choose topics that people are on."
    spanish = "Nadie lo recibiría: elija temas a los que haya personas suscritas."
    for path in ("/staff", "/staff/campaigns", f"/staff/campaigns/{campaign.id}"):
        assert english in (await owner.get(f"{path}?lang=en")).text
        page = (await owner.get(f"{path}?lang=es")).text
        assert f"No puede salir así: {spanish}" in page
        assert f"like this: {english}" not in page
    await deliver()
    assert english in " ".join(smtp.messages[-1].text.replace("> ", "").split())
    await lifecycle.send_back(ground, actor=COMMAND, campaign_id=campaign.id, reason="my words")
    page = (await owner.get(f"/staff/campaigns/{campaign.id}?lang=es")).text
    assert "my words" in page
    assert "No puede salir así" not in page


async def test_a_broken_template_is_named_with_file_and_line_and_stops_the_campaign(
    ground: Ground, web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground)
    folder = tmp_path / "mail"
    shutil.copytree(typesetting.MAIL, folder)
    source = (folder / "bulletin.mjml").read_text(encoding="utf-8")
    (folder / "bulletin.mjml").write_text(f"{source}\n{{% if %}}", encoding="utf-8")
    line = source.count("\n") + 2
    with monkeypatch.context() as broken:
        defaults = compiler.compile_edition.__kwdefaults__ or {}
        broken.setitem(defaults, "folder", folder)
        compiling._plan_of.cache_clear()  # a site's own templates do not change as it runs
        with pytest.raises(errors.Refused, match=rf"mail/bulletin\.mjml, line {line}: "):
            await lifecycle.start(ground, actor=COMMAND, campaign_id=campaign.id)
        editor = await web.as_staff(Role.EDITOR)
        told = await editor.post(f"/staff/campaigns/{campaign.id}/start")
        assert told.status == 409
        assert f"mail/bulletin.mjml, line {line}" in told.text
    assert await campaigning.state(ground, campaign.id) == CampaignState.APPROVED
    await lifecycle.start(ground, actor=COMMAND, campaign_id=campaign.id)


async def test_a_bulletin_without_any_edition_is_never_sent(ground: Ground) -> None:
    await people.subscribed(ground)
    made = await bulletins.create(ground, actor=COMMAND, document=campaigning.document())
    await bulletins.save(
        ground,
        actor=COMMAND,
        bulletin_id=made.id,
        version=1,
        document=campaigning.document().model_copy(update={"editions": {}}),
    )
    audience = audiences.Audience(topics=["secure-communities"])
    campaign = await lifecycle.create(
        ground, actor=COMMAND, bulletin_id=made.id, name="Empty", audience=audience
    )
    with pytest.raises(errors.Refused, match="no edition in any language yet"):
        await lifecycle.approve(ground, actor=COMMAND, campaign_id=campaign.id)
    assert (await tones(ground, campaign.id))["no-edition"] is Tone.BAD


async def test_a_handout_without_a_file_in_a_language_is_amber(ground: Ground) -> None:
    issue = await newsroom.issue(ground)
    handout = await newsroom.handout(ground, issue, languages=("en",))
    block = {"kind": "material", "material": "intake-form"}
    campaign = await campaigning.of_blocks(ground, campaigning.document(), block)
    found = await checklist.check(ground, campaign_id=campaign.id)
    (missing,) = [each for each in found if each.code == "handout-without-language"]
    assert missing.tone is Tone.WARN
    assert missing.say(ground.translator("en")) == (
        "The handout “The intake form” has no file in Spanish: readers get another."
    )
    await materials.put_file(
        ground,
        actor=COMMAND,
        material_id=handout.id,
        language="es",
        file_name="ficha.pdf",
        content=newsroom.PDF,
    )
    assert (await tones(ground, campaign.id))["handouts"] is Tone.GOOD


async def test_a_missing_edition_is_said_and_its_readers_get_the_other(
    ground: Ground, smtp: Catcher, deliver: Callable[[], Awaitable[None]]
) -> None:
    await people.subscribed(ground, language="es")
    made = await bulletins.create(
        ground, actor=COMMAND, document=campaigning.document(languages=["en"])
    )
    audience = audiences.Audience(topics=["secure-communities"])
    campaign = await lifecycle.create(
        ground, actor=COMMAND, bulletin_id=made.id, name="One", audience=audience
    )
    assert (await tones(ground, campaign.id))["missing-edition"] is Tone.WARN
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=campaign.id)
    await lifecycle.start(ground, actor=COMMAND, campaign_id=campaign.id)
    await deliver()
    assert [each.parsed["Subject"] for each in smtp.messages] == ["News (en)"]


async def for_some(ground: Ground, *blocks: dict[str, Any]) -> int:
    """A campaign whose blocks are for some; its number."""
    await people.topic(ground)
    document = campaigning.document()
    texts = {code: {"html": f"<p>{code}</p>"} for code in ("en", "es")}
    values = documents.dump(document) | {
        "blocks": [{"kind": "rich_text", "texts": texts, **block} for block in blocks]
    }
    bulletin = await bulletins.create(ground, actor=COMMAND, document=documents.parse(values))
    campaign = await lifecycle.create(
        ground,
        actor=COMMAND,
        bulletin_id=bulletin.id,
        name="Some",
        audience=audiences.Audience(topics=["secure-communities"]),
    )
    return campaign.id


async def said(ground: Ground, campaign_id: int, code: str) -> list[tuple[Tone, str]]:
    speaks = ground.translator("en")
    found = await checklist.check(ground, campaign_id=campaign_id)
    return [(each.tone, each.say(speaks)) for each in found if each.code == code]


@pytest.mark.storage
async def test_the_list_says_how_many_see_each_block_that_is_not_for_all(ground: Ground) -> None:
    await people.subscribed(ground, "a@example.org", town="Worcester")
    await people.subscribed(ground, "b@example.org", town="WORCESTER", language="es")
    await people.subscribed(ground, "c@example.org", postal_code="02134")
    await people.subscribed(
        ground, "u@example.org", town="Worcester", state=SubscriptionState.UNSUBSCRIBED
    )
    number = await for_some(
        ground,
        {},
        {"only_to": {"towns": ["worcester"]}},
        {"only_to": {"members": True}},
        {"all_but": {"members": True}},
        {"all_but": {"towns": ["Worcester"], "postal_codes": ["021"]}},
    )
    assert await said(ground, number, "section") == [
        (Tone.WARN, "Nobody would see block 3: look at whom it is for."),
        (Tone.WARN, "Block 4 is for some people only, but all would see it."),
        (Tone.WARN, "Nobody would see block 5: look at whom it is for."),
        (Tone.GOOD, "2 of 3 people would see block 2."),
    ]
    assert await said(ground, number, "section-bare") == []


@pytest.mark.storage
async def test_a_member_is_counted_by_being_confirmed_and_approved(ground: Ground) -> None:
    ana = await people.subscribed(ground, "ana@example.org")
    await people.speaks_for_a_member(ground, ana)
    left = await people.subscribed(ground, "left@example.org")
    await people.speaks_for_a_member(ground, left, state=MemberState.LEFT)
    number = await for_some(ground, {"only_to": {"members": True}})
    assert await said(ground, number, "section") == [
        (Tone.GOOD, "1 of 2 people would see block 1.")
    ]


async def test_a_mail_with_nothing_in_it_for_some_is_warned_of(ground: Ground) -> None:
    await people.subscribed(ground, "a@example.org", town="Worcester")
    await people.subscribed(ground, "b@example.org")
    await people.subscribed(ground, "c@example.org", language="es")
    number = await for_some(ground, {"only_to": {"towns": ["Worcester"]}})
    assert await said(ground, number, "section-bare") == [
        (Tone.WARN, "For 1 person, nothing is left of the edition in English."),
        (Tone.WARN, "For 1 person, nothing is left of the edition in Spanish."),
    ]
    assert items.is_clear(await checklist.check(ground, campaign_id=number))
