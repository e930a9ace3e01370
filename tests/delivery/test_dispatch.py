"""A campaign becomes a frozen list; staff stop it and go on at any moment; the sums add up."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlmodel import col

from delivery import dispatch, worker
from delivery.models import (
    Delivery,
    DeliveryState,
    Dispatch,
    DispatchLink,
    DispatchPlan,
    DispatchState,
    Reason,
)
from foundation import errors
from foundation.clock import SystemClock
from foundation.config import Settings
from foundation.ground import Ground
from subscribers.models import Subscriber
from tests.world import grounds, mailing, people, sink
from tests.world.clock import FakeClock
from tests.world.sink import Sink
from tests.world.smtp import Catcher

Deliver = Callable[[], Awaitable[None]]
one_connection = pytest.mark.settings(relay={"connections": 1})


async def state(ground: Ground, dispatch_id: int = 1) -> Dispatch:
    async with ground.db.reading() as session:
        return await session.get_one(Dispatch, dispatch_id)


async def change(ground: Ground, verb: Callable[..., Awaitable[bool]]) -> bool:
    async with ground.db.transaction() as session:
        return await verb(session, dispatch_id=1)


@pytest.mark.storage
async def test_the_list_is_frozen_by_one_statement_and_later_sign_ups_are_not_on_it(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    topic = await mailing.crowd(ground, 60)
    statements: list[str] = []
    engine = ground.db.engine.sync_engine

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    made = await mailing.start(ground, topics=[topic])
    event.remove(engine, "before_cursor_execute", note)
    (filling,) = [each for each in statements if each.startswith("INSERT INTO deliveries")]
    assert "SELECT" in filling
    assert made.audience == 60
    await people.subscribed(ground, "late@example.org")
    await deliver()
    assert len(smtp.messages) == 60
    assert not smtp.to("late@example.org")


@pytest.mark.storage
async def test_a_campaign_is_dispatched_once_and_a_second_start_is_refused(ground: Ground) -> None:
    topic = await mailing.crowd(ground, 3)
    await mailing.start(ground, topics=[topic])
    with pytest.raises(errors.Refused, match="started already"):
        await mailing.start(ground, topics=[topic])
    assert (await mailing.counts(ground)).audience == 3


@pytest.mark.storage
async def test_of_two_starts_at_one_moment_one_is_refused(ground: Ground) -> None:
    topic = await mailing.crowd(ground, 3)
    ends = await asyncio.gather(
        *(mailing.start(ground, topics=[topic]) for _ in range(4)), return_exceptions=True
    )
    assert Counter(type(end) for end in ends) == {Dispatch: 1, errors.Refused: 3}
    async with ground.db.reading() as session:
        assert await session.scalar(sa.select(sa.func.count()).select_from(Delivery)) == 3


async def test_whoever_was_left_out_is_counted_by_reason(ground: Ground) -> None:
    await mailing.crowd(ground, 4)
    topic = await people.topic(ground)
    chosen = sa.select(col(Subscriber.id), col(Subscriber.language)).where(col(Subscriber.id) > 1)
    made = await mailing.start(
        ground, topics=[topic.id], recipients=chosen, excluded={"suppressed": 1}
    )
    assert made.audience == 3
    assert (await state(ground)).excluded == {"suppressed": 1}


@pytest.mark.storage
async def test_everybody_gets_the_edition_nearest_to_their_language(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    for language in ("en", "es", "es-MX", "pt", "fr-CA", "EN-us"):
        await people.subscribed(ground, f"{language.lower()}@example.org", language=language)
    topic = await people.topic(ground)
    plans = {
        code: mailing.plan(ground, language=code, subject=f"Edition {code}")
        for code in ("es", "pt-BR", "en")
    }
    await mailing.start(ground, topics=[topic.id], plans=plans)
    await deliver()
    assert {each.rcpt_to: each.parsed["Subject"] for each in smtp.messages} == {
        "en@example.org": "Edition en",
        "es@example.org": "Edition es",
        "es-mx@example.org": "Edition es",
        "pt@example.org": "Edition en",
        "fr-ca@example.org": "Edition en",
        "en-us@example.org": "Edition en",
    }
    spanish = smtp.to("es@example.org")[0]
    assert '<html lang="es"' in spanish.html


async def test_the_plans_and_links_that_were_frozen_are_the_ones_that_are_sent(
    ground: Ground,
) -> None:
    topic = await mailing.crowd(ground, 1)
    plans = {"en": mailing.plan(ground), "es": mailing.plan(ground, language="es")}
    await mailing.start(ground, topics=[topic], plans=plans)
    async with ground.db.reading() as session:
        links = await session.execute(sa.select(col(DispatchLink.number), col(DispatchLink.url)))
        kept = (await session.scalars(sa.select(col(DispatchPlan.language)))).all()
        found = dict(links.all())
    assert sorted(kept) == ["en", "es"]
    wanted = {link.number: link.url for plan in plans.values() for link in plan.links}
    assert found == wanted
    assert len({*found}) == len(plans["en"].links) + len(plans["es"].links)


async def test_a_mail_that_needs_what_nobody_has_is_refused_before_anything_is_frozen(
    ground: Ground,
) -> None:
    topic = await mailing.crowd(ground, 1)
    plan = mailing.plan(ground)
    from templates.plan import Plan
    from templates.slots import Place, Slot

    odd = Plan(
        language="en",
        subject_segments=(Slot("moon.phase", Place.HEADER),),
        text_segments=plan.text_segments,
        html_segments=plan.html_segments,
        links=plan.links,
    )
    with pytest.raises(errors.Refused, match=r"moon\.phase"):
        await mailing.start(ground, topics=[topic], plans={"en": odd})
    async with ground.db.reading() as session:
        assert await session.scalar(sa.select(sa.func.count()).select_from(Dispatch)) == 0


@pytest.mark.storage
async def test_when_everybody_has_an_outcome_the_dispatch_is_over(
    ground: Ground, smtp: Catcher, deliver: Deliver, clock: FakeClock
) -> None:
    topic = await mailing.crowd(ground, 3)
    smtp.answer("RCPT", mailing.address(1), "550 5.1.1 nobody here")
    smtp.answer("RCPT", mailing.address(2), "451 later")
    await mailing.start(ground, topics=[topic])
    await deliver()
    assert (await state(ground)).state == DispatchState.SENDING
    smtp.accept_again()
    clock.advance(hours=1)
    await deliver()
    ended = await state(ground)
    assert ended.state == DispatchState.SENT
    assert ended.finished_at is not None
    found = await mailing.counts(ground)
    assert (found.sent, found.failed) == (2, 1)


async def test_a_list_without_anybody_is_over_at_once(ground: Ground, deliver: Deliver) -> None:
    topic = await people.topic(ground)
    await mailing.start(ground, topics=[topic.id])
    await deliver()
    assert (await state(ground)).state == DispatchState.SENT


@pytest.mark.storage
async def test_a_dispatch_that_is_paused_sends_nothing_until_it_is_resumed(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    topic = await mailing.crowd(ground, 5)
    await mailing.start(ground, topics=[topic])
    assert await change(ground, dispatch.pause)
    assert not await change(ground, dispatch.pause)
    await deliver()
    assert not smtp.messages
    assert (await mailing.counts(ground)).queued == 5
    assert await change(ground, dispatch.resume)
    assert not await change(ground, dispatch.resume)
    await deliver()
    assert Counter(each.rcpt_to for each in smtp.messages).total() == 5
    assert (await mailing.counts(ground)).sent == 5


@pytest.mark.storage
async def test_cancelling_leaves_nobody_waiting_and_can_not_be_undone(
    ground: Ground, smtp: Catcher, deliver: Deliver, clock: FakeClock
) -> None:
    topic = await mailing.crowd(ground, 5)
    smtp.answer("RCPT", mailing.address(2), "450 later")
    smtp.answer("RCPT", mailing.address(3), "550 no")
    await mailing.start(ground, topics=[topic])
    await deliver()
    assert await change(ground, dispatch.pause)
    assert await change(ground, dispatch.cancel)
    assert not await change(ground, dispatch.cancel)
    assert not await change(ground, dispatch.resume)
    smtp.accept_again()
    clock.advance(days=1)
    await deliver()
    found = await mailing.counts(ground)
    assert (found.sent, found.failed, found.cancelled) == (3, 1, 1)
    (stopped,) = [row for row in await mailing.rows(ground) if row.state == "cancelled"]
    assert stopped.reason == Reason.STOPPED
    assert not smtp.to(mailing.address(2))
    assert (await state(ground)).finished_at is not None


@pytest.mark.storage
@one_connection
async def test_a_pause_in_the_middle_of_a_message_holds_back_that_message_too(
    ground: Ground, server: Sink
) -> None:
    topic = await mailing.crowd(ground, 5)
    await mailing.start(ground, topics=[topic])
    held, sending = await mailing.held_at(ground, server, "RCPT")
    await change(ground, dispatch.pause)
    server.acts.clear()
    held.release()
    await sending
    assert server.total == 0
    assert (await mailing.counts(ground)).queued == 5
    assert all(row.worker_id is None for row in await mailing.rows(ground))
    await change(ground, dispatch.resume)
    await worker.run_until_idle(ground)
    assert server.taken == dict.fromkeys(map(mailing.address, range(1, 6)), 1)
    assert all(row.attempts == 1 for row in await mailing.rows(ground))


@pytest.mark.storage
@one_connection
async def test_a_cancel_in_the_middle_of_a_message_stops_that_message_too(
    ground: Ground, server: Sink
) -> None:
    topic = await mailing.crowd(ground, 5)
    await mailing.start(ground, topics=[topic])
    held, sending = await mailing.held_at(ground, server, "RCPT")
    await change(ground, dispatch.cancel)
    assert (await mailing.counts(ground)).cancelled == 5
    server.acts.clear()
    held.release()
    await sending
    assert server.total == 0
    assert (await mailing.counts(ground)).cancelled == 5
    assert all(row.worker_id is None for row in await mailing.rows(ground))
    assert (await state(ground)).finished_at is not None


@pytest.mark.storage
@one_connection
async def test_a_mail_whose_last_dot_was_written_before_the_cancel_counts_as_sent(
    ground: Ground, server: Sink
) -> None:
    topic = await mailing.crowd(ground, 5)
    await mailing.start(ground, topics=[topic])
    held = sink.Holding()
    server.acts["dot"] = held
    sending = asyncio.create_task(worker.run_until_idle(ground))
    connection = await held.reached()
    await change(ground, dispatch.cancel)
    server.acts.clear()
    connection.take()
    held.release()
    await sending
    found = await mailing.counts(ground)
    assert (found.sent, found.cancelled) == (1, 4)
    assert server.taken == {mailing.address(1): 1}


@pytest.mark.storage
@one_connection
async def test_a_mail_that_is_put_off_while_staff_cancel_stays_cancelled(
    ground: Ground, server: Sink, clock: FakeClock
) -> None:
    topic = await mailing.crowd(ground, 2)
    await mailing.start(ground, topics=[topic])
    held, sending = await mailing.held_at(ground, server, "RCPT")
    await change(ground, dispatch.cancel)
    server.acts.clear()
    held.release(b"451 4.3.0 later\r\n")
    await sending
    clock.advance(days=1)
    await worker.run_until_idle(ground)
    assert server.total == 0
    assert (await mailing.counts(ground)).cancelled == 2


@pytest.mark.storage
@one_connection
@pytest.mark.parametrize("left_s", [0, 4], ids=["over", "nearly-over"])
async def test_a_lease_that_runs_out_while_a_message_is_on_the_wire_ends_it_without_its_dot(
    ground: Ground, server: Sink, clock: FakeClock, left_s: int
) -> None:
    topic = await mailing.crowd(ground, 5)
    await mailing.start(ground, topics=[topic])
    held, sending = await mailing.held_at(ground, server, "RCPT")
    clock.advance(seconds=ground.settings.delivery.lease_s - left_s)
    server.acts.clear()
    held.release()
    await sending
    assert server.taken == dict.fromkeys(map(mailing.address, range(1, 6)), 1)
    # The first connection ended before the dot; whoever waited behind it cost none.
    assert server.accepted == 2
    for row in await mailing.rows(ground):
        assert (row.state, row.attempts) == (DeliveryState.SENT, 1)
        assert row.sent_at == clock.now()


@pytest.mark.storage
async def test_two_processes_on_one_database_send_everybody_one_mail(
    settings: Settings, server: Sink
) -> None:
    changed = settings.delivery.model_copy(update={"batch_size": 5})
    settings = settings.model_copy(update={"delivery": changed})
    async with grounds.standing(settings, SystemClock()) as ground:
        topic = await mailing.crowd(ground, 150)
        await mailing.start(ground, topics=[topic])
        await change(ground, dispatch.pause)
        processes = [await mailing.sending_process(settings) for _ in range(2)]
        await mailing.workers(ground, 2)
        await change(ground, dispatch.resume)
        await server.reached(150)
        for process in processes:
            process.terminate()
        assert [await process.wait() for process in processes] == [0, 0]
        assert server.taken == dict.fromkeys(map(mailing.address, range(1, 151)), 1)
        assert (await mailing.counts(ground)).sent == 150
        assert (await state(ground)).state == DispatchState.SENT
