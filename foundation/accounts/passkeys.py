"""Passkeys: keys in people's own devices, by which they come in (WebAuthn Level 3).

A passkey lets somebody in by itself, as the device asks who they are, or stands as the second step
after a password. Each challenge is ours, lives for minutes, and is answered once (§13.4.3).
"""

import asyncio
import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import errors
from foundation.accounts import entering, second_step, signin, telling
from foundation.accounts.entering import Entry, Visitor, Way
from foundation.accounts.models import Begun, BegunKind, Passkey, Staff
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

if TYPE_CHECKING:
    from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
    from webauthn.registration.verify_registration_response import VerifiedRegistration

AT_MOST = 20
_NAME_CHARACTERS = 60
_CREDENTIAL_CHARACTERS = 20_000


@frozen
class Asked:
    """What the device is asked, and the secret by which its answer is known again."""

    options: str
    """As JSON, in the form of WebAuthn Level 3 §5.1.8 and §5.1.10."""
    secret: str


async def ask_to_add(ground: Ground, *, staff_id: int) -> Asked:
    """Begin adding a passkey. Raises `errors.Refused` for somebody who has very many."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers import structs

    async with ground.db.transaction() as session:
        person = await session.get_one(Staff, staff_id)
        theirs = await _of(session, staff_id)
        if len(theirs) >= AT_MOST:
            raise errors.Refused(N_("You have very many passkeys. Remove one first."))
        options = generate_registration_options(
            rp_id=site_id(ground),
            rp_name=ground.settings.site.name,
            user_id=_handle(ground, staff_id),
            user_name=person.email,
            user_display_name=person.name or person.email,
            # Discoverable: the sign-in page does not know yet whose it will be (§5.4.4).
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.REQUIRED,
                user_verification=structs.UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[
                structs.PublicKeyCredentialDescriptor(id=_bytes(each.credential_id))
                for each in theirs
            ],
        )
        secret = entering.begin(
            ground,
            session,
            kind=BegunKind.ADDING,
            staff_id=staff_id,
            challenge=_text(options.challenge),
        )
    return Asked(options=options_to_json(options), secret=secret)


async def add(
    ground: Ground, *, staff_id: int, secret: str, credential: str, name: str
) -> tuple[str, ...]:
    """Keep a new passkey; returns codes for paper if it is the person's first second step.

    Raises `errors.BadToken` when it was begun too long ago, `errors.Invalid` for what does not fit.
    """
    async with ground.db.reading() as session:
        found = await entering.begun(ground, session, secret=secret, kind=BegunKind.ADDING)
    if found is None or found.staff_id != staff_id:
        raise _too_long()
    proven = await asyncio.to_thread(_registered, ground, found, _parsed(credential))
    key = _text(proven.credential_id)
    async with ground.db.transaction() as session:
        await entering.end_begun(session, found)
        if (await session.exec(select(Passkey).where(Passkey.credential_id == key))).first():
            raise errors.Invalid(N_("This passkey is known here already."))
        person = await session.get_one(Staff, staff_id)
        sheet = await second_step.sheet_for_first(ground, session, staff_id=staff_id)
        named = name.strip()[:_NAME_CHARACTERS] or ground.translator(person.language).gettext(
            N_("Passkey")
        )
        session.add(
            Passkey(
                staff_id=staff_id,
                name=named,
                credential_id=key,
                public_key=_text(proven.credential_public_key),
                sign_count=proven.sign_count,
                created_at=ground.clock.now(),
            )
        )
        after = {"passkey": named}
        await telling.noted(ground, session, person, action="staff.passkey_added", after=after)
    return sheet


async def rename(ground: Ground, *, staff_id: int, passkey_id: int, name: str) -> None:
    """Call a passkey something else. Raises `errors.NotFound`."""
    async with ground.db.transaction() as session:
        found = await _own(session, staff_id, passkey_id)
        found.name = name.strip()[:_NAME_CHARACTERS] or found.name
        session.add(found)


async def remove(ground: Ground, *, staff_id: int, passkey_id: int) -> None:
    """Let a passkey in no more. Raises `errors.NotFound`."""
    async with ground.db.transaction() as session:
        found = await _own(session, staff_id, passkey_id)
        before = {"passkey": found.name}
        await session.delete(found)
        await session.flush()
        await second_step.drop_sheet_if_last(session, staff_id=staff_id)
        person = await session.get_one(Staff, staff_id)
        await telling.noted(ground, session, person, action="staff.passkey_removed", before=before)


async def ask_anybody(ground: Ground, *, network: str) -> Asked:
    """Begin signing in by a passkey, of whomever. Raises `errors.TooMany`."""
    limit = ground.settings.security.signin_attempts_per_hour
    await entering.allow(ground, ("passkey-network", network, limit * signin.OFFICE_SIZE))
    options, challenge = _questions(ground, theirs=[])
    async with ground.db.transaction() as session:
        secret = entering.begin(ground, session, kind=BegunKind.PASSKEY, challenge=challenge)
    return Asked(options=options, secret=secret)


async def ask_for_second_step(ground: Ground, *, secret: str) -> Asked:
    """Ask whoever has taken the first step for a passkey of theirs. Raises `errors.BadToken`."""
    async with ground.db.transaction() as session:
        found = await entering.begun(ground, session, secret=secret, kind=BegunKind.SECOND_STEP)
        if found is None or found.staff_id is None:
            raise entering.too_late()
        options, found.challenge = _questions(ground, theirs=await _of(session, found.staff_id))
        session.add(found)
    return Asked(options=options, secret=secret)


async def enter(ground: Ground, *, secret: str, credential: str, visitor: Visitor) -> Entry:
    """Come in by a passkey alone: the device has asked who they are (§6.1, user verification).

    Raises `errors.BadToken` when it was begun too long ago, `errors.Invalid` for what does not fit.
    """
    return await _enter(
        ground, secret=secret, kind=BegunKind.PASSKEY, credential=credential, visitor=visitor
    )


async def take_second_step(
    ground: Ground, *, secret: str, credential: str, visitor: Visitor
) -> Entry:
    """Come in by a passkey after a password or link. Raises as `enter`."""
    return await _enter(
        ground, secret=secret, kind=BegunKind.SECOND_STEP, credential=credential, visitor=visitor
    )


async def _enter(
    ground: Ground, *, secret: str, kind: BegunKind, credential: str, visitor: Visitor
) -> Entry:
    answer = _parsed(credential)
    async with ground.db.reading() as session:
        found = await entering.begun(ground, session, secret=secret, kind=kind)
        statement = select(Passkey).where(Passkey.credential_id == str(answer.get("id", "")))
        passkey = (await session.exec(statement)).first()
    if found is None or not found.challenge:
        raise entering.too_late()
    if passkey is None or found.staff_id not in (None, passkey.staff_id):
        raise _unknown()
    proven = await asyncio.to_thread(_proven, ground, found, passkey, answer)
    async with ground.db.transaction() as session:
        await entering.end_begun(session, found)
        person = await session.get(Staff, passkey.staff_id)
        used = (
            sa.update(Passkey)
            .where(col(Passkey.id) == passkey.id)
            .values(sign_count=proven.new_sign_count, last_used_at=ground.clock.now())
            .returning(col(Passkey.id))
        )
        is_there = (await session.execute(used)).scalar_one_or_none() is not None
        if person is None or not person.is_active or not is_there:
            raise _unknown()
        if kind is BegunKind.PASSKEY:
            return await entering.enter(ground, session, person, visitor=visitor, way=Way.PASSKEY)
        after = {"way": found.way, "second_step": "passkey"}
        return entering.finish(ground, session, person, visitor=visitor, after=after)


def site_id(ground: Ground) -> str:
    """The name to which passkeys are bound: the host of the site's address (§5.1.2, rp.id)."""
    return urlsplit(ground.settings.site.url).hostname or ""


