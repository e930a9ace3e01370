"""Organisations sign a version of the statement; the person who signs for one confirms by mail.

Called by `statement_pages.py`. A name stands under the statement in public only after the mailed
button was pressed and the office looked at it; a member's, known by its contact's address, at once.
The person's own name and address are never shown. By the same link the signature is taken back.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import addresses, audit, errors, tables
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.notices import Notice
from foundation.tokens import Purpose
from subscribers import limits, statements, suppression
from subscribers.member_models import SignOn, SignOnState
from subscribers.models import Member, MemberContact, MemberState

TRANSITIONS: Mapping[SignOnState, frozenset[SignOnState]] = {
    SignOnState.PENDING: frozenset({SignOnState.CONFIRMED, SignOnState.SHOWN}),
    SignOnState.CONFIRMED: frozenset(
        {SignOnState.SHOWN, SignOnState.REFUSED, SignOnState.WITHDRAWN}
    ),
    SignOnState.SHOWN: frozenset({SignOnState.REFUSED, SignOnState.WITHDRAWN}),
    SignOnState.REFUSED: frozenset({SignOnState.SHOWN, SignOnState.WITHDRAWN}),
    SignOnState.WITHDRAWN: frozenset(),
}
"""What may follow what: confirming and taking back are the signer's own, the rest the office's."""


@frozen
class Signature:
    """What was sent in."""

    organisation: str
    town: str = ""
    name: str
    email: str
    agrees: bool
    version: int
    """Of the statement that was on the page."""
    language: str
    network: str = ""


@frozen
class Shown:
    """An organisation as it stands under the statement."""

    organisation: str
    town: str
    version: int


@frozen
class Link:
    """What the page behind the mailed link says."""

    row: SignOn
    is_too_old: bool


async def sign(ground: Ground, *, signature: Signature) -> None:
    """Take a signature and mail who signs a link to confirm it.

    Says nothing about what was known before. Raises `errors.Invalid` with the wrong fields, and
    `errors.TooMany` when one network sends too many.
    """
    async with ground.db.reading() as session:
        newest = await statements.current(ground, session)
    address = _check(signature, newest=newest.number)
    async with ground.db.transaction() as session:
        await limits.check_network(ground, session, name="sign-on", network=signature.network)
    async with ground.db.transaction() as session:
        may_mail = await limits.may_confirm(ground, session, address=address)
        lasting = await suppression.reasons(ground, session, email_key=address.key)
        await statements.keep(ground, session)
        row = await _keep(ground, session, signature, address)
        if row.state == SignOnState.PENDING and may_mail and not lasting & suppression.LASTING:
            await _ask(ground, session, row)


async def look(ground: Ground, *, token: str) -> Link:
    """What a mailed link is about; changes nothing. Raises `errors.BadToken`, `errors.NotFound`."""
    async with ground.db.reading() as session:
        return await _opened(ground, session, token)


async def confirm(ground: Ground, *, token: str) -> Link:
    """Who signed pressed the button; pressing twice does it once. Raises as `look`."""
    async with ground.db.transaction() as session:
        link = await _opened(ground, session, token)
        if link.row.state != SignOnState.PENDING or link.is_too_old:
            return link
        member = await _member_of(session, link.row)
        state = SignOnState.SHOWN if member else SignOnState.CONFIRMED
        changes = {
            "state": state.value,
            "confirmed_at": ground.clock.now(),
            "member_id": member.id if member else None,
        }
        won = await _move(session, link.row, changes)
        if won and member and member.statement_version < link.row.statement_version:
            member.statement_version = link.row.statement_version
            session.add(member)
        return link


async def withdraw(ground: Ground, *, token: str) -> Link:
    """Who signed takes it back, however old the link is. Raises as `look`."""
    async with ground.db.transaction() as session:
        link = await _opened(ground, session, token)
        if SignOnState.WITHDRAWN in TRANSITIONS[SignOnState(link.row.state)]:
            await _move(session, link.row, {"state": SignOnState.WITHDRAWN.value})
        return link


async def decide(ground: Ground, *, actor: Actor, sign_on_id: int, show: bool) -> None:
    """The office shows a confirmed signature, or does not.

    Raises `errors.NotFound`, and `errors.Refused` for one that is not confirmed or was taken back.
    """
    wanted = SignOnState.SHOWN if show else SignOnState.REFUSED
    async with ground.db.transaction() as session:
        row = await session.get(SignOn, sign_on_id)
        if row is None:
            raise errors.NotFound(N_("There is no such signature."))
        before = SignOnState(row.state)
        if before is SignOnState.PENDING or wanted not in TRANSITIONS[before]:
            raise errors.Refused(N_("This signature can't be changed in that way now."))
        await _move(session, row, {"state": wanted.value, "decided_by": actor.label})
        audit.record(
            session,
            actor=actor,
            at=ground.clock.now(),
            action=f"sign-on.{wanted.value}",
            object_kind="sign-on",
            object_id=sign_on_id,
            before={"state": before.value},
            after={"state": wanted.value, "organisation": row.organisation},
        )


async def shown(ground: Ground) -> list[Shown]:
    """Every organisation in public, by name, with the newest version that it signed."""
    newest = sa.func.max(col(SignOn.statement_version))
    statement = (
        sa.select(sa.func.max(col(SignOn.organisation)), sa.func.max(col(SignOn.town)), newest)
        .where(col(SignOn.state) == SignOnState.SHOWN.value)
        .group_by(col(SignOn.organisation_key))
        .order_by(col(SignOn.organisation_key))
    )
    async with ground.db.reading() as session:
        rows = (await session.execute(statement)).all()
    return [
        Shown(organisation=organisation, town=town, version=version)
        for organisation, town, version in rows
    ]


async def everything(ground: Ground, *, limit: int = 500) -> Sequence[SignOn]:
    """Signatures that were confirmed, those that wait for the office first, then the newest."""
    waits = sa.case((col(SignOn.state) == SignOnState.CONFIRMED.value, 0), else_=1)
    statement = (
        select(SignOn)
        .where(SignOn.state != SignOnState.PENDING)
        .order_by(waits, col(SignOn.id).desc())
        .limit(limit)
    )
    async with ground.db.reading() as session:
        return (await session.exec(statement)).all()


async def drop_unconfirmed(ground: Ground, session: AsyncSession) -> int:
    """Forget signatures that nobody confirmed in time and blank old networks; returns how many."""
    now, kept = ground.clock.now(), ground.settings.retention
    gone = await session.execute(
        sa.delete(SignOn)
        .where(
            col(SignOn.state) == SignOnState.PENDING.value,
            col(SignOn.created_at) < now - timedelta(days=kept.unconfirmed_days),
        )
        .returning(col(SignOn.id))
    )
    await session.execute(
        sa.update(SignOn)
        .where(
            col(SignOn.network).is_not(None),
            col(SignOn.created_at) < now - timedelta(days=kept.network_days),
        )
        .values(network=None)
    )
    return len(gone.all())


def _check(signature: Signature, *, newest: int) -> addresses.Address:
    problems: dict[str, errors.HandbillError] = {}
    for name in ("organisation", "name"):
        if not getattr(signature, name).strip():
            problems[name] = errors.Invalid(N_("Fill this in."))
    if not signature.agrees:
        problems["agrees"] = errors.Invalid(N_("Tick this to sign the statement."))
    elif signature.version != newest:
        problems["agrees"] = errors.Invalid(
            N_("The statement has changed since you opened this page. Read it once more.")
        )
    address: addresses.Address | None = None
    try:
        address = addresses.parse(signature.email)
    except errors.Invalid as problem:
        problems["email"] = problem
    if problems or address is None:
        raise errors.Invalid(
            N_("Something needs to be mended before this can be sent."), fields=problems
        )
    return address


async def _keep(
    ground: Ground, session: AsyncSession, signature: Signature, address: addresses.Address
) -> SignOn:
    """The signature; the same once more is the same, and one that was taken back waits anew."""
    now = ground.clock.now()
    insert = tables.insert_for(session, SignOn).values(
        statement_version=signature.version,
        organisation=signature.organisation,
        organisation_key=signature.organisation.casefold(),
        town=signature.town,
        name=signature.name,
        email=address.email,
        email_key=address.key,
        language=signature.language,
        state=SignOnState.PENDING.value,
        network=signature.network or None,
        created_at=now,
        decided_by="",
    )
    waits = [SignOnState.PENDING.value, SignOnState.WITHDRAWN.value]
    await session.execute(
        insert.on_conflict_do_update(
            index_elements=["email_key", "organisation_key", "statement_version"],
            set_={"state": insert.excluded.state, "created_at": insert.excluded.created_at},
            where=col(SignOn.state).in_(waits),
        )
    )
    same = select(SignOn).where(
        SignOn.email_key == address.key,
        SignOn.organisation_key == signature.organisation.casefold(),
        SignOn.statement_version == signature.version,
    )
    return (await session.exec(same)).one()


async def _ask(ground: Ground, session: AsyncSession, row: SignOn) -> None:
    minute = int(ground.clock.now().timestamp()) // 60
    url = ground.link("/statement/confirm", Purpose.SIGN_ON, row.id, minute)
    await ground.notices.queue(
        session,
        Notice(
            kind="sign_on_confirm",
            to=row.email,
            language=ground.translator(row.language).language,
            context={"confirm_url": url},
        ),
    )


async def _opened(ground: Ground, session: AsyncSession, token: str) -> Link:
    sign_on_id, minute = ground.tokens.open(Purpose.SIGN_ON, token)
    row = await session.get(SignOn, sign_on_id)
    if row is None:
        raise errors.NotFound(N_("This signature is not kept any more. You can sign again."))
    until = datetime.fromtimestamp(minute * 60, tz=UTC) + timedelta(
        days=ground.settings.signup.confirm_link_days
    )
    return Link(row=row, is_too_old=ground.clock.now() > until)


async def _member_of(session: AsyncSession, row: SignOn) -> Member | None:
    """The member that signs: its confirmed contact does so under its name."""
    statement = (
        select(Member)
        .join(MemberContact, col(MemberContact.member_id) == col(Member.id))
        .where(
            MemberContact.email_key == row.email_key,
            col(MemberContact.confirmed_at).is_not(None),
            Member.state == MemberState.APPROVED,
        )
    )
    found = (await session.exec(statement)).all()
    return next((each for each in found if each.name.casefold() == row.organisation_key), None)


async def _move(session: AsyncSession, row: SignOn, changes: Mapping[str, object]) -> bool:
    """Compare-and-set on the state that was read; returns whether this was who changed it."""
    won = await session.execute(
        sa.update(SignOn)
        .where(col(SignOn.id) == row.id, col(SignOn.state) == row.state)
        .values(**changes)
        .returning(col(SignOn.id))
    )
    is_won = won.first() is not None
    await session.refresh(row)
    return is_won
