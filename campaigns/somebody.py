"""Somebody at random of those whom a bulletin is for, with whose eyes staff look at it."""

import secrets

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audiences
from campaigns.audiences import Audience
from campaigns.documents import Document
from foundation.ground import Ground
from subscribers.models import Subscriber


def audience_of(document: Document) -> Audience:
    """Whom a bulletin is for: its own audience, else who follows its issue.

    Raises `errors.Invalid` for one that can't be read.
    """
    audience = audiences.parse(document.audience)
    if audiences.is_to_somebody(audience):
        return audience
    return Audience(topics=[document.issue] if document.issue else [])


async def choose(ground: Ground, session: AsyncSession, document: Document) -> int | None:
    """The number of one of them, another at each time; None when there is nobody.

    Served by the primary key, so that it takes no longer where people are many. Raises
    `errors.Invalid` for an issue without a topic.
    """
    resolved = await audiences.resolve(
        ground, session, audience_of(document), languages=document.languages
    )
    people = sa.select(col(Subscriber.id)).where(audiences.gets_it(resolved))
    people = people.order_by(col(Subscriber.id)).limit(1)
    last = await session.scalar(sa.select(sa.func.max(col(Subscriber.id)))) or 0
    start = secrets.randbelow(last + 1)
    found: int | None = await session.scalar(people.where(col(Subscriber.id) >= start))
    return found if found is not None else await session.scalar(people)
