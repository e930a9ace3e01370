"""The second step of signing in: setting it up, taking it, and helping whoever lost it.

A person has one when they have an app that shows codes, or a passkey. With the first of these come
codes for paper; with the last of them those go. The person is told of every change by mail.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import addresses, audit, errors
from foundation.accounts import codes, entering, sessions, telling
from foundation.accounts.entering import Entry, Visitor
from foundation.accounts.models import (
    BegunKind,
    CodeApp,
    Passkey,
    RecoveryCode,
    Staff,
    StaffSession,
)
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

_TRIES_PER_HOUR = 10
"""A code has six digits of which three are right at a time: guessing takes years."""


@frozen
class State:
    """What a person has."""

    has_app: bool
    passkeys: Sequence[Passkey]
    codes_left: int

    @property
    def is_set(self) -> bool:
        """Whether they are asked for a second step."""
        return self.has_app or bool(self.passkeys)


@frozen
class Offer:
    """What somebody needs to set their app up."""

    secret: str
    address: str
    """The same, as the picture holds it."""


async def state(ground: Ground, *, staff_id: int) -> State:
    """What a person has now."""
    async with ground.db.reading() as session:
        return await _state(session, staff_id)


async def who_has_one(ground: Ground) -> frozenset[int]:
    """The numbers of all people with a second step."""
    apps = sa.select(col(CodeApp.staff_id)).where(col(CodeApp.confirmed_at).is_not(None))
    async with ground.db.reading() as session:
        found = await session.execute(apps.union(sa.select(col(Passkey.staff_id))))
        return frozenset(found.scalars())


async def offer_app(ground: Ground, *, staff_id: int) -> Offer:
    """A secret for a new app; it counts once `confirm_app` has seen a code of it.

    Whoever comes back before that gets the same one. Raises `errors.Refused` if there is an app.
    """
    async with ground.db.transaction() as session:
        person = await session.get_one(Staff, staff_id)
        app = await _app(session, staff_id)
        if app is not None and app.confirmed_at is not None:
            raise errors.Refused(N_("You have an app for codes already. Remove it first."))
        if app is None:
            app = CodeApp(
                staff_id=staff_id,
                sealed_secret=codes.seal(
                    codes.fresh_secret(), keys=ground.tokens, staff_id=staff_id
                ),
                created_at=ground.clock.now(),
            )
            session.add(app)
        secret = codes.unseal(app.sealed_secret, keys=ground.tokens, staff_id=staff_id)
    return Offer(
        secret=secret,
        address=codes.address(secret, account=person.email, site=ground.settings.site.name),
    )


async def confirm_app(ground: Ground, *, staff_id: int, code: str) -> tuple[str, ...]:
    """From now on codes of the app are asked for; returns codes for paper, if they are new.

    Raises `errors.Invalid` for a code that does not fit.
    """
    await _allow(ground, staff_id)
    async with ground.db.transaction() as session:
        app = await _app(session, staff_id)
        if app is None or app.confirmed_at is not None:
            raise errors.Refused(N_("Begin anew: there is no app that waits for its first code."))
        await _take_app_code(ground, session, app, code=codes.tidy(code))
        fresh = await sheet_for_first(ground, session, staff_id=staff_id)
        app.confirmed_at = ground.clock.now()
        session.add(app)
        await _changed(ground, session, staff_id, action="staff.app_added")
    return fresh


async def remove_app(ground: Ground, *, staff_id: int) -> None:
    """Ask for no more codes of the app."""
    async with ground.db.transaction() as session:
        gone = sa.delete(CodeApp).where(col(CodeApp.staff_id) == staff_id)
        removed = await session.execute(gone.returning(col(CodeApp.confirmed_at)))
        if removed.scalar() is not None:
            await drop_sheet_if_last(session, staff_id=staff_id)
            await _changed(ground, session, staff_id, action="staff.app_removed")


async def renew_sheet(ground: Ground, *, staff_id: int) -> tuple[str, ...]:
    """New codes for paper; the old ones no longer work. Raises `errors.Refused` without need."""
    async with ground.db.transaction() as session:
        if not await sessions.has_second_step(session, staff_id=staff_id):
            raise errors.Refused(N_("Set up a second step first."))
        fresh = await _new_sheet(ground, session, staff_id)
        await _changed(ground, session, staff_id, action="staff.recovery_codes_renewed")
    return fresh


async def sheet_for_first(
    ground: Ground, session: AsyncSession, *, staff_id: int
) -> tuple[str, ...]:
    """Codes for paper in the caller's transaction, unless the person has a second step already."""
    if await sessions.has_second_step(session, staff_id=staff_id):
        return ()
    return await _new_sheet(ground, session, staff_id)


async def drop_sheet_if_last(session: AsyncSession, *, staff_id: int) -> None:
    """Without an app and passkeys, codes on paper open nothing any more."""
    if not await sessions.has_second_step(session, staff_id=staff_id):
        await session.execute(sa.delete(RecoveryCode).where(col(RecoveryCode.staff_id) == staff_id))


async def by_code(ground: Ground, *, secret: str, code: str, visitor: Visitor) -> Entry:
    """Take the second step with a code of the app or one on paper; what was begun ends with it.

    Raises `errors.BadToken` when it was begun too long ago, `errors.Invalid` for a wrong code and
    `errors.TooMany`.
    """
    async with ground.db.reading() as session:
        found = await entering.begun(ground, session, secret=secret, kind=BegunKind.SECOND_STEP)
    if found is None or found.staff_id is None:
        raise entering.too_late()
    await _allow(ground, found.staff_id)
    typed = codes.tidy(code)
    async with ground.db.transaction() as session:
        person = await session.get_one(Staff, found.staff_id)
        if not person.is_active:
            raise entering.too_late()
        app = await _app(session, person.id)
        if codes.is_of_app(typed) and app is not None and app.confirmed_at is not None:
            await _take_app_code(ground, session, app, code=typed)
            step = "app"
        else:
            await _take_paper_code(ground, session, person, code=typed)
            step = "recovery code"
        await entering.end_begun(session, found)
        return entering.finish(
            ground,
            session,
            person,
            visitor=visitor,
            after={"way": found.way, "second_step": step},
        )


