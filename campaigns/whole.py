"""A bulletin and its campaign from one document, as `campaigns create` and the API take them."""

from campaigns import audiences, bulletins, lifecycle
from campaigns.documents import Document
from campaigns.models import Campaign
from foundation.audit import Actor
from foundation.ground import Ground


async def create(ground: Ground, *, actor: Actor, document: Document) -> Campaign:
    """A draft with its bulletin; both are kept, or neither.

    Raises `errors.Invalid`, `errors.NotFound` for an unknown issue.
    """
    part = document.campaign
    async with ground.db.transaction() as session:
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
        )
