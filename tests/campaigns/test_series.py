"""What becomes of series: caught up, paused, broken, sent by themselves; on both engines."""

import copy
import functools
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlmodel import select

from campaigns import (
    attention,
    bulletins,
    campaign_views,
    documents,
    due,
    issues,
    lifecycle,
    overview,
    series,
    series_plans,
    series_runs,
    series_sending,
    series_words,
    transitions,
)
from campaigns.models import CampaignState
from campaigns.series_models import Series, SeriesState
from delivery.models import QueuedNotice
from foundation import errors
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.ground import Ground
from tests.campaigns import editions, newsroom
from tests.world import people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher

pytestmark = pytest.mark.storage

WEEKLY = {"pattern": "weekly", "weekday": 3, "starts_on": "2026-11-05"}
NOON = datetime(2026, 11, 3, 17, tzinfo=UTC)
"""Two days before the first edition, which closes and is sent at nine."""


async def start(ground: Ground, clock: FakeClock, **changes: Any) -> Series:
    """A weekly series with one thing to tell."""
    clock.set(NOON)
    await newsroom.issue(ground)
    await editions.news(ground, "The first news", date(2026, 11, 2))
    return await editions.made(ground, **{"rule": WEEKLY, **changes})


async def again(ground: Ground, number: int) -> Series:
    """The series as it stands now."""
    return await series.show(ground, series_id=number)


async def notices(ground: Ground) -> list[QueuedNotice]:
    """What staff are told by mail."""
    async with ground.db.reading() as session:
        return list((await session.exec(select(QueuedNotice))).all())


@pytest.mark.settings(series={"grace_hours": 240})
async def test_after_downtime_one_edition_is_drafted_and_the_other_dates_are_recorded(
    ground: Ground, clock: FakeClock
) -> None:
    kept = await start(ground, clock)
    clock.set(datetime(2026, 12, 4, 12, tzinfo=UTC))
    assert len(await series_runs.draft_due(ground)) == 1
    assert editions.outcomes(await editions.runs(ground, kept.id)) == {
        "2026-11-05": "missed late",
        "2026-11-12": "missed late",
        "2026-11-19": "missed late",
        "2026-11-26": "missed overtaken",
        "2026-12-03": "drafted",
    }
    assert (await again(ground, kept.id)).next_on == date(2026, 12, 10)


async def test_a_series_that_breaks_is_told_to_its_owner_given_up_and_mended(
    ground: Ground, clock: FakeClock
) -> None:
    owner, _ = await people.staff(ground, Role.EDITOR, language="es")
    words = {"en": {"subject": "Hello {{ subscriber.nickname }}"}}
    kept = await start(ground, clock, editions=words, owner=owner.email)
    clock.set(datetime(2026, 11, 5, 14, tzinfo=UTC))
    for failures, minutes in enumerate((0, 15, 30), start=1):
        clock.advance(minutes=minutes)
        assert await series_runs.draft_due(ground) == []
        assert await series_runs.draft_due(ground) == []  # it waits before it tries again
        found = (await overview.read(ground)).series
        assert [(each.id, each.failures) for each in found] == [(kept.id, failures)]
        assert "subscriber.nickname" in found[0].problem_texts["es"]
    broken = await again(ground, kept.id)
    assert (broken.state, broken.failures) == (SeriesState.BROKEN, 3)
    assert (await campaign_views.listed(ground)).items == []  # of what failed nothing is left
    told = await notices(ground)
    assert [(each.to_address, each.language) for each in told] == [(owner.email, "es")] * 2
    clock.advance(hours=2)
    assert await series_runs.draft_due(ground) == []
    plan = editions.plan(rule=WEEKLY, owner=owner.email)
    mended = await series.update(
        ground, actor=COMMAND, series_id=kept.id, version=broken.version, plan=plan
    )
    await series.resume(ground, actor=COMMAND, series_id=kept.id, version=mended.version)
    assert len(await series_runs.draft_due(ground)) == 1
    assert editions.outcomes(await editions.runs(ground, kept.id)) == {"2026-11-05": "drafted"}
    assert (await overview.read(ground)).series == []


