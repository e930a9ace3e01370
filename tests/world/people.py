"""Subscribers, topics and staff put straight into the database, for tests about something else."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import select

from foundation import addresses
from foundation.accounts import sessions
from foundation.accounts.models import Role, Staff
from foundation.ground import Ground
from subscribers import catchwords
from subscribers.models import (
    Member,
    MemberContact,
    MemberState,
    Subscriber,
    Subscription,
    SubscriptionState,
    Topic,
    TopicKind,
)

_NAMES = {
    "secure-communities": {"en": "Secure Communities", "es": "Comunidades Seguras"},
    "action-alerts": {"en": "Action alerts", "es": "Alertas para actuar"},
    "coalition-members": {"en": "Coalition members", "es": "Miembros de la coalición"},
}


async def topic(ground: Ground, slug: str = "secure-communities") -> Topic:
    """The topic `slug`, made when it is not there."""
    async with ground.db.transaction() as session:
        found = (await session.exec(select(Topic).where(Topic.slug == slug))).first()
        if found is not None:
            return found
        names = _NAMES.get(slug, {"en": slug, "es": slug})
        kind = TopicKind.MEMBERS if slug == "coalition-members" else TopicKind.GENERAL
        made = Topic(
            slug=slug,
            kind=kind,
            is_public=kind is not TopicKind.MEMBERS,
            texts={code: {"name": name, "description": ""} for code, name in names.items()},
            created_at=ground.clock.now(),
        )
        session.add(made)
        await session.flush()
        return made


async def subscribed(
    ground: Ground,
    email: str = "ana@example.org",
    *,
    topics: Sequence[str] = ("secure-communities",),
    language: str = "en",
    state: SubscriptionState = SubscriptionState.CONFIRMED,
    **details: Any,
) -> Subscriber:
    """A person with subscriptions; `details` are further columns of the subscriber."""
    wanted = [await topic(ground, slug) for slug in topics]
    address = addresses.parse(email)
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        person = Subscriber(
            email=address.email,
            email_key=address.key,
            language=language,
            created_at=now,
            updated_at=now,
            **details,
        )
        session.add(person)
        await session.flush()
        await catchwords.keep(session, [person.id])
        for each in wanted:
            session.add(
                Subscription(subscriber_id=person.id, topic_id=each.id, state=state, since=now)
            )
    return person


async def staff(
    ground: Ground, role: Role = Role.OWNER, *, email: str | None = None, language: str = "en"
) -> tuple[Staff, str]:
    """A member of staff and the secret of a session of theirs."""
    address = addresses.parse(email or f"{role.value}@coalition.example")
    async with ground.db.transaction() as session:
        found = (await session.exec(select(Staff).where(Staff.email_key == address.key))).first()
        if found is None:
            found = Staff(
                email=address.email,
                email_key=address.key,
                name=role.value.title(),
                role=role.value,
                language=language,
                created_at=ground.clock.now(),
                joined_at=ground.clock.now(),
            )
            session.add(found)
            await session.flush()
        secret = sessions.start(session, ground, staff=found, browser="test")
    return found, secret


async def staff_of_partner(ground: Ground, partner_id: int) -> None:
    """Somebody who may sign in for a partner: `staff` gives them a session by their role."""
    person, _ = await staff(ground, Role.PARTNER)
    async with ground.db.transaction() as session:
        found = await session.get(Staff, person.id)
        assert found is not None
        found.partner_id = partner_id
        session.add(found)


async def speaks_for_a_member(
    ground: Ground, person: Subscriber, *, state: MemberState = MemberState.APPROVED
) -> None:
    """Make somebody the confirmed contact of an organisation."""
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        member = Member(name="Local 26", state=state.value, applied_at=now)
        session.add(member)
        await session.flush()
        session.add(
            MemberContact(
                member_id=member.id,
                name="Ana",
                email=person.email,
                email_key=person.email_key,
                subscriber_id=person.id,
                confirmed_at=now,
                created_at=now,
            )
        )
