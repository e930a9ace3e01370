"""A site with years behind it: many people, hundreds of campaigns, and a ledger of the newest."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from bench import house
from campaigns import audiences, bulletins, lifecycle
from campaigns.models import Campaign, CampaignState, Hit, HitKind, HitTotal
from delivery.models import Delivery, DeliveryState, Dispatch, DispatchState
from foundation import tables
from foundation.audit import COMMAND
from foundation.ground import Ground
from subscribers.models import (
    Consent,
    ConsentStep,
    SignUp,
    SignUpState,
    Subscriber,
    Subscription,
    SubscriptionState,
    Suppression,
    SuppressionReason,
)
from subscribers.word_models import SubscriberWord
from tests.world import campaigning, mailing, people

TOPICS = ("secure-communities", "action-alerts", "all-news")
_DAYS = 1000
_SPANS = 100
_IN_LEDGER = 20
"""So many of the newest campaigns have many recipients; those before them have a few."""
_LINKS = 5
_TOWNS = ("Boston", "Worcester", "Springfield", "Lowell", "")
_SOURCES = ("issue-page", "archive", "handbill-3", "")


async def build(ground: Ground, *, size: int, campaigns: int) -> None:
    """So many people who came over a thousand days, and what they were sent."""
    for slug in TOPICS:
        await people.topic(ground, slug)
    await _come(ground, size)
    await _subscribe(ground)
    await _send(ground, size=size, campaigns=campaigns)
    await _suppress(ground)
    await _settle(ground)


async def _come(ground: Ground, size: int) -> None:
    """Each came on a day of the past, by a form that is known, and confirmed it."""
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        for span in range(_SPANS):
            at = now - timedelta(days=_DAYS * (1 - span / _SPANS))
            first, last = span * size // _SPANS + 1, (span + 1) * size // _SPANS
            await session.execute(_people(first, last, at))
        await session.execute(_words())
        await _from_people(session, SignUp, _signup())
        await _from_people(session, Consent, _consent())


def _people(first: int, last: int, at: datetime) -> sa.Insert:
    """The people of these numbers, made by the database: a million take it seconds so."""
    counted = sa.select(sa.literal(first, tables.BIG).label("number")).cte(
        "counted", recursive=True
    )
    further = sa.select(counted.c.number + 1).where(counted.c.number < last)
    counted = counted.union_all(further)
    number = counted.c.number
    address = sa.literal("person") + _text(number) + sa.literal("@example.org")
    moment = sa.literal(at, tables.UtcDateTime())
    values: dict[str, Any] = {
        "email": address,
        "email_key": address,
        "first_name": sa.literal("Name") + _text(number % 5_000),
        "last_name": sa.literal("Family") + _text(number % 20_000),
        "postal_code": sa.literal("01") + _text(100 + number % 900),
        "town": sa.case(*((number % len(_TOWNS) == n, town) for n, town in enumerate(_TOWNS))),
        "language": sa.case((number % 2 == 0, "es"), else_="en"),
        "further_languages": sa.literal(""),
        "reads_both": sa.false(),
        "fields": sa.literal({}, tables.Json()),
        "allows_tracking": number % 10 == 0,
        "soft_bounces": sa.literal(0),
        "created_at": moment,
        "updated_at": moment,
    }
    return sa.insert(Subscriber).from_select(
        list(values), sa.select(*values.values()).order_by(number)
    )


def _words() -> sa.Insert:
    """What people are found by, as `catchwords` has it; each of their texts here is one word."""
    number = col(Subscriber.id)
    texts = (Subscriber.first_name, Subscriber.last_name, Subscriber.postal_code, Subscriber.town)
    each = [
        *(sa.func.lower(col(text)) for text in texts),
        sa.func.replace(col(Subscriber.email), "@example.org", ""),
        *map(sa.literal, ("example", "org")),
    ]
    found = sa.union_all(*(sa.select(word.label("word"), number.label("id")) for word in each))
    pairs = found.subquery("pairs")
    words = sa.select(pairs.c.word, pairs.c.id).where(pairs.c.word != "")
    return sa.insert(SubscriberWord).from_select(
        ["word", "subscriber_id"], words.order_by(pairs.c.word, pairs.c.id)
    )


def _text(number: sa.ColumnElement[int]) -> sa.ColumnElement[str]:
    return sa.cast(number, sa.String)


def _signup() -> dict[str, Any]:
    number = col(Subscriber.id)
    source = sa.case(
        *((number % 4 == place, each) for place, each in enumerate(_SOURCES)), else_=""
    )
    return {
        "subscriber_id": number,
        "state": SignUpState.CONFIRMED.value,
        "doubt": "",
        "topics": [TOPICS[0]],
        "language": col(Subscriber.language),
        "source": source,
        "created_at": col(Subscriber.created_at),
        "confirmed_at": col(Subscriber.created_at),
        "tags": [],
        "shares": [],
        **dict.fromkeys(
            ("first_name", "last_name", "postal_code", "further_languages", "referrer_host",
             "page_path", "utm_source", "utm_medium", "utm_campaign"),
            "",
        ),
    }  # fmt: skip


def _consent() -> dict[str, Any]:
    return {
        "subscriber_id": col(Subscriber.id),
        "at": col(Subscriber.created_at),
        "step": ConsentStep.CONFIRMED.value,
        "topics": [TOPICS[0]],
        "language": col(Subscriber.language),
        "via": "form",
        "reason": "",
    }


async def _from_people(
    session: AsyncSession,
    table: type[SQLModel],
    values: dict[str, Any],
    where: sa.ColumnElement[bool] | None = None,
) -> None:
    """A row of `table` for each person, by one statement."""
    columns = sa.inspect(table).columns
    picked = [
        sa.literal(each, columns[name].type) if isinstance(each, (str, int, list)) else each
        for name, each in values.items()
    ]
    statement = sa.select(*picked).select_from(Subscriber)
    if where is not None:
        statement = statement.where(where)
    await session.execute(sa.insert(table).from_select(list(values), statement))


async def _subscribe(ground: Ground) -> None:
    """To the first topic, all; a fifth gets alerts, too; a tenth asked for all news, and never
    confirmed or left again.
    """
    number = col(Subscriber.id)
    shares = (
        (1, SubscriptionState.CONFIRMED, sa.true()),
        (2, SubscriptionState.CONFIRMED, number % 5 == 0),
        (3, SubscriptionState.PENDING, number % 20 == 1),
        (3, SubscriptionState.UNSUBSCRIBED, number % 20 == 2),
    )
    async with ground.db.transaction() as session:
        for topic, state, where in shares:
            values = {
                "subscriber_id": number,
                "topic_id": topic,
                "state": state.value,
                "since": col(Subscriber.created_at),
            }
            await _from_people(session, Subscription, values, where)


async def _send(ground: Ground, *, size: int, campaigns: int) -> None:
    """Campaigns over the years; the newest to many, and with what readers did."""
    plans = house.bulletins(ground)
    now = ground.clock.now()
    for number in range(1, campaigns + 1):
        name = f"Bulletin {number}"
        kept = await bulletins.create(ground, actor=COMMAND, document=campaigning.document(name))
        made = await lifecycle.create(
            ground,
            actor=COMMAND,
            bulletin_id=kept.id,
            name=name,
            audience=audiences.Audience(topics=list(TOPICS[:1])),
        )
        is_new = number > campaigns - _IN_LEDGER
        most = size // _IN_LEDGER if is_new else 20
        chosen = sa.select(col(Subscriber.id), col(Subscriber.language)).where(
            col(Subscriber.id) <= most
        )
        order = await mailing.start(
            ground, topics=[1], campaign_id=made.id, plans=plans, recipients=chosen
        )
        at = now - timedelta(days=(campaigns - number) * _DAYS / campaigns, hours=6)
        await _close(ground, made.id, order.id, at, with_hits=is_new)


async def _close(
    ground: Ground, campaign_id: int, dispatch_id: int, at: datetime, *, with_hits: bool
) -> None:
    """Everybody of it has it, since then."""
    ours = col(Delivery.dispatch_id) == dispatch_id
    sent = {"state": DeliveryState.SENT.value, "sent_at": at, "relay": "default", "attempts": 1}
    async with ground.db.transaction() as session:
        await session.execute(sa.update(Delivery).where(ours).values(**sent))
        await session.execute(
            sa.update(Dispatch)
            .where(col(Dispatch.id) == dispatch_id)
            .values(state=DispatchState.SENT.value, started_at=at, finished_at=at)
        )
        await session.execute(
            sa.update(Campaign)
            .where(col(Campaign.id) == campaign_id)
            .values(state=CampaignState.SENT.value, started_at=at, finished_at=at)
        )
        if not with_hits:
            return
        await session.execute(sa.insert(HitTotal), list(_totals(dispatch_id, at)))
        columns = ["dispatch_id", "delivery_id", "kind", "is_human", "judged_by", "at"]
        moment = sa.literal(at, tables.UtcDateTime())
        for kind, share in ((HitKind.OPEN, 20), (HitKind.CLICK, 50)):
            values = (sa.literal(dispatch_id), col(Delivery.id), sa.literal(kind.value))
            hits = sa.select(*values, sa.true(), sa.literal(""), moment)
            await session.execute(
                sa.insert(Hit).from_select(
                    columns, hits.where(ours, col(Delivery.subscriber_id) % share == 0)
                )
            )


def _totals(dispatch_id: int, at: datetime) -> Iterator[dict[str, Any]]:
    first = at.replace(minute=0, second=0, microsecond=0)
    for hour in range(72):
        for link in range(_LINKS + 1):
            yield {
                "dispatch_id": dispatch_id,
                "kind": (HitKind.CLICK if link else HitKind.OPEN).value,
                "link": link,
                "hour": first + timedelta(hours=hour),
                "human": 72 - hour,
                "machine": 3,
            }


async def _suppress(ground: Ground) -> None:
    """One in a hundred must not be mailed."""
    async with ground.db.transaction() as session:
        values = {
            "subscriber_id": col(Subscriber.id),
            "address_hash": col(Subscriber.email_key),
            "reason": SuppressionReason.HARD_BOUNCE.value,
            "note": "",
            "lifted_by": "",
            "lifted_because": "",
            "created_at": col(Subscriber.created_at),
        }
        await _from_people(session, Suppression, values, col(Subscriber.id) % 100 == 0)


async def _settle(ground: Ground) -> None:
    """What PostgreSQL does by itself within the hour: look how much there is of what."""
    if ground.db.dialect == "sqlite":
        return
    async with ground.db.engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.execute(sa.text("VACUUM ANALYZE"))
