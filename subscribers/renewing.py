"""Once a year every member is asked by mail whether it stays; staff see who did not answer.

Called by the scheduler, by the member's own page and by staff's pages. Becoming due is a
compare-and-set, so any number of schedulers may look. No machine drops anybody: without an answer
a person of the office decides.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import audit
from foundation.audit import Actor
from foundation.ground import Ground
from subscribers import member_mail, members
from subscribers.models import Member, MemberState


async def work(ground: Ground) -> int:
    """Ask whose year is over and remind who did not answer; returns how many were written to."""
    settings, now = ground.settings.coalition, ground.clock.now()
    year_ago = now - timedelta(days=settings.renew_after_days)
    asked_since = now - timedelta(days=settings.renewal_reminder_days)
    written = 0
    for member_id in await _due(ground, year_ago=year_ago, asked_before=asked_since):
        async with ground.db.transaction() as session:
            written += await _write(ground, session, member_id, year_ago, asked_since)
    return written


def has_not_answered(ground: Ground, member: Member) -> bool:
    """Whether a member was asked and reminded, and still says nothing."""
    since = member.renewal_reminded_at
    wait = timedelta(days=ground.settings.coalition.renewal_reminder_days)
    return since is not None and ground.clock.now() - since > wait


async def unanswered(ground: Ground) -> list[Member]:
    """Members who were asked and have not answered yet, longest first; members are few."""
    statement = (
        select(Member)
        .where(Member.state == MemberState.APPROVED, col(Member.renewal_asked_at).is_not(None))
        .order_by(col(Member.renewal_asked_at), col(Member.id))
    )
    async with ground.db.reading() as session:
        return list((await session.exec(statement)).all())


def stays(session: AsyncSession, member: Member, *, now: datetime, statement_version: int) -> None:
    """Write down that a member stays, and which version of the statement it agrees to."""
    member.renewed_at = now
    member.renewal_asked_at = None
    member.renewal_reminded_at = None
    member.statement_version = max(member.statement_version, statement_version)
    member.version += 1
    session.add(member)


async def stays_says_staff(ground: Ground, *, actor: Actor, member_id: int) -> None:
    """A member told the office that it stays. Raises `errors.NotFound`."""
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        member = await members.get(session, member_id)
        stays(session, member, now=now, statement_version=member.statement_version)
        audit.record(
            session,
            actor=actor,
            at=now,
            action="member.renewed",
            object_kind="member",
            object_id=member_id,
            after={"renewed_at": now.isoformat()},
        )


async def _due(ground: Ground, *, year_ago: datetime, asked_before: datetime) -> list[int]:
    statement = (
        sa.select(col(Member.id))
        .where(
            col(Member.state) == MemberState.APPROVED.value,
            sa.or_(_is_year_over(year_ago), _is_to_be_reminded(asked_before)),
        )
        .order_by(col(Member.id))
    )
    async with ground.db.reading() as session:
        return list(await session.scalars(statement))


def _is_year_over(year_ago: datetime) -> sa.ColumnElement[bool]:
    """SQL: nobody said for a year that it stays, and it is not asked yet."""
    last = sa.func.coalesce(col(Member.renewed_at), col(Member.decided_at), col(Member.applied_at))
    return sa.and_(col(Member.renewal_asked_at).is_(None), last < year_ago)


def _is_to_be_reminded(asked_before: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        col(Member.renewal_reminded_at).is_(None), col(Member.renewal_asked_at) < asked_before
    )


async def _write(
    ground: Ground,
    session: AsyncSession,
    member_id: int,
    year_ago: datetime,
    asked_before: datetime,
) -> bool:
    """Write to one member, unless another scheduler did meanwhile."""
    now = ground.clock.now()
    for kind, is_due, column in (
        ("renew", _is_year_over(year_ago), Member.renewal_asked_at),
        ("renew_reminder", _is_to_be_reminded(asked_before), Member.renewal_reminded_at),
    ):
        won = await session.execute(
            sa.update(Member)
            .where(
                col(Member.id) == member_id,
                col(Member.state) == MemberState.APPROVED.value,
                is_due,
            )
            .values({column: now})
            .returning(col(Member.id))
        )
        if won.first() is None:
            continue
        member = await members.get(session, member_id)
        for contact in await members.contacts_of(session, member_id):
            if contact.confirmed_at is not None:
                url = member_mail.own_page(ground, contact)
                await member_mail.notify(ground, session, member, contact, kind=kind, url=url)
        return True
    return False