async def test_dates_are_paused_left_out_and_drafted_early_each_once(
    ground: Ground, clock: FakeClock
) -> None:
    kept = await start(ground, clock)
    run = await series_runs.run_now(ground, actor=COMMAND, series_id=kept.id)
    assert (run.day, run.outcome, run.number) == (date(2026, 11, 5), "drafted", 1)
    assert run.sends_at == datetime(2026, 11, 5, 14, tzinfo=UTC)
    clock.set(datetime(2026, 11, 6, 14, tzinfo=UTC))
    assert await series_runs.draft_due(ground) == []
    with pytest.raises(errors.Conflict):  # the page was open since before the first edition
        await series.skip_next(ground, actor=COMMAND, series_id=kept.id, day=run.day)
    await series.skip_next(ground, actor=COMMAND, series_id=kept.id, day=date(2026, 11, 12))
    seen = (await again(ground, kept.id)).version
    await series.pause(ground, actor=COMMAND, series_id=kept.id, version=seen)
    with pytest.raises(errors.Refused, match="paused"):
        await series_runs.run_now(ground, actor=COMMAND, series_id=kept.id)
    clock.set(datetime(2026, 11, 27, 14, tzinfo=UTC))
    assert await series_runs.draft_due(ground) == []
    with pytest.raises(errors.Conflict):
        await series.resume(ground, actor=COMMAND, series_id=kept.id, version=seen)
    await series.resume(ground, actor=COMMAND, series_id=kept.id, version=seen + 1)
    assert await series_runs.draft_due(ground) == []
    assert editions.outcomes(await editions.runs(ground, kept.id)) == {
        "2026-11-05": "drafted",
        "2026-11-12": "skipped by-hand",
        "2026-11-19": "skipped paused",
        "2026-11-26": "skipped paused",
    }


async def test_what_a_cancelled_edition_held_is_free_again(
    ground: Ground, clock: FakeClock
) -> None:
    kept = await start(ground, clock)
    run = await series_runs.run_now(ground, actor=COMMAND, series_id=kept.id)
    ahead = await series.ahead(ground, await again(ground, kept.id))
    assert ahead.selection
    assert not ahead.selection.is_enough
    await lifecycle.cancel(ground, actor=COMMAND, campaign_id=run.campaign_id or 0)
    ahead = await series.ahead(ground, await again(ground, kept.id))
    assert ahead.selection
    assert ahead.selection.is_enough
    assert [each.day.day for each in ahead.dates[:3]] == [12, 19, 26]
    assert len(ahead.dates) == 12


async def test_what_people_take_out_of_a_draft_is_free_again_and_what_they_put_in_is_used(
    ground: Ground, clock: FakeClock
) -> None:
    kept = await start(ground, clock, sections=[{"most": 2}, {"kind": "materials"}])
    async with ground.db.reading() as session:
        of = await issues.by_slug(session, "secure-communities")
    await newsroom.handout(ground, of)
    for name in ("Second", "Third", "Fourth"):
        await editions.news(ground, name, date(2026, 11, 3))
    run = await series_runs.run_now(ground, actor=COMMAND, series_id=kept.id)
    assert list((await editions.reasons(ground, run)).items())[:3] == [
        ("Fourth", "in: new"),
        ("Third", "in: new"),
        ("The intake form", "in: new"),
    ]
    # The editor takes one story and the handout out, and puts another in, as a form sends it.
    drafted = await editions.bulletin(ground, run)
    values = copy.deepcopy(drafted.document)
    fourth, _ = values["blocks"][0]["keys"]
    values["blocks"] = [values["blocks"][0] | {"keys": [str(fourth), "2"]}]
    await bulletins.save(
        ground,
        actor=COMMAND,
        bulletin_id=drafted.id,
        version=drafted.version,
        document=documents.parse(values),
    )
    looked = await series.run(ground, series_id=kept.id, run_id=run.id)
    titles = {each.id: each.texts["en"] for each in looked.items}
    assert {titles[number]: changed.value for number, changed in looked.by_hand.items()} == {
        "Third": "taken-out",
        "The intake form": "taken-out",
        "Second": "put-in",
    }
    said = {
        series_words.of_item(each, ground.translator("es"), looked.by_hand.get(each.id))
        for each in looked.items
        if each.texts["en"] == "Third"
    }
    assert said == {"nuevo · sacado a mano después"}
    await editions.news(ground, "Fifth", date(2026, 11, 4))
    clock.set(datetime(2026, 11, 12, 14, tzinfo=UTC))
    await series_runs.draft_due(ground)
    second = await editions.reasons(ground, (await editions.runs(ground, kept.id))[1])
    assert second == {
        "The first news": "in: carried",
        "Fifth": "in: new",
        "The intake form": "in: returned",
        "Fourth": "out: used",
        "Third": "out: section-full",
        "Second": "out: used",
    }


