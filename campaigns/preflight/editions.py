"""Whether the editions still say the same: one may have been left behind when another changed.

What stands in a block is compared version by version. A slip of the pen that was mended is no
change: it takes several words, or a number.
"""

import re
from collections.abc import Iterator, Mapping

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import block_content
from campaigns.compiling import Looked
from campaigns.models import Bulletin, BulletinVersion
from campaigns.preflight import items, places
from campaigns.preflight.items import Item, Place
from foundation.i18n import N_

_LOOKED_BACK = 40
_WORDS = 3
"""So many words have to differ."""
_HEAD = ""
"""Stands for what is outside the blocks, where others have their block's name."""

_Texts = Mapping[tuple[str, str], str]
"""Block and language → the words there."""


async def look(session: AsyncSession, bulletin: Bulletin, looked: Looked) -> list[Item]:
    """A line for each language, and place in the bulletin, that was left behind."""
    languages = looked.document.languages
    if not languages:
        return []
    changed = await _changed(session, bulletin)
    default, found = languages[0], []
    for language in languages[1:]:
        for block, text in _of(bulletin.document):
            if text != default:
                continue
            ours, theirs = changed.get((block, language), 0), changed.get((block, default), 0)
            if 0 < ours < theirs:
                found.append(_told(bulletin, looked, block, language, default))
    return found or [items.good("editions", N_("No edition was left behind by another."))]


def _told(bulletin: Bulletin, looked: Looked, block: str, language: str, default: str) -> Item:
    return items.warn(
        "stale-edition",
        N_("Here %(other)s was changed, but %(language)s was not: look whether both say the same."),
        place=_place(bulletin, looked, block, language),
        about=f"{block}:{language}",
        language=language,
        other=default,
    )


def _place(bulletin: Bulletin, looked: Looked, block: str, language: str) -> Place:
    if block == _HEAD:
        return places.head(bulletin.id, "subject", language)
    names = [each.id for each in looked.document.blocks]
    return places.block(bulletin.id, looked, names.index(block) + 1 if block in names else 0)


async def _changed(session: AsyncSession, bulletin: Bulletin) -> dict[tuple[str, str], int]:
    """The version in which each text was last given another meaning."""
    statement = (
        select(BulletinVersion)
        .where(BulletinVersion.bulletin_id == bulletin.id)
        .order_by(col(BulletinVersion.version).desc())
        .limit(_LOOKED_BACK)
    )
    earlier = list(reversed((await session.exec(statement)).all()))
    states = [(each.version, each.document) for each in earlier]
    changed: dict[tuple[str, str], int] = {}
    before: _Texts = {}
    for version, document in [*states, (bulletin.version, bulletin.document)]:
        now = dict(_texts(document))
        for key, words in now.items():
            if key not in before or _differ(before[key], words):
                changed[key] = version
        before = now
    return changed


def _of(document: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    yield from (key for key, _ in _texts(document))


def _texts(document: Mapping[str, object]) -> Iterator[tuple[tuple[str, str], str]]:
    """The words of a stored document; blank ones are not there."""
    heads = document.get("editions")
    blocks = document.get("blocks")
    parts = [
        (_HEAD, heads if isinstance(heads, dict) else {}),
        *(
            (str(each.get("id", "")), each.get("texts") or {})
            for each in (blocks if isinstance(blocks, list) else [])
        ),
    ]
    for name, texts in parts:
        for language, fields in texts.items():
            words = " ".join(
                block_content.plain(value) if "html" in field else str(value)
                for field, value in sorted(fields.items())
                if value and not field.endswith("url")
            )
            if words.strip():
                yield (name, language), words


def _differ(before: str, now: str) -> bool:
    """Whether a text means something else: other numbers, or several other words."""
    if re.findall(r"\d+", before) != re.findall(r"\d+", now):
        return True
    return len(set(before.split()) ^ set(now.split())) >= 2 * _WORDS
