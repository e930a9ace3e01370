"""The keys of a partner: a new one beside the old one, and the old one retired now or later.

A key stands in the pages that a partner has already made, and in printed matter. So a key that was
replaced still counts for the partner until it is retired, and is never given to another.
"""

import re
import secrets
from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import audit, errors
from foundation.audit import Actor
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers.models import Partner
from subscribers.partner_models import PartnerKey

AT_ONCE = timedelta()
_STAMP = re.compile(r"-[0-9a-f]{6}$")
"""What a renewed key ends with."""


async def owner(session: AsyncSession, key: str) -> Partner | None:
    """The active partner whose key it is, or was and is not retired."""
    had = sa.select(col(PartnerKey.partner_id)).where(
        col(PartnerKey.key) == key, col(PartnerKey.retired_at).is_(None)
    )
    statement = select(Partner).where(
        sa.or_(col(Partner.key) == key, col(Partner.id).in_(had)), col(Partner.is_active).is_(True)
    )
    return (await session.exec(statement)).first()


async def former(ground: Ground, *, partner_id: int) -> Sequence[PartnerKey]:
    """The keys that a partner had before, newest first."""
    statement = (
        select(PartnerKey)
        .where(PartnerKey.partner_id == partner_id)
        .order_by(col(PartnerKey.replaced_at).desc(), col(PartnerKey.id).desc())
    )
    async with ground.db.reading() as session:
        return (await session.exec(statement)).all()


async def renew(ground: Ground, *, actor: Actor, partner_id: int, after: timedelta | None) -> str:
    """A new key; the present one works beside it, until `after` if that is given. Returns it.

    Raises `errors.NotFound`.
    """
    async with ground.db.transaction() as session:
        partner = await _get(session, partner_id)
        made = f"{_STAMP.sub('', partner.key)[:43]}-{secrets.token_hex(3)}"
        await replace(ground, session, partner, key=made, after=after)
        _record(ground, session, actor, partner_id, "partner.key_renewed", {"key": made})
    return made


async def replace(
    ground: Ground,
    session: AsyncSession,
    partner: Partner,
    *,
    key: str,
    after: timedelta | None = None,
) -> None:
    """Give a partner another key in the caller's transaction, and keep the one that it had."""
    now = ground.clock.now()
    await session.execute(
        sa.delete(PartnerKey).where(
            col(PartnerKey.partner_id) == partner.id, col(PartnerKey.key) == key
        )
    )
    session.add(
        PartnerKey(
            partner_id=partner.id,
            key=partner.key,
            replaced_at=now,
            retires_at=None if after is None else now + after,
        )
    )
    partner.key = key
    session.add(partner)


async def retire(
    ground: Ground, *, actor: Actor, partner_id: int, key_id: int, after: timedelta
) -> None:
    """Retire a key that was replaced, at once or after a while. Raises `errors.NotFound`."""
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        found = await session.get(PartnerKey, key_id)
        if found is None or found.partner_id != partner_id:
            raise errors.NotFound(N_("There is no such key."))
        found.retires_at = now + after
        if not after:
            found.retired_at = now
        session.add(found)
        _record(
            ground,
            session,
            actor,
            partner_id,
            "partner.key_retired",
            {"key": found.key, "retires_at": found.retires_at.isoformat()},
        )


async def retire_due(ground: Ground) -> None:
    """Retire the keys whose time has come, called by the scheduler."""
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(PartnerKey)
            .where(col(PartnerKey.retires_at) <= now, col(PartnerKey.retired_at).is_(None))
            .values(retired_at=now)
        )


async def is_free(session: AsyncSession, key: str, *, besides: int | None) -> bool:
    """Whether no other partner has a key, or ever had it."""
    has = sa.select(col(Partner.id)).where(col(Partner.key) == key)
    had = sa.select(col(PartnerKey.partner_id)).where(col(PartnerKey.key) == key)
    return set(await session.scalars(has.union_all(had))) <= {besides}


async def _get(session: AsyncSession, partner_id: int) -> Partner:
    found = await session.get(Partner, partner_id)
    if found is None:
        raise errors.NotFound(N_("There is no such partner."))
    return found


def _record(
    ground: Ground,
    session: AsyncSession,
    actor: Actor,
    partner_id: int,
    action: str,
    after: dict[str, object],
) -> None:
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action=action,
        object_kind="partner",
        object_id=partner_id,
        after=after,
    )
