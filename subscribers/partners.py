"""Organisations whose own pages carry our form: who they are, and what their pages brought.

Called by `partners_pages.py` and the API. Its key stands in the sign-ups that a partner brings; its
origins are the web sites whose scripts may send to us.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import addresses, audit, errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import partner_keys
from subscribers.models import Member, MemberState, Partner, SignUp, SignUpState


@frozen
class Details:
    """What staff say about a partner."""

    name: str
    key: str
    origins: Sequence[str] = ()
    languages: Sequence[str] = ()
    contact_name: str = ""
    contact_email: str = ""
    agreed_on: date | None = None
    """When it agreed to the coalition's terms for partners."""
    member_id: int | None = None
    is_active: bool = True


@frozen
class Standing:
    """A partner and what its pages brought."""

    partner: Partner
    submitted: int
    """Sign-ups sent in."""
    confirmed: int
    """Of those, confirmed by the person."""


async def create(ground: Ground, *, actor: Actor, details: Details) -> Partner:
    """Write a partner down. Raises `errors.Invalid` with the wrong fields."""
    origins = _check(ground, details)
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        await _key_is_free(session, details.key, besides=None)
        made = Partner(key=details.key, created_at=now, **_columns(details, origins))
        session.add(made)
        await session.flush()
        _record(session, ground, actor, "partner.created", made, before={})
    return made


async def update(ground: Ground, *, actor: Actor, partner_id: int, details: Details) -> Partner:
    """Change a partner; a key that it had goes on to count for it, see `partner_keys`.

    Raises `errors.Invalid` with the wrong fields, `errors.NotFound`.
    """
    origins = _check(ground, details)
    async with ground.db.transaction() as session:
        partner = await _get(session, partner_id)
        await _key_is_free(session, details.key, besides=partner_id)
        before = _shown(partner)
        if details.key != partner.key:
            await partner_keys.replace(ground, session, partner, key=details.key)
        for name, value in _columns(details, origins).items():
            setattr(partner, name, value)
        session.add(partner)
        _record(session, ground, actor, "partner.updated", partner, before=before)
    return partner


async def get(ground: Ground, *, partner_id: int) -> Partner:
    """One partner. Raises `errors.NotFound`."""
    async with ground.db.reading() as session:
        return await _get(session, partner_id)


async def listed(ground: Ground) -> list[Standing]:
    """Every partner by name, with what it brought; partners are few, so all at once."""
    confirmed = sa.func.count(col(SignUp.id)).filter(
        col(SignUp.state) == SignUpState.CONFIRMED.value
    )
    brought = (
        sa.select(
            col(SignUp.partner_id).label("partner_id"),
            sa.func.count(col(SignUp.id)).label("submitted"),
            confirmed.label("confirmed"),
        )
        .where(col(SignUp.partner_id).is_not(None))
        .group_by(col(SignUp.partner_id))
        .subquery()
    )
    statement = (
        select(
            Partner,
            sa.func.coalesce(brought.c.submitted, 0),
            sa.func.coalesce(brought.c.confirmed, 0),
        )
        .outerjoin(brought, brought.c.partner_id == col(Partner.id))
        .order_by(col(Partner.name), col(Partner.id))
    )
    async with ground.db.reading() as session:
        rows = (await session.exec(statement)).all()
    return [
        Standing(partner=partner, submitted=submitted, confirmed=confirmed)
        for partner, submitted, confirmed in rows
    ]


async def possible_members(ground: Ground) -> list[Member]:
    """Approved members, by name: a partner may be one of them."""
    statement = (
        select(Member).where(Member.state == MemberState.APPROVED).order_by(col(Member.name))
    )
    async with ground.db.reading() as session:
        return list((await session.exec(statement)).all())


def origin(text: str) -> str:
    """A web origin as a browser sends it: `https://example.org`, lower case, without a path.

    Raises `errors.Invalid` for anything else.
    """
    try:
        parts = urlsplit(text.strip().lower())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    host = parts.hostname or ""
    if (
        parts.scheme not in ("https", "http")
        or not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", host)
        or parts.username is not None
    ):
        raise errors.Invalid(
            N_("“%(text)s” is not a web site's address. It should look like https://example.org."),
            text=text[:80],
        )
    is_usual = port is None or port == {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if is_usual else f":{port}")


def _check(ground: Ground, details: Details) -> list[str]:
    """The origins in their one spelling."""
    problems: dict[str, errors.HandbillError] = {}
    if not details.name.strip():
        problems["name"] = errors.Invalid(N_("Fill this in."))
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?", details.key):
        problems["key"] = errors.Invalid(
            N_("Use small letters, digits and hyphens only, such as river-valley.")
        )
    if any(language not in ground.catalog.languages for language in details.languages):
        problems["languages"] = errors.Invalid(N_("Choose one of the site's languages."))
    if details.contact_email:
        try:
            addresses.parse(details.contact_email)
        except errors.Invalid as problem:
            problems["contact_email"] = problem
    origins: list[str] = []
    for text in details.origins:
        try:
            origins.append(origin(text))
        except errors.Invalid as problem:
            problems["origins"] = problem
    if problems:
        raise errors.Invalid(
            N_("Something needs to be mended before this can be kept."), fields=problems
        )
    return list(dict.fromkeys(origins))


def _columns(details: Details, origins: list[str]) -> dict[str, Any]:
    """What is kept of `details` as it is said; the key is not."""
    return {
        "name": details.name,
        "contact_name": details.contact_name,
        "contact_email": details.contact_email,
        "agreed_on": details.agreed_on,
        "member_id": details.member_id,
        "origins": origins,
        "languages": list(details.languages),
        "is_active": details.is_active,
    }


async def _key_is_free(session: AsyncSession, key: str, *, besides: int | None) -> None:
    if not await partner_keys.is_free(session, key, besides=besides):
        problem = errors.Invalid(N_("Another partner has this key already."))
        raise errors.Invalid(problem.msgid, fields={"key": problem})


async def _get(session: AsyncSession, partner_id: int) -> Partner:
    found = await session.get(Partner, partner_id)
    if found is None:
        raise errors.NotFound(N_("There is no such partner."))
    return found


def _shown(partner: Partner) -> dict[str, object]:
    return {
        "key": partner.key,
        "name": partner.name,
        "origins": partner.origins,
        "languages": partner.languages,
        "contact_name": partner.contact_name,
        "contact_email": partner.contact_email,
        "agreed_on": partner.agreed_on.isoformat() if partner.agreed_on else "",
        "is_active": partner.is_active,
    }


def _record(
    session: AsyncSession,
    ground: Ground,
    actor: Actor,
    action: str,
    partner: Partner,
    *,
    before: dict[str, object],
) -> None:
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action=action,
        object_kind="partner",
        object_id=partner.id,
        before=before,
        after=_shown(partner),
    )
