"""What people do on the pages of sign-up, and what is then in the outbox and the tables."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import col, select

from delivery.models import QueuedNotice
from foundation.ground import Ground
from foundation.tokens import Purpose
from subscribers.models import (
    Consent,
    SignUp,
    Subscriber,
    Subscription,
    Topic,
)
from tests.world import people
from tests.world.web import Answer, Web

ANA = "ana@example.org"


async def notices(ground: Ground, kind: str = "confirm", to: str = ANA) -> list[QueuedNotice]:
    """Notices of a kind to an address, oldest first."""
    async with ground.db.reading() as session:
        statement = (
            select(QueuedNotice)
            .where(QueuedNotice.kind == kind, QueuedNotice.to_address == to)
            .order_by(col(QueuedNotice.id))
        )
        return list((await session.exec(statement)).all())


async def confirm_url(ground: Ground, to: str = ANA) -> str:
    """The link in the newest confirmation."""
    return (await notices(ground, to=to))[-1].context["confirm_url"]


async def person(ground: Ground, email: str = ANA) -> Subscriber | None:
    """Who has an address."""
    async with ground.db.reading() as session:
        return (
            await session.exec(select(Subscriber).where(Subscriber.email_key == email.lower()))
        ).first()


async def states(ground: Ground, email: str = ANA) -> dict[str, str]:
    """A person's topics: slug → state."""
    async with ground.db.reading() as session:
        rows = await session.exec(
            select(Topic.slug, Subscription.state)
            .join(Subscription, col(Subscription.topic_id) == col(Topic.id))
            .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
            .where(Subscriber.email_key == email.lower())
        )
        return dict(rows.all())


async def steps(ground: Ground, email: str = ANA) -> list[Consent]:
    """A person's consent, oldest first."""
    async with ground.db.reading() as session:
        rows = await session.exec(
            select(Consent)
            .join(Subscriber, col(Subscriber.id) == col(Consent.subscriber_id))
            .where(Subscriber.email_key == email.lower())
            .order_by(col(Consent.id))
        )
        return list(rows.all())


async def sign_ups(ground: Ground) -> list[SignUp]:
    """Every sign-up, oldest first."""
    async with ground.db.reading() as session:
        return list((await session.exec(select(SignUp).order_by(col(SignUp.id)))).all())


async def topics(ground: Ground, *slugs: str) -> None:
    """Have topics to choose from."""
    for slug in slugs or ("secure-communities", "action-alerts"):
        await people.topic(ground, slug)


async def send(web: Web, path: str = "/subscribe", **fields: Any) -> Answer:
    """Send a plain form in, as a page without scripts does."""
    return await web.post(path, {"email": ANA, "topic": "secure-communities", **fields})


async def sign_up(web: Web, ground: Ground, email: str = ANA, **fields: Any) -> None:
    """Sign up and confirm."""
    assert (await send(web, email=email, **fields)).status == 303
    assert (await web.post(await confirm_url(ground, to=email), {})).status == 200


def unsubscribe_path(ground: Ground, who: Subscriber, *, delivery: int = 0, topic: int = 0) -> str:
    """The link that a mail has."""
    return ground.link("/unsubscribe", Purpose.UNSUBSCRIBE, who.id, delivery, topic)


def preferences_path(ground: Ground, who: Subscriber) -> str:
    """The link that a mail has."""
    return ground.link("/preferences", Purpose.PREFERENCES, who.id)


def kinds(found: Sequence[Consent]) -> list[str]:
    """What happened, in order."""
    return [step.step for step in found]