def _origin(ground: Ground) -> str:
    parts = urlsplit(ground.settings.site.url)
    return f"{parts.scheme}://{parts.netloc}"


def _questions(ground: Ground, *, theirs: list[Passkey]) -> tuple[str, str]:
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers import structs

    options = generate_authentication_options(
        rp_id=site_id(ground),
        user_verification=structs.UserVerificationRequirement.REQUIRED,
        allow_credentials=[
            structs.PublicKeyCredentialDescriptor(id=_bytes(each.credential_id)) for each in theirs
        ],
    )
    return options_to_json(options), _text(options.challenge)


def _registered(ground: Ground, found: Begun, answer: dict[str, Any]) -> "VerifiedRegistration":
    from webauthn import verify_registration_response
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        return verify_registration_response(
            credential=answer,
            expected_challenge=_bytes(found.challenge),
            expected_rp_id=site_id(ground),
            expected_origin=_origin(ground),
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as problem:
        raise errors.Invalid(
            N_("This passkey could not be added. Try again, or use another device.")
        ) from problem


def _proven(
    ground: Ground, found: Begun, passkey: Passkey, answer: dict[str, Any]
) -> "VerifiedAuthentication":
    from webauthn import verify_authentication_response
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        return verify_authentication_response(
            credential=answer,
            expected_challenge=_bytes(found.challenge),
            expected_rp_id=site_id(ground),
            expected_origin=_origin(ground),
            credential_public_key=_bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as problem:
        raise _unknown() from problem


def _parsed(credential: str) -> dict[str, Any]:
    try:
        found = json.loads(credential) if len(credential) <= _CREDENTIAL_CHARACTERS else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _unknown()
    return found


async def _of(session: AsyncSession, staff_id: int) -> list[Passkey]:
    statement = select(Passkey).where(Passkey.staff_id == staff_id).order_by(col(Passkey.id))
    return list((await session.exec(statement)).all())


async def _own(session: AsyncSession, staff_id: int, passkey_id: int) -> Passkey:
    found = await session.get(Passkey, passkey_id)
    if found is None or found.staff_id != staff_id:
        raise errors.NotFound(N_("There is no such passkey."))
    return found


def _handle(ground: Ground, staff_id: int) -> bytes:
    """How devices name the person: always the same, and it says nothing of them (§14.6.1)."""
    key = ground.tokens.derive("passkey-handles")
    return hashlib.blake2b(str(staff_id).encode(), key=key, digest_size=32).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _unknown() -> errors.Invalid:
    return errors.Invalid(N_("This passkey is not known here. Sign in another way."))


def _too_long() -> errors.BadToken:
    return errors.BadToken(N_("This took too long. Begin again."))
