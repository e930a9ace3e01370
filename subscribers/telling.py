"""Tells partners' own programs who joins their list and who leaves it, by signed calls.

The scheduler calls `tell`. A call holds up to some hundred changes; a batch is told whole, from its
beginning when something goes wrong, so a program may hear a change twice and never misses one. All
go through `foundation/outward.py`, so no partner can have us look into a private network.
"""

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select

from foundation import calling
from foundation.ground import Ground
from foundation.outward import Limits, OutwardError, Session
from subscribers import handing_on
from subscribers.handing_on import Change, Span
from subscribers.partner_models import PartnerExport, Sharing, SharingKind

EVENT = "sharing.changed"
_LEASE = calling.WAITS[1]
_LIMITS = Limits(timeout_s=10.0, redirects=0)
"""A call tells of people: it goes to the address that was agreed on, and to no other."""


async def tell(ground: Ground) -> None:
    """Make the calls that are due; any number of schedulers may call it."""
    waits = sa.exists().where(
        col(Sharing.partner_id) == col(PartnerExport.partner_id), col(Sharing.batch).is_(None)
    )
    statement = sa.select(col(PartnerExport.partner_id)).where(
        col(PartnerExport.webhook_url) != "",
        col(PartnerExport.due_at) <= ground.clock.now(),
        sa.or_(col(PartnerExport.sent_batch) < col(PartnerExport.last_batch), waits),
    )
    async with ground.db.reading() as session:
        due = (await session.scalars(statement)).all()
    if not due:
        return
    async with ground.outward.session() as outside:
        for partner_id in due:
            claimed = await _claim(ground, partner_id)
            if claimed is not None:
                await _tell(ground, outside, claimed)


async def _claim(ground: Ground, partner_id: int) -> PartnerExport | None:
    """Lease a partner, and make a batch of what waits."""
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        won = await session.execute(
            sa.update(PartnerExport)
            .where(col(PartnerExport.partner_id) == partner_id, col(PartnerExport.due_at) <= now)
            .values(due_at=now + _LEASE)
            .returning(col(PartnerExport.partner_id))
        )
        if won.first() is None:
            return None
        await handing_on.close_batch(ground, session, partner_id)
        return (
            await session.exec(select(PartnerExport).where(PartnerExport.partner_id == partner_id))
        ).one()


async def _tell(ground: Ground, outside: Session, state: PartnerExport) -> None:
    """Every batch that it has not heard, in order; the first that fails ends it for now."""
    said = ""
    heard = state.sent_batch
    while heard < state.last_batch and not said:
        span = Span(partner_id=state.partner_id, after=heard, until=heard + 1)
        after = 0
        while not said and (found := await handing_on.page(ground, span, after=after)):
            said = await _post(outside, state, _body(ground, state, span, found))
            after = found[-1].id
        if not said:
            heard += 1
    attempts = state.attempts + 1 if said else 0
    wait = calling.WAITS[min(attempts, len(calling.WAITS)) - 1] if said else calling.WAITS[0] * 0
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(PartnerExport)
            .where(
                col(PartnerExport.partner_id) == state.partner_id,
                # Another address since then begins anew.
                col(PartnerExport.webhook_secret) == state.webhook_secret,
            )
            .values(
                sent_batch=heard, attempts=attempts, said=said, due_at=ground.clock.now() + wait
            )
        )


async def _post(outside: Session, state: PartnerExport, body: bytes) -> str:
    """What went wrong; blank when the program took it."""
    headers = {
        "Content-Type": "application/json",
        calling.SIGNATURE: calling.sign(state.webhook_secret, body),
    }
    try:
        answer = await outside.ask("POST", state.webhook_url, _LIMITS, body=body, headers=headers)
    except OutwardError as problem:
        return str(problem)[:200]
    return "" if 200 <= answer.status < 300 else f"HTTP {answer.status}"


def _body(ground: Ground, state: PartnerExport, span: Span, found: Sequence[Change]) -> bytes:
    said = {
        "id": f"{EVENT}.{span.partner_id}.{found[0].id}",
        "type": EVENT,
        "time": ground.clock.now().isoformat(),
        "data": {
            "given": [_given(each) for each in found if each.kind is SharingKind.GIVEN],
            "withdrawn": [
                {"reference": each.reference, "email": each.email, "at": each.at.isoformat()}
                for each in found
                if each.kind is SharingKind.WITHDRAWN
            ],
            "cursor": handing_on.cursor(ground, state.partner_id, span.until),
        },
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def _given(change: Change) -> dict[str, Any]:
    return {
        "reference": change.reference,
        "email": change.email,
        "first_name": change.first_name,
        "last_name": change.last_name,
        "postal_code": change.postal_code,
        "language": change.language,
        "at": change.at.isoformat(),
    }
