"""Takes what came back, by whichever way: whole messages, and what providers tell by webhook.

Called by the ways in and the command line. Whom it is about is found by `identifying`, what follows
is in `consequences`. Mail to the unsubscribe address of List-Unsubscribe (RFC 2369) has its token
in the subject, and proves itself by that alone. Nothing here is ever answered by mail.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import consequences, holdings, identifying
from delivery.bounces import classifier
from delivery.bounces.returned import Recipient, Returned
from delivery.consequences import Told
from delivery.identifying import About, Clues
from delivery.models import BounceKind, Proof, Return
from foundation import errors
from foundation.ground import Ground
from subscribers import unsubscribe
from subscribers.unsubscribe import Unsubscribed

_SEALED = re.compile(r"[\w-]{16,100}", re.ASCII)
"""What may be a token in the subject of a mail to the unsubscribe address."""
_GROUP = 500
"""Events that are taken in one transaction."""
_WITHOUT_CONSEQUENCE = (BounceKind.NONE, BounceKind.AUTO_REPLY)


@dataclass(frozen=True, kw_only=True, slots=True)
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What became of some events."""

    new: int = 0
    repeated: int = 0
    """Known before, by whichever way."""
    unknown: int = 0
    """About nobody whom we know."""


@dataclass(frozen=True, kw_only=True, slots=True)
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
    if returned.kind in _WITHOUT_CONSEQUENCE:
        left = await _unsubscribe(ground, returned.subject)
        if left is not None:
            return Ingested(
                returned=returned, is_ours=True, is_new=left.has_changed, asks_to_leave=True
            )
    now = ground.clock.now()
    clues = Clues(
        tokens=[*classifier.tokens(envelope_to), *_given(returned.token)],
        message_ids=_given(returned.message_id),
        campaign=returned.original.campaign,
        addresses=[*(each.address for each in returned.recipients), *_given(returned.original.to)],
        is_verified=is_trusted,
        at=now,
    )
    async with ground.db.transaction() as session:
        about = await identifying.whom(ground, session, clues)
        if about is None or not _is_worth_keeping(about, returned.kind):
            return Ingested(returned=returned, is_ours=False, is_new=False)
        said = _about(returned, about)
        told = Told(
            via=via,
            kind=returned.kind,
            status=said.status,
            reason=said.reason,
            reply_code=returned.reply_code,
            diagnostic=said.diagnostic,
            evidence=octets,
        )
        is_new = await consequences.keep(ground, session, about, told)
    is_unproven = about.proof is Proof.NONE
    return Ingested(
        returned=returned, is_ours=not is_unproven, is_new=is_new, is_unproven=is_unproven
    )


async def take_events(ground: Ground, events: Sequence[Event]) -> Taken:
    """Take what a provider says, in groups; each thing once, by whichever way it comes.

    Raises `errors.Busy`; whoever sent the events is then to send them again.
    """
    new = repeated = 0
    for start in range(0, len(events), _GROUP):
        async with ground.db.transaction() as session:
            for event in events[start : start + _GROUP]:
                is_new = await _take(ground, session, event)
                new += is_new is True
                repeated += is_new is False
    return Taken(new=new, repeated=repeated, unknown=len(events) - new - repeated)


async def _take(ground: Ground, session: AsyncSession, event: Event) -> bool | None:
    """Whether it was new; None when it is about nobody whom we know."""
    clues = Clues(
        tokens=_given(event.token),
        message_ids=_given(event.message_id),
        campaign=event.campaign,
        addresses=[event.address],
        is_verified=True,
        at=event.occurred_at or ground.clock.now(),
    )
    about = await identifying.whom(ground, session, clues)
    if about is None:
        return None
    if event.is_unsubscribe:
        return about.person is not None and await _leave(ground, session, event, about)
    told = Told(
        via=event.via,
        kind=event.kind,
        status=event.status,
        reason=event.reason,
        reply_code=event.reply_code,
        diagnostic=event.diagnostic,
        occurred_at=event.occurred_at,
        evidence=event.evidence,
    )
    return await consequences.keep(ground, session, about, told)


async def _leave(ground: Ground, session: AsyncSession, event: Event, about: About) -> bool:
    """Whoever says it to their provider says it of everything that comes from us."""
    if about.person is None:
        return False
    return await unsubscribe.end(
        ground,
        session,
        person=about.person,
        topic=None,
        via=event.via,
        dispatch_id=about.delivery.dispatch_id if about.delivery is not None else None,
    )


async def _unsubscribe(ground: Ground, subject: str) -> Unsubscribed | None:
    """Obey the token in a subject, as the page behind the same link would; None without one."""
    for word in _SEALED.findall(subject)[:5]:
        try:
            return await unsubscribe.by_token(ground, token=word, via="mail", elsewhere=(holdings,))
        except errors.BadToken:
            continue
    return None


async def tidy(ground: Ground) -> None:
    """Blank evidence that is older than `[retention] bounce_evidence_days`."""
    before = ground.clock.now() - timedelta(days=ground.settings.retention.bounce_evidence_days)
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(Return).where(col(Return.received_at) < before).values(evidence=None)
        )


def _given(text: str) -> list[str]:
    return [text] if text else []


def _is_worth_keeping(about: About, kind: BounceKind) -> bool:
    """Anybody may name an address: without a proof only what claims something is kept."""
    return about.proof is not Proof.NONE or kind in (
        *consequences.BOUNCES,
        BounceKind.COMPLAINT,
    )


def _about(returned: Returned, about: About) -> Recipient:
    """What the message says about the person that it is about; else the worst that it says."""
    said = returned.recipients
    key = about.person.email_key if about.person is not None else ""
    for each in said:
        if key and each.address.lower() == key:
            return each
    for each in said:
        if each.kind is returned.kind:
            return each
    return said[0] if said else Recipient(address="", kind=returned.kind)
