"""Trying two forms of a bulletin: drawn, counted, chosen once, and everybody gets exactly one."""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from campaigns import archive, campaign_views, counting, lifecycle, trial_plans, trials
from campaigns.models import Campaign, HitKind
from campaigns.preflight import checklist
from campaigns.trial_models import TrialState
from campaigns.trials import View
from delivery import blocks, progress
from delivery.models import Delivery, DispatchLink, QueuedNotice, Variant
from foundation import errors
from foundation.accounts.models import Role
from foundation.audit import COMMAND, AuditEntry
from foundation.findings import Tone
from foundation.ground import Ground
from subscribers.models import Consent, ConsentStep, Subscriber
from tests.campaigns.test_tracking import PERSON, clicks
from tests.handbill.test_api import bearer
from tests.subscribers import mailbox
from tests.world import campaigning, mailing
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher
from tests.world.web import Answer, Web

Deliver = Callable[[], Awaitable[None]]
SUBJECT = {"what": "subject", "subjects": {"en": "Other (en)", "es": "Other (es)"}}
pytestmark = pytest.mark.usefixtures("smtp")
told = pytest.mark.settings(
    mail={"staff_address": "staff@coalition.example"}, trials={"least_unsubscribed": 3}
)


async def planned(ground: Ground, **wanted: Any) -> Campaign:
    """A draft that tries two subjects, or whatever is wanted."""
    made = await campaigning.draft(ground)
    plan = trial_plans.parse({**SUBJECT, "percent": 50, **wanted})
    await trials.plan(ground, actor=COMMAND, campaign_id=made.id, wanted=plan)
    return made


async def begun(ground: Ground, *, people: int = 60, **wanted: Any) -> Campaign:
    """A trial with so many people, of whom every sixth reads Spanish."""
    await mailing.crowd(ground, people)
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(Subscriber).where(col(Subscriber.id) % 6 == 0).values(language="es")
        )
    made = await planned(ground, **wanted)
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=made.id)
    await lifecycle.start(ground, actor=COMMAND, campaign_id=made.id)
    return made


async def shown(ground: Ground, campaign: Campaign) -> View:
    found = await trials.show(ground, campaign_id=campaign.id)
    assert found is not None
    return found


async def forms(ground: Ground) -> Counter[tuple[str, str]]:
    """How many get which form in which language, by the ledger."""
    return Counter((row.variant, row.language) for row in await mailing.rows(ground))


async def clicked(ground: Ground, variant: Variant, times: int, *, machine: str = "") -> None:
    """So many clicks on the first link of a form by people whom nobody knows."""
    async with ground.db.transaction() as session:
        links = select(DispatchLink).where(DispatchLink.variant == variant.value)
        link = (await session.exec(links.order_by(col(DispatchLink.number)))).first()
        assert link is not None
        mark = counting.Mark(
            dispatch_id=1,
            kind=HitKind.CLICK,
            link=link.number,
            delivery_id=0,
            links=0,
            machine=machine,
            at=ground.clock.now(),
        )
        await counting.add(session, [mark] * times, window=timedelta(seconds=1))


async def left(ground: Ground, variant: Variant, people: int) -> None:
    """So many of a form unsubscribe by its mail."""
    async with ground.db.transaction() as session:
        rows = (
            select(Delivery)
            .where(Delivery.variant == variant.value)
            .order_by(col(Delivery.id))
            .limit(people)
        )
        for row in (await session.exec(rows)).all():
            session.add(
                Consent(
                    subscriber_id=row.subscriber_id or 0,
                    at=ground.clock.now(),
                    step=ConsentStep.UNSUBSCRIBED.value,
                    language="en",
                    dispatch_id=1,
                    via="link",
                )
            )


async def decisions(ground: Ground) -> list[AuditEntry]:
    async with ground.db.reading() as session:
        found = select(AuditEntry).where(AuditEntry.action == "campaign.trial-decided")
        return list((await session.exec(found)).all())


