"""Takes what came back, by whichever way: whole messages, and what providers tell by webhook.

Called by the ways in and the command line. Whom it is about is found by `identifying`, what follows
is in `consequences`. Mail to the unsubscribe address of List-Unsubscribe (RFC 2369) has its token
in the subject, and proves itself by that alone. Nothing here is ever answered by mail.
"""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import consequences, hearing, holdings, identifying
from delivery.bounces import classifier
from delivery.bounces.returned import Recipient, Returned
from delivery.consequences import Told
from delivery.guessing import Clues
from delivery.identifying import About
from delivery.models import BounceKind, Proof, Return
from foundation import errors
from foundation.frozen import frozen
from foundation.ground import Ground
from subscribers import unsubscribe
from subscribers.unsubscribe import Unsubscribed

_SEALED = re.compile(r"[\w-]{16,100}", re.ASCII)
"""What may be a token in the subject of a mail to the unsubscribe address."""
_GROUP = 500
"""Events that are taken in one transaction, and looked up together."""
_MOST_RECIPIENTS = 100
"""Of a message that names several and proves nothing by itself."""
_LINK = re.compile(r"/unsubscribe/([\w-]{16,100})", re.ASCII)
_SAYS_NOTHING = (BounceKind.NONE, BounceKind.AUTO_REPLY)
"""Kinds that are not even kept: a vacation notice is none of our business."""
_CLAIMS = (*consequences.BOUNCES, BounceKind.COMPLAINT)
"""Kinds that are kept when anybody may have written them."""


@frozen
class Event:
    """What a provider's webhook says became of one mail; verified before it comes here."""

    via: str
    """The provider, such as `ses`."""
    kind: BounceKind
    address: str
    status: str = ""
    """RFC 3463, such as 5.1.1."""
    reason: str = ""
    """A word of ours for why."""
    reply_code: int | None = None
    diagnostic: str = ""
    """The receiving server's words."""
    token: str = ""
    """Of our envelope sender, where the provider gives it."""
    message_id: str = ""
    """The Message-ID that we gave it, without angle brackets."""
    campaign: str = ""
    """The value of X-Handbill-Campaign, where the provider gives it."""
    occurred_at: datetime | None = None
    event_id: str = ""
    """The provider's own."""
    evidence: bytes = b""
    """What it sent, as it came."""
    is_unsubscribe: bool = False
    """The reader unsubscribed by the provider's own means."""


@frozen
class Taken:
    """What became of some events."""

    new: int = 0
    repeated: int = 0
    """Known before, by whichever way."""
    unknown: int = 0
    """About nobody whom we know."""


@frozen
class Ingested:
    """What was understood and whether anything was done."""

    returned: Returned
    is_ours: bool
    """Proves that it is about a mail of ours, or that we asked for it to be believed."""
    is_new: bool
    """Not seen before, by any way."""
    asks_to_leave: bool = False
    """Was sent to the unsubscribe address with its token, and has been obeyed."""
    is_unproven: bool = False
    """Names somebody whom we know, and proves nothing: kept for staff to see."""


async def ingest(
    ground: Ground,
    octets: bytes,
    *,
    via: str = "mail",
    envelope_to: str = "",
    is_trusted: bool = False,
) -> Ingested:
    """Take a message that came back; the same one twice counts once.

    `via` is the way that it came, `envelope_to` the address that it was delivered to, if known;
    `is_trusted` says that whoever handed it over was verified, so that an address in it is enough.
    """
    returned = await asyncio.to_thread(classifier.classify, octets)
    if returned.kind in _SAYS_NOTHING:
        left = await _unsubscribe(ground, returned.subject, octets)
        if left is not None:
            return Ingested(
                returned=returned, is_ours=True, is_new=left.has_changed, asks_to_leave=True
            )
    clues = Clues(
        tokens=[*classifier.tokens(envelope_to), *_given(returned.token)],
        links=_LINK.findall(returned.original.unsubscribe)[:5],
        message_ids=_given(returned.message_id),
        campaign=returned.original.campaign,
        is_verified=is_trusted,
        at=ground.clock.now(),
    )
    is_new = is_proven = is_known = False
    async with ground.db.transaction() as session:
        abouts = await _abouts(ground, session, returned, clues)
        # One that is known by its day alone would count again when it is read on another.
        is_by_day = any(consequences.is_by_day(about) for about, _ in abouts)
        is_again = is_by_day and not await hearing.is_fresh(ground, session, octets)
        for about, said in abouts:
            is_known, is_proven = True, is_proven or about.proof is not Proof.NONE
            if is_again and consequences.is_by_day(about):
                continue
            if said.kind not in _SAYS_NOTHING and (
                about.proof is not Proof.NONE or said.kind in _CLAIMS
            ):
                told = Told(
                    via=via,
                    kind=said.kind,
                    status=said.status,
                    reason=said.reason,
                    reply_code=returned.reply_code,
                    diagnostic=said.diagnostic,
                    evidence=octets,
                )
                is_new = await consequences.keep(ground, session, about, told) or is_new
    return Ingested(
        returned=returned,
        is_ours=is_proven,
        is_new=is_new,
        is_unproven=is_known and not is_proven,
    )