async def test_a_bulletin_that_is_changed_after_it_went_out_frees_nothing(
    ground: Ground, clock: FakeClock
) -> None:
    await people.subscribed(ground)
    kept = await start(ground, clock)
    run = await series_runs.run_now(ground, actor=COMMAND, series_id=kept.id)
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=run.campaign_id or 0)
    await lifecycle.start(ground, actor=COMMAND, campaign_id=run.campaign_id or 0)
    sent = await editions.bulletin(ground, run)
    await bulletins.save(
        ground,
        actor=COMMAND,
        bulletin_id=sent.id,
        version=sent.version,
        document=documents.parse({**sent.document, "blocks": []}),
    )
    ahead = await series.ahead(ground, await again(ground, kept.id))
    assert ahead.selection
    assert [each.reason for each in ahead.selection.choices] == ["used"]
    assert not (await series.run(ground, series_id=kept.id, run_id=run.id)).by_hand


async def test_a_series_is_deleted_with_its_reason_and_what_it_drafted_stays(
    ground: Ground, clock: FakeClock
) -> None:
    kept = await start(ground, clock, mode="send")
    run = await series_runs.run_now(ground, actor=COMMAND, series_id=kept.id)
    seen = (await again(ground, kept.id)).version
    end = functools.partial(series.delete, ground, actor=COMMAND, series_id=kept.id)
    with pytest.raises(errors.Invalid, match="Say why"):
        await end(version=seen, reason=" ")
    with pytest.raises(errors.Conflict):
        await end(version=seen - 1, reason="The campaign is won.")
    await end(version=seen, reason="The campaign is won.")
    gone = await again(ground, kept.id)
    assert (gone.state, gone.deleted_reason) == (SeriesState.DELETED, "The campaign is won.")
    assert gone.deleted_by == COMMAND.label
    # Nothing comes of it any more, and what waited to go by itself waits for a person.
    await editions.news(ground, "More news", date(2026, 11, 6))
    clock.set(datetime(2026, 11, 20, 12, tzinfo=UTC))
    assert await series_runs.draft_due(ground) == []
    assert await series_sending.send_drafted(ground) == []
    found = await editions.runs(ground, kept.id)
    assert editions.outcomes(found) == {"2026-11-05": "drafted deleted"}
    waiting = await series.on_the_way(ground, series_id=kept.id)
    assert [(each.id, each.state) for each in waiting] == [(run.campaign_id, "in-review")]
    assert (await series.listed(ground)).items == []
    assert [each.id for each in (await series.listed(ground, is_deleted=True)).items] == [kept.id]
    for verb in (series.pause, series.resume, functools.partial(series.delete, reason="Again")):
        with pytest.raises(errors.Refused, match="deleted"):
            await verb(ground, actor=COMMAND, series_id=kept.id, version=gone.version)
    with pytest.raises(errors.Refused, match="deleted"):
        await series_runs.run_now(ground, actor=COMMAND, series_id=kept.id)
    with pytest.raises(errors.Refused, match="deleted"):
        await series.update(
            ground,
            actor=COMMAND,
            series_id=kept.id,
            version=gone.version,
            plan=series_plans.parse(gone.document),
        )


