"""Saved snippets: made, changed without losing another editor's work, and taken away when unused.

A change shows at once in every bulletin that is not sent yet, and withdraws its approval
(`remaking.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    bulletins,
    documents,
    left_behind,
    naming,
    remaking,
    snippet_uses,
    translating,
    wording,
)
from campaigns.block_models import AnyBlock
from campaigns.documents import Document, Edition
from campaigns.left_behind import Fields
from campaigns.snippet_models import Snippet, SnippetVersion
from foundation import audit, errors
from foundation.audit import Actor
from foundation.ground import Ground
from foundation.i18n import N_

KINDS = frozenset(
    {
        "heading",
        "rich_text",
        "columns",
        "quote",
        "own_figures",
        "action",
        "links",
        "image",
        "social",
    }
)
"""The kinds of block that can be one: those whose every word is written in them."""
BLOCK = left_behind.WORDS
"""What a snippet's block is called where it is translated."""
_VERSIONS = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Saved:
    """A snippet that was kept, and what came of it."""

    snippet: Snippet
    remade: int = 0
    """How many bulletins that are still to be sent show the change."""


async def create(ground: Ground, *, actor: Actor, name: str, block: AnyBlock) -> Snippet:
    """Keep a block under a name. Raises `errors.Invalid`."""
    block = _checked(ground, block)
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        snippet = Snippet(
            key=await _key(session, name),
            name=naming.named(name),
            block=_dump(block),
            created_by=actor.label,
            created_at=now,
            updated_by=actor.label,
            updated_at=now,
        )
        session.add(snippet)
        await session.flush()
        _log(ground, session, actor, snippet, "created", after={"name": snippet.name})
    return snippet


async def save(
    ground: Ground,
    *,
    actor: Actor,
    snippet_id: int,
    version: int,
    name: str,
    block: AnyBlock,
    seen: Mapping[left_behind.Key, Fields] | None = None,
) -> Saved:
    """Change a snippet that was seen at `version`; the state before is kept.

    `seen`: what the source said when some languages were written or called right.
    Raises `errors.Conflict` when somebody else changed it meanwhile, `errors.Invalid`,
    `errors.NotFound`.
    """
    kept = _dump(_checked(ground, block))
    name = naming.named(name)
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        snippet = await get(session, snippet_id)
        earlier = SnippetVersion(
            snippet_id=snippet.id,
            version=snippet.version,
            name=snippet.name,
            block=snippet.block,
            saved_by=snippet.updated_by,
            saved_at=snippet.updated_at,
        )
        claimed = await session.execute(
            sa.update(Snippet)
            .where(col(Snippet.id) == snippet_id, col(Snippet.version) == version)
            .values(
                version=version + 1,
                name=name,
                block=kept,
                behind=_behind(ground, snippet, kept, seen),
                updated_by=actor.label,
                updated_at=now,
            )
            .returning(col(Snippet.id))
        )
        if claimed.first() is None:
            raise errors.Conflict(
                N_("Somebody else changed this snippet meanwhile. What you wrote is still here.")
            )
        session.add(earlier)
        await session.refresh(snippet)
        _log(
            ground, session, actor, snippet, "saved",
            before={"name": earlier.name, "version": version},
            after={"name": name, "version": version + 1},
        )  # fmt: skip
        used = await snippet_uses.bulletins(session, snippet_id)
        remade = 0
        if kept != earlier.block:
            remade = await remaking.remake(
                ground,
                session,
                actor=actor,
                bulletin_ids=[each.id for each in used],
                because=f"snippet {snippet.key}",
            )
    return Saved(snippet=snippet, remade=remade)


async def restore(
    ground: Ground, *, actor: Actor, snippet_id: int, version: int, wanted: int
) -> Saved:
    """Make an earlier version the newest again. Raises as `save`."""
    async with ground.db.reading() as session:
        earlier = await session.get(SnippetVersion, (snippet_id, wanted))
    if earlier is None:
        raise errors.NotFound(N_("There is no such version of this snippet."))
    return await save(
        ground,
        actor=actor,
        snippet_id=snippet_id,
        version=version,
        name=earlier.name,
        block=documents.parse_block(earlier.block),
    )