async def _abouts(
    ground: Ground, session: AsyncSession, returned: Returned, clues: Clues
) -> list[tuple[About, Recipient]]:
    """Whom a message is about, each with what it says of them.

    A mail of ours has one recipient: what proves that it is about one leaves no room for others.
    """
    about = await identifying.whom(ground, session, clues)
    if about is not None:
        return [(about, _said_of(about, returned))]
    said = returned.recipients[:_MOST_RECIPIENTS] or [Recipient(address="", kind=returned.kind)]
    enclosed = _given(returned.original.to) if len(said) == 1 else []
    found: list[tuple[About, Recipient]] = []
    for each in said:
        named = replace(clues, addresses=[*_given(each.address), *enclosed])
        about = await identifying.whom(ground, session, named)
        if about is not None:
            found.append((about, each))
    return found


async def take_events(ground: Ground, events: Sequence[Event]) -> Taken:
    """Take what a provider says, in groups; each thing once, by whichever way it comes.

    Raises `errors.Busy`; whoever sent the events is then to send them again.
    """
    new = repeated = 0
    # In one order, so that two who tell of the same people wait for each other, not both.
    ordered = sorted(events, key=lambda event: event.address.lower())
    for start in range(0, len(ordered), _GROUP):
        group = ordered[start : start + _GROUP]
        async with ground.db.transaction() as session:
            unheard = await _unheard(ground, session, group)
            repeated += len(group) - len(unheard)
            taken = await _take(ground, session, unheard)
            new += taken.new
            repeated += taken.repeated
    return Taken(new=new, repeated=repeated, unknown=len(events) - new - repeated)


async def _unheard(
    ground: Ground, session: AsyncSession, events: Sequence[Event]
) -> Sequence[Event]:
    """Those that were not heard before, by the provider's own numbers."""
    digests = {_digest(event): event for event in events if event.event_id}
    unheard = [event for event in events if not event.event_id]
    fresh = await hearing.fresh(ground, session, digests)
    return unheard + [event for digest, event in digests.items() if digest in fresh]


def _digest(event: Event) -> str:
    named = (event.via, event.event_id, event.address.lower(), event.kind, event.is_unsubscribe)
    return hashlib.sha256("\0".join(map(str, named)).encode(errors="replace")).hexdigest()


async def _take(ground: Ground, session: AsyncSession, events: Sequence[Event]) -> Taken:
    """What became of events that were not heard before; those that say nothing count as unknown."""
    clues = [
        Clues(
            tokens=_given(event.token),
            message_ids=_given(event.message_id),
            campaign=event.campaign,
            addresses=[event.address],
            is_verified=True,
            at=event.occurred_at or ground.clock.now(),
        )
        for event in events
    ]
    told: list[tuple[About, Told]] = []
    left: list[bool] = []
    abouts = await identifying.whose(ground, session, clues)
    for about, event in zip(abouts, events, strict=True):
        if about is None:
            continue
        if event.is_unsubscribe:
            left += await _leave(ground, session, about)
        elif event.kind not in _SAYS_NOTHING:
            told.append((about, _told(event)))
    new = await consequences.keep_all(ground, session, told)
    return Taken(new=new + sum(left), repeated=len(told) - new + len(left) - sum(left))


def _told(event: Event) -> Told:
    return Told(
        via=event.via,
        kind=event.kind,
        status=event.status,
        reason=event.reason,
        reply_code=event.reply_code,
        diagnostic=event.diagnostic,
        occurred_at=event.occurred_at,
        evidence=event.evidence,
    )


async def _leave(ground: Ground, session: AsyncSession, about: About) -> list[bool]:
    """Whoever says it to their provider says it of everything that comes from us.

    Whether that changed anything; empty for who is not here any more.
    """
    if about.person is None:
        return []
    has_changed = await unsubscribe.end(
        ground,
        session,
        person=about.person,
        topic=None,
        via="provider",
        dispatch_id=about.delivery.dispatch_id if about.delivery is not None else None,
    )
    return [has_changed]


async def _unsubscribe(ground: Ground, subject: str, octets: bytes) -> Unsubscribed | None:
    """Obey the token in a subject, as the page behind the same link would; None without one.

    The same mail is obeyed once: whoever came back since then did not write it again.
    """
    for word in _SEALED.findall(subject)[:5]:
        try:
            return await unsubscribe.by_token(
                ground,
                token=word,
                via="mail",
                elsewhere=(holdings,),
                is_new=lambda session: hearing.is_fresh(ground, session, octets),
            )
        except errors.BadToken:
            continue
    return None


async def tidy(ground: Ground) -> None:
    """Blank evidence that is older than `[retention] bounce_evidence_days`; forget events heard."""
    now = ground.clock.now()
    before = now - timedelta(days=ground.settings.retention.bounce_evidence_days)
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(Return)
            .where(col(Return.received_at) < before, col(Return.evidence).is_not(None))
            .values(evidence=None)
        )
        await hearing.tidy(ground, session)


def _given(text: str) -> list[str]:
    return [text] if text else []


def _said_of(about: About, returned: Returned) -> Recipient:
    """What a message says of the person that it is about; else the worst that it says."""
    said = returned.recipients
    key = about.person.email_key if about.person is not None else ""
    by_name = (each for each in said if key and each.address.lower() == key)
    worst = (each for each in said if each.kind is returned.kind)
    nothing = Recipient(address="", kind=returned.kind)
    return next(by_name, None) or next(worst, None) or nothing
