"""A member becomes a partner with one press: its pages may then carry our form.

Key, web site and languages are taken from what the member said of itself; staff change them on the
partner's page. Called by `members_pages.py`.
"""

import re
import unicodedata

from sqlmodel import col, select

from foundation import errors
from foundation.audit import Actor
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import members, partners
from subscribers.models import MemberState, Partner
from subscribers.partner_models import PartnerKey


async def become_partner(ground: Ground, *, actor: Actor, member_id: int) -> Partner:
    """The member's partner, made when there is none yet; pressing twice makes one.

    Raises `errors.NotFound`, and `errors.Refused` for who is no member.
    """
    async with ground.db.reading() as session:
        member = await members.get(session, member_id)
        known = await session.exec(select(Partner).where(Partner.member_id == member_id).limit(1))
        found = known.first()
        taken = set(await session.exec(select(col(Partner.key))))
        taken |= set(await session.exec(select(col(PartnerKey.key))))
    if found is not None:
        return found
    if member.state != MemberState.APPROVED:
        raise errors.Refused(N_("Take the organization in first; then it can be a partner."))
    try:
        origins = [partners.origin(member.website)] if member.website else []
    except errors.Invalid:
        origins = []
    details = partners.Details(
        name=member.name,
        key=_free_key(member.name, taken),
        origins=origins,
        languages=ground.catalog.languages,
        member_id=member_id,
    )
    return await partners.create(ground, actor=actor, details=details)


def key_of(name: str) -> str:
    """A key made of a name: “Río Sur, Inc.” → `rio-sur-inc`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "partner"


def _free_key(name: str, taken: set[str]) -> str:
    """The same, with a number where it is taken."""
    stem = key_of(name)
    number, key = 1, stem
    while key in taken:
        number += 1
        key = f"{stem}-{number}"
    return key
