"""A bulletin and its campaign from one document, as `campaigns create` and the API take them."""

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audiences, bulletins, lifecycle
from campaigns.documents import Document
from campaigns.models import Campaign
from foundation.audit import Actor
from foundation.ground import Ground


async def create(ground: Ground, *, actor: Actor, document: Document) -> Campaign:
    """A draft with its bulletin; both are kept, or neither.

    Raises `errors.Invalid`, `errors.NotFound` for an unknown issue.
    """
    async with ground.db.transaction() as session:
        return await add(ground, session, actor=actor, document=document)


async def add(
    ground: Ground, session: AsyncSession, *, actor: Actor, document: Document
) -> Campaign:
    """As `create`, in the caller's transaction."""
    part = document.campaign
    bulletin = await bulletins.add(ground, session, actor=actor, document=document)
    return await lifecycle.add(
        ground,
        session,
        actor=actor,
        bulletin_id=bulletin.id,
        name=part.name,
        audience=audiences.parse(document.audience),
        from_name=part.from_name,
        from_address=part.from_address,
        reply_to=part.reply_to,
        relay=part.relay,
        when_uncertain=part.when_uncertain,
        visibility=part.visibility,
        archive_slug=part.archive_slug,
    )
