"""Hands the people who let a partner have their address on to it: who joins, and who leaves.

What waits becomes a numbered batch, in one statement, so that nothing is passed over and nothing
told twice by mistake. A cursor names the last batch that the partner has. It gets the same as a
file that somebody downloads here, and by signed calls to its own program (`telling.py`).
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import audit, calling, cells, errors, tables, tokens
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.tokens import Purpose
from subscribers.models import Partner, Subscriber
from subscribers.partner_models import PartnerExport, Sharing, SharingKind

COLUMNS = (
    "change",
    "reference",
    "email",
    "first_name",
    "last_name",
    "postal_code",
    "language",
    "at",
)
PAGE = 500


@frozen
class Change:
    """A person who joins a partner's list, or leaves it."""

    id: int
    kind: SharingKind
    reference: str
    """By which the partner knows the person again, also once we have forgotten who it was."""
    at: datetime
    email: str
    """Blank for somebody who was erased."""
    first_name: str = ""
    last_name: str = ""
    postal_code: str = ""
    language: str = ""


@frozen
class Standing:
    """How a partner stands with its list."""

    waiting: int
    """Changes that it was not told."""
    people: int
    """Who shares with it at present."""
    last_at: datetime | None
    cursor: str
    webhook_url: str
    webhook_secret: str
    said: str
    """What went wrong with the last call; blank when nothing did."""


@frozen
class Span:
    """Batches of one partner: after one, up to another."""

    partner_id: int
    after: int
    until: int


async def standing(ground: Ground, *, partner_id: int) -> Standing:
    """How a partner stands."""
    last = (
        sa.select(sa.func.max(col(Sharing.id)))
        .where(col(Sharing.partner_id) == partner_id, col(Sharing.subscriber_id).is_not(None))
        .group_by(col(Sharing.subscriber_id))
    )
    async with ground.db.reading() as session:
        found = await session.get(PartnerExport, partner_id)
        waiting = await session.scalar(
            sa.select(sa.func.count()).where(
                col(Sharing.partner_id) == partner_id, col(Sharing.batch).is_(None)
            )
        )
        people = await session.scalar(
            sa.select(sa.func.count()).where(
                col(Sharing.id).in_(last), col(Sharing.kind) == SharingKind.GIVEN.value
            )
        )
    return Standing(
        waiting=waiting or 0,
        people=people or 0,
        last_at=found.last_at if found else None,
        cursor=cursor(ground, partner_id, found.last_batch) if found else "",
        webhook_url=found.webhook_url if found else "",
        webhook_secret=found.webhook_secret if found else "",
        said=found.said if found else "",
    )


async def take(
    ground: Ground, *, actor: Actor, partner_id: int, after: str | None = None
) -> tuple[Span, str]:
    """What waits becomes a batch; returns what is to be handed on, and the cursor after it.

    `after` is an earlier cursor, blank for everything; None: what is new. Raises `errors.NotFound`
    and `errors.Invalid`.
    """
    since = None if after is None else _batch_of(ground, partner_id, after)
    async with ground.db.transaction() as session:
        if await session.get(Partner, partner_id) is None:
            raise errors.NotFound(N_("There is no such partner."))
        state = await state_of(ground, session, partner_id)
        before = state.last_batch
        until = await close_batch(ground, session, partner_id)
        audit.record(
            session,
            actor=actor,
            at=ground.clock.now(),
            action="partner.people_exported",
            object_kind="partner",
            object_id=partner_id,
            after={"batch": until},
        )
    span = Span(partner_id=partner_id, after=before if since is None else since, until=until)
    return span, cursor(ground, partner_id, until)


async def chunks(ground: Ground, span: Span) -> AsyncIterator[bytes]:
    """The file in pieces."""
    yield cells.lines([COLUMNS]).encode("utf-8-sig")
    after = 0
    while found := await page(ground, span, after=after):
        yield cells.lines([_row(each) for each in found]).encode()
        after = found[-1].id


