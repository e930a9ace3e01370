"""Why one person is in an audience or not: each thing that is asked, with its answer.

The very conditions that count an audience are asked of one row, so the answer is what would happen.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audiences, readings
from campaigns.audience_conditions import Asked
from campaigns.audience_rules import Audience, Condition
from campaigns.audiences import Resolved
from delivery.models import Delivery, DeliveryState, Dispatch
from foundation import addresses
from foundation.frozen import frozen
from foundation.ground import Ground
from subscribers import suppression
from subscribers.models import Subscriber, Subscription, SubscriptionState, Topic


@frozen
class Answer:
    """One condition, and whether it holds of the person."""

    group: str
    """`all_of`, `any_of` or `none_of`."""
    condition: Condition
    holds: bool


@frozen
class Verdict:
    """What is known of an address and an audience."""

    person: Subscriber | None
    """None: nobody here has the address."""
    is_in: bool = False
    edition: str = ""
    """The key of the edition that they would get."""
    topics: Sequence[tuple[Topic, SubscriptionState | None]] = ()
    """How they stand to each topic; None: they have nothing to do with it."""
    is_suppressed: bool = False
    answers: Sequence[Answer] = ()
    delivery: DeliveryState | None = None
    """What became of it, where it has begun to be sent and they were among its people."""
    has_begun: bool = False
    """It was frozen: who is in and who is not is in the ledger, whatever holds now."""


async def why(
    ground: Ground,
    *,
    audience: Audience,
    email: str,
    languages: Sequence[str],
    campaign_id: int | None = None,
) -> Verdict:
    """Ask an audience about an address. Raises `errors.Invalid`, also for what is no address."""
    key = addresses.parse(email).key
    async with ground.db.reading() as session:
        person = (await session.exec(select(Subscriber).where(Subscriber.email_key == key))).first()
        if person is None:
            return Verdict(person=None)
        resolved = await audiences.resolve(ground, session, audience, languages=languages)
        has_begun, delivery = await _ledger(session, person.id, campaign_id)
        return await _verdict(session, resolved, person, has_begun=has_begun, delivery=delivery)


async def _verdict(
    session: AsyncSession,
    resolved: Resolved,
    person: Subscriber,
    *,
    has_begun: bool,
    delivery: DeliveryState | None,
) -> Verdict:
    asked: list[tuple[str, Asked]] = [
        (group, each)
        for group in ("all_of", "any_of", "none_of")
        for each in getattr(resolved.asked, group)
    ]
    edition = readings.expression(
        await audiences.read_by(session, resolved), audiences.edition_language(resolved.languages)
    )
    columns: tuple[sa.ColumnElement[Any], ...] = (
        audiences.gets_it(resolved),
        suppression.is_active_for(col(Subscriber.id)),
        edition,
        *(each.holds for _, each in asked),
    )
    # Two conditions may be the same words twice; each gets a name of its own.
    named = [column.label(f"a{number}") for number, column in enumerate(columns)]
    row = (await session.execute(sa.select(*named).where(col(Subscriber.id) == person.id))).one()
    is_in, is_suppressed, key, *holds = row
    return Verdict(
        person=person,
        is_in=delivery is not None if has_begun else bool(is_in),
        edition=key,
        topics=await _standing(session, resolved, person.id),
        is_suppressed=bool(is_suppressed),
        answers=[
            Answer(group=group, condition=each.condition, holds=bool(answer))
            for (group, each), answer in zip(asked, holds, strict=True)
        ],
        delivery=delivery,
        has_begun=has_begun,
    )


async def _standing(
    session: AsyncSession, resolved: Resolved, subscriber_id: int
) -> list[tuple[Topic, SubscriptionState | None]]:
    rows = await session.execute(
        sa.select(col(Subscription.topic_id), col(Subscription.state)).where(
            col(Subscription.subscriber_id) == subscriber_id,
            col(Subscription.topic_id).in_(resolved.topic_ids),
        )
    )
    states: dict[int, str] = dict(rows.all())
    return [
        (topic, SubscriptionState(states[topic.id]) if topic.id in states else None)
        for topic in resolved.topics
    ]


async def _ledger(
    session: AsyncSession, subscriber_id: int, campaign_id: int | None
) -> tuple[bool, DeliveryState | None]:
    """Whether a campaign has begun, and what became of it for one person."""
    if campaign_id is None:
        return False, None
    order = await session.scalar(
        sa.select(col(Dispatch.id)).where(col(Dispatch.campaign_id) == campaign_id)
    )
    if order is None:
        return False, None
    state = await session.scalar(
        sa.select(col(Delivery.state)).where(
            col(Delivery.dispatch_id) == order, col(Delivery.subscriber_id) == subscriber_id
        )
    )
    return True, DeliveryState(state) if state is not None else None
