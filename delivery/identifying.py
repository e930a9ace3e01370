"""Whom mail that came back is about, and how well that is known; docs/decisions has the table.

What only we and the receiving side can have seen proves itself: our sealed envelope sender first,
then our keyed Message-ID and the sealed links in what was returned. An address that is merely named
proves nothing, unless a provider whose word was verified names it.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select, SelectOfScalar

from delivery.message import MessageIds
from delivery.models import Delivery, Dispatch, Proof, QueuedNotice
from foundation import addresses, errors
from foundation.ground import Ground
from foundation.tokens import Purpose
from subscribers.models import Subscriber

_LOOKED_AT = 50
"""Mails of a person whose Message-IDs are compared when nothing says which campaign it was."""
_COMES_BACK_WITHIN = timedelta(days=14)
"""A mail that was sent before this is not the one that a provider tells of."""
_CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class Clues:
    """What something that came back says about whose mail it was."""

    tokens: Sequence[str] = ()
    """Of our envelope sender, the most trustworthy place first."""
    links: Sequence[str] = ()
    """Sealed tokens of List-Unsubscribe in what was returned."""
    message_ids: Sequence[str] = ()
    """Without angle brackets."""
    campaign: str = ""
    """Of X-Handbill-Campaign."""
    addresses: Sequence[str] = ()
    is_verified: bool = False
    """Whether whoever names the addresses proved who they are."""
    at: datetime
    """When it happened, or when we heard of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class About:
    """The mail and the person that it is about, as far as they are still there."""

    subject: str
    """Names it in a digest: `d:` a delivery, `n:` a notice, `s:` a person."""
    proof: Proof
    delivery: Delivery | None = None
    notice: QueuedNotice | None = None
    person: Subscriber | None = None


async def whom(ground: Ground, session: AsyncSession, clues: Clues) -> About | None:
    """Whom it is about by the best of its clues; None when that is nobody whom we know."""
    for token in clues.tokens:
        found = await _by_token(ground, session, token)
        if found is not None:
            return found
    for link in clues.links:
        found = await _by_link(ground, session, link)
        if found is not None:
            return found
    for address in clues.addresses:
        person = await _person(session, address)
        if person is not None:
            return await _by_address(ground, session, person, clues)
    return None


async def _by_token(ground: Ground, session: AsyncSession, token: str) -> About | None:
    try:
        number, is_notice = ground.tokens.open_from_address(Purpose.RETURN_PATH, token)
    except (errors.BadToken, ValueError):
        return None
    if is_notice:
        notice = await session.get(QueuedNotice, number)
        return await _about(session, Proof.TOKEN, subject=f"n:{number}", notice=notice)
    delivery = await session.get(Delivery, number)
    return await _about(session, Proof.TOKEN, subject=f"d:{number}", delivery=delivery)


async def _by_link(ground: Ground, session: AsyncSession, link: str) -> About | None:
    try:
        person_id, number, _ = ground.tokens.open(Purpose.UNSUBSCRIBE, link)
    except (errors.BadToken, ValueError):
        return None
    if number:
        delivery = await session.get(Delivery, number)
        return await _about(session, Proof.HEADERS, subject=f"d:{number}", delivery=delivery)
    person = await session.get(Subscriber, person_id)
    return About(subject=f"s:{person_id}", proof=Proof.HEADERS, person=person)


async def _by_address(
    ground: Ground, session: AsyncSession, person: Subscriber, clues: Clues
) -> About:
    if clues.message_ids:
        found = await _by_message_id(ground, session, person, clues)
        if found is not None:
            return found
    if not clues.is_verified:
        return About(subject=f"s:{person.id}", proof=Proof.NONE, person=person)
    delivery = (await session.exec(_sent_before(person, clues))).first()
    return About(
        subject=f"d:{delivery.id}" if delivery is not None else f"s:{person.id}",
        proof=Proof.PROVIDER,
        delivery=delivery,
        person=person,
    )


async def _by_message_id(
    ground: Ground, session: AsyncSession, person: Subscriber, clues: Clues
) -> About | None:
    """The mail of a person's that has one of these Message-IDs.

    They are keyed, so whoever knows one has seen the mail; ours are made again to be compared.
    """
    ours = MessageIds(ground)
    said = [f"<{each.strip(' <>')}>".encode() for each in clues.message_ids]

    def is_said(thing: str) -> bool:
        made = ours(thing).encode()
        return any(hmac.compare_digest(made, each) for each in said)

    for delivery, campaign_id in (await session.exec(_mails(person, clues.campaign))).all():
        if is_said(f"c:{campaign_id}:{person.id}"):
            subject = f"d:{delivery.id}"
            return About(subject=subject, proof=Proof.HEADERS, delivery=delivery, person=person)
    for notice in (await session.exec(_notices(person))).all():
        if is_said(f"n:{notice.id}"):
            subject = f"n:{notice.id}"
            return About(subject=subject, proof=Proof.HEADERS, notice=notice, person=person)
    return None


def _mails(person: Subscriber, campaign: str) -> Select[Delivery, int]:
    """A person's mails of a campaign, or the newest; by the index on their deliveries."""
    statement = (
        select(Delivery, Dispatch.campaign_id)
        .join(Dispatch, col(Dispatch.id) == col(Delivery.dispatch_id))
        .where(Delivery.subscriber_id == person.id)
        .order_by(col(Delivery.id).desc())
        .limit(_LOOKED_AT)
    )
    number = _number(campaign)
    return statement.where(Dispatch.campaign_id == number) if number else statement


def _notices(person: Subscriber) -> SelectOfScalar[QueuedNotice]:
    return (
        select(QueuedNotice)
        .where(QueuedNotice.subscriber_id == person.id)
        .order_by(col(QueuedNotice.id).desc())
        .limit(_LOOKED_AT)
    )


def _sent_before(person: Subscriber, clues: Clues) -> SelectOfScalar[Delivery]:
    """The mail that a provider most likely tells of: of the campaign that it names, or the last."""
    statement = (
        select(Delivery)
        .join(Dispatch, col(Dispatch.id) == col(Delivery.dispatch_id))
        .where(Delivery.subscriber_id == person.id, col(Delivery.sent_at).is_not(None))
        .order_by(col(Delivery.sent_at).desc())
        .limit(1)
    )
    number = _number(clues.campaign)
    if number:
        return statement.where(Dispatch.campaign_id == number)
    return statement.where(
        col(Delivery.sent_at) <= clues.at + _CLOCKS_DIFFER,
        col(Delivery.sent_at) > clues.at - _COMES_BACK_WITHIN,
    )


def _number(text: str) -> int:
    """A campaign's number as a header writes it; 0 for anything else."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


async def _about(
    session: AsyncSession,
    proof: Proof,
    *,
    subject: str,
    delivery: Delivery | None = None,
    notice: QueuedNotice | None = None,
) -> About:
    row = delivery or notice
    person_id = row.subscriber_id if row is not None else None
    person = await session.get(Subscriber, person_id) if person_id is not None else None
    return About(subject=subject, proof=proof, delivery=delivery, notice=notice, person=person)


async def _person(session: AsyncSession, address: str) -> Subscriber | None:
    try:
        key = addresses.parse(address).key
    except errors.Invalid:
        return None
    return (await session.exec(select(Subscriber).where(Subscriber.email_key == key))).first()
