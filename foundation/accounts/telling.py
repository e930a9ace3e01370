"""Tells a person by mail that how they come in was changed, and the log along with it.

Somebody else may have done it: the mail goes out whoever it was, in the change's own transaction.
"""

from collections.abc import Mapping
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import audit
from foundation.accounts import entering
from foundation.accounts.models import Staff
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.notices import Notice

WORDS = {
    "staff.password_changed": N_("Your password was changed."),
    "staff.app_added": N_("An app that shows codes was added as your second step."),
    "staff.app_removed": N_("The app that shows codes was removed from your account."),
    "staff.recovery_codes_renewed": N_("New recovery codes were made; the old ones don't work."),
    "staff.recovery_code_used": N_("Somebody signed in with one of your recovery codes."),
    "staff.passkey_added": N_("A passkey was added: %(name)s."),
    "staff.passkey_removed": N_("A passkey was removed: %(name)s."),
    "staff.second_step_reset": N_("An owner of the site took your second step away."),
}
"""What the mail says of each change that the log names so."""


async def changed(
    ground: Ground, session: AsyncSession, person: Staff, *, what: str, name: str = ""
) -> None:
    """Queue the mail in the caller's transaction."""
    said = ground.translator(person.language).gettext(WORDS[what])
    await ground.notices.queue(
        session,
        Notice(
            kind="account_changed",
            to=person.email,
            language=person.language,
            context={"change": said % {"name": name}, "url": ground.url("/staff/account")},
        ),
    )


async def noted(
    ground: Ground,
    session: AsyncSession,
    person: Staff,
    *,
    action: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """The same, with an entry in the log for what a person changed of their own."""
    audit.record(
        session,
        actor=entering.acting(person),
        at=ground.clock.now(),
        action=action,
        object_kind="staff",
        object_id=person.id,
        before=before,
        after=after,
    )
    found = {**(before or {}), **(after or {})}
    await changed(ground, session, person, what=action, name=str(found.get("passkey", "")))
