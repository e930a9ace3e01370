"""The members that are named in public, as they wished it, and their logos."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import col

from foundation import errors
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers.member_models import MemberLogo
from subscribers.models import Member, MemberState


@frozen
class Listed:
    """A member as everybody may see it: nothing here names a person."""

    name: str
    town: str
    website: str
    mission: str
    language: str
    """Of what it says of itself."""
    works_in: Sequence[str]
    logo_url: str = ""
    alt: str = ""
    width: int = 0
    height: int = 0


async def listed(ground: Ground) -> list[Listed]:
    """Members that want to be named, by name; they are few, so all at once."""
    statement = (
        sa.select(
            Member,
            col(MemberLogo.digest),
            col(MemberLogo.alt),
            col(MemberLogo.width),
            col(MemberLogo.height),
        )
        .outerjoin(MemberLogo, col(MemberLogo.member_id) == col(Member.id))
        .where(col(Member.state) == MemberState.APPROVED.value, col(Member.is_listed).is_(True))
        .order_by(sa.func.lower(col(Member.name)), col(Member.id))
    )
    async with ground.db.reading() as session:
        rows = (await session.execute(statement)).all()
    return [
        Listed(
            name=member.name,
            town=member.town,
            website=member.website,
            mission=member.mission,
            language=member.language,
            works_in=member.languages,
            logo_url=f"/members/{member.id}/logo/{digest}" if digest else "",
            alt=alt or "",
            width=width or 0,
            height=height or 0,
        )
        for member, digest, alt, width, height in rows
    ]


async def logo(ground: Ground, *, member_id: int, digest: str) -> bytes:
    """The picture of a member, as long as it is one. Raises `errors.NotFound`."""
    statement = (
        sa.select(col(MemberLogo.content))
        .join(Member, col(Member.id) == col(MemberLogo.member_id))
        .where(
            col(MemberLogo.member_id) == member_id,
            col(MemberLogo.digest) == digest,
            col(Member.state) == MemberState.APPROVED.value,
        )
    )
    async with ground.db.reading() as session:
        found: bytes | None = await session.scalar(statement)
    if found is None:
        raise errors.NotFound(N_("There is no such picture."))
    return found