async def has_passkey(ground: Ground, *, secret: str) -> bool:
    """Whether whoever has begun to sign in may take the second step with a passkey."""
    async with ground.db.reading() as session:
        found = await entering.begun(ground, session, secret=secret, kind=BegunKind.SECOND_STEP)
        if found is None:
            raise entering.too_late()
        theirs = sa.select(sa.exists().where(col(Passkey.staff_id) == found.staff_id))
        return bool((await session.execute(theirs)).scalar_one())


async def reset(ground: Ground, *, actor: Actor, staff_id: int) -> None:
    """Take somebody's second step away, who lost it, and sign them out everywhere.

    An owner does so who knows that it is them; they and the log are told. Raises `errors.NotFound`.
    """
    async with ground.db.transaction() as session:
        person = await session.get(Staff, staff_id)
        if person is None:
            raise errors.NotFound(N_("There is no such person."))
        before = await _state(session, staff_id)
        for table in (CodeApp, Passkey, RecoveryCode, StaffSession):
            await session.execute(sa.delete(table).where(col(table.staff_id) == staff_id))
        audit.record(
            session,
            actor=actor,
            at=ground.clock.now(),
            action="staff.second_step_reset",
            object_kind="staff",
            object_id=staff_id,
            before={"app": before.has_app, "passkeys": [each.name for each in before.passkeys]},
            after={"email": person.email},
        )
        await telling.changed(ground, session, person, what="staff.second_step_reset")


async def reset_of(ground: Ground, *, actor: Actor, email: str) -> None:
    """The same for whoever has an address. Raises `errors.NotFound`."""
    key = addresses.parse(email).key
    async with ground.db.reading() as session:
        person = (await session.exec(select(Staff).where(Staff.email_key == key))).first()
    if person is None:
        raise errors.NotFound(N_("There is no such person."))
    await reset(ground, actor=actor, staff_id=person.id)


async def _state(session: AsyncSession, staff_id: int) -> State:
    passkeys = select(Passkey).where(Passkey.staff_id == staff_id).order_by(col(Passkey.id))
    left = sa.select(sa.func.count()).where(
        col(RecoveryCode.staff_id) == staff_id, col(RecoveryCode.used_at).is_(None)
    )
    app = await _app(session, staff_id)
    return State(
        has_app=app is not None and app.confirmed_at is not None,
        passkeys=(await session.exec(passkeys)).all(),
        codes_left=(await session.execute(left)).scalar_one(),
    )


async def _app(session: AsyncSession, staff_id: int) -> CodeApp | None:
    statement = select(CodeApp).where(CodeApp.staff_id == staff_id).order_by(col(CodeApp.id))
    return (await session.exec(statement)).first()


async def _take_app_code(ground: Ground, session: AsyncSession, app: CodeApp, *, code: str) -> None:
    """Of two who type the same code at once, one gets in (RFC 6238 §5.2)."""
    secret = codes.unseal(app.sealed_secret, keys=ground.tokens, staff_id=app.staff_id)
    step = codes.step_of(secret, code, now=ground.clock.now())
    taken = None
    if step is not None:
        statement = (
            sa.update(CodeApp)
            .where(col(CodeApp.id) == app.id, col(CodeApp.last_step) < step)
            .values(last_step=step)
            .returning(col(CodeApp.id))
        )
        taken = (await session.execute(statement)).scalar_one_or_none()
    if taken is None:
        raise _wrong()


async def _take_paper_code(
    ground: Ground, session: AsyncSession, person: Staff, *, code: str
) -> None:
    statement = (
        sa.update(RecoveryCode)
        .where(
            col(RecoveryCode.code_hash)
            == codes.hash_code(code, keys=ground.tokens, staff_id=person.id),
            col(RecoveryCode.staff_id) == person.id,
            col(RecoveryCode.used_at).is_(None),
        )
        .values(used_at=ground.clock.now())
        .returning(col(RecoveryCode.id))
    )
    if (await session.execute(statement)).scalar_one_or_none() is None:
        raise _wrong()
    await telling.changed(ground, session, person, what="staff.recovery_code_used")


async def _new_sheet(ground: Ground, session: AsyncSession, staff_id: int) -> tuple[str, ...]:
    await session.execute(sa.delete(RecoveryCode).where(col(RecoveryCode.staff_id) == staff_id))
    fresh = codes.fresh_sheet()
    now = ground.clock.now()
    session.add_all(
        RecoveryCode(
            staff_id=staff_id,
            code_hash=codes.hash_code(code, keys=ground.tokens, staff_id=staff_id),
            created_at=now,
        )
        for code in fresh
    )
    return fresh


async def _changed(ground: Ground, session: AsyncSession, staff_id: int, *, action: str) -> None:
    person = await session.get_one(Staff, staff_id)
    await telling.noted(ground, session, person, action=action)


async def _allow(ground: Ground, staff_id: int) -> None:
    await entering.allow(ground, ("second-step", str(staff_id), _TRIES_PER_HOUR))


def _wrong() -> errors.Invalid:
    return errors.Invalid(
        N_("This code does not fit, or was used already. Wait for the next one your app shows.")
    )
