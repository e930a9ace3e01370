"""Mail to the contacts of organisations: asked to confirm, told how things stand.

Nobody is written to whose address may not be mailed. Called within the transaction of what
happened.
"""

from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from foundation.ground import Ground
from foundation.notices import Notice
from foundation.tokens import Purpose
from subscribers import suppression
from subscribers.models import Member, MemberContact, MemberState


async def ask(
    ground: Ground,
    session: AsyncSession,
    member: Member,
    contact: MemberContact,
    *,
    is_own_wish: bool = False,
) -> bool:
    """Mail a contact the link behind which stands the button to confirm; as `notify`."""
    url = ground.link("/join/confirm", Purpose.MEMBER, contact.id)
    is_application = member.state == MemberState.UNCONFIRMED
    return await notify(
        ground,
        session,
        member,
        contact,
        kind="join_confirm" if is_application else "contact_confirm",
        is_own_wish=is_own_wish,
        confirm_url=url,
    )


async def tell(
    ground: Ground,
    session: AsyncSession,
    member: Member,
    contacts: Sequence[MemberContact],
    *,
    kind: str,
    **context: str,
) -> None:
    """Queue a notice to each of a member's contacts who confirmed and may be mailed."""
    for contact in contacts:
        if contact.confirmed_at is not None:
            await notify(ground, session, member, contact, kind=kind, is_own_wish=False, **context)


async def welcome(
    ground: Ground, session: AsyncSession, member: Member, contact: MemberContact
) -> None:
    """Queue the mail that welcomes a member, with the link to the member's own page."""
    await notify(
        ground,
        session,
        member,
        contact,
        kind="join_approved",
        reason=member.decision_reason,
        url=own_page(ground, contact),
    )


def own_page(ground: Ground, contact: MemberContact) -> str:
    """The link by which a contact opens the member's own page."""
    return ground.link("/member", Purpose.MEMBERSHIP, contact.id)


async def notify(
    ground: Ground,
    session: AsyncSession,
    member: Member,
    contact: MemberContact,
    *,
    kind: str,
    is_own_wish: bool = False,
    **context: str,
) -> bool:
    """Queue a notice to a contact, unless the address may not be mailed; returns whether it did.

    Whoever applies themselves comes in past the reasons that a confirmation lifts.
    """
    why_not = await suppression.reasons(ground, session, email_key=contact.email_key)
    if why_not & suppression.LASTING if is_own_wish else why_not:
        return False
    await ground.notices.queue(
        session,
        Notice(
            kind=kind,
            to=contact.email,
            language=ground.translator(member.language).language,
            context={"organisation": member.name, **context},
            subscriber_id=contact.subscriber_id,
        ),
    )
    return True
