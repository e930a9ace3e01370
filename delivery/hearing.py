"""Remembers what was heard from outside, so that hearing it again changes nothing.

A provider tells an event again when our answer was lost. A mailbox is read again when we were cut
off before it was noted that a mail was acted on, or when its server counts its mails anew.
"""

import hashlib
import re
from collections.abc import Collection
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery.models import HeardEvent
from foundation import tables
from foundation.ground import Ground

_EVENTS = timedelta(days=30)
"""Providers give up telling an event again long before."""
_MAILS = timedelta(days=730)
"""Mail lies in a mailbox for as long as its owner likes."""
_MAIL = "mail:"
_END_OF_HEADER = re.compile(rb"\r?\n\r?\n")
_HAS_IDENTITY = re.compile(rb"^Message-ID:\s*<[^<>]+>", re.IGNORECASE | re.MULTILINE)


async def fresh(ground: Ground, session: AsyncSession, digests: Collection[str]) -> set[str]:
    """Those that were not heard before; from now on all of them were."""
    if not digests:
        return set()
    now = ground.clock.now()
    statement = (
        tables.insert_for(session, HeardEvent)
        .values([{"digest": digest, "heard_at": now} for digest in sorted(digests)])
        .on_conflict_do_nothing(index_elements=["digest"])
        .returning(col(HeardEvent.digest))
    )
    return set((await session.scalars(statement)).all())


async def is_fresh(ground: Ground, session: AsyncSession, octets: bytes) -> bool:
    """Whether a mail was not heard before; from now on it was.

    Always, if nothing tells it apart from another one that has the same words (RFC 5322 §3.6.4).
    """
    header = _END_OF_HEADER.split(octets, maxsplit=1)[0]
    if not _HAS_IDENTITY.search(header):
        return True
    return bool(await fresh(ground, session, [_MAIL + hashlib.sha256(octets).hexdigest()]))


async def tidy(ground: Ground, session: AsyncSession) -> None:
    """Forget what nobody will say again."""
    now, heard_at = ground.clock.now(), col(HeardEvent.heard_at)
    is_mail = col(HeardEvent.digest).startswith(_MAIL)
    await session.execute(
        sa.delete(HeardEvent).where(
            heard_at < now - _EVENTS, sa.or_(~is_mail, heard_at < now - _MAILS)
        )
    )
