"""What readers and their hosts thought of our mail of the last thirty days, by the ledger.

`ix_deliveries_sent` counts what was sent, `ix_returns_received_at` what came back.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import holding_back
from delivery.holding_back import Held
from delivery.models import BounceKind, Delivery, Dispatch, Proof, Return
from foundation import findings
from foundation.config import Settings
from foundation.findings import Finding, Share
from foundation.frozen import frozen
from foundation.i18n import N_

SPAN = timedelta(days=30)
_LONGEST = timedelta(days=30)
"""So long a dispatch may have been going on before the span began."""
_COMPLAINTS_WARN, _COMPLAINTS_BAD = 0.001, 0.003
"""Gmail and Yahoo: stay below 0.1 %, never reach 0.3 %."""
_BOUNCES_WARN, _BOUNCES_BAD = 0.02, 0.05
_BLOCKS_WARN = 0.01
_FEW = 200
"""With fewer mails a single complaint is a rate that says nothing."""
_NAMED = 3


@frozen
class Standing:
    """What was counted."""

    sent: int
    came_back: Counter[BounceKind]
    """Mails by what came back of them."""
    returned: int
    """Messages that came back, whatever they said, and whether or not it could be believed."""
    refused: int
    """Those among them that a relay refused at once, which were never sent."""
    blocking: Sequence[tuple[str, int]]
    """Hosts that refused us, and how many mails, the most first."""
    held: Sequence[Held]


class _CameBack(NamedTuple):
    """So many mails of which the same came back from one domain's mailboxes."""

    is_refusal: bool
    kind: BounceKind
    domain: str
    mails: int


async def read(settings: Settings, session: AsyncSession, *, now: datetime) -> Standing:
    """Count the last thirty days."""
    since = now - SPAN
    came_back, blocking = Counter[BounceKind](), Counter[str]()
    refused = 0
    for each in await _came_back(session, since):
        came_back[each.kind] += each.mails
        refused += each.mails if each.is_refusal else 0
        if each.kind is BounceKind.BLOCK and each.domain:
            blocking[each.domain] += each.mails
    return Standing(
        sent=await _sent(session, since),
        came_back=came_back,
        refused=refused,
        returned=await _returned(session, since),
        blocking=blocking.most_common(_NAMED),
        held=[each for each in await holding_back.read(settings, session, now=now) if each.said],
    )


async def _sent(session: AsyncSession, since: datetime) -> int:
    lately = sa.select(col(Dispatch.id)).where(col(Dispatch.started_at) > since - _LONGEST)
    statement = sa.select(sa.func.count()).where(
        col(Delivery.dispatch_id).in_(lately), col(Delivery.sent_at) > since
    )
    return int(await session.scalar(statement) or 0)


async def _came_back(session: AsyncSession, since: datetime) -> Sequence[_CameBack]:
    """Mails by what came back; what nobody could prove does not count.

    Grouped by an expression first, so that the index by time is read and not the one by kind.
    """
    at_once = col(Return.proof) == Proof.RELAY.value
    statement = (
        sa.select(
            at_once,
            col(Return.kind),
            col(Return.domain),
            sa.func.count(sa.distinct(col(Return.delivery_id))),
        )
        .where(
            col(Return.received_at) > since,
            col(Return.delivery_id).is_not(None),
            col(Return.proof).not_in([Proof.NONE.value, Proof.DISMISSED.value]),
        )
        .group_by(at_once, col(Return.kind), col(Return.domain))
    )
    return [
        _CameBack(bool(refused), BounceKind(kind), domain, count)
        for refused, kind, domain, count in (await session.execute(statement)).all()
    ]


async def _returned(session: AsyncSession, since: datetime) -> int:
    statement = sa.select(sa.func.count()).where(
        col(Return.received_at) > since, col(Return.proof) != Proof.RELAY.value
    )
    return int(await session.scalar(statement) or 0)


def examine(standing: Standing) -> Iterator[Finding]:
    """What the counts say."""
    mails = standing.sent + standing.refused
    if not mails:
        yield findings.neutral(
            "complaints", N_("Nothing was sent in the last thirty days, so nobody complained.")
        )
    else:
        yield _complaints(standing, mails)
        yield _bounces(standing, mails)
        yield from _blocks(standing, mails)
    yield findings.neutral(
        "postmaster",
        N_("Gmail does not tell senders who of its readers complained."),
        N_("Register your domain at postmaster.google.com, and look there how many do."),
    )
    yield from map(_held, standing.held)


def _held(held: Held) -> Finding:
    if held.is_refused and held.until is not None:
        return findings.bad(
            "refused",
            N_("%(name)s refuses our mail. Bulletins to it wait until %(time)s."),
            N_("Find out why under “Came back”, mend it, then let the mail go on there."),
            name=held.name,
            time=held.until,
        )
    return findings.warn(
        "slowed",
        N_("“%(host)s” asked us to be slower: %(said)s"),
        N_("Nothing has to be done: we are, and speed up step by step."),
        host=held.name,
        said=held.said,
    )


def _complaints(standing: Standing, mails: int) -> Finding:
    count = standing.came_back[BounceKind.COMPLAINT]
    values = {"count": count, "mails": mails, "share": Share(count / mails)}
    is_chance = count < 2 and mails < _FEW
    if is_chance or count / mails < _COMPLAINTS_WARN:
        return findings.good(
            "complaints",
            N_(
                "%(count)s of %(mails)s mails were called spam in the last thirty days "
                "(%(share)s), as far as we were told."
            ),
            **values,
        )
    tell = findings.bad if count / mails >= _COMPLAINTS_BAD and mails >= _FEW else findings.warn
    return tell(
        "complaints",
        N_(
            "%(count)s of %(mails)s mails were called spam in the last thirty days (%(share)s). "
            "Gmail and Yahoo want less than 0.1 %%, and never 0.3 %%."
        ),
        N_(
            "Write less often, and only to people who know why they get it; look which campaign "
            "and which form they came by."
        ),
        **values,
    )


def _bounces(standing: Standing, mails: int) -> Finding:
    count = standing.came_back[BounceKind.HARD]
    share = count / mails
    values = {"count": count, "mails": mails, "share": Share(share)}
    said = N_(
        "%(count)s of %(mails)s mails of the last thirty days went to mailboxes that are not there "
        "(%(share)s)."
    )
    if share < _BOUNCES_WARN or mails < _FEW:
        return findings.good("bounces", said, **values)
    tell = findings.bad if share >= _BOUNCES_BAD else findings.warn
    return tell(
        "bounces",
        said,
        N_(
            "Such addresses get nothing more from us. Find out by which form or upload they came, "
            "and mail no old lists."
        ),
        **values,
    )


def _blocks(standing: Standing, mails: int) -> Iterator[Finding]:
    count = standing.came_back[BounceKind.BLOCK]
    if not count:
        return
    hosts = ", ".join(f"{domain} ({number})" for domain, number in standing.blocking) or "—"
    said = N_(
        "%(count)s of %(mails)s mails of the last thirty days were refused because of us, not of "
        "the reader (%(share)s). Most by: %(hosts)s."
    )
    values = {"count": count, "mails": mails, "share": Share(count / mails), "hosts": hosts}
    advice = N_("Read in the campaign's list what they said; the red and amber lines here are why.")
    if count / mails < _BLOCKS_WARN:
        yield findings.neutral("blocks", said, advice, **values)
    else:
        yield findings.warn("blocks", said, advice, **values)