async def said(ground: Ground, campaign: Campaign) -> list[tuple[Tone, str]]:
    """What the list before sending says of the trial."""
    found = await checklist.check(ground, campaign_id=campaign.id)
    speaks = ground.translator("en")
    return [(each.tone, each.say(speaks)) for each in found if each.code == "trial"]


async def staff_mail(ground: Ground) -> list[QueuedNotice]:
    kind, to = "campaign_needs_attention", "staff@coalition.example"
    return await mailbox.notices(ground, kind=kind, to=to)


@pytest.mark.storage
async def test_exactly_as_many_get_either_form_and_all_others_wait_for_the_choice(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    campaign = await begun(ground, people=67)
    # 56 read English and 11 Spanish: a half of fifty percent is 14 and 2.
    drawn = {("a", "en"): 14, ("b", "en"): 14, ("a", "es"): 2, ("b", "es"): 2}
    assert await forms(ground) == drawn | {("", "en"): 28, ("", "es"): 7}
    await deliver()
    counts = await mailing.counts(ground)
    assert (counts.sent, counts.queued) == (32, 35)
    async with ground.db.reading() as session:
        getting_on = await progress.Gauge(1).read(session, now=ground.clock.now())
    assert (getting_on.queued, getting_on.seconds_left) == (35, 0.0), "who waits is not hurried"
    view = await shown(ground, campaign)
    assert (view.state, view.waiting) == (TrialState.RUNNING, 35)
    assert view.figures is not None
    assert (view.figures.a.people, view.figures.b.people) == (16, 16)

    assert (
        await trials.decide(ground, actor=COMMAND, campaign_id=campaign.id, winner=Variant.B) == 35
    )
    await deliver()
    assert (await mailing.counts(ground)).sent == 67
    assert await forms(ground) == drawn | {("rest-b", "en"): 28, ("rest-b", "es"): 7}
    async with ground.db.reading() as session:
        people = (
            await session.execute(
                sa.select(
                    col(Subscriber.email), col(Delivery.variant), col(Delivery.language)
                ).join(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
            )
        ).all()
    for email, variant, language in people:
        (received,) = smtp.to(email)
        said = "Other" if Variant(variant).is_second else "News"
        assert received.parsed["Subject"] == f"{said} ({language})"
    assert await lifecycle.follow_dispatches(ground) == [campaign.id]
    page = await archive.show(
        ground,
        slug=(await campaign_views.show(ground, campaign_id=campaign.id)).campaign.archive_slug
        or "",
        translator=ground.translator("en"),
    )
    assert page.entry.subject == "Other (en)"


async def test_who_waits_for_the_choice_is_not_let_go_with_a_host(ground: Ground) -> None:
    campaign = await begun(ground)
    waiting = (await shown(ground, campaign)).waiting
    await blocks.hold(ground, name="domain:example.org", said="550 not from you")
    await blocks.release(ground, actor=COMMAND, name="domain:example.org")
    assert (await shown(ground, campaign)).waiting == waiting > 0


async def test_who_gets_which_form_is_drawn_at_random(ground: Ground) -> None:
    campaign = await begun(ground, people=120)
    rows = [row for row in await mailing.rows(ground) if row.language == "en"]
    in_order = "".join(row.variant or "-" for row in rows)
    assert in_order.count("a") == in_order.count("b") == 25
    assert not re.fullmatch("a+b+-+|(ab)+-+|-+(ab)+", in_order)
    assert (await shown(ground, campaign)).state is TrialState.RUNNING


@pytest.mark.storage
async def test_the_form_that_is_clearly_better_is_chosen_once_by_whoever_looks_first(
    ground: Ground, clock: FakeClock, smtp: Catcher, deliver: Deliver
) -> None:
    campaign = await begun(ground, people=120)
    await deliver()
    await clicked(ground, Variant.A, 4)
    await clicked(ground, Variant.A, 50, machine="agent")
    await clicked(ground, Variant.B, 20)
    clock.advance(hours=23)
    assert await trials.watch(ground) == [], "not before its time is over"
    clock.advance(hours=2)
    found = await asyncio.gather(
        *(trials.watch(ground) for _ in range(3)),
        trials.decide(ground, actor=COMMAND, campaign_id=campaign.id, winner=Variant.A),
        return_exceptions=True,
    )
    done = [each for each in found if each not in ([], [campaign.id])]
    (entry,) = await decisions(ground)
    assert entry.after["people"] == 60
    view = await shown(ground, campaign)
    assert view.state is TrialState.DECIDED
    assert view.figures is not None
    assert (view.figures.a.clicks, view.figures.a.machine_clicks, view.figures.b.clicks) == (
        4,
        50,
        20,
    )
    if view.trial.reason == "by-clicks":
        assert view.trial.winner == "b"
        assert [type(each) for each in done] == [errors.Refused]
    else:
        assert (view.trial.winner, done, found[:3]) == ("a", [60], [[], [], []])
    await deliver()
    assert Counter(len(smtp.to(mailing.address(each))) for each in range(1, 121)) == {1: 120}


@told
async def test_without_a_clear_winner_a_person_is_asked_and_chooses(
    ground: Ground, clock: FakeClock, deliver: Deliver
) -> None:
    campaign = await begun(ground)
    await deliver()
    await clicked(ground, Variant.B, 3)
    clock.advance(hours=25)
    await asyncio.gather(*(trials.watch(ground) for _ in range(3)))
    view = await shown(ground, campaign)
    assert (view.state, view.trial.reason) == (TrialState.WAITING, "unclear")
    assert view.figures is not None
    assert view.figures.difference.low < 0 < view.figures.difference.high
    (notice,) = await staff_mail(ground)
    assert "no clear winner" in notice.context["reason"]
    assert (await mailing.counts(ground)).queued == 32
    await trials.decide(ground, actor=COMMAND, campaign_id=campaign.id, winner=Variant.A)
    with pytest.raises(errors.Refused):
        await trials.decide(ground, actor=COMMAND, campaign_id=campaign.id, winner=Variant.B)
    await deliver()
    assert (await mailing.counts(ground)).sent == 60
    assert (await forms(ground))["rest-a", "en"] == 26


@pytest.mark.parametrize(
    ("wanted", "state", "winner"),
    [
        ({"when_unclear": "a"}, TrialState.DECIDED, "a"),
        ({"chooser": "hand"}, TrialState.WAITING, ""),
    ],
)
async def test_when_all_had_their_turn_and_time_is_over_it_goes_as_staff_planned(
    ground: Ground, clock: FakeClock, deliver: Deliver, wanted: Any, state: TrialState, winner: str
) -> None:
    campaign = await begun(ground, hours=2, **wanted)
    clock.advance(hours=2)
    assert await trials.watch(ground) == [], "nobody had their turn yet"
    await deliver()
    assert await trials.watch(ground) == [campaign.id]
    view = await shown(ground, campaign)
    assert (view.state, view.trial.winner) == (state, winner)


@told
@pytest.mark.storage
async def test_a_form_that_many_leave_by_stops_the_trial_and_staff_are_told(
    ground: Ground, deliver: Deliver
) -> None:
    campaign = await begun(ground)
    await deliver()
    await left(ground, Variant.B, 2)
    assert await trials.watch(ground) == []
    await left(ground, Variant.A, 3)
    found = await asyncio.gather(*(trials.watch(ground) for _ in range(3)))
    assert sorted(found) == [[], [], [campaign.id]]
    view = await shown(ground, campaign)
    assert (view.state, view.campaign.state) == (TrialState.STOPPED, "paused")
    (notice,) = await staff_mail(ground)
    assert "of 14 people who got form A, 3 unsubscribed" in notice.context["reason"]
    # Whoever chooses then lets it go on when they have seen enough.
    await trials.decide(ground, actor=COMMAND, campaign_id=campaign.id, winner=Variant.B)
    await deliver()
    assert (await mailing.counts(ground)).sent == 28
    await lifecycle.resume(ground, actor=COMMAND, campaign_id=campaign.id)
    await deliver()
    assert (await mailing.counts(ground)).sent == 60


@told
async def test_a_form_that_many_call_spam_stops_the_trial(ground: Ground, deliver: Deliver) -> None:
    campaign = await begun(ground)
    await deliver()
    for people, stopped in ((2, []), (3, [campaign.id])):
        async with ground.db.transaction() as session:
            rows = select(Delivery).where(Delivery.variant == Variant.B).order_by(col(Delivery.id))
            for row in (await session.exec(rows.limit(people))).all():
                row.complained_at = ground.clock.now()
        assert await trials.watch(ground) == stopped
    assert (await shown(ground, campaign)).campaign.state == "paused"
    (notice,) = await staff_mail(ground)
    assert "of 14 people who got form B, 3 marked it as spam" in notice.context["reason"]


async def test_clicks_count_for_the_form_that_somebody_has_by_name_only_with_consent(
    web: Web, smtp: Catcher, deliver: Deliver, clock: FakeClock
) -> None:
    ground = web.ground
    await mailing.crowd(ground, 40)
    async with ground.db.transaction() as session:
        agrees = col(Subscriber.id) <= 20
        await session.execute(sa.update(Subscriber).where(agrees).values(allows_tracking=True))
    campaign = await planned(ground, percent=90)
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=campaign.id)
    await lifecycle.start(ground, actor=COMMAND, campaign_id=campaign.id)
    await deliver()
    clock.advance(minutes=5)
    rows = [row for row in await mailing.rows(ground) if row.variant]
    named = next(each for each in rows if each.variant == "b" and (each.subscriber_id or 0) <= 20)
    unnamed = next(each for each in rows if each.variant == "b" and (each.subscriber_id or 0) > 20)
    of_a = next(each for each in rows if each.variant == "a")
    for row, times in ((named, 3), (unnamed, 3), (of_a, 1)):
        (mail,) = smtp.to(mailing.address(row.subscriber_id or 0))
        for _ in range(times):
            answer = await web.get(clicks(mail)[0], headers=PERSON)
            assert (answer.status, answer.location) == (302, campaigning.LINKS[0])
    figures = (await shown(ground, campaign)).figures
    assert figures is not None
    assert (figures.a.clicks, figures.b.clicks, figures.b.clicked) == (1, 6, 4)

    # Their own view shows their own form, and following every link is a machine's work in either.
    (mail,) = smtp.to(mailing.address(named.subscriber_id or 0))
    found = re.search(r'href="(http://handbill\.test/view/[^"]+)"', mail.html)
    assert found
    assert "Other (en)" in (await web.get(found[1], headers=PERSON)).text
    for url in clicks(mail):
        await web.get(url, headers=PERSON)
    figures = (await shown(ground, campaign)).figures
    assert figures is not None
    assert (figures.b.clicks, figures.b.clicked, figures.b.machine_clicks) == (3, 3, 6)


async def test_staff_plan_a_trial_see_both_forms_and_choose(
    ground: Ground, web: Web, deliver: Deliver
) -> None:
    await mailing.crowd(ground, 40)
    campaign = await campaigning.draft(ground)
    here = f"/staff/campaigns/{campaign.id}/trial"
    editor = await web.as_staff(Role.EDITOR)
    assert here in (await editor.get(f"/staff/campaigns/{campaign.id}")).text
    typed = {"what": "subject", "subject-en": "Other", "percent": "50", "hours": "5"}
    typed |= {"chooser": "clicks", "when_unclear": "hand"}
    answer = await editor.post(here, typed)
    assert (answer.status, 'href="#f-subject-es"' in answer.text) == (422, True)
    assert (await editor.post(here, typed | {"percent": "99"})).status == 422
    assert (await editor.post(here, typed | {"subject-es": "Otra"})).status == 303
    page = await editor.get(here)
    assert (page.field("subject-es"), page.field("hours")) == ("Otra", "5")
    preview = f"/staff/bulletins/{campaign.bulletin_id}/preview?campaign={campaign.id}&form="
    assert "<strong>Other</strong>" in (await editor.get(f"{preview}b")).text
    assert "<strong>News (en)</strong>" in (await editor.get(f"{preview}a")).text

    await lifecycle.approve(ground, actor=COMMAND, campaign_id=campaign.id)
    assert (await editor.post(here, typed)).status == 409
    await lifecycle.start(ground, actor=COMMAND, campaign_id=campaign.id)
    await deliver()
    page = await editor.get(here)
    assert "No clear winner" in page.text
    assert "20 people wait for the choice." in page.text
    assert (
        await (await web.as_staff(Role.AUTHOR)).post(f"{here}/choose", {"form": "b"})
    ).status == 403
    assert (await editor.post(f"{here}/choose", {"form": "c"})).status == 422
    assert (await editor.post(f"{here}/choose", {"form": "b"})).status == 303
    assert (await editor.post(f"{here}/choose", {"form": "a"})).status == 409
    assert "Chosen by hand." in (await editor.get(here)).text
    await deliver()
    assert (await mailing.counts(ground)).sent == 40


async def test_programs_plan_a_trial_and_choose(web: Web, deliver: Deliver) -> None:
    ground = web.ground
    await mailing.crowd(ground, 40)
    campaign = await campaigning.draft(ground)
    path = f"/api/v1/campaigns/{campaign.id}/trial"
    headers = await bearer(ground)

    async def ask(method: str, path: str, body: Any = None) -> Answer:
        more = {} if body is None else {"json": body}
        return await web.request(method, path, headers=headers, **more)

    assert (await ask("GET", path)).status == 404
    assert (await ask("PUT", path, {"what": "subject"})).status == 422
    planned = await ask("PUT", path, {**SUBJECT, "percent": 50})
    assert (planned.status, planned.json()["state"]) == (200, "planned")
    assert (await ask("POST", f"{path}/choose", {"form": "a"})).status == 409
    assert (await ask("DELETE", path)).status == 204
    await ask("PUT", path, {**SUBJECT, "percent": 50})
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=campaign.id)
    await lifecycle.start(ground, actor=COMMAND, campaign_id=campaign.id)
    await deliver()
    told = (await ask("GET", path)).json()
    assert (told["waiting"], told["leader"]) == (20, "")
    assert told["forms"]["a"]["sent"] == told["forms"]["b"]["sent"] == 10
    assert told["difference"]["low"] < 0 < told["difference"]["high"]
    chosen = await ask("POST", f"{path}/choose", {"form": "a"})
    assert (chosen.status, chosen.json()["winner"]) == (200, "a")


