"""Which mail something is about that has no token of ours, by an address and what is said besides.

`identifying` asks for many things at once: a webhook may bring thousands. Our Message-IDs are
keyed, so whoever knows one has seen the mail; ours are made again to be compared. What a provider
tells whose word was verified may also be about the mail that it most likely means.
"""

import contextlib
import hmac
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import naming
from delivery.message import MessageIds
from delivery.models import Delivery, Dispatch, Proof, QueuedNotice
from foundation import addresses, errors
from foundation.frozen import frozen
from foundation.ground import Ground
from subscribers.models import Subscriber

_LOOKED_AT = 50
"""Mails of a person whose Message-IDs are compared when nothing says which campaign it was."""
_COMES_BACK_WITHIN = timedelta(days=14)
"""A mail that was sent before this is not the one that a provider tells of."""
_CLOCKS_DIFFER = timedelta(minutes=5)


@frozen
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


@frozen
class Named:
    """What some clues name, by its number, and how well that is known."""

    proof: Proof
    delivery: int | None = None
    notice: int | None = None
    person: int | None = None

    @property
    def subject(self) -> str:
        """Names it in a digest: `d:` a delivery, `n:` a notice, `s:` a person."""
        if self.delivery is not None:
            return f"d:{self.delivery}"
        return f"n:{self.notice}" if self.notice is not None else f"s:{self.person}"


@frozen
class _Asked:
    """Clues of which it is known whose they are."""

    person: int
    clues: Clues
    campaign: int
    """0 where the clues don't say."""

    def is_said(self, made: str) -> bool:
        """Whether a Message-ID of ours is among those that are told."""
        said = (f"<{each.strip(' <>')}>".encode() for each in self.clues.message_ids)
        return any(hmac.compare_digest(made.encode(), each) for each in said)


@frozen
class _Mail:
    """A mail of a bulletin to somebody."""

    number: int
    campaign: int
    sent_at: datetime | None


@frozen
class _Mails:
    """Whatever may be meant, by person; the most likely first."""

    of_campaign: Mapping[tuple[int, int], Sequence[_Mail]]
    """By person and campaign."""
    newest: Mapping[int, Sequence[_Mail]]
    sent: Mapping[int, Sequence[_Mail]]
    notices: Mapping[int, Sequence[int]]


async def by_address(
    ground: Ground, session: AsyncSession, clues: Sequence[Clues]
) -> Sequence[Named | None]:
    """What each of the clues is about, by the first address that we know; None: nobody's."""
    people = await _people(session, {key for each in clues for key in _keys(each)})
    asked = [
        _Asked(person=found[0], clues=each, campaign=naming.number(each.campaign))
        if found
        else None
        for each in clues
        for found in ([people[key] for key in _keys(each) if key in people],)
    ]
    mails = await _mails(session, [each for each in asked if each is not None])
    ours = MessageIds(ground)
    return [_named(ours, each, mails) if each is not None else None for each in asked]


def _named(ours: MessageIds, asked: _Asked, mails: _Mails) -> Named:
    person, clues = asked.person, asked.clues
    if clues.message_ids:
        likely = (
            mails.of_campaign.get((person, asked.campaign), ())
            if asked.campaign
            else mails.newest.get(person, ())
        )
        for mail in likely:
            if asked.is_said(ours(f"c:{naming.mark(mail.campaign)}:{person}")):
                return Named(proof=Proof.HEADERS, delivery=mail.number)
        for notice in mails.notices.get(person, ()):
            if asked.is_said(ours(f"n:{notice}")):
                return Named(proof=Proof.HEADERS, notice=notice)
    if not clues.is_verified:
        return Named(proof=Proof.NONE, person=person)
    meant = _most_likely(asked, mails)
    if meant is None:
        return Named(proof=Proof.PROVIDER, person=person)
    return Named(proof=Proof.PROVIDER, delivery=meant.number)


def _most_likely(asked: _Asked, mails: _Mails) -> _Mail | None:
    """The mail that a provider tells of: of the campaign that it names, or the last before."""
    if asked.campaign:
        found = mails.of_campaign.get((asked.person, asked.campaign), ())
        return next((mail for mail in found if mail.sent_at is not None), None)
    at = asked.clues.at
    for mail in mails.sent.get(asked.person, ()):
        if mail.sent_at and at - _COMES_BACK_WITHIN < mail.sent_at <= at + _CLOCKS_DIFFER:
            return mail
    return None