async def test_another_rule_chooses_the_next_date_anew_and_other_changes_keep_it(
    ground: Ground, clock: FakeClock
) -> None:
    kept = await start(ground, clock)
    await series_runs.run_now(ground, actor=COMMAND, series_id=kept.id)
    present = await again(ground, kept.id)
    plan = series_plans.parse(present.document)
    assert plan.next_number == 2
    renamed = await series.update(
        ground,
        actor=COMMAND,
        series_id=kept.id,
        version=present.version,
        plan=plan.model_copy(update={"name": "Renamed"}),
    )
    assert renamed.next_on == date(2026, 11, 12)
    daily = editions.plan(rule={**WEEKLY, "pattern": "monthly-day", "day": 31})
    moved = await series.update(
        ground, actor=COMMAND, series_id=kept.id, version=renamed.version, plan=daily
    )
    assert moved.next_on == date(2026, 11, 30)
    plan = editions.plan(owner="nobody@coalition.example")
    with pytest.raises(errors.Invalid, match="works here"):
        await series.create(ground, actor=COMMAND, plan=plan)


async def test_a_green_edition_goes_out_by_itself_to_each_reader_in_their_language(
    ground: Ground, clock: FakeClock, smtp: Catcher, deliver: Callable[[], Awaitable[None]]
) -> None:
    await people.subscribed(ground, "ana@example.org")
    await people.subscribed(ground, "bo@example.org", language="es")
    rosa = await editions.partner(ground, "Rosa House")
    kept = await start(ground, clock, mode="send", fallback="leave-out")
    await editions.news(ground, "From Rosa", date(2026, 11, 3), partner_id=rosa)
    await editions.news(ground, "Only in English", date(2026, 11, 3), spanish=None)
    clock.set(datetime(2026, 11, 5, 14, tzinfo=UTC))
    (number,) = await series_runs.draft_due(ground)
    assert await series_sending.send_drafted(ground) == [number]
    assert await series_sending.send_drafted(ground) == []
    await due.start_due(ground)
    await deliver()
    (english,), (spanish,) = smtp.to("ana@example.org"), smtp.to("bo@example.org")
    assert english.parsed["Subject"] == "Neighbors no. 1, November 5, 2026"
    assert spanish.parsed["Subject"] == "Vecinos n.º 1, 5 de noviembre de 2026"
    assert "Only in English" in english.text
    assert "Brought to you by Rosa House" in english.text
    assert "Brought to you by Rosa House" in english.html
    assert "Por cortesía de Rosa House" in spanish.text
    assert "Only in English" not in spanish.text
    (run,) = await editions.runs(ground, kept.id)
    assert (await editions.reasons(ground, run))["Only in English"] == "in: new"


async def test_an_early_edition_is_scheduled_and_a_red_one_waits_for_a_person(
    ground: Ground, clock: FakeClock
) -> None:
    await people.subscribed(ground)
    kept = await start(ground, clock, mode="send")
    run = await series_runs.run_now(ground, actor=COMMAND, series_id=kept.id)
    await series_sending.send_drafted(ground)
    scheduled = await campaign_views.show(ground, campaign_id=run.campaign_id or 0)
    assert scheduled.campaign.state == CampaignState.SCHEDULED
    assert scheduled.campaign.scheduled_at == run.sends_at
    assert scheduled.campaign.approved_by == "Neighbors"
    # The next one holds what words say is still to be written.
    await editions.news(ground, "lorem ipsum", date(2026, 11, 6))
    second = await series_runs.run_now(ground, actor=COMMAND, series_id=kept.id)
    assert await series_sending.send_drafted(ground) == []
    async with ground.db.reading() as session:
        campaign = await transitions.get(session, second.campaign_id or 0)
    assert campaign.state == CampaignState.IN_REVIEW
    assert "lorem ipsum" in attention.why(campaign, "es")
    assert (await editions.runs(ground, kept.id))[1].reason == "not-green"
    assert await series_sending.send_drafted(ground) == []
