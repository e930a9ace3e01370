"""Bulletins: made, saved without losing another editor's work, and found again.

Staff's composer, the API and `campaigns create` call the verbs; `compiling.py` makes message plans.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    block_models,
    documents,
    issues,
    links,
    mail_template_uses,
    shortening,
    snippet_uses,
    translating,
    versions,
    wording,
)
from campaigns.documents import Document
from campaigns.left_behind import Fields, Key
from campaigns.models import Bulletin, Campaign, CampaignState
from foundation import audit, errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from templates import mergefields

PAGE = 30
_GONE_OUT = (
    CampaignState.SENDING,
    CampaignState.PAUSED,
    CampaignState.SENT,
    CampaignState.CANCELLED,
)
_FIRST_LOOK_BACK = timedelta(days=30)


class SavedByOther(errors.Conflict):
    """Somebody else saved the bulletin meanwhile; `bulletin` is what they kept."""

    def __init__(self, bulletin: Bulletin) -> None:
        super().__init__(
            N_(
                "%(name)s saved this bulletin while you were writing. Nothing was overwritten, "
                "and what you wrote is still here."
            ),
            name=bulletin.updated_by or "?",
        )
        self.bulletin = bulletin


@frozen
class Page:
    """A part of the list, newest first; `next_after` asks for what follows."""

    items: Sequence[Bulletin]
    next_after: int | None = None


async def create(ground: Ground, *, actor: Actor, document: Document) -> Bulletin:
    """Keep a new bulletin. Raises `errors.Invalid`, `errors.NotFound` for an unknown issue."""
    async with ground.db.transaction() as session:
        return await add(ground, session, actor=actor, document=document)


async def add(
    ground: Ground, session: AsyncSession, *, actor: Actor, document: Document
) -> Bulletin:
    """As `create`, in the caller's transaction."""
    document = translating.followed(None, cleaned(ground, document))
    document = await shortening.followed(ground, session, None, document)
    now = ground.clock.now()
    bulletin = Bulletin(
        issue_id=await _issue_id(session, document),
        name=document.name,
        document=documents.dump(document),
        created_by=actor.label,
        created_at=now,
        updated_by=actor.label,
        updated_at=now,
    )
    session.add(bulletin)
    await session.flush()
    await snippet_uses.note(session, bulletin.id, document)
    await mail_template_uses.note(session, bulletin.id, document)
    audit.record(
        session,
        actor=actor,
        at=now,
        action="bulletin.created",
        object_kind="bulletin",
        object_id=bulletin.id,
        after={"name": bulletin.name, "version": 1},
    )
    return bulletin


async def save(
    ground: Ground,
    *,
    actor: Actor,
    bulletin_id: int,
    version: int,
    document: Document,
    seen: Mapping[Key, Fields] | None = None,
    right: Collection[Key] = (),
) -> Bulletin:
    """Keep a bulletin over its `version`; the state before is kept as an earlier version.

    `seen`: what the source said when some sides were written (`translating.followed`);
    `right`: own words that still say what the desk says (`shortening.followed`).
    Raises `SavedByOther` when it is no longer at `version`, `errors.Invalid`, `errors.NotFound`.
    """
    document = cleaned(ground, document)
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        bulletin = await get(session, bulletin_id)
        earlier = await versions.keep(session, bulletin, now=now)
        before = document_of(bulletin)
        document = translating.followed(before, document, seen=seen)
        document = await shortening.followed(ground, session, before, document, right=right)
        kept = documents.dump(document)
        claimed = await session.execute(
            sa.update(Bulletin)
            .where(col(Bulletin.id) == bulletin_id, col(Bulletin.version) == version)
            .values(
                version=version + 1,
                issue_id=await _issue_id(session, document),
                name=document.name,
                document=kept,
                updated_by=actor.label,
                updated_at=now,
            )
            .returning(col(Bulletin.id))
        )
        if claimed.first() is None:
            await session.refresh(bulletin)
            session.expunge(bulletin)  # so that it can be read after the transaction is rolled back
            raise SavedByOther(bulletin)
        session.add(earlier)
        await snippet_uses.note(session, bulletin_id, document)
        await mail_template_uses.note(session, bulletin_id, document)
        await session.refresh(bulletin)
        audit.record(
            session,
            actor=actor,
            at=now,
            action="bulletin.saved",
            object_kind="bulletin",
            object_id=bulletin_id,
            before={"name": earlier.name, "version": version},
            after={"name": bulletin.name, "version": version + 1},
        )
    return bulletin


async def restore(
    ground: Ground, *, actor: Actor, bulletin_id: int, version: int, wanted: int
) -> Bulletin:
    """Make an earlier version the newest again; nothing in between is lost. Raises as `save`."""
    async with ground.db.reading() as session:
        document = await versions.at(session, await get(session, bulletin_id), wanted)
    return await save(
        ground,
        actor=actor,
        bulletin_id=bulletin_id,
        version=version,
        document=document,
        seen=translating.made_from(document),
    )


