"""Every recipient of a campaign and what happened to each: pages by keyset, search, a CSV file.

People who do not agree to be counted by name, or no longer do, have no openings and clicks here,
whatever they did.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import campaign_views, leaving, recipients, transitions
from campaigns.models import Campaign, Hit, HitKind
from delivery import listing
from delivery.models import IS_ODD, Delivery, DeliveryState, Dispatch
from foundation import cells
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from subscribers import finding
from subscribers.models import Consent, Subscriber

PAGE = 100
_PIECE = 2000
COLUMNS = (
    "email", "language", "state", "reason", "reply_code", "sent_at", "relay", "came_back",
    "complained_at", "counted_by_name", "opened_at", "links_followed", "unsubscribed_at",
)  # fmt: skip
"""Of the CSV file."""


class Fate(StrEnum):
    """Of whom the list is."""

    ALL = ""
    """Everybody."""
    ARRIVED = "arrived"
    """The relay took it, and it did not come back."""
    CLICKED = "clicked"
    """Agrees to be counted by name, and followed a link."""
    LEFT = "left"
    """Unsubscribed by this mail."""
    CAME_BACK = "came-back"
    """It was taken, and came back or was complained about."""
    NOT_SENT = "not-sent"
    """Failed, put off, uncertain, or not sent."""


@frozen
class Query:
    """What staff look for."""

    fate: Fate = Fate.ALL
    text: str = ""
    """The beginnings of words of the address, a name, the town or the postal code."""


@frozen
class Recipient:
    """One of them."""

    subscriber_id: int
    email: str
    language: str
    state: str
    reason: str
    reply_code: int | None
    sent_at: datetime | None
    relay: str
    came_back: str
    """hard, soft or block; blank when it did not."""
    complained_at: datetime | None
    is_named: bool
    """Agrees to be counted by name."""
    opened_at: datetime | None
    links: int
    """Different links that they followed."""
    left_at: datetime | None


@frozen
class Page:
    """Some of the recipients, in the order in which they first signed up."""

    campaign: Campaign
    items: Sequence[Recipient]
    forgotten: int
    """Who got it and was forgotten since: they are on no list."""
    next_after: int | None = None


async def page(
    ground: Ground, *, campaign_id: int, query: Query, after: int = 0, limit: int = PAGE
) -> Page:
    """A page by keyset. Raises `errors.NotFound`, also for a campaign that was not started yet."""
    async with ground.db.reading() as session:
        campaign = await transitions.get(session, campaign_id)
        order = await campaign_views.order_of(session, campaign_id)
        found = await _listed(session, order, query, after=after, limit=limit + 1)
        forgotten = await session.scalar(
            sa.select(sa.func.count()).where(
                col(Delivery.dispatch_id) == order.id, col(Delivery.subscriber_id).is_(None)
            )
        )
    return Page(
        campaign=campaign,
        items=found[:limit],
        forgotten=int(forgotten or 0),
        next_after=found[limit - 1].subscriber_id if len(found) > limit else None,
    )


async def chunks(ground: Ground, *, campaign_id: int, query: Query) -> AsyncIterator[bytes]:
    """The file in pieces, each read by itself. Raises `errors.NotFound` as `page` does."""
    async with ground.db.reading() as session:
        order = await campaign_views.order_of(session, campaign_id)
    yield cells.lines([COLUMNS]).encode("utf-8-sig")
    after = 0
    while True:
        async with ground.db.reading() as session:
            found = await _listed(session, order, query, after=after, limit=_PIECE)
        if not found:
            return
        yield cells.lines([_cells(each) for each in found]).encode()
        after = found[-1].subscriber_id


async def note_export(ground: Ground, *, actor: Actor, campaign_id: int, query: Query) -> None:
    """Put into the log who takes the file along. Raises `errors.NotFound`."""
    async with ground.db.transaction() as session:
        await transitions.get(session, campaign_id)
        transitions.note(
            ground, session, actor, campaign_id, "recipients-exported", before={},
            after={"of": query.fate.value or "everybody"},
        )  # fmt: skip


async def _listed(
    session: AsyncSession, order: Dispatch, query: Query, *, after: int, limit: int
) -> list[Recipient]:
    """Along the unique index of dispatch and subscriber, or from the side of what is rare."""
    statement = (
        sa.select(Delivery, Subscriber)
        .join(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
        .where(
            col(Delivery.dispatch_id) == order.id,
            col(Delivery.subscriber_id) > after,
            *_is(query.fate, order.id),
            *await finding.says(session, query.text),
        )
        .order_by(col(Delivery.subscriber_id))
        .limit(limit)
    )
    rows = (await session.execute(statement)).all()
    hits = await _hits(
        session, [delivery.id for delivery, person in rows if person.allows_tracking]
    )
    left = await _left(session, order.id, [person.id for _, person in rows])
    return [
        Recipient(
            subscriber_id=person.id,
            email=person.email,
            language=delivery.language,
            state=delivery.state,
            reason=delivery.reason,
            reply_code=delivery.reply_code,
            sent_at=delivery.sent_at,
            relay=delivery.relay,
            came_back=delivery.bounce,
            complained_at=delivery.complained_at,
            is_named=person.allows_tracking,
            opened_at=hits.get((delivery.id, HitKind.OPEN), (None, 0))[0],
            links=hits.get((delivery.id, HitKind.CLICK), (None, 0))[1],
            left_at=left.get(person.id),
        )
        for delivery, person in rows
    ]


def _is(fate: Fate, dispatch_id: int) -> list[sa.ColumnElement[bool]]:
    is_sent = col(Delivery.state) == DeliveryState.SENT.value
    match fate:
        case Fate.ARRIVED:
            return [is_sent, col(Delivery.bounce) == ""]
        case Fate.CLICKED:
            clicked = sa.select(col(Hit.delivery_id)).where(
                col(Hit.dispatch_id) == dispatch_id,
                col(Hit.kind) == HitKind.CLICK.value,
                col(Hit.is_human).is_(True),
            )
            return [col(Delivery.id).in_(clicked), col(Subscriber.allows_tracking).is_(True)]
        case Fate.LEFT:
            left = sa.select(col(Consent.subscriber_id)).where(leaving.by_mail(dispatch_id))
            return [col(Delivery.subscriber_id).in_(left)]
        case Fate.CAME_BACK:
            return [is_sent, *listing.CameBack().conditions(dispatch_id)]
        case Fate.NOT_SENT:
            odd = sa.select(col(Delivery.id)).where(
                col(Delivery.dispatch_id) == dispatch_id, sa.type_coerce(IS_ODD, sa.Boolean)
            )
            return [col(Delivery.id).in_(odd)]
    return []


async def _hits(
    session: AsyncSession, numbers: Sequence[int]
) -> dict[tuple[int, str], tuple[datetime | None, int]]:
    """Delivery and kind → when first, and how many different links."""
    grouped = (col(Hit.delivery_id), col(Hit.kind))
    statement = (
        sa.select(*grouped, sa.func.min(col(Hit.at)), sa.func.count(sa.distinct(col(Hit.link))))
        .where(col(Hit.delivery_id).in_(numbers), col(Hit.is_human).is_(True))
        .group_by(*grouped)
    )
    rows: Sequence[Any] = (await session.execute(statement)).all() if numbers else []
    return {(number, kind): (first, int(links)) for number, kind, first, links in rows}


async def _left(
    session: AsyncSession, dispatch_id: int, people: Sequence[int]
) -> dict[int, datetime]:
    statement = (
        sa.select(col(Consent.subscriber_id), sa.func.min(col(Consent.at)))
        .where(leaving.by_mail(dispatch_id), col(Consent.subscriber_id).in_(people))
        .group_by(col(Consent.subscriber_id))
    )
    return dict((await session.execute(statement)).all()) if people else {}


def _cells(row: Recipient) -> list[str]:
    values = (
        row.email, row.language, row.state, row.reason, row.reply_code, row.sent_at, row.relay,
        row.came_back, row.complained_at, "yes" if row.is_named else "no", row.opened_at,
        row.links if row.is_named else None, row.left_at,
    )  # fmt: skip
    return [recipients.cell(value) for value in values]
