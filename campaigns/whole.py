"""A bulletin and its campaign from one document, as `campaigns create` and the API take them."""

from campaigns import audiences, bulletins, lifecycle
from campaigns.documents import Document
from campaigns.models import Campaign
from foundation import errors
from foundation.audit import Actor
from foundation.ground import Ground


async def create(ground: Ground, *, actor: Actor, document: Document) -> Campaign:
    """A draft with its bulletin; both are kept, or neither.

    Raises `errors.Invalid`, `errors.NotFound` for an unknown issue.
    """
    audience = audiences.parse(document.audience)
    async with ground.db.reading() as session:
        await audiences.resolve(session, audience, languages=[""])
    part = document.campaign
    bulletin = await bulletins.create(ground, actor=actor, document=document)
    try:
        return await lifecycle.create(
            ground,
            actor=actor,
            bulletin_id=bulletin.id,
            name=part.name,
            audience=audience,
            from_name=part.from_name,
            from_address=part.from_address,
            reply_to=part.reply_to,
        )
    except errors.HandbillError:
        await bulletins.delete(ground, actor=actor, bulletin_id=bulletin.id)
        raise