async def delete(ground: Ground, *, actor: Actor, snippet_id: int) -> None:
    """Take away a snippet that no bulletin holds. Raises `errors.Refused`, `errors.NotFound`."""
    async with ground.db.transaction() as session:
        snippet = await get(session, snippet_id)
        used = await snippet_uses.bulletins(session, snippet_id)
        if used:
            raise errors.Refused(
                N_("It stands in bulletins: %(names)s. Take it out there first."),
                names=", ".join(f"“{each.name}”" for each in used[:5]),
            )
        _log(
            ground, session, actor, snippet, "deleted",
            before={"name": snippet.name, "block": snippet.block},
        )  # fmt: skip
        await session.delete(snippet)


async def get(session: AsyncSession, snippet_id: int) -> Snippet:
    """A snippet by its number. Raises `errors.NotFound`."""
    found = await session.get(Snippet, snippet_id)
    if found is None:
        raise errors.NotFound(N_("There is no such snippet."))
    return found


async def listed(session: AsyncSession) -> Sequence[Snippet]:
    """All snippets, by name."""
    return (await session.exec(select(Snippet).order_by(col(Snippet.name), col(Snippet.id)))).all()


async def versions(session: AsyncSession, snippet_id: int) -> Sequence[SnippetVersion]:
    """Earlier states, newest first."""
    statement = (
        select(SnippetVersion)
        .where(col(SnippetVersion.snippet_id) == snippet_id)
        .order_by(col(SnippetVersion.version).desc())
        .limit(_VERSIONS)
    )
    return (await session.exec(statement)).all()


def block_of(snippet: Snippet | SnippetVersion) -> AnyBlock:
    """A snippet's block, typed."""
    return documents.parse_block(snippet.block)


def as_document(ground: Ground, snippet: Snippet) -> Document:
    """A bulletin of the snippet alone (`BLOCK`), in every language of the site."""
    return _as_document(ground, snippet.block, snippet.behind)


def plain_block(block: AnyBlock) -> AnyBlock:
    """A bulletin's block as a snippet: without a name of its own, and for everybody."""
    return block.model_copy(update={"id": "", "only_to": None, "all_but": None})


def _checked(ground: Ground, block: AnyBlock) -> AnyBlock:
    if block.kind not in KINDS:
        raise errors.Invalid(N_("This kind of block can't be a snippet."))
    texts = getattr(block, "texts", {})
    wording.check_languages({code: {} for code in texts}, ground.catalog.languages)
    return plain_block(bulletins.clean_block(block))


def _as_document(ground: Ground, values: dict[str, object], behind: left_behind.Behind) -> Document:
    block = documents.parse_block(values).model_copy(update={"id": BLOCK})
    texts = getattr(block, "texts", {})
    default = ground.settings.site.language
    return Document(
        name=BLOCK,
        default_language=left_behind.source_of(texts, default=default),
        editions={code: Edition() for code in ground.catalog.languages},
        blocks=[block],
        behind=behind,
    )


def _behind(
    ground: Ground,
    snippet: Snippet,
    block: dict[str, object],
    seen: Mapping[left_behind.Key, Fields] | None,
) -> left_behind.Behind:
    """What will be behind when this block stands in place of what the snippet is."""
    after = _as_document(ground, block, {})
    return translating.followed(as_document(ground, snippet), after, seen=seen).behind


def _dump(block: AnyBlock) -> dict[str, object]:
    return {"kind": block.kind, **block.model_dump(mode="json", exclude_defaults=True)}


async def _key(session: AsyncSession, name: str) -> str:
    taken = set((await session.exec(select(Snippet.key))).all())
    return naming.key(name, taken=taken, otherwise="snippet")


def _log(
    ground: Ground,
    session: AsyncSession,
    actor: Actor,
    snippet: Snippet,
    verb: str,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action=f"snippet.{verb}",
        object_kind="snippet",
        object_id=snippet.id,
        before=before,
        after=after,
    )