async def _mails(session: AsyncSession, asked: Sequence[_Asked]) -> _Mails:
    """One look for each kind of question; by the index on a person's deliveries."""
    told = [each for each in asked if each.campaign]
    untold = [each for each in asked if not each.campaign]
    with_ids = {each.person for each in asked if each.clues.message_ids}
    by_campaign: dict[tuple[int, int], list[_Mail]] = defaultdict(list)
    campaigns = sorted({each.campaign for each in told})
    for person, mail in await _read(
        session, {each.person for each in told}, col(Dispatch.campaign_id).in_(campaigns)
    ):
        by_campaign[person, mail.campaign].append(mail)
    newest: dict[int, list[_Mail]] = defaultdict(list)
    without = with_ids & {each.person for each in untold}
    for person, mail in await _read(session, without, at_most=_LOOKED_AT):
        newest[person].append(mail)
    return _Mails(
        of_campaign=by_campaign,
        newest=newest,
        sent=await _sent(session, [each for each in untold if each.clues.is_verified]),
        notices=await _notices(session, with_ids),
    )


async def _sent(session: AsyncSession, asked: Sequence[_Asked]) -> Mapping[int, Sequence[_Mail]]:
    found: dict[int, list[_Mail]] = defaultdict(list)
    if asked:
        moments = [each.clues.at for each in asked]
        is_near = sa.and_(
            col(Delivery.sent_at) > min(moments) - _COMES_BACK_WITHIN,
            col(Delivery.sent_at) <= max(moments) + _CLOCKS_DIFFER,
        )
        for person, mail in await _read(session, {each.person for each in asked}, is_near):
            found[person].append(mail)
    for mails in found.values():
        mails.sort(key=lambda mail: mail.sent_at.timestamp() if mail.sent_at else 0.0, reverse=True)
    return found


async def _read(
    session: AsyncSession,
    people: Collection[int],
    *conditions: sa.ColumnElement[bool],
    at_most: int | None = None,
) -> Sequence[tuple[int, _Mail]]:
    """Mails of some people, the newest of each first; all of them, or so many of each."""
    if not people:
        return []
    place = sa.func.row_number().over(
        partition_by=col(Delivery.subscriber_id), order_by=col(Delivery.id).desc()
    )
    found = (
        sa.select(
            col(Delivery.subscriber_id).label("person"),
            col(Delivery.id).label("number"),
            col(Dispatch.campaign_id).label("campaign"),
            col(Delivery.sent_at).label("sent_at"),
            place.label("place"),
        )
        .join(Dispatch, col(Dispatch.id) == col(Delivery.dispatch_id))
        .where(col(Delivery.subscriber_id).in_(sorted(people)), *conditions)
        .subquery()
    )
    statement = sa.select(found).order_by(found.c.place)
    if at_most is not None:
        statement = statement.where(found.c.place <= at_most)
    return [
        (row.person, _Mail(number=row.number, campaign=row.campaign, sent_at=row.sent_at))
        for row in await session.execute(statement)
    ]


async def _notices(session: AsyncSession, people: Collection[int]) -> Mapping[int, Sequence[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    if not people:
        return found
    place = sa.func.row_number().over(
        partition_by=col(QueuedNotice.subscriber_id), order_by=col(QueuedNotice.id).desc()
    )
    rows = (
        sa.select(
            col(QueuedNotice.subscriber_id).label("person"),
            col(QueuedNotice.id).label("number"),
            place.label("place"),
        )
        .where(col(QueuedNotice.subscriber_id).in_(sorted(people)))
        .subquery()
    )
    statement = sa.select(rows).where(rows.c.place <= _LOOKED_AT).order_by(rows.c.place)
    for row in await session.execute(statement):
        found[row.person].append(row.number)
    return found


async def _people(session: AsyncSession, keys: Collection[str]) -> Mapping[str, int]:
    if not keys:
        return {}
    statement = sa.select(col(Subscriber.email_key), col(Subscriber.id)).where(
        col(Subscriber.email_key).in_(sorted(keys))
    )
    return dict((await session.execute(statement)).all())


def _keys(clues: Clues) -> list[str]:
    found = []
    for address in clues.addresses:
        with contextlib.suppress(errors.Invalid):
            found.append(addresses.parse(address).key)
    return found