async def test_a_decision_that_breaks_off_leaves_everything_as_it_was(
    ground: Ground, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await begun(ground)
    await deliver()

    async def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("the process dies here")

    with monkeypatch.context() as patch:
        patch.setattr("campaigns.archiving.keep_as_sent", broken)
        with pytest.raises(RuntimeError):
            await trials.decide(ground, actor=COMMAND, campaign_id=campaign.id, winner=Variant.B)
    view = await shown(ground, campaign)
    assert (view.state, view.waiting) == (TrialState.RUNNING, 32)
    await deliver()
    assert (await mailing.counts(ground)).sent == 28
    await trials.decide(ground, actor=COMMAND, campaign_id=campaign.id, winner=Variant.A)
    await deliver()
    assert (await mailing.counts(ground)).sent == 60


async def test_who_was_drawn_keeps_their_form_when_it_is_chosen_before_their_turn(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    campaign = await begun(ground)
    before = await forms(ground)
    await trials.decide(ground, actor=COMMAND, campaign_id=campaign.id, winner=Variant.B)
    after = await forms(ground)
    assert {key: after[key] for key in before if key[0]} == {
        key: count for key, count in before.items() if key[0]
    }
    await deliver()
    subjects = Counter(each.parsed["Subject"][:5] for each in smtp.messages)
    assert subjects == {"News ": 14, "Other": 46}


async def test_a_cancelled_trial_sends_nothing_more(ground: Ground, deliver: Deliver) -> None:
    campaign = await begun(ground)
    await deliver()
    await lifecycle.cancel(ground, actor=COMMAND, campaign_id=campaign.id)
    counts = await mailing.counts(ground)
    assert (counts.sent, counts.cancelled) == (28, 32)
    with pytest.raises(errors.Refused):
        await trials.decide(ground, actor=COMMAND, campaign_id=campaign.id, winner=Variant.A)


async def test_the_senders_name_can_differ(ground: Ground, smtp: Catcher, deliver: Deliver) -> None:
    await begun(ground, what="sender", subjects={}, from_name="Ana of the coalition")
    await deliver()
    for row in await mailing.rows(ground):
        for received in smtp.to(mailing.address(row.subscriber_id or 0)):
            assert ("Ana of" in received.parsed["From"]) is (row.variant == "b")


async def test_two_blocks_can_be_tried_and_each_form_has_one(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    await mailing.crowd(ground, 12)
    blocks = [
        {"kind": "rich_text", "id": each, "texts": {"en": {"html": f"<p>Block {each}.</p>"}}}
        for each in ("one", "two")
    ]
    made = await campaigning.of_blocks(ground, campaigning.document(languages=["en"]), *blocks)
    wanted = {"what": "block", "block_a": "one", "block_b": "two", "percent": 50}
    plan = trial_plans.parse(wanted)
    await trials.plan(ground, actor=COMMAND, campaign_id=made.id, wanted=plan)
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=made.id)
    await lifecycle.start(ground, actor=COMMAND, campaign_id=made.id)
    await deliver()
    seen: Counter[str] = Counter()
    for row in await mailing.rows(ground):
        for received in smtp.to(mailing.address(row.subscriber_id or 0)):
            (block,) = re.findall(r"Block (\w+)\.", received.text)
            assert block == ("one" if row.variant == "a" else "two")
            seen[block] += 1
    assert seen == {"one": 3, "two": 3}


async def test_a_trial_is_part_of_what_is_approved(ground: Ground) -> None:
    campaign = await planned(ground)
    half = trial_plans.parse({"what": "subject", "subjects": {"en": "x"}})
    with pytest.raises(errors.Invalid, match="another subject too"):
        await trials.plan(ground, actor=COMMAND, campaign_id=campaign.id, wanted=half)
    assert await said(ground, campaign) == [
        (Tone.BAD, "Too few people to try two forms: raise the share, or send it in one form.")
    ]
    await mailing.crowd(ground, 9)
    assert await said(ground, campaign) == [
        (Tone.GOOD, "Each of two forms would be tried on 2 people.")
    ]
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=campaign.id)
    with pytest.raises(errors.Refused):
        await trials.drop(ground, actor=COMMAND, campaign_id=campaign.id)
    whole = trial_plans.parse(SUBJECT)
    with pytest.raises(errors.Refused):
        await trials.plan(ground, actor=COMMAND, campaign_id=campaign.id, wanted=whole)


async def test_too_few_people_are_said_when_it_would_start(ground: Ground) -> None:
    await mailing.crowd(ground, 3)
    campaign = await planned(ground)
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=campaign.id)
    with pytest.raises(errors.Refused, match="Too few people"):
        await lifecycle.start(ground, actor=COMMAND, campaign_id=campaign.id)
    assert await campaigning.state(ground, campaign.id) == "approved"
