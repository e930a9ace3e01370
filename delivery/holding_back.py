"""Which limits hold sending back just now, and until when; for staff pages and `doctor`."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import allowances, backing_off, domains, windows
from delivery.allowances import Terms
from delivery.limits import RELAY, terms_of_relay
from delivery.models import Allowance
from foundation import rates, relaying
from foundation.config import Settings
from foundation.frozen import frozen


@frozen
class Held:
    """A limit that is used up, or a host that asked us to be slower."""

    key: str
    """Names it among all limits."""
    name: str
    """Of a relay, of a group of domains, or of one domain."""
    is_relay: bool
    until: datetime | None
    """When bulletins may go on under it; None while they may."""
    per_minute: int | None
    """What the host gets a minute for now; None while it asked for nothing."""
    said: str
    """The host's words."""
    is_refused: bool = False
    """Whether it refuses us for what we are or send; then nothing but notices goes there."""


async def read(settings: Settings, session: AsyncSession, *, now: datetime) -> Sequence[Held]:
    """Every limit that holds something back at this moment."""
    every = (await session.exec(allowances.every())).all()
    found = [_held(settings, row, now) for row in every]
    return [held for held in found if held is not None]


def _held(settings: Settings, row: Allowance, now: datetime) -> Held | None:
    hold = allowances.hold_of(row)
    if hold is not None and now < hold.until:
        name = row.name.partition(":")[2]
        return Held(
            key=row.name,
            name=name,
            is_relay=False,
            until=hold.until,
            per_minute=None,
            said=hold.said,
            is_refused=True,
        )
    terms = _terms(settings, row.name)
    if terms is None:
        return None
    pace = allowances.pace_of(row)
    if pace is not None and backing_off.is_over(pace, now=now, settings=settings.delivery):
        pace = None
    in_force = allowances.in_force(terms, first_used_at=row.first_used_at, pace=pace, now=now)
    tick = rates.tick(now)
    share = 1 - settings.delivery.notice_share
    opens = windows.opens(row.used, in_force, tick, share=share)
    if opens <= tick and pace is None:
        return None
    return Held(
        key=row.name,
        name=row.name.partition(":")[2],
        is_relay=row.name.startswith(RELAY),
        until=rates.moment(opens) if opens > tick else None,
        per_minute=round(pace.ceiling) if pace is not None else None,
        said=pace.said if pace is not None else "",
    )


def _terms(settings: Settings, name: str) -> Terms | None:
    """What the settings of today say about a limit; None when they know it no more."""
    for relay in settings.relay:
        if name == f"{RELAY}{relay.name}":
            return terms_of_relay(relay)
    for table in settings.domain_limit:
        is_single = relaying.OTHERS in table.domains and name.startswith(domains.ONE)
        if is_single or name == f"{domains.GROUP}{table.name}":
            return Terms(name=name, rates=rates.parse_all(table.rates))
    return None
