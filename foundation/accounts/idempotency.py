"""Writes with an Idempotency-Key happen once: a repeat gets the answer of the first."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col, select

from foundation import errors, tables
from foundation.accounts.models import IdempotencyRecord
from foundation.ground import Ground
from foundation.i18n import N_

KEPT = timedelta(days=2)
MAX_KEY = 200


async def once(
    ground: Ground,
    *,
    token_id: int,
    key: str,
    request_hash: str,
    act: Callable[[], Awaitable[tuple[int, str]]],
) -> tuple[int, str]:
    """Status and body of `act`, which runs only for the first request with this key.

    Raises `errors.Invalid` when the key was used for another request, `errors.Conflict` while the
    first one runs. When `act` raises, the key is free again.
    """
    if len(key) > MAX_KEY:
        raise errors.Invalid(N_("The Idempotency-Key is too long."))
    if not await _reserve(ground, token_id, key, request_hash):
        return await _earlier(ground, token_id, key, request_hash)
    is_this = (
        col(IdempotencyRecord.token_id) == token_id,
        col(IdempotencyRecord.key) == key,
    )
    try:
        status, body = await act()
    except BaseException:
        async with ground.db.transaction() as session:
            await session.execute(sa.delete(IdempotencyRecord).where(*is_this))
        raise
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(IdempotencyRecord).where(*is_this).values(status=status, body=body)
        )
    return status, body


async def tidy(ground: Ground) -> None:
    """Drop keys that are older than `KEPT`."""
    async with ground.db.transaction() as session:
        await session.execute(
            sa.delete(IdempotencyRecord).where(
                col(IdempotencyRecord.created_at) < ground.clock.now() - KEPT
            )
        )


async def _reserve(ground: Ground, token_id: int, key: str, request_hash: str) -> bool:
    async with ground.db.transaction() as session:
        statement = (
            tables.insert_for(session, IdempotencyRecord)
            .values(
                token_id=token_id,
                key=key,
                request_hash=request_hash,
                body="",
                created_at=ground.clock.now(),
            )
            .on_conflict_do_nothing(index_elements=["token_id", "key"])
            .returning(col(IdempotencyRecord.id))
        )
        return (await session.execute(statement)).scalar_one_or_none() is not None


async def _earlier(ground: Ground, token_id: int, key: str, request_hash: str) -> tuple[int, str]:
    statement = select(IdempotencyRecord).where(
        IdempotencyRecord.token_id == token_id, IdempotencyRecord.key == key
    )
    async with ground.db.reading() as session:
        found = (await session.exec(statement)).one_or_none()
    if found is not None and found.request_hash != request_hash:
        raise errors.Invalid(
            N_("This Idempotency-Key was used for another request. Choose a new one.")
        )
    if found is None or found.status is None:
        raise errors.Conflict(
            N_("The first request with this Idempotency-Key is still at work. Ask again later.")
        )
    return found.status, found.body
