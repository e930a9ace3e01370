"""What waits for a translator: bulletins still to be sent, developments, handouts.

`/staff/translations` shows it by language; what is no bulletin is translated one at a time here.
A text that two write at once is kept once: the second is told, and keeps what they typed.
"""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import bulletins, developments, materials, translating, wording
from campaigns.models import Bulletin, Development, Material
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


FIELDS: Mapping[Kind, tuple[str, str]] = {
    Kind.DEVELOPMENT: ("headline", "summary"),
    Kind.MATERIAL: ("title", "description"),
}
"""The texts of each kind; the first names it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Thing:
    """Something with texts in several languages."""

    kind: Kind
    row: Development | Material
    source_language: str

    @property
    def id(self) -> int:
        """Its number among its kind."""
        return self.row.id

    @property
    def texts(self) -> Texts:
        """Its texts by language."""
        return self.row.texts

    @property
    def source(self) -> Fields:
        """What is translated."""
        return self.texts.get(self.source_language, {})

    @property
    def name(self) -> str:
        """What it is called in its own language."""
        return self.source.get(FIELDS[self.kind][0], "")

    def lacks(self, language: str) -> bool:
        """Whether something of the source has no words in a language."""
        there = self.texts.get(language, {})
        return any(self.source.get(each) and not there.get(each) for each in FIELDS[self.kind])


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """All that waits in one language."""

    language: str
    bulletins: Sequence[tuple[Bulletin, Progress]]
    things: Sequence[Thing]


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
    found: Development | Material
    if kind is Kind.DEVELOPMENT:
        found = await developments.get(session, number)
    else:
        found = await materials.get(session, number)
    return _thing(ground, kind, found)


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
    changed, row = {**thing.texts, language: dict(texts)}, thing.row
    if isinstance(row, Development):
        await developments.update(
            ground,
            actor=actor,
            development_id=number,
            version=row.version,
            draft=developments.draft_of(row, texts=changed),
        )
    else:
        draft = materials.Draft(texts=changed, position=row.position)
        await materials.update(ground, actor=actor, material_id=number, draft=draft)


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
    ]


def _thing(ground: Ground, kind: Kind, found: Development | Material) -> Thing:
    need = FIELDS[kind][0]
    there = [code for code, texts in found.texts.items() if texts.get(need)]
    default = ground.settings.site.language
    source = wording.choose(there, default, default=default) if there else default
    return Thing(kind=kind, row=found, source_language=source)


def _filled(fields: Fields) -> dict[str, str]:
    return {name: text for name, text in fields.items() if text}
