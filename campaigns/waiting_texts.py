"""What waits for a translator: bulletins still to be sent, developments, handouts, snippets.

`/staff/translations` shows it by language; what is no bulletin is translated one at a time here.
A text that two write at once is kept once: the second is told, and keeps what they typed.
"""

import enum
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    bulletins,
    development_drafts,
    developments,
    left_behind,
    materials,
    snippets,
    translating,
    translation_saving,
)
from campaigns.left_behind import WORDS, Behind, Fields, Key, Places
from campaigns.models import Bulletin, Development, Material, MaterialFile
from campaigns.snippet_models import Snippet
from campaigns.translating import Progress, Side
from campaigns.wording import Texts
from foundation import errors
from foundation.audit import Actor
from foundation.frozen import frozen
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


@frozen
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
    places: Places
    """The same, and its files, as they are compared."""
    behind: Behind
    """What was left behind by its source."""

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

    def sides(self, language: str) -> list[Side]:
        """Whatever of it was left behind by its source in a language."""
        return [
            Side(
                place=place,
                language=language,
                names=list(was),
                source=self.places[place].get(self.source_language, {}),
                target=self.places[place].get(language, {}),
                was=was,
            )
            for place, was in self.behind.get(language, {}).items()
        ]

    def waits(self, language: str) -> bool:
        """Whether somebody has to look at it in a language."""
        return language != self.source_language and (
            self.lacks(language) or language in self.behind
        )


@frozen
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
            things=[each for each in things if each.waits(language)],
        )
        for language in ground.catalog.languages
    ]


async def get(ground: Ground, session: AsyncSession, kind: Kind, number: int) -> Thing:
    """One thing. Raises `errors.NotFound`."""
    if kind is Kind.SNIPPET:
        return of_snippet(ground, await snippets.get(session, number))
    if kind is Kind.DEVELOPMENT:
        return of_development(ground, await developments.get(session, number))
    material = await materials.get(session, number)
    return of_material(ground, material, await materials.copies(session, [number]))


def of_development(ground: Ground, found: Development) -> Thing:
    """A development as something to be translated."""
    return _thing(ground, Kind.DEVELOPMENT, found, developments.places(found.texts))


def of_material(ground: Ground, found: Material, files: Sequence[MaterialFile]) -> Thing:
    """A handout as something to be translated; `files` may hold those of others too."""
    return _thing(ground, Kind.MATERIAL, found, materials.places(found, files))


def of_snippet(ground: Ground, found: Snippet) -> Thing:
    """A snippet as something to be translated."""
    document = snippets.as_document(ground, found)
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
        places={WORDS: texts},
        behind=found.behind,
    )


async def keep(
    ground: Ground,
    *,
    actor: Actor,
    kind: Kind,
    number: int,
    language: str,
    texts: Fields,
    before: Fields,
    read: Mapping[str, Fields],
    right: Collection[str] = (),
) -> None:
    """Give a thing its texts in a language, which were `before` when they were opened.

    `read` is what its source said then, by place; the places of `right` still say the same.
    Raises `errors.Conflict` when they are others by now, `errors.Invalid`, `errors.NotFound`.
    """
    async with ground.db.reading() as session:
        found = await get(ground, session, kind, number)
    check_language(found, language, ground.catalog.languages)
    filled = left_behind.filled
    if filled(found.texts.get(language, {})) != filled(before):
        raise errors.Conflict(N_("Somebody else translated this meanwhile. Theirs is below."))
    wrong = translation_saving.wrong_fields(found.source, filled(texts))
    if wrong:
        raise errors.Invalid(
            N_("Something needs to be mended before this can be kept."),
            fields={f"{name}-{language}": problem for name, problem in wrong.items()},
        )
    row, changed = found.row, {**found.texts, language: dict(texts)}
    written = [WORDS] if filled(texts) != filled(before) else []
    seen = _seen(found, language, read, [*right, *written])
    if isinstance(row, Development):
        await developments.update(
            ground,
            actor=actor,
            development_id=number,
            version=row.version,
            draft=development_drafts.draft_of(row, texts=changed),
            seen=seen,
        )
    elif isinstance(row, Material):
        draft = materials.Draft(texts=changed, position=row.position)
        await materials.update(ground, actor=actor, material_id=number, draft=draft, seen=seen)
    else:
        words = translation_saving.with_addresses(found.source, filled(texts))
        document = translating.with_texts(
            snippets.as_document(ground, row), language, {snippets.BLOCK: words}
        )
        await snippets.save(
            ground,
            actor=actor,
            snippet_id=number,
            version=row.version,
            name=row.name,
            block=document.blocks[0],
            seen=seen,
        )


def check_language(found: Thing, language: str, offered: Iterable[str]) -> None:
    """Raises `errors.NotFound` for a language that a thing can't be translated into."""
    if language not in tuple(offered) or language == found.source_language:
        raise errors.NotFound(N_("This can't be translated into that language."))


def _seen(
    found: Thing, language: str, read: Mapping[str, Fields], places: Collection[str]
) -> dict[Key, Fields]:
    """What the source said when some places were written or called right."""
    return {(each, language): read.get(each, {}) for each in places if each in found.places}


async def _things(ground: Ground, session: AsyncSession) -> list[Thing]:
    stories = select(Development).order_by(col(Development.id).desc()).limit(NEWEST)
    newest = select(Material).order_by(col(Material.id).desc()).limit(NEWEST)
    handouts = (await session.exec(newest)).all()
    files = await materials.copies(session, [each.id for each in handouts])
    return [
        *(of_development(ground, each) for each in await session.exec(stories)),
        *(of_material(ground, each, files) for each in handouts),
        *(of_snippet(ground, each) for each in await snippets.listed(session)),
    ]


def _thing(ground: Ground, kind: Kind, found: Development | Material, places: Places) -> Thing:
    source = left_behind.source_of(places[WORDS], default=ground.settings.site.language)
    return Thing(
        kind=kind,
        row=found,
        name=found.texts.get(source, {}).get(_FIELDS[kind][0], ""),
        source_language=source,
        fields=_FIELDS[kind],
        texts=found.texts,
        places=places,
        behind=found.behind,
    )
