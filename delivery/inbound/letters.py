"""Keeps mail that only a person can answer: to postmaster, abuse or a feedback address.

`handbill letters list` shows them. The newest ones are kept, for as long as evidence is.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select

from delivery.inbound.models import Letter
from foundation import errors, tables
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

MOST = 1000
"""Older ones make room: such addresses get more spam than letters."""
_MAX_SUBJECT = 300


@frozen
class Line:
    """One letter in a list."""

    id: int
    received_at: datetime
    from_address: str
    to_address: str
    subject: str


async def keep(
    ground: Ground, octets: bytes, *, from_address: str, to_address: str, subject: str
) -> None:
    """Keep a letter, the same one once, and let go of the oldest if there are too many."""
    digest = hashlib.sha256(f"{to_address.lower()}\n".encode() + octets).hexdigest()
    async with ground.db.transaction() as session:
        await session.execute(
            tables.insert_for(session, Letter)
            .values(
                from_address=from_address,
                to_address=to_address,
                subject="".join(filter(str.isprintable, subject[:_MAX_SUBJECT])),
                octets=octets,
                digest=digest,
                received_at=ground.clock.now(),
            )
            .on_conflict_do_nothing(index_elements=["digest"])
        )
        newest_too_many = (
            sa.select(col(Letter.id)).order_by(col(Letter.id).desc()).offset(MOST).limit(1)
        )
        await session.execute(
            sa.delete(Letter).where(col(Letter.id) <= newest_too_many.scalar_subquery())
        )


async def listed(ground: Ground) -> Sequence[Line]:
    """Every letter, the newest first."""
    statement = sa.select(
        col(Letter.id),
        col(Letter.received_at),
        col(Letter.from_address),
        col(Letter.to_address),
        col(Letter.subject),
    ).order_by(col(Letter.id).desc())
    async with ground.db.reading() as session:
        rows = (await session.execute(statement)).all()
    return [
        Line(
            id=row.id,
            received_at=row.received_at,
            from_address=row.from_address,
            to_address=row.to_address,
            subject=row.subject,
        )
        for row in rows
    ]


async def one(ground: Ground, letter_id: int) -> bytes:
    """A letter as it came. Raises `errors.NotFound`."""
    async with ground.db.reading() as session:
        found = (await session.exec(select(Letter).where(Letter.id == letter_id))).first()
    if found is None:
        raise errors.NotFound(N_("There is no letter %(number)s."), number=letter_id)
    return found.octets


async def tidy(ground: Ground) -> None:
    """Delete letters that are older than `[retention] bounce_evidence_days`."""
    before = ground.clock.now() - timedelta(days=ground.settings.retention.bounce_evidence_days)
    async with ground.db.transaction() as session:
        await session.execute(sa.delete(Letter).where(col(Letter.received_at) < before))
