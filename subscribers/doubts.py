"""Sign-ups that look like a program's: staff look through them, ask the people, or drop them.

Called by `doubts_pages.py`. What nobody looks at expires like every sign-up that is not confirmed.
"""

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import audit
from foundation.addresses import Address
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from subscribers import limits, suppression, tabling
from subscribers.models import Doubt, Form, Partner, SignUp, SignUpState, Subscriber, Topic

_PAGE = 50
_AT_ONCE = 500


@frozen
class Doubtful:
    """One sign-up that waits for a look."""

    row: SignUp
    email: str
    doubt: Doubt
    came_by: str
    """The form or partner; blank for the site's own form."""


@frozen
class Found:
    """A page of them, the newest first."""

    items: Sequence[Doubtful]
    next_before: int | None
    """The row to go on before; None on the last page."""
    counts: dict[Doubt, int]


@frozen
class Asked:
    """What became of those whom staff took for people."""

    queued: int
    waiting: int
    """Over a limit or barred from mail: they wait as any sign-up does."""


async def waiting(
    ground: Ground, *, doubt: Doubt | None = None, before: int | None = None
) -> Found:
    """Those that wait, for one reason or all; by the index on `signups.state`."""
    is_suspect = col(SignUp.state) == SignUpState.SUSPECT.value
    statement = (
        select(SignUp, Subscriber.email, Form.name, Partner.name)
        .join(Subscriber, col(Subscriber.id) == col(SignUp.subscriber_id))
        .outerjoin(Form, col(Form.id) == col(SignUp.form_id))
        .outerjoin(Partner, col(Partner.id) == col(SignUp.partner_id))
        .where(is_suspect)
        .order_by(col(SignUp.id).desc())
        .limit(_PAGE + 1)
    )
    if doubt is not None:
        statement = statement.where(col(SignUp.doubt) == doubt.value)
    if before is not None:
        statement = statement.where(col(SignUp.id) < before)
    by_doubt = (
        sa.select(col(SignUp.doubt), sa.func.count()).where(is_suspect).group_by(col(SignUp.doubt))
    )
    async with ground.db.reading() as session:
        rows = (await session.exec(statement)).all()
        counts = {Doubt(found): count for found, count in (await session.execute(by_doubt)).all()}
    items = [
        Doubtful(row=row, email=email, doubt=Doubt(row.doubt), came_by=form or partner or "")
        for row, email, form, partner in rows[:_PAGE]
    ]
    return Found(
        items=items,
        next_before=items[-1].row.id if len(rows) > _PAGE else None,
        counts=counts,
    )


async def count(ground: Ground) -> int:
    """How many wait."""
    statement = sa.select(sa.func.count()).where(col(SignUp.state) == SignUpState.SUSPECT.value)
    async with ground.db.reading() as session:
        return int((await session.execute(statement)).scalar_one())


async def ask(ground: Ground, *, actor: Actor, signup_ids: Collection[int]) -> Asked:
    """Take sign-ups for people's: each is asked by mail, as far as the limits allow."""
    queued = waits = 0
    async with ground.db.transaction() as session:
        for row, person in await _taken(session, signup_ids):
            row.doubt = Doubt.NONE.value
            row.state = SignUpState.HELD.value
            if await _may_ask(ground, session, person):
                row.state = SignUpState.SUBMITTED.value
                await tabling.send_link(
                    ground, session, row=row, person=person, wanted=await _topics(session, row)
                )
                queued += 1
            else:
                waits += 1
            session.add(row)
        _record(session, ground, actor, "signups.asked", queued + waits)
    return Asked(queued=queued, waiting=waits)


async def drop(ground: Ground, *, actor: Actor, signup_ids: Collection[int]) -> int:
    """Take sign-ups for a program's: they expire now, with what was typed in; returns how many."""
    async with ground.db.transaction() as session:
        found = await session.execute(
            sa.update(SignUp)
            .where(
                col(SignUp.id).in_(list(signup_ids)[:_AT_ONCE]),
                col(SignUp.state) == SignUpState.SUSPECT.value,
            )
            .values(
                state=SignUpState.EXPIRED.value,
                first_name="",
                last_name="",
                postal_code="",
                further_languages="",
                tags=[],
            )
            .returning(col(SignUp.id))
        )
        dropped = len(found.all())
        _record(session, ground, actor, "signups.dropped", dropped)
    return dropped


async def _taken(
    session: AsyncSession, signup_ids: Collection[int]
) -> Sequence[tuple[SignUp, Subscriber]]:
    """Those that still wait, oldest first and held against a colleague who presses as well."""
    statement = (
        select(SignUp, Subscriber)
        .join(Subscriber, col(Subscriber.id) == col(SignUp.subscriber_id))
        .where(
            col(SignUp.id).in_(list(signup_ids)[:_AT_ONCE]),
            col(SignUp.state) == SignUpState.SUSPECT.value,
        )
        .order_by(col(SignUp.id))
        .with_for_update(of=SignUp)
    )
    return (await session.exec(statement)).all()


async def _may_ask(ground: Ground, session: AsyncSession, person: Subscriber) -> bool:
    reasons = await suppression.reasons(ground, session, email_key=person.email_key)
    address = Address(email=person.email, key=person.email_key)
    return not reasons & suppression.LASTING and await limits.may_confirm(
        ground, session, address=address
    )


async def _topics(session: AsyncSession, row: SignUp) -> Sequence[Topic]:
    statement = select(Topic).where(col(Topic.slug).in_(row.topics)).order_by(col(Topic.position))
    return (await session.exec(statement)).all()


def _record(session: AsyncSession, ground: Ground, actor: Actor, action: str, count: int) -> None:
    if count:
        audit.record(
            session,
            actor=actor,
            at=ground.clock.now(),
            action=action,
            object_kind="signups",
            object_id="",
            before={},
            after={"count": count},
        )
