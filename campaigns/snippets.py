"""Saved snippets: made, changed without losing another editor's work, and taken away when unused.

A change shows at once in every bulletin that is not sent yet, and withdraws its approval
(`remaking.py`).
"""

from collections.abc import Mapping, Sequence

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    bulletins,
    documents,
    left_behind,
    naming,
    shared_parts,
    snippet_uses,
    translating,
    wording,
)
from campaigns.block_models import AnyBlock
from campaigns.documents import Document, Edition
from campaigns.left_behind import Fields
from campaigns.snippet_models import Snippet, SnippetVersion
from foundation import errors
from foundation.audit import Actor
from foundation.frozen import frozen
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
KIND = shared_parts.Kind(
    name="snippet",
    table=Snippet,
    versions=SnippetVersion,
    owner="snippet_id",
    content="block",
    uses=snippet_uses.bulletins,
    unknown=N_("There is no such snippet."),
    gone=N_("There is no such version of this snippet."),
    changed=N_("Somebody else changed this snippet meanwhile. What you wrote is still here."),
    held=N_("It stands in bulletins: %(names)s. Take it out there first."),
)


@frozen
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
        said = {"name": snippet.name}
        shared_parts.log(ground, session, KIND, actor, snippet, "created", after=said)
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
    async with ground.db.transaction() as session:
        snippet = await get(session, snippet_id)
        values = {
            "name": naming.named(name),
            "block": kept,
            "behind": _behind(ground, snippet, kept, seen),
        }
        remade = await shared_parts.save(
            ground, session, KIND, actor=actor, row=snippet, version=version, values=values
        )
    return Saved(snippet=snippet, remade=remade)


async def restore(
    ground: Ground, *, actor: Actor, snippet_id: int, version: int, wanted: int
) -> Saved:
    """Make an earlier version the newest again. Raises as `save`."""
    earlier = await shared_parts.earlier(ground, KIND, snippet_id, wanted)
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
        await shared_parts.delete(ground, session, KIND, actor=actor, number=snippet_id)


async def get(session: AsyncSession, snippet_id: int) -> Snippet:
    """A snippet by its number. Raises `errors.NotFound`."""
    return await shared_parts.get(session, KIND, snippet_id)


async def listed(session: AsyncSession) -> Sequence[Snippet]:
    """All snippets, by name."""
    return await shared_parts.listed(session, KIND)


async def versions(session: AsyncSession, snippet_id: int) -> Sequence[SnippetVersion]:
    """Earlier states, newest first."""
    return await shared_parts.versions(session, KIND, snippet_id)


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
