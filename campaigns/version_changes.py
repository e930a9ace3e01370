"""What changed between two states of a bulletin, in words: block by block, language by language.

The page of earlier versions shows it with what went and what came marked. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from campaigns import block_forms, block_models, composer, documents, review_changes, word_changes
from campaigns.block_models import AnyBlock
from campaigns.documents import Document
from campaigns.review_changes import Kind
from foundation.frozen import frozen
from foundation.i18n import N_, Translator


@frozen
class Text:
    """One field in one language, with what went and what came."""

    label: str
    """A msgid; blank where the field has no name of its own."""
    language: str
    pieces: Sequence[word_changes.Piece]


@frozen
class Part:
    """One block, or what stands outside of them."""

    label: str
    """A msgid."""
    place: int
    """Where it stands, from 1; where it stood, for what is gone; 0 outside the blocks."""
    kind: Kind
    texts: Sequence[Text]
    setting: tuple[str, str] | None = None
    """What else of it was changed, before and now, in words."""


def between(before: Document, now: Document, speaks: Translator) -> list[Part]:
    """All that changed from one to the other, in the order of the newer one; what is gone last."""
    found = list(_head(before, now))
    old = {block.id: block for block in before.blocks}
    stayed = _in_order(before, now)
    for place, block in enumerate(now.blocks, start=1):
        former = old.pop(block.id, None)
        texts = _texts(former, block, now.languages)
        if former is None:
            found.append(_part(block, place, Kind.ADDED, texts))
        elif former != block:
            about = composer.about(former, speaks), composer.about(block, speaks)
            # Blank on both sides: it is of those settings that have no short words.
            setting = None if texts and about[0] == about[1] else about
            found.append(_part(block, place, Kind.CHANGED, texts, setting))
        elif block.id not in stayed:
            found.append(_part(block, place, Kind.MOVED, ()))
    for block in old.values():
        texts = _texts(block, None, before.languages)
        found.append(_part(block, before.place(block.id) + 1, Kind.REMOVED, texts))
    return found


def _part(
    block: AnyBlock,
    place: int,
    kind: Kind,
    texts: Sequence[Text],
    setting: tuple[str, str] | None = None,
) -> Part:
    label = block_forms.FORMS[block.kind].label
    return Part(label=label, place=place, kind=kind, texts=texts, setting=setting)


def _head(before: Document, now: Document) -> Iterator[Part]:
    texts = [
        Text(label=label, language=code, pieces=word_changes.compare(was, said))
        for code in dict.fromkeys((*now.languages, *before.languages))
        for name, label in review_changes.HEAD_WORDS.items()
        if (was := _line(before, code, name)) != (said := _line(now, code, name))
    ]
    names = None if before.name == now.name else (before.name, now.name)
    if texts or names:
        yield Part(
            label=N_("Subjects and look"),
            place=0,
            kind=Kind.CHANGED,
            texts=texts,
            setting=names,
        )


def _line(document: Document, language: str, name: str) -> str:
    edition = document.editions.get(language)
    return str(getattr(edition, name)) if edition else ""


def _texts(before: AnyBlock | None, now: AnyBlock | None, languages: Sequence[str]) -> list[Text]:
    """Each field of a block that reads otherwise; all of them where it is new or gone."""
    either = now or before
    described = block_forms.FORMS[either.kind] if either else None
    specs = (*described.sides, *described.inner) if described else ()
    labels = {spec.name: spec.label for spec in specs}
    old, new = _fields(before), _fields(now)
    found = []
    for language in dict.fromkeys((*languages, *(code for code, _ in (*old, *new)))):
        for name in dict.fromkeys(n for code, n in (*new, *old) if code == language):
            was, said = old.get((language, name), ""), new.get((language, name), "")
            if was != said:
                found.append(
                    Text(
                        label=labels.get(name.partition(".")[0], ""),
                        language=language,
                        pieces=word_changes.compare(was, said),
                    )
                )
    return found


def _fields(block: AnyBlock | None) -> dict[tuple[str, str], str]:
    """Language and field → its words, as a reader meets them."""
    texts: Mapping[str, Any] = getattr(block, "texts", {}) if block else {}
    own: Mapping[str, block_models.OwnWords] = getattr(block, "short", {}) if block else {}
    held = [("", texts), *((f".{called}", words.texts) for called, words in own.items())]
    return {
        (code, name + ending): word_changes.readable(name, value)
        for ending, sides in held
        for code, text in sides.items()
        for name, value in _flat("", text.model_dump())
        if value
    }


def _flat(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, list):
            for number, entry in enumerate(value):
                yield from _flat(f"{prefix}{name}.{number}.", entry)
        else:
            yield f"{prefix}{name}", str(value)


def _in_order(before: Document, now: Document) -> set[str]:
    """The blocks that nobody moved."""
    old = [block.id for block in before.blocks]
    return documents.in_the_same_order(old, [block.id for block in now.blocks])
