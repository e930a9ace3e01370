import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from foundation.ground import Ground
from subscribers import suppression
from subscribers.models import Subscriber, Suppression, SuppressionReason
from tests.subscribers import mailbox
from tests.subscribers.mailbox import ANA
from tests.world import people
from tests.world.web import Web


async def suppress(ground: Ground, reason: SuppressionReason, *, email: str = ANA) -> None:
    async with ground.db.transaction() as session:
        await suppression.add(ground, session, email_key=email, reason=reason, via="bounce")


async def is_blocked(ground: Ground, subscriber_id: int) -> bool:
    blocked = suppression.is_active_for(col(Subscriber.id))
    statement = sa.select(col(Subscriber.id)).where(col(Subscriber.id) == subscriber_id, blocked)
    async with ground.db.reading() as session:
        return await session.scalar(statement) is not None


@pytest.mark.storage
async def test_suppressing_twice_is_as_good_as_once(ground: Ground) -> None:
    who = await people.subscribed(ground, ANA)
    await suppress(ground, SuppressionReason.HARD_BOUNCE)
    await suppress(ground, SuppressionReason.HARD_BOUNCE)
    async with ground.db.reading() as session:
        (row,) = (await session.exec(select(Suppression))).all()
    assert row.subscriber_id == who.id
    assert ANA not in row.model_dump_json()
    assert mailbox.kinds(await mailbox.steps(ground)) == ["suppressed"]
    assert await is_blocked(ground, who.id)


@pytest.mark.storage
async def test_lifting_is_recorded_and_only_for_the_reasons_named(ground: Ground) -> None:
    who = await people.subscribed(ground, ANA)
    await suppress(ground, SuppressionReason.HARD_BOUNCE)
    await suppress(ground, SuppressionReason.COMPLAINT)
    async with ground.db.transaction() as session:
        only = suppression.LIFTED_BY_CONFIRMING
        await suppression.lift(ground, session, email_key=ANA, because="", by="", only=only)
    assert await is_blocked(ground, who.id)
    async with ground.db.transaction() as session:
        assert await suppression.lift(ground, session, email_key=ANA, because="asked", by="Bo")
    async with ground.db.transaction() as session:
        assert not await suppression.lift(ground, session, email_key=ANA, because="", by="Bo")
    assert not await is_blocked(ground, who.id)
    assert mailbox.kinds(await mailbox.steps(ground)) == [
        "suppressed",
        "suppressed",
        "lifted",
        "lifted",
    ]


@pytest.mark.parametrize("reason", [SuppressionReason.COMPLAINT, SuppressionReason.BY_HAND])
async def test_a_complaint_stays_and_no_mail_asks(
    web: Web, ground: Ground, reason: SuppressionReason
) -> None:
    await mailbox.topics(ground)
    await suppress(ground, reason)
    assert (await mailbox.send(web)).status == 303
    assert await mailbox.notices(ground) == []
    who = await mailbox.person(ground)
    assert who is not None
    assert await is_blocked(ground, who.id)


async def test_a_complaint_after_the_mail_went_out_keeps_the_button_from_working(
    web: Web, ground: Ground
) -> None:
    await mailbox.topics(ground)
    await mailbox.send(web)
    await suppress(ground, SuppressionReason.COMPLAINT)
    url = await mailbox.confirm_url(ground)
    for answer in (await web.get(url), await web.post(url, {})):
        assert answer.status == 409
        assert "office@coalition.example" in answer.text
    assert await mailbox.states(ground) == {"secure-communities": "pending"}


@pytest.mark.parametrize("reason", suppression.LIFTED_BY_CONFIRMING)
@pytest.mark.storage
async def test_a_fresh_confirmed_opt_in_lifts_other_reasons(
    web: Web, ground: Ground, reason: SuppressionReason
) -> None:
    await mailbox.topics(ground)
    await suppress(ground, reason)
    await mailbox.send(web)
    who = await mailbox.person(ground)
    assert who is not None
    assert await is_blocked(ground, who.id)
    await web.post(await mailbox.confirm_url(ground), {})
    assert not await is_blocked(ground, who.id)


async def test_the_hash_says_nothing_without_the_key(ground: Ground) -> None:
    assert suppression.hashed(ground, ANA) == suppression.hashed(ground, ANA)
    assert suppression.hashed(ground, ANA) != suppression.hashed(ground, "bo@example.org")
    assert len(suppression.hashed(ground, ANA)) == 64
