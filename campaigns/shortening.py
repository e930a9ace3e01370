"""A development's own words in one bulletin, which stand there in place of the desk's.

They are written beside the item, in each language, and undone by emptying them; the desk's text
stays as it is. What the desk said when they were written is noted in the document
(`Document.desk_said`), so that whoever changes the desk's text later leaves nobody with old words
unseen. `bulletins.py` calls `followed`; `development_blocks.py` shows the words, and asks `moved`.
"""

from collections.abc import Collection, Iterator, Mapping

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import developments, left_behind
from campaigns.block_models import Developments, OwnWords, OwnWordsText
from campaigns.documents import Document
from campaigns.left_behind import WORDS, Fields, Key
from campaigns.models import Development
from campaigns.translating import Side
from foundation.ground import Ground

NAMES = ("headline", "summary_html")


def place(block: Developments, name: str) -> str:
    """Where the own words for a development stand, as `translating.py` names places."""
    return f"{block.id}.short.{name}"


def name_in(block: Developments, development: Development) -> str:
    """What a block calls the development where it has own words for it: its key, or number."""
    names = [development.key or "", str(development.id)]
    return next((each for each in names if each in block.short), names[0] or names[1])


def words(block: Developments, development: Development) -> OwnWords:
    """The own words for a development; none in any language where there are none."""
    return block.short.get(name_in(block, development), OwnWords())


def written(block: Developments, name: str, texts: Mapping[str, OwnWordsText]) -> Developments:
    """The block with other own words in some languages for what it calls `name`.

    Blank ones are taken away.
    """
    own = block.short.get(name, OwnWords()).texts | dict(texts)
    kept = {code: each for code, each in own.items() if each.headline or each.summary_html}
    short = {each: words for each, words in block.short.items() if each != name}
    if kept:
        short[name] = OwnWords(texts=kept)
    return block.model_copy(update={"short": short})


def desk_language(ground: Ground, development: Development, language: str) -> str:
    """The language in which the desk speaks to who wants one: that, or its source."""
    texts = developments.places(development.texts)[WORDS]
    source = left_behind.source_of(texts, default=ground.settings.site.language)
    return language if language in texts else source


def desk_text(ground: Ground, development: Development, language: str) -> Fields:
    """What the desk says in a language, or in its source where it has nothing in that."""
    spoken = desk_language(ground, development, language)
    return developments.places(development.texts)[WORDS].get(spoken, {})


def moved(
    ground: Ground, document: Document, block: Developments, development: Development, language: str
) -> Side | None:
    """How the desk's text moved on since the own words were right; None where it did not.

    Only that counts which the own words stand in place of.
    """
    name = name_in(block, development)
    own = block.short[name].texts.get(language) if name in block.short else None
    said = document.desk_said.get(language, {}).get(place(block, name))
    if own is None or said is None:
        return None
    replaced = [each for each in NAMES if getattr(own, each)]
    now = desk_text(ground, development, language)
    side = Side(
        place=place(block, name),
        language=language,
        names=replaced,
        source={each: now.get(each, "") for each in replaced},
        target={each: getattr(own, each) for each in replaced},
        was={each: said.get(each, "") for each in replaced},
    )
    return side if side.changes else None


async def followed(
    ground: Ground,
    session: AsyncSession,
    before: Document | None,
    after: Document,
    *,
    right: Collection[Key] = (),
) -> Document:
    """`after` with what the desk said when its own words were written, as it follows from `before`.

    Words that were not changed keep their note, but for those that somebody called `right`.
    """
    there = list(_own_words(after))
    if not there:
        return after.model_copy(update={"desk_said": {}})
    found = await developments.known(session, [name for _, _, name, _ in there])
    by_name = {str(each.id): each for each in found}
    by_name |= {each.key: each for each in found if each.key}
    old = {(where, code): text for where, code, _, text in _own_words(before or after)}
    noted = (before or after).desk_said
    said: dict[str, dict[str, dict[str, str]]] = {}
    for where, code, name, text in there:
        note = noted.get(code, {}).get(where)
        is_kept = note is not None and old.get((where, code)) == text
        if is_kept and (where, code) not in right:
            said.setdefault(code, {})[where] = dict(note or {})
        elif name in by_name:
            said.setdefault(code, {})[where] = dict(desk_text(ground, by_name[name], code))
    return after.model_copy(update={"desk_said": said})


def _own_words(document: Document) -> Iterator[tuple[str, str, str, OwnWordsText]]:
    """All own words of a bulletin: place, language, the development's name, texts."""
    for block in document.blocks:
        if isinstance(block, Developments):
            for name, own in block.short.items():
                for code, text in own.texts.items():
                    yield place(block, name), code, name, text
