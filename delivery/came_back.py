"""What came back, as staff look at it: lists by kind, one with its evidence, and their judgement.

What only names an address has no consequence until an editor has looked at it and believes it.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery import consequences, naming
from delivery.consequences import Thing, Told
from delivery.identifying import About
from delivery.models import UNPROVEN, BounceKind, Dispatch, Proof, Return
from foundation import audit, errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers.models import Subscriber

PAGE = 50


@frozen
class Query:
    """What staff look for."""

    is_unproven: bool = False
    """Only what nobody has judged yet."""
    kind: BounceKind | None = None
    campaign_id: int | None = None
    subscriber_id: int | None = None


@frozen
class Row:
    """One thing that came back, with whom and what it is about."""

    id: int
    kind: str
    reason: str
    status: str
    reply_code: int | None
    diagnostic: str
    via: str
    proof: str
    times: int
    received_at: datetime
    has_evidence: bool
    subscriber_id: int | None
    email: str
    """Blank when the person was erased, or was none."""
    campaign_id: int | None
    mail: str
    """The bulletin's name; blank for a notice, or when it is not known."""

    @property
    def mail_url(self) -> str:
        """Staff's page of that bulletin; blank where there is none."""
        return naming.page(self.campaign_id) if self.campaign_id else ""


@frozen
class Found:
    """Some of them, newest first."""

    rows: Sequence[Row]
    unproven: int
    """How many wait for somebody's judgement."""
    next_after: int | None = None


@frozen
class Evidence:
    """The message itself, or the part of it that was kept."""

    octets: bytes

    @property
    def text(self) -> str:
        """For reading: what is no text is marked, nothing is interpreted."""
        shown = self.octets.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
        return "".join(each if each.isprintable() or each in "\n\t" else "\ufffd" for each in shown)

    @property
    def suffix(self) -> str:
        """Of the file to take along: what a provider sent is JSON as a rule."""
        return "json" if self.octets.lstrip()[:1] in (b"{", b"[") else "eml"


async def listed(
    ground: Ground, query: Query, *, after: int | None = None, limit: int = PAGE
) -> Found:
    """What came back, newest first, by keyset on the row number."""
    statement = _rows().order_by(col(Return.id).desc()).limit(limit + 1)
    if after is not None:
        statement = statement.where(col(Return.id) < after)
    if query.is_unproven:
        statement = statement.where(UNPROVEN)
    if query.kind is not None:
        statement = statement.where(
            col(Return.kind) == query.kind.value,
            col(Return.proof).not_in(consequences.UNBELIEVED),
        )
    if query.campaign_id is not None:
        statement = statement.where(col(Dispatch.campaign_id) == query.campaign_id)
    if query.subscriber_id is not None:
        statement = statement.where(col(Return.subscriber_id) == query.subscriber_id)
    async with ground.db.reading() as session:
        rows = [Row(**row) for row in (await session.execute(statement)).mappings()]
        unproven = await session.scalar(
            sa.select(sa.func.count()).select_from(Return).where(UNPROVEN)
        )
    return Found(
        rows=rows[:limit],
        unproven=unproven or 0,
        next_after=rows[limit - 1].id if len(rows) > limit else None,
    )


async def one(ground: Ground, *, return_id: int) -> Row:
    """One of them. Raises `errors.NotFound`."""
    async with ground.db.reading() as session:
        found = await session.execute(_rows().where(col(Return.id) == return_id))
        row = found.mappings().first()
    if row is None:
        raise _unknown()
    return Row(**row)


async def evidence(ground: Ground, *, return_id: int) -> Evidence:
    """The message itself. Raises `errors.NotFound`, also when it is not kept any more."""
    async with ground.db.reading() as session:
        found = await session.scalar(
            sa.select(col(Return.evidence)).where(col(Return.id) == return_id)
        )
    if found is None:
        raise errors.NotFound(N_("The message itself is not kept, or not any more."))
    return Evidence(octets=found)


async def accept(ground: Ground, *, actor: Actor, return_id: int) -> None:
    """Take something unproven for true: it has its consequence now.

    Raises `errors.NotFound`, `errors.Refused` when it was judged before.
    """
    async with ground.db.transaction() as session:
        row = await _judge(ground, session, actor, return_id, Proof.STAFF)
        person = await session.get(Subscriber, row.subscriber_id) if row.subscriber_id else None
        about = About(subject=f"s:{row.subscriber_id}", proof=Proof.STAFF, person=person)
        told = Told(via=row.via, kind=BounceKind(row.kind), status=row.status, reason=row.reason)
        thing = Thing(about=about, told=told, return_id=row.id)
        await consequences.act(ground, session, [thing])


async def dismiss(ground: Ground, *, actor: Actor, return_id: int) -> None:
    """Do not believe something unproven. Raises as `accept`."""
    async with ground.db.transaction() as session:
        await _judge(ground, session, actor, return_id, Proof.DISMISSED)


async def _judge(
    ground: Ground, session: AsyncSession, actor: Actor, return_id: int, proof: Proof
) -> Return:
    judged = await session.execute(
        sa.update(Return)
        .where(col(Return.id) == return_id, col(Return.proof) == Proof.NONE.value)
        .values(proof=proof.value)
        .returning(col(Return.id))
        .execution_options(synchronize_session=False)
    )
    if judged.first() is None:
        if await session.get(Return, return_id) is None:
            raise _unknown()
        raise errors.Refused(
            N_("Somebody has looked at this already. Reload to see how it stands.")
        )
    row = await session.get_one(Return, return_id)
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action="return.accepted" if proof is Proof.STAFF else "return.dismissed",
        object_kind="subscriber" if row.subscriber_id else "return",
        object_id=row.subscriber_id or row.id,
        after={"return": row.id, "kind": row.kind, "reason": row.reason},
    )
    return row


def _rows() -> sa.Select[*tuple[object, ...]]:
    return (
        sa.select(
            col(Return.id).label("id"),
            col(Return.kind).label("kind"),
            col(Return.reason).label("reason"),
            col(Return.status).label("status"),
            col(Return.reply_code).label("reply_code"),
            col(Return.diagnostic).label("diagnostic"),
            col(Return.via).label("via"),
            col(Return.proof).label("proof"),
            col(Return.times).label("times"),
            col(Return.received_at).label("received_at"),
            col(Return.evidence).is_not(None).label("has_evidence"),
            col(Return.subscriber_id).label("subscriber_id"),
            sa.func.coalesce(col(Subscriber.email), "").label("email"),
            col(Dispatch.campaign_id).label("campaign_id"),
            sa.func.coalesce(col(Dispatch.name), "").label("mail"),
        )
        .select_from(Return)
        .outerjoin(Subscriber, col(Subscriber.id) == col(Return.subscriber_id))
        .outerjoin(Dispatch, col(Dispatch.id) == col(Return.dispatch_id))
    )


def _unknown() -> errors.NotFound:
    return errors.NotFound(N_("There is nothing here that came back."))