async def delete(ground: Ground, *, actor: Actor, bulletin_id: int) -> None:
    """Remove a bulletin that no campaign uses. Raises `errors.Refused`, `errors.NotFound`."""
    async with ground.db.transaction() as session:
        bulletin = await get(session, bulletin_id)
        if await campaigns_of(session, bulletin_id):
            raise errors.Refused(N_("A campaign uses this bulletin, so it is kept."))
        audit.record(
            session,
            actor=actor,
            at=ground.clock.now(),
            action="bulletin.deleted",
            object_kind="bulletin",
            object_id=bulletin_id,
            before={"name": bulletin.name, "document": bulletin.document},
        )
        await session.delete(bulletin)


async def get(session: AsyncSession, bulletin_id: int) -> Bulletin:
    """A bulletin by its number. Raises `errors.NotFound`."""
    found = await session.get(Bulletin, bulletin_id)
    if found is None:
        raise errors.NotFound(N_("There is no such bulletin."))
    return found


async def listed(session: AsyncSession, *, after: int | None = None, limit: int = PAGE) -> Page:
    """Bulletins, those made last first."""
    statement = select(Bulletin).order_by(col(Bulletin.id).desc()).limit(limit + 1)
    if after is not None:
        statement = statement.where(col(Bulletin.id) < after)
    found = list((await session.exec(statement)).all())
    more = found[limit - 1].id if len(found) > limit else None
    return Page(items=found[:limit], next_after=more)


async def unsent(session: AsyncSession, *, limit: int) -> Sequence[Bulletin]:
    """Those that no campaign has sent, as saved last first; index `ix_bulletins_updated_at`."""
    gone_out = (
        sa.select(col(Campaign.id))
        .where(
            col(Campaign.bulletin_id) == col(Bulletin.id),
            col(Campaign.state).in_([each.value for each in _GONE_OUT]),
        )
        .exists()
    )
    statement = (
        select(Bulletin)
        .where(~gone_out)
        .order_by(col(Bulletin.updated_at).desc(), col(Bulletin.id).desc())
        .limit(limit)
    )
    return (await session.exec(statement)).all()


async def campaigns_of(session: AsyncSession, bulletin_id: int) -> list[Campaign]:
    """The campaigns that send a bulletin, newest first."""
    statement = (
        select(Campaign)
        .where(Campaign.bulletin_id == bulletin_id)
        .order_by(col(Campaign.id).desc())
    )
    return list((await session.exec(statement)).all())


async def last_sent_on(session: AsyncSession, ground: Ground, issue_id: int) -> date:
    """The local day on which the issue's last bulletin went out, or thirty days ago."""
    moment: datetime | None = await session.scalar(
        sa.select(sa.func.max(col(Campaign.started_at)))
        .join(Bulletin, col(Bulletin.id) == col(Campaign.bulletin_id))
        .where(
            col(Bulletin.issue_id) == issue_id,
            col(Campaign.state).in_([CampaignState.SENDING.value, CampaignState.SENT.value]),
        )
    )
    found = moment or ground.clock.now() - _FIRST_LOOK_BACK
    return found.astimezone(ground.settings.site.tzinfo).date()


def document_of(bulletin: Bulletin) -> Document:
    """A bulletin's document, typed."""
    return documents.parse(bulletin.document)


def languages(bulletin: Bulletin) -> list[str]:
    """The languages that a bulletin has editions in, its default first."""
    return document_of(bulletin).languages


def convert_foreign(texts: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Texts with other systems' merge tags turned into ours, and the tags that nobody knew."""
    unknown: list[str] = []
    converted: dict[str, str] = {}
    for name, text in texts.items():
        result = mergefields.convert_foreign(text)
        converted[name] = result.text
        unknown.extend(tag for tag in result.unknown if tag not in unknown)
    return converted, unknown


async def _issue_id(session: AsyncSession, document: Document) -> int | None:
    if not document.issue:
        return None
    return (await issues.by_slug(session, document.issue)).id


def cleaned(ground: Ground, document: Document) -> Document:
    """The document as it is kept: languages checked, rich text sanitised, blocks named."""
    wording.check_languages({code: {} for code in document.editions}, ground.catalog.languages)
    for block in document.blocks:
        own = block.short.values() if isinstance(block, block_models.Developments) else ()
        for each in (block, *own):
            texts = getattr(each, "texts", {})
            wording.check_languages({code: {} for code in texts}, ground.catalog.languages)
    default = document.default_language
    if default not in document.editions:
        site = ground.settings.site.language
        default = site if site in document.editions else next(iter(document.editions), "")
    blocks = [clean_block(block) for block in document.blocks]
    return documents.with_ids(
        document.model_copy(update={"default_language": default, "blocks": blocks})
    )


def clean_block(block: block_models.AnyBlock) -> block_models.AnyBlock:
    """The block with its rich text sanitised."""
    if isinstance(block, block_models.Developments) and block.short:
        short = {
            name: own.model_copy(update=_clean(own.texts)) for name, own in block.short.items()
        }
        block = block.model_copy(update={"short": short})
    texts: Mapping[str, block_models.Piece] = getattr(block, "texts", {})
    return block.model_copy(update=_clean(texts)) if texts else block


def _clean(texts: Mapping[str, block_models.Piece]) -> dict[str, dict[str, block_models.Piece]]:
    return {
        "texts": {
            code: text.model_copy(
                update={name: links.clean(value) for name, value in text if name.endswith("html")}
            )
            for code, text in texts.items()
        }
    }
