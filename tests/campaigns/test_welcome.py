"""What comes to people who are new to a topic: once, in order, and never beside a bulletin."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from campaigns import (
    audiences,
    lifecycle,
    materials,
    overview,
    welcome,
    welcome_history,
    welcome_reports,
    welcome_sending,
)
from campaigns.models import Issue
from campaigns.welcome_models import StepKind, WelcomeMail, WelcomeReader, WelcomeStep
from delivery import appending
from delivery.models import Delivery, Dispatch
from foundation import errors
from foundation.audit import COMMAND, AuditEntry
from foundation.ground import Ground
from subscribers import consent, erasing
from subscribers.models import ConsentStep, Subscriber, Subscription, SubscriptionState
from tests.campaigns import newsroom
from tests.world import campaigning, people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher

TOPIC = "secure-communities"
BEFORE = datetime(2026, 11, 3, 15, tzinfo=UTC)
"""A Tuesday, ten in the morning in New York."""

Deliver = Callable[[], Awaitable[None]]


async def version_of(ground: Ground, topic: str = TOPIC) -> int:
    """What a change has to name."""
    async with ground.db.reading() as session:
        kept, _ = await welcome.kept(session, topic)
    return kept.version if kept else 0


async def step(
    ground: Ground, kind: StepKind, number: int, *, days: int, **more: Any
) -> WelcomeStep:
    """One more step, at nine."""
    version = await version_of(ground)
    draft = welcome.StepDraft(kind=kind, object_id=number, days=days, **more)
    return await welcome.add_step(ground, actor=COMMAND, topic=TOPIC, version=version, draft=draft)


async def switch(ground: Ground, *languages: str) -> None:
    """On in these languages, off in others."""
    version = await version_of(ground)
    await welcome.switch(ground, actor=COMMAND, topic=TOPIC, version=version, languages=languages)


async def newcomers(ground: Ground, clock: FakeClock) -> Issue:
    """An issue with its page and a handout, and a welcome of two steps that is on."""
    clock.set(BEFORE)
    issue = await newsroom.issue(ground)
    await newsroom.parts(ground, issue)
    handout = await newsroom.handout(ground, issue, languages=("en", "es"))
    await step(ground, StepKind.EXPLAINER, issue.id, days=1)
    await step(ground, StepKind.MATERIAL, handout.id, days=3)
    await switch(ground, "en", "es")
    return issue


async def go_on(
    ground: Ground, clock: FakeClock, deliver: Deliver, day: int, hour: int = 14
) -> int:
    """A tick on a day of November, at nine in New York; what it handed over is sent."""
    clock.set(datetime(2026, 11, day, hour, tzinfo=UTC))
    handed = await welcome_sending.work(ground)
    if handed:
        await deliver()
    return handed


def subjects(smtp: Catcher, email: str) -> list[str]:
    """What somebody got."""
    return [str(each.parsed["Subject"]) for each in smtp.to(email)]


async def state(ground: Ground, person: Subscriber) -> str:
    """How far somebody is."""
    async with ground.db.reading() as session:
        found = await session.exec(
            select(WelcomeReader).where(WelcomeReader.subscriber_id == person.id)
        )
        reader = found.one()
    return f"{reader.state} {reader.reason}".strip()


async def leave(ground: Ground, person: Subscriber, *, back: bool = False) -> None:
    """The person leaves the topic, or confirms it again."""
    to = SubscriptionState.CONFIRMED if back else SubscriptionState.UNSUBSCRIBED
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(Subscription)
            .where(col(Subscription.subscriber_id) == person.id)
            .values(state=to.value, since=ground.clock.now())
        )


async def test_who_is_new_gets_each_step_once_in_their_language_with_every_way_out(
    ground: Ground, clock: FakeClock, smtp: Catcher, deliver: Deliver
) -> None:
    clock.set(BEFORE - timedelta(minutes=1))
    await people.subscribed(ground, "old@example.org")
    await newcomers(ground, clock)
    clock.advance(hours=1)
    await people.subscribed(ground, "ana@example.org")
    await people.subscribed(ground, "eva@example.org", language="es-MX")
    assert await go_on(ground, clock, deliver, 3, 18) == 0
    assert await go_on(ground, clock, deliver, 4, 13) == 0  # eight o'clock
    assert await go_on(ground, clock, deliver, 4) == 2
    assert await go_on(ground, clock, deliver, 5) == 0
    assert await go_on(ground, clock, deliver, 6) == 2
    assert await go_on(ground, clock, deliver, 7) == 0
    assert subjects(smtp, "ana@example.org") == [
        "Secure Communities: what you should know",
        "The intake form",
    ]
    assert subjects(smtp, "eva@example.org") == [
        "Comunidades Seguras: lo que conviene saber",
        "La ficha de ingreso",
    ]
    assert subjects(smtp, "old@example.org") == []
    mail = smtp.to("eva@example.org")[1]
    assert mail.parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "/unsubscribe/" in mail.parsed["List-Unsubscribe"]
    assert mail.parsed["X-Handbill-Campaign"] == "welcome-2"
    assert "/preferences/" in mail.text
    assert "le damos la bienvenida" in mail.html.replace("\n", " ")
    assert "form-es.pdf" in (await _links(ground))
    text = smtp.to("ana@example.org")[0].text
    assert "53%" in text
    assert "With, in full." in text


async def _links(ground: Ground) -> str:
    from delivery.models import DispatchLink

    async with ground.db.reading() as session:
        return " ".join((await session.exec(select(DispatchLink.url))).all())


@pytest.mark.storage
async def test_several_schedulers_and_a_crash_hand_each_step_over_exactly_once(
    ground: Ground,
    clock: FakeClock,
    smtp: Catcher,
    deliver: Deliver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await newcomers(ground, clock)
    clock.advance(minutes=1)
    for number in range(20):
        await people.subscribed(ground, f"p{number}@example.org")
    clock.set(datetime(2026, 11, 4, 14, tzinfo=UTC))

    async def crash(*args: Any, **kwargs: Any) -> Any:
        await append(*args, **kwargs)
        raise RuntimeError("the process ends here")

    append = appending.append
    monkeypatch.setattr(appending, "append", crash)
    with pytest.raises(RuntimeError):
        await welcome_sending.work(ground)
    monkeypatch.setattr(appending, "append", append)
    async with ground.db.reading() as session:
        assert (await session.exec(select(WelcomeMail))).all() == []
        assert (await session.exec(select(Delivery))).all() == []
    handed = await asyncio.gather(*(welcome_sending.work(ground) for _ in range(4)))
    assert sum(handed) == 20
    await deliver()
    assert await welcome_sending.work(ground) == 0
    assert sorted(each.rcpt_to for each in smtp.messages) == sorted(
        f"p{number}@example.org" for number in range(20)
    )
    async with ground.db.reading() as session:
        order = (await session.exec(select(Dispatch))).one()
        assert (order.audience, order.state) == (20, "sent")


async def test_a_bulletin_of_the_day_makes_the_welcome_wait_for_the_next(
    ground: Ground, clock: FakeClock, smtp: Catcher, deliver: Deliver
) -> None:
    await newcomers(ground, clock)
    clock.advance(minutes=1)
    await people.subscribed(ground, "ana@example.org")
    await people.subscribed(ground, "eva@example.org", topics=(TOPIC, "action-alerts"))
    await people.subscribed(ground, "other@example.org", topics=("action-alerts",))
    # One is scheduled for the evening of the first step's day; one goes out in the morning after.
    made = await campaigning.draft(ground, topics=("action-alerts",), name="Tonight")
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=made.id)
    await lifecycle.schedule(
        ground, actor=COMMAND, campaign_id=made.id, at="2026-11-04T20:00", zone="America/New_York"
    )
    assert await go_on(ground, clock, deliver, 4) == 1
    assert subjects(smtp, "eva@example.org") == []
    await lifecycle.cancel(ground, actor=COMMAND, campaign_id=made.id)
    now = await campaigning.draft(ground, topics=("action-alerts",), name="This morning")
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=now.id)
    clock.set(datetime(2026, 11, 5, 12, tzinfo=UTC))
    await lifecycle.start(ground, actor=COMMAND, campaign_id=now.id)
    await deliver()
    assert await go_on(ground, clock, deliver, 5) == 0
    assert await go_on(ground, clock, deliver, 6) == 2  # hers, and the second of who had the first
    assert await go_on(ground, clock, deliver, 7) == 1  # the second never comes with the first
    assert len(subjects(smtp, "eva@example.org")) == 3
    assert len(subjects(smtp, "ana@example.org")) == 2


@pytest.mark.storage
async def test_it_stops_for_who_leaves_even_when_queued_and_goes_on_when_they_come_back(
    ground: Ground, clock: FakeClock, smtp: Catcher, deliver: Deliver
) -> None:
    await newcomers(ground, clock)
    clock.advance(minutes=1)
    ana = await people.subscribed(ground, "ana@example.org")
    eva = await people.subscribed(ground, "eva@example.org")
    gone = await people.subscribed(ground, "gone@example.org")
    clock.set(datetime(2026, 11, 4, 14, tzinfo=UTC))
    assert await welcome_sending.work(ground) == 3
    await leave(ground, ana)  # it is queued, and no dot is written yet
    await deliver()
    await leave(ground, eva)
    await erasing.erase(ground, actor=COMMAND, subscriber_id=gone.id, via="staff")
    await welcome_sending.work(ground)
    assert await state(ground, ana) == "stopped left"
    async with ground.db.reading() as session:
        reasons = (await session.exec(select(WelcomeReader.reason))).all()
    assert sorted(reasons) == ["erased", "left", "left"]
    assert await go_on(ground, clock, deliver, 6) == 0
    clock.set(datetime(2026, 11, 9, 15, tzinfo=UTC))
    await leave(ground, ana, back=True)
    await leave(ground, eva, back=True)
    for day in range(10, 15):
        await go_on(ground, clock, deliver, day)
    explained, form = "Secure Communities: what you should know", "The intake form"
    assert subjects(smtp, "ana@example.org") == [explained, form]  # never got the first before
    assert subjects(smtp, "eva@example.org") == [explained, form]  # and she got it only once
    assert await state(ground, eva) == "done"
    found = await welcome_reports.figures(ground, topic=TOPIC)
    assert (found.begun, found.done, found.stopped) == (3, 2, {"erased": 1})
    first, second = found.steps.values()
    # Of the first, one was stopped, and went out when she was back.
    assert (first.handed, first.sent, first.cancelled, second.sent) == (3, 3, 0, 2)
    histories = welcome_history.WelcomeHistory()
    told = await histories.welcomes(ground, subscriber_id=ana.id, language="es")
    assert [each.said for each in told] == ["2 correos hasta ahora; no queda nada por llegar"]


async def test_edits_hold_at_once_for_who_is_in_the_middle_and_what_is_gone_is_waited_for(
    ground: Ground, clock: FakeClock, smtp: Catcher, deliver: Deliver
) -> None:
    await newcomers(ground, clock)
    clock.advance(minutes=1)
    ana = await people.subscribed(ground, "ana@example.org")
    await go_on(ground, clock, deliver, 4)
    clock.advance(minutes=1)
    written = await newsroom.bulletin(ground)
    own = {"en": {"subject": "Take this along", "lead": "For you."}}
    view = await welcome.show(ground, topic=TOPIC)
    draft = welcome.StepDraft(
        kind=StepKind.MATERIAL, object_id=view.steps[1].object_id, days=4, texts=own
    )
    await welcome.change_step(
        ground, actor=COMMAND, topic=TOPIC, version=view.version, step_id=view.steps[1].id,
        draft=draft,
    )  # fmt: skip
    with pytest.raises(errors.Conflict):
        await welcome.remove_step(
            ground, actor=COMMAND, topic=TOPIC, version=view.version, step_id=view.steps[0].id
        )
    await step(ground, StepKind.BULLETIN, written.id, days=0)  # her day for it has passed
    await step(ground, StepKind.BULLETIN, written.id, days=6)
    view = await welcome.show(ground, topic=TOPIC)
    await welcome.remove_step(
        ground, actor=COMMAND, topic=TOPIC, version=view.version, step_id=view.steps[1].id
    )
    assert await go_on(ground, clock, deliver, 6) == 0  # it is the fourth day now
    await materials.delete(ground, actor=COMMAND, material_id=draft.object_id)
    assert await go_on(ground, clock, deliver, 7) == 0
    found = (await welcome.show(ground, topic=TOPIC)).content
    assert [str(each.problem) for each in found.values() if each.problem] == [
        "There is no such material."
    ]
    handed = [await go_on(ground, clock, deliver, day) for day in range(8, 16)]
    assert [each.name for each, _ in (await overview.read(ground)).welcome] == ["The intake form"]
    assert handed == [0, 0, 0, 0, 0, 0, 1, 0]  # passed over after a week, then the next
    assert subjects(smtp, "ana@example.org")[1:] == ["What happened"]
    assert await state(ground, ana) == "done"
    async with ground.db.reading() as session:
        mails = (await session.exec(select(WelcomeMail).order_by(col(WelcomeMail.at)))).all()
        actions = (await session.exec(select(AuditEntry.action))).all()
    assert [f"{each.outcome} {each.reason}".strip() for each in mails] == [
        "handed", "skipped not-ready", "handed",
    ]  # fmt: skip
    assert {"welcome.step-added", "welcome.step-changed", "welcome.step-removed"} <= set(actions)


async def test_the_last_bulletin_comes_as_it_went_out_but_not_to_who_has_it(
    ground: Ground, clock: FakeClock, smtp: Catcher, deliver: Deliver
) -> None:
    clock.set(BEFORE)
    issue = await newsroom.issue(ground)
    await step(ground, StepKind.LAST_BULLETIN, issue.id, days=2)
    await switch(ground, "en")
    clock.advance(minutes=1)
    ana = await people.subscribed(ground, "ana@example.org")
    await people.subscribed(ground, "eva@example.org", language="es")
    await import_by_staff(ground, await people.subscribed(ground, "list@example.org"))
    kept = await newsroom.bulletin(ground)
    made = await lifecycle.create(
        ground, actor=COMMAND, bulletin_id=kept.id, name="October",
        audience=audiences.Audience(topics=[TOPIC]),
    )  # fmt: skip
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=made.id)
    await lifecycle.start(ground, actor=COMMAND, campaign_id=made.id)
    await deliver()
    clock.advance(minutes=1)
    await people.subscribed(ground, "new@example.org")
    assert [await go_on(ground, clock, deliver, day) for day in range(4, 8)] == [0, 1, 0, 0]
    assert [each.rcpt_to.partition("@")[0] for each in smtp.messages] == [
        "ana", "eva", "list", "new",
    ]  # fmt: skip
    assert subjects(smtp, "new@example.org") == subjects(smtp, "ana@example.org")
    assert await state(ground, ana) == "done"
    async with ground.db.reading() as session:
        assert sorted((await session.exec(select(WelcomeMail.reason))).all()) == ["", "has-it"]


async def import_by_staff(ground: Ground, person: Subscriber) -> None:
    """They were brought along: nobody pressed a button."""
    async with ground.db.transaction() as session:
        consent.record(
            session, subscriber_id=person.id, at=ground.clock.now(), step=ConsentStep.IMPORTED,
            topics=[TOPIC], language="en", via="import",
        )  # fmt: skip


async def test_who_is_new_to_two_topics_gets_one_mail_a_day(
    ground: Ground, clock: FakeClock, smtp: Catcher, deliver: Deliver
) -> None:
    issue = await newcomers(ground, clock)
    other = "action-alerts"
    await people.topic(ground, other)
    draft = welcome.StepDraft(kind=StepKind.EXPLAINER, object_id=issue.id, days=1)
    await welcome.add_step(ground, actor=COMMAND, topic=other, version=0, draft=draft)
    await welcome.switch(ground, actor=COMMAND, topic=other, version=1, languages=["en"])
    clock.advance(minutes=1)
    await people.subscribed(ground, "ana@example.org", topics=(TOPIC, other))
    assert [await go_on(ground, clock, deliver, day) for day in range(4, 8)] == [1, 1, 1, 0]
    assert len(subjects(smtp, "ana@example.org")) == 3
