"""Keys by which programs use the API. The secret is shown once; only its hash is kept."""

import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import audit, errors, tokens
from foundation.accounts.models import ApiToken
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

PREFIX = "hb_"
"""Lets scanners of source code find a token that was committed by mistake."""

_SEEN_EVERY = timedelta(minutes=5)


class Scope(StrEnum):
    """What a token may do."""

    READ = "read"
    """Read everything that the API shows."""
    SUBSCRIBERS = "subscribers"
    """Change subscribers, suppressions, topics, forms, partners and members."""
    CONTENT = "content"
    """Change developments and bulletins."""
    CAMPAIGNS = "campaigns"
    """Create, schedule and send campaigns."""
    PROPOSE = "propose"
    """Propose stories for the partner whose token it is; partners make such tokens themselves."""


OFFICE = frozenset(Scope) - {Scope.PROPOSE}
"""What a token of the office may do."""


@frozen
class Caller:
    """The program behind a request."""

    token_id: int
    name: str
    scopes: frozenset[Scope]
    partner_id: int | None = None
    """The partner whose program it is; None for the office."""


def scopes_from(names: Sequence[str]) -> frozenset[Scope]:
    """Scopes by name; none given means all. Raises `errors.Invalid` naming an unknown one."""
    known = {scope.value for scope in OFFICE}
    for name in names:
        if name not in known:
            raise errors.Invalid(
                N_("There is no scope “%(name)s”. There are: %(known)s."),
                name=name,
                known=", ".join(sorted(known)),
            )
    return frozenset(Scope(name) for name in names) or OFFICE


async def create(
    ground: Ground,
    *,
    actor: Actor,
    name: str,
    scopes: frozenset[Scope],
    partner_id: int | None = None,
) -> str:
    """Make a token; returns the secret, which can't be shown again. Raises `errors.Invalid`.

    One of a partner takes the place of those that it had.
    """
    if not name.strip():
        raise errors.Invalid(N_("Give the token a name that says what uses it."))
    secret = PREFIX + tokens.secret_token()
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        if partner_id is not None:
            await _revoke(session, actor, now, col(ApiToken.partner_id) == partner_id)
        made = ApiToken(
            partner_id=partner_id,
            name=name.strip()[:100],
            secret_hash=tokens.hash_secret(secret),
            scopes=sorted(scope.value for scope in scopes),
            created_at=now,
        )
        session.add(made)
        await session.flush()
        audit.record(
            session,
            actor=actor,
            at=now,
            action="token.created",
            object_kind="token",
            object_id=made.id,
            after={"name": made.name, "scopes": made.scopes},
        )
    return secret


async def everything(ground: Ground) -> Sequence[ApiToken]:
    """All tokens, newest first."""
    async with ground.db.reading() as session:
        return (await session.exec(select(ApiToken).order_by(col(ApiToken.id).desc()))).all()


async def revoke(ground: Ground, *, actor: Actor, name: str) -> int:
    """Revoke every token called `name`; returns how many. Raises `errors.NotFound`."""
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        revoked = await _revoke(session, actor, now, col(ApiToken.name) == name)
        if not revoked:
            raise errors.NotFound(N_("There is no token “%(name)s” in use."), name=name)
    return revoked


async def of_partner(ground: Ground, *, partner_id: int) -> ApiToken | None:
    """The token with which a partner's program proposes stories, if there is one in use."""
    statement = select(ApiToken).where(
        ApiToken.partner_id == partner_id, col(ApiToken.revoked_at).is_(None)
    )
    async with ground.db.reading() as session:
        return (await session.exec(statement.order_by(col(ApiToken.id).desc()))).first()


async def revoke_of_partner(ground: Ground, *, actor: Actor, partner_id: int) -> int:
    """Revoke what a partner has; returns how many those were."""
    async with ground.db.transaction() as session:
        now = ground.clock.now()
        return await _revoke(session, actor, now, col(ApiToken.partner_id) == partner_id)


async def _revoke(
    session: AsyncSession, actor: Actor, now: datetime, which: sa.ColumnElement[bool]
) -> int:
    statement = (
        sa.update(ApiToken)
        .where(which, col(ApiToken.revoked_at).is_(None))
        .values(revoked_at=now)
        .returning(col(ApiToken.id), col(ApiToken.name))
    )
    revoked = (await session.execute(statement)).all()
    for number, name in revoked:
        audit.record(
            session,
            actor=actor,
            at=now,
            action="token.revoked",
            object_kind="token",
            object_id=number,
            before={"name": name},
        )
    return len(revoked)


async def find(ground: Ground, *, secret: str) -> Caller | None:
    """The program whose secret this is, or None when it is unknown or revoked."""
    now = ground.clock.now()
    statement = select(ApiToken).where(
        ApiToken.secret_hash == tokens.hash_secret(secret), col(ApiToken.revoked_at).is_(None)
    )
    async with ground.db.reading() as session:
        found = (await session.exec(statement)).one_or_none()
    if found is None:
        return None
    if found.last_used_at is None or now - found.last_used_at > _SEEN_EVERY:
        # Reading goes on while the database takes no change.
        with contextlib.suppress(errors.Busy):
            async with ground.db.transaction() as session:
                await session.execute(
                    sa.update(ApiToken).where(col(ApiToken.id) == found.id).values(last_used_at=now)
                )
    scopes = frozenset(Scope(name) for name in found.scopes if name in set(Scope))
    return Caller(token_id=found.id, name=found.name, scopes=scopes, partner_id=found.partner_id)
