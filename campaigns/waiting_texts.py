"""What waits for a translator: bulletins still to be sent, developments, handouts, snippets.

`/staff/translations` shows it by language; what is no bulletin is translated one at a time here.
A text that two write at once is kept once: the second is told, and keeps what they typed.
"""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    bulletins,
    developments,
    materials,
    snippets,
    translating,
    translation_saving,
    wording,
)
from campaigns.documents import Document, Edition
from campaigns.models import Bulletin, Development, Material
from campaigns.snippet_models import Snippet
from campaigns.translating import Fields, Progress
from campaigns.wording import Texts
from foundation import errors
from foundation.audit import Actor
from foundation.ground import Ground
from foundation.i18n import N_

NEWEST = 100
"""So many of each kind are looked at."""


class Kind(enum.StrEnum):
    """What is translated one at a time."""

    DEVELOPMENT = "development"
    """Its headline and summary."""
    MATERIAL = "material"
    """A handout's title, and what it is for."""
    SNIPPET = "snippet"
    """The words of a block that stands in many bulletins."""


_FIELDS: Mapping[Kind, tuple[str, ...]] = {
    Kind.DEVELOPMENT: ("headline", "summary"),
    Kind.MATERIAL: ("title", "description"),
}
"""The texts of those whose texts are always the same; the first names it."""
_BLOCK = "snippet"
"""What a snippet's block is called while it is translated."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Thing:
    """Something with texts in several languages."""

    kind: Kind
    row: Development | Material | Snippet
    name: str
    """What it is called in its own language."""
    source_language: str
    fields: Sequence[str]
    """The texts that there are, in order."""
    texts: Texts
    """Language → field → text."""

    @property
    def id(self) -> int:
        """Its number among its kind."""
        return self.row.id

    @property
    def source(self) -> Fields:
        """What is translated."""
        return self.texts.get(self.source_language, {})

    def lacks(self, language: str) -> bool:
        """Whether something of the source has no words in a language."""
        there = self.texts.get(language, {})
        return any(
            self.source.get(each) and not there.get(each) and not translating.is_address(each)
            for each in self.fields
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """All that waits in one language."""

    language: str
    bulletins: Sequence[tuple[Bulletin, Progress]]
    things: Sequence[Thing]

    @property
    def count(self) -> int:
        """How many bulletins and other things wait."""
        return len(self.bulletins) + len(self.things)


async def everything(ground: Ground, session: AsyncSession) -> list[Waiting]:
    """What waits, for each language of the site; the newest first."""
    written = [
        (each, translating.progress(bulletins.document_of(each)))
        for each in await bulletins.unsent(session, limit=NEWEST)
    ]
    things = await _things(ground, session)
    return [
        Waiting(
            language=language,
            bulletins=[
                (bulletin, progress)
                for bulletin, found in written
                for progress in found
                if progress.language == language and progress.waiting
            ],
            things=[
                each for each in things if each.source_language != language and each.lacks(language)
            ],
        )
        for language in ground.catalog.languages
    ]


async def get(ground: Ground, session: AsyncSession, kind: Kind, number: int) -> Thing:
    """One thing. Raises `errors.NotFound`."""
    if kind is Kind.SNIPPET:
        return _snippet(ground, await snippets.get(session, number))
    if kind is Kind.DEVELOPMENT:
        return _thing(ground, kind, await developments.get(session, number))
    return _thing(ground, kind, await materials.get(session, number))


async def keep(
    ground: Ground,
    *,
    actor: Actor,
    kind: Kind,
    number: int,
    language: str,
    texts: Fields,
    before: Fields,
) -> None:
    """Give a thing its texts in a language, which were `before` when they were opened.

    Raises `errors.Conflict` when they are others by now, `errors.Invalid`, `errors.NotFound`.
    """
    async with ground.db.reading() as session:
        thing = await get(ground, session, kind, number)
    check_language(thing, language, ground.catalog.languages)
    if _filled(thing.texts.get(language, {})) != _filled(before):
        raise errors.Conflict(N_("Somebody else translated this meanwhile. Theirs is below."))
    wrong = translation_saving.wrong_fields(thing.source, _filled(texts))
    if wrong:
        raise errors.Invalid(
            N_("Something needs to be mended before this can be kept."),
            fields={f"{name}-{language}": problem for name, problem in wrong.items()},
        )
    changed, row = {**thing.texts, language: dict(texts)}, thing.row
    if isinstance(row, Development):
        await developments.update(
            ground,
            actor=actor,
            development_id=number,
            version=row.version,
            draft=developments.draft_of(row, texts=changed),
        )
    elif isinstance(row, Material):
        draft = materials.Draft(texts=changed, position=row.position)
        await materials.update(ground, actor=actor, material_id=number, draft=draft)
    else:
        words = translation_saving.with_addresses(thing.source, _filled(texts))
        document = translating.with_texts(_document(ground, row), language, {_BLOCK: words})
        await snippets.save(
            ground,
            actor=actor,
            snippet_id=number,
            version=row.version,
            name=row.name,
            block=document.blocks[0],
        )


def check_language(thing: Thing, language: str, offered: Iterable[str]) -> None:
    """Raises `errors.NotFound` for a language that a thing can't be translated into."""
    if language not in tuple(offered) or language == thing.source_language:
        raise errors.NotFound(N_("This can't be translated into that language."))


async def _things(ground: Ground, session: AsyncSession) -> list[Thing]:
    stories = select(Development).order_by(col(Development.id).desc()).limit(NEWEST)
    handouts = select(Material).order_by(col(Material.id).desc()).limit(NEWEST)
    return [
        *(_thing(ground, Kind.DEVELOPMENT, each) for each in await session.exec(stories)),
        *(_thing(ground, Kind.MATERIAL, each) for each in await session.exec(handouts)),
        *(_snippet(ground, each) for each in await snippets.listed(session)),
    ]


def _thing(ground: Ground, kind: Kind, found: Development | Material) -> Thing:
    need = _FIELDS[kind][0]
    source = _source(ground, [code for code, texts in found.texts.items() if texts.get(need)])
    return Thing(
        kind=kind,
        row=found,
        name=found.texts.get(source, {}).get(need, ""),
        source_language=source,
        fields=_FIELDS[kind],
        texts=found.texts,
    )


def _snippet(ground: Ground, found: Snippet) -> Thing:
    document = _document(ground, found)
    texts: dict[str, Fields] = {}
    fields: Sequence[str] = ()
    for language in document.languages[1:]:
        for side in translating.sides(document, language):
            texts |= {document.default_language: side.source, language: side.target}
            fields = [name for name in side.names if name in {**side.source, **side.target}]
    return Thing(
        kind=Kind.SNIPPET,
        row=found,
        name=found.name,
        source_language=document.default_language,
        fields=fields,
        texts=texts,
    )


def _document(ground: Ground, snippet: Snippet) -> Document:
    """A bulletin of the snippet alone, in every language of the site."""
    block = snippets.block_of(snippet).model_copy(update={"id": _BLOCK})
    return Document(
        name=snippet.name,
        default_language=_source(ground, getattr(block, "texts", {})),
        editions={code: Edition() for code in ground.catalog.languages},
        blocks=[block],
    )


def _source(ground: Ground, there: Iterable[str]) -> str:
    """The language that is translated from: the site's, or another where that has no words."""
    default, written = ground.settings.site.language, list(there)
    return wording.choose(written, default, default=default) if written else default


def _filled(fields: Fields) -> dict[str, str]:
    return {name: text for name, text in fields.items() if text}