async def page(ground: Ground, span: Span, *, after: int) -> Sequence[Change]:
    """Some changes of a span in order, by keyset.

    Somebody who has taken it back since is not given once more.
    """
    later = aliased(Sharing)
    is_over = sa.exists().where(
        col(later.partner_id) == col(Sharing.partner_id),
        col(later.reference) == col(Sharing.reference),
        col(later.id) > col(Sharing.id),
        col(later.kind) == SharingKind.WITHDRAWN.value,
    )
    statement = (
        select(Sharing, Subscriber)
        .outerjoin(Subscriber, col(Subscriber.id) == col(Sharing.subscriber_id))
        .where(
            col(Sharing.partner_id) == span.partner_id,
            col(Sharing.batch) > span.after,
            col(Sharing.batch) <= span.until,
            col(Sharing.id) > after,
            sa.or_(col(Sharing.kind) == SharingKind.WITHDRAWN.value, sa.not_(is_over)),
        )
        .order_by(col(Sharing.id))
        .limit(PAGE)
    )
    async with ground.db.reading() as session:
        rows = (await session.exec(statement)).all()
    return [_change(sharing, person) for sharing, person in rows]


async def set_webhook(ground: Ground, *, actor: Actor, partner_id: int, url: str) -> None:
    """Tell a partner's program from now on, or with a blank address no longer.

    Raises `errors.Invalid`, `errors.NotFound`.
    """
    if url:
        calling.checked_url(url)
    async with ground.db.transaction() as session:
        if await session.get(Partner, partner_id) is None:
            raise errors.NotFound(N_("There is no such partner."))
        state = await state_of(ground, session, partner_id)
        state.webhook_url = url
        state.webhook_secret = tokens.secret_token() if url else ""
        # What it has as a file it is not told again.
        state.sent_batch = state.last_batch
        state.attempts, state.said, state.due_at = 0, "", ground.clock.now()
        session.add(state)
        audit.record(
            session,
            actor=actor,
            at=ground.clock.now(),
            action="partner.webhook_set",
            object_kind="partner",
            object_id=partner_id,
            after={"url": url},
        )


async def state_of(ground: Ground, session: AsyncSession, partner_id: int) -> PartnerExport:
    """How far a partner was told, made when it is the first time."""
    await session.execute(
        tables.insert_for(session, PartnerExport)
        .values(
            partner_id=partner_id,
            last_batch=0,
            webhook_url="",
            webhook_secret="",
            sent_batch=0,
            due_at=ground.clock.now(),
            attempts=0,
            said="",
        )
        .on_conflict_do_nothing(index_elements=["partner_id"])
    )
    return (
        await session.exec(
            select(PartnerExport).where(PartnerExport.partner_id == partner_id).with_for_update()
        )
    ).one()


async def close_batch(ground: Ground, session: AsyncSession, partner_id: int) -> int:
    """Make a batch of all that waits, in the caller's transaction; returns the last batch's number.

    The partner's row is locked by `state_of`, so that two exports at once make one batch each.
    """
    state = await state_of(ground, session, partner_id)
    taken = await session.execute(
        sa.update(Sharing)
        .where(col(Sharing.partner_id) == partner_id, col(Sharing.batch).is_(None))
        .values(batch=state.last_batch + 1)
        .returning(col(Sharing.id))
    )
    if taken.first() is not None:
        state.last_batch += 1
    state.last_at = ground.clock.now()
    session.add(state)
    await session.flush()
    return state.last_batch


def cursor(ground: Ground, partner_id: int, batch: int) -> str:
    """How a partner names what it has."""
    return ground.tokens.seal(Purpose.SHARED_UNTIL, partner_id, batch)


def _batch_of(ground: Ground, partner_id: int, text: str) -> int:
    if not text:
        return 0
    try:
        owner, batch = ground.tokens.open(Purpose.SHARED_UNTIL, text)
    except (errors.BadToken, ValueError):
        owner, batch = 0, 0
    if owner != partner_id:
        said = errors.Invalid(N_("This is no cursor that you got with an earlier file."))
        raise errors.Invalid(said.msgid, fields={"after": said})
    return batch


def _change(sharing: Sharing, person: Subscriber | None) -> Change:
    kind = SharingKind(sharing.kind)
    details = {}
    if person is not None and kind is SharingKind.GIVEN:
        details = {
            name: getattr(person, name)
            for name in ("first_name", "last_name", "postal_code", "language")
        }
    return Change(
        id=sharing.id,
        kind=kind,
        reference=sharing.reference,
        at=sharing.at,
        email=person.email if person is not None else "",
        **details,
    )


def _row(change: Change) -> list[str]:
    return [
        change.kind.value,
        change.reference,
        change.email,
        change.first_name,
        change.last_name,
        change.postal_code,
        change.language,
        change.at.isoformat(timespec="seconds"),
    ]
