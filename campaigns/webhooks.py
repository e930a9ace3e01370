"""Tells other programs what happens: `noun.verb` as signed JSON, at least once, in no set order.

What happened is read from the logs that verbs write in their own transactions (consents,
suppressions, the audit log), so no verb knows of webhooks and nothing is told that was rolled back.
The data is looked up when a call is made; a person who was erased meanwhile is only a number.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns.models import Campaign
from campaigns.webhook_models import CallState, Webhook, WebhookCall
from foundation import audit, calling, errors, outward, tables, tokens
from foundation.audit import Actor, AuditEntry
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.outward import OutwardError, Session
from subscribers.models import (
    Consent,
    ConsentStep,
    Member,
    Subscriber,
    Suppression,
    SuppressionReason,
)

WAITS = calling.WAITS
"""Before each further try; a call that failed after the last one is given up."""
_KEPT = timedelta(days=30)
_LOOK_BACK = timedelta(minutes=10)
"""Longer than any transaction takes, so that one that ends late is not passed over."""
_LEASE = timedelta(minutes=2)
_AT_ONCE = 20
_SCANNED = 500
_LIMITS = outward.Limits(timeout_s=10, redirects=0)


@frozen
class _Log:
    """Where something is written down when it happens."""

    id: Any
    at: Any
    about: Any
    """The number of the person, member or campaign."""
    condition: Any


def _step(*steps: ConsentStep) -> _Log:
    return _Log(
        id=col(Consent.id),
        at=col(Consent.at),
        about=col(Consent.subscriber_id),
        condition=col(Consent.step).in_([step.value for step in steps]),
    )


def _first_step() -> _Log:
    earlier = aliased(Consent)
    is_first = ~sa.exists().where(
        col(earlier.subscriber_id) == col(Consent.subscriber_id),
        col(earlier.id) < col(Consent.id),
    )
    return _Log(
        id=col(Consent.id),
        at=col(Consent.at),
        about=col(Consent.subscriber_id),
        condition=is_first,
    )


def _suppressed(*reasons: SuppressionReason) -> _Log:
    return _Log(
        id=col(Suppression.id),
        at=col(Suppression.created_at),
        about=col(Suppression.subscriber_id),
        condition=sa.and_(
            col(Suppression.reason).in_([reason.value for reason in reasons]),
            col(Suppression.subscriber_id).is_not(None),
        ),
    )


def _audited(action: str) -> _Log:
    return _Log(
        id=col(AuditEntry.id),
        at=col(AuditEntry.at),
        about=sa.cast(col(AuditEntry.object_id), sa.BigInteger),
        condition=col(AuditEntry.action) == action,
    )


def _applied() -> _Log:
    """An application counts once the applicant confirmed it by mail."""
    return _Log(
        id=col(Member.id),
        at=col(Member.confirmed_at),
        about=col(Member.id),
        condition=col(Member.confirmed_at).is_not(None),
    )


LOGS: Mapping[str, _Log] = {
    "subscriber.created": _first_step(),
    "subscriber.confirmed": _step(ConsentStep.CONFIRMED, ConsentStep.IMPORTED),
    "subscriber.updated": _audited("subscriber.updated"),
    "subscriber.unsubscribed": _step(ConsentStep.UNSUBSCRIBED),
    "subscriber.bounced": _suppressed(
        SuppressionReason.HARD_BOUNCE, SuppressionReason.SOFT_BOUNCES
    ),
    "subscriber.complained": _suppressed(SuppressionReason.COMPLAINT),
    "subscriber.erased": _audited("subscriber.erased"),
    "member.applied": _applied(),
    "member.approved": _audited("member.approved"),
    "campaign.scheduled": _audited("campaign.schedule"),
    "campaign.started": _audited("campaign.start"),
    "campaign.sent": _audited("campaign.sent"),
    "campaign.paused": _audited("campaign.pause"),
    "campaign.cancelled": _audited("campaign.cancel"),
}
"""Every type of event, and where it is found."""


async def create(ground: Ground, *, actor: Actor, url: str, events: Sequence[str]) -> Webhook:
    """Tell an address from now on of `events` (none: all). Raises `errors.Invalid`."""
    now = ground.clock.now()
    made = Webhook(
        url=calling.checked_url(url),
        events=_checked_events(events),
        secret=tokens.secret_token(),
        created_by=actor.label,
        created_at=now,
        scanned_at=now,
    )
    async with ground.db.transaction() as session:
        session.add(made)
        await session.flush()
        _record(ground, session, actor, made, "webhook.created")
    return made


async def delete(ground: Ground, *, actor: Actor, webhook_id: int) -> None:
    """Tell it nothing more. Raises `errors.NotFound`."""
    async with ground.db.transaction() as session:
        found = await session.get(Webhook, webhook_id)
        if found is None:
            raise errors.NotFound(N_("There is no such webhook."))
        _record(ground, session, actor, found, "webhook.deleted")
        await session.execute(
            sa.delete(WebhookCall).where(col(WebhookCall.webhook_id) == webhook_id)
        )
        await session.delete(found)


async def everything(session: AsyncSession) -> Sequence[Webhook]:
    """All of them; there are few."""
    return (await session.exec(select(Webhook).order_by(col(Webhook.id)))).all()


async def work(ground: Ground) -> None:
    """Find what happened and make the calls that are due; any number of schedulers may call it."""
    async with ground.db.reading() as session:
        hooks = await everything(session)
    for hook in hooks:
        await _scan(ground, hook)
    if not hooks:
        return
    calls = await _claim(ground)
    if calls:
        by_id = {hook.id: hook for hook in hooks}
        async with (
            ground.outward.session(connections=_AT_ONCE) as client,
            asyncio.TaskGroup() as group,
        ):
            for call in calls:
                if call.webhook_id in by_id:
                    group.create_task(_make(ground, client, by_id[call.webhook_id], call))


async def tidy(ground: Ground) -> None:
    """Forget calls that were settled long ago."""
    async with ground.db.transaction() as session:
        await session.execute(
            sa.delete(WebhookCall).where(
                col(WebhookCall.state) != CallState.PENDING.value,
                col(WebhookCall.due_at) < ground.clock.now() - _KEPT,
            )
        )


async def _scan(ground: Ground, hook: Webhook) -> None:
    """A call for everything that the hook wants and that has none yet."""
    now = ground.clock.now()
    since = max(hook.created_at, hook.scanned_at - _LOOK_BACK)
    found: list[dict[str, Any]] = []
    is_all = True
    async with ground.db.reading() as session:
        for kind in hook.events:
            log = LOGS[kind]
            statement = (
                sa.select(log.id, log.about, log.at)
                .where(
                    log.at >= since,
                    log.condition,
                    ~sa.exists().where(
                        col(WebhookCall.webhook_id) == hook.id,
                        col(WebhookCall.type) == kind,
                        col(WebhookCall.source_id) == log.id,
                    ),
                )
                .order_by(log.at, log.id)
                .limit(_SCANNED)
            )
            rows = (await session.execute(statement)).all()
            is_all = is_all and len(rows) < _SCANNED
            found += [
                {
                    "webhook_id": hook.id,
                    "type": kind,
                    "source_id": source,
                    "object_id": about,
                    "happened_at": at,
                    "due_at": now,
                }
                for source, about, at in rows
            ]
    # A quiet hook is noted now and then, not at every tick.
    if not found and now - hook.scanned_at < _LOOK_BACK / 2:
        return
    async with ground.db.transaction() as session:
        if await session.get(Webhook, hook.id) is None:
            return
        for values in found:
            await session.execute(
                tables.insert_for(session, WebhookCall)
                .values(state=CallState.PENDING.value, attempts=0, said="", **values)
                .on_conflict_do_nothing(index_elements=["webhook_id", "type", "source_id"])
            )
        if is_all:
            await session.execute(
                sa.update(Webhook).where(col(Webhook.id) == hook.id).values(scanned_at=now)
            )


async def _claim(ground: Ground) -> Sequence[WebhookCall]:
    """Lease what is due; a claim that another made first finds it no longer due."""
    now = ground.clock.now()
    is_due = sa.and_(
        col(WebhookCall.state) == CallState.PENDING.value, col(WebhookCall.due_at) <= now
    )
    due = sa.select(col(WebhookCall.id)).where(is_due).order_by(col(WebhookCall.due_at))
    async with ground.db.reading() as session:
        if (await session.execute(due.limit(1))).first() is None:
            return []
    async with ground.db.transaction() as session:
        claimed = await session.execute(
            sa.update(WebhookCall)
            .where(col(WebhookCall.id).in_(due.limit(_AT_ONCE)), is_due)
            .values(due_at=now + _LEASE)
            .returning(col(WebhookCall.id))
            .execution_options(synchronize_session=False)
        )
        numbers = claimed.scalars().all()
        statement = select(WebhookCall).where(col(WebhookCall.id).in_(numbers))
        return (await session.exec(statement)).all()


async def _make(ground: Ground, client: Session, hook: Webhook, call: WebhookCall) -> None:
    body = await _body(ground, call)
    said = await _post(client, hook, body)
    attempts = call.attempts + 1
    state, due_at = CallState.DONE, ground.clock.now()
    if said:
        is_over = attempts > len(WAITS)
        state = CallState.FAILED if is_over else CallState.PENDING
        due_at += timedelta() if is_over else WAITS[attempts - 1]
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(WebhookCall)
            .where(col(WebhookCall.id) == call.id)
            .values(state=state.value, attempts=attempts, due_at=due_at, said=said)
        )


async def _post(client: Session, hook: Webhook, body: bytes) -> str:
    """What went wrong; blank when the other program took it. Redirects are not followed."""
    headers = {
        "Content-Type": "application/json",
        calling.SIGNATURE: calling.sign(hook.secret, body),
    }
    try:
        answer = await client.ask("POST", hook.url, _LIMITS, body=body, headers=headers)
    except OutwardError as problem:
        return str(problem)[:200]
    return "" if 200 <= answer.status < 300 else f"HTTP {answer.status}"


async def _body(ground: Ground, call: WebhookCall) -> bytes:
    async with ground.db.reading() as session:
        data = await _data(session, call)
    said = {
        "id": f"{call.type}.{call.source_id}",
        "type": call.type,
        "time": call.happened_at.isoformat(),
        "data": data,
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


async def _data(session: AsyncSession, call: WebhookCall) -> dict[str, Any]:
    """How the thing stands now."""
    noun = call.type.partition(".")[0]
    found: dict[str, Any] = {"id": call.object_id}
    if noun == "subscriber":
        person = await session.get(Subscriber, call.object_id)
        if person is not None:
            found |= {"email": person.email, "language": person.language}
    elif noun == "member":
        member = await session.get(Member, call.object_id)
        if member is not None:
            found |= {"name": member.name, "state": member.state}
    else:
        campaign = await session.get(Campaign, call.object_id)
        if campaign is not None:
            found |= {"name": campaign.name, "state": campaign.state}
    return found


def _checked_events(events: Sequence[str]) -> list[str]:
    unknown = [each for each in events if each not in LOGS]
    if unknown:
        problem = errors.Invalid(
            N_("There is no event “%(name)s”. There are: %(known)s."),
            name=unknown[0][:60],
            known=", ".join(LOGS),
        )
        raise errors.Invalid(problem.msgid, fields={"events": problem}, **problem.values)
    return sorted(set(events)) or list(LOGS)


def _record(
    ground: Ground, session: AsyncSession, actor: Actor, hook: Webhook, action: str
) -> None:
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action=action,
        object_kind="webhook",
        object_id=hook.id,
        after={"url": hook.url, "events": hook.events},
    )
