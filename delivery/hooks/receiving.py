"""Takes a webhook call: believed or not, then acted on or kept to be acted on, and counted.

Either is done before the call is answered, so a provider tries again what was not kept; an event
that comes twice has its consequence once.
"""

import asyncio
import hashlib
from collections.abc import Iterator
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col

from delivery import returns
from delivery.hooks import backlog, proofs
from delivery.hooks.call import Call
from delivery.hooks.models import HookNonce
from delivery.hooks.source import Source
from delivery.returns import Event
from foundation import errors, logs, tables
from foundation.frozen import frozen
from foundation.ground import Ground

_log = logs.get("hooks")

AT_ONCE = 20
"""So many events are acted on before a call is answered; a call with more is kept for later."""
_NONCES_KEPT = timedelta(days=7)
"""Longer than any signature is believed by default."""


@frozen
class Received:
    """What became of a call's events."""

    taken: int = 0
    repeated: int = 0
    ignored: int = 0
    is_waiting: bool = False
    """There are many: the call is kept, and they are acted on soon."""


async def receive(ground: Ground, source: Source, call: Call) -> Received:
    """Believe a call and act on it. Raises as `Hook.hear` does, with nothing kept."""
    heard = await source.hook.hear(call)
    if heard.nonce:
        await _spend(ground, source, call, heard.nonce)
    few = await asyncio.to_thread(_few, source.hook.read(call.body, heard.number))
    if few is None:
        await backlog.put(ground, source, call, number=heard.number)
        return Received(is_waiting=True)
    events, ignored = few
    taken = await returns.take_events(ground, events)
    done = Received(taken=taken.new, repeated=taken.repeated, ignored=ignored + taken.unknown)
    if heard.trouble:
        _log.warning("a webhook has news", source=source.settings.name, said=heard.trouble)
    await source.tally.heard(
        ground,
        taken=done.taken,
        repeated=done.repeated,
        ignored=done.ignored,
        trouble=heard.trouble,
    )
    return done


async def refused(ground: Ground, source: Source, problem: errors.HandbillError) -> None:
    """Count a call that was not believed; nothing else of it is kept."""
    _log.warning("a webhook was refused", source=source.settings.name, said=str(problem))
    await source.tally.refused(ground, said=str(problem))


async def tidy(ground: Ground) -> None:
    """Forget tokens whose signatures nobody believes any more."""
    longest = max(
        (timedelta(seconds=each.tolerance_s) for each in ground.settings.webhook_source),
        default=timedelta(),
    )
    before = ground.clock.now() - max(_NONCES_KEPT, 2 * longest)
    async with ground.db.transaction() as session:
        await session.execute(sa.delete(HookNonce).where(col(HookNonce.seen_at) < before))


def _few(events: Iterator[Event | None]) -> tuple[list[Event], int] | None:
    """Those with a consequence and how many have none; None if it takes longer to act on them."""
    found: list[Event] = []
    ignored = 0
    for event in events:
        if event is None:
            ignored += 1
        elif len(found) == AT_ONCE:
            return None
        else:
            found.append(event)
    return found, ignored


async def _spend(ground: Ground, source: Source, call: Call, nonce: str) -> None:
    """Tie a token to the body that it came with first; the same body may come again."""
    digest = hashlib.sha256(call.body).hexdigest()
    name = source.settings.name
    key = hashlib.sha256(nonce.encode("utf-8", "replace")).hexdigest()
    async with ground.db.transaction() as session:
        await session.execute(
            tables.insert_for(session, HookNonce)
            .values(source=name, nonce=key, digest=digest, seen_at=call.at)
            .on_conflict_do_nothing(index_elements=["source", "nonce"])
        )
        kept = await session.get_one(HookNonce, (name, key))
    if kept.digest != digest:
        raise proofs.forged()
