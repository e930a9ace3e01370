"""Everything that is held about a person, for the person to take along as JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import audit, tables
from foundation.audit import Actor
from foundation.ground import Ground
from subscribers import people, preferences, sharing
from subscribers.holdings import Elsewhere
from subscribers.member_models import SignOn
from subscribers.models import (
    Consent,
    Member,
    MemberContact,
    SignUp,
    Subscriber,
    Subscription,
    Suppression,
    Topic,
    Wording,
)


async def everything(
    ground: Ground, *, token: str, elsewhere: Sequence[Elsewhere] = ()
) -> dict[str, Any]:
    """Everything held about the person, ready to be written as JSON.

    Raises `errors.BadToken`, `errors.NotFound`.
    """
    async with ground.db.reading() as session:
        person = await preferences.person_of(ground, session, token)
    return await of_person(ground, subscriber_id=person.id, elsewhere=elsewhere)


async def of_person(
    ground: Ground, *, subscriber_id: int, elsewhere: Sequence[Elsewhere] = ()
) -> dict[str, Any]:
    """The same by row number, for the command line. Raises `errors.NotFound`."""
    async with ground.db.reading() as session:
        person = await people.get(session, subscriber_id)
        found: dict[str, Any] = {
            "site": ground.settings.site.name,
            "written_at": ground.clock.now().isoformat(timespec="seconds"),
            "person": _row(person, "id", "email_key"),
            "tags": await people.tags_of(session, person.id),
            "topics": await _held_topics(session, person),
            "consent": await _held_consent(session, person),
            "sign_ups": await _held_sign_ups(session, person),
            "shared_with": [
                {"organization": each.name, "since": _plain(each.since)}
                for each in await sharing.holders(session, subscriber_id=person.id)
            ],
            "suppressions": [
                _row(each, "id", "address_hash", "subscriber_id")
                for each in await session.exec(
                    select(Suppression).where(Suppression.subscriber_id == person.id)
                )
            ],
            "speaks_for": [
                {"organization": member.name, **_row(contact, "id", "member_id", "email_key")}
                for contact, member in await session.exec(
                    select(MemberContact, Member)
                    .join(Member, col(Member.id) == col(MemberContact.member_id))
                    .where(MemberContact.subscriber_id == person.id)
                )
            ],
            "signed": [
                _row(each, "id", "email_key", "organisation_key", "member_id")
                for each in await session.exec(
                    select(SignOn).where(SignOn.email_key == person.email_key)
                )
            ],
        }
        for place in elsewhere:
            found |= await place.held(session, subscriber_id=person.id)
        return found


async def for_office(
    ground: Ground, *, actor: Actor, subscriber_id: int, elsewhere: Sequence[Elsewhere] = ()
) -> dict[str, Any]:
    """The same for somebody of the office, who is in the log for it. Raises `errors.NotFound`."""
    found = await of_person(ground, subscriber_id=subscriber_id, elsewhere=elsewhere)
    async with ground.db.transaction() as session:
        audit.record(
            session,
            actor=actor,
            at=ground.clock.now(),
            action="subscriber.downloaded",
            object_kind="subscriber",
            object_id=subscriber_id,
        )
    return found


async def _held_topics(session: AsyncSession, person: Subscriber) -> list[dict[str, Any]]:
    rows = await session.exec(
        select(Subscription, Topic)
        .join(Topic, col(Topic.id) == col(Subscription.topic_id))
        .where(Subscription.subscriber_id == person.id)
    )
    return [
        {"topic": topic.slug, "state": each.state, "since": _plain(each.since)}
        for each, topic in rows
    ]


async def _held_consent(session: AsyncSession, person: Subscriber) -> list[dict[str, Any]]:
    rows = await session.exec(
        select(Consent, Wording)
        .outerjoin(Wording, col(Wording.id) == col(Consent.wording_id))
        .where(Consent.subscriber_id == person.id)
        .order_by(col(Consent.at), col(Consent.id))
    )
    found = []
    for step, wording in rows:
        shown: Wording | None = wording
        words = {"words": shown.text, "version": shown.version} if shown is not None else {}
        found.append(_row(step, "id", "subscriber_id", "wording_id", "dispatch_id") | words)
    return found


async def _held_sign_ups(session: AsyncSession, person: Subscriber) -> list[dict[str, Any]]:
    rows = await session.exec(
        select(SignUp).where(SignUp.subscriber_id == person.id).order_by(col(SignUp.id))
    )
    return [_row(each, "subscriber_id") for each in rows]


def _row(row: tables.Table, *without: str) -> dict[str, Any]:
    """A table's row as names and plain values, without numbers that mean nothing outside."""
    return {name: _plain(value) for name, value in row.model_dump().items() if name not in without}


def _plain(value: object) -> object:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
