"""A bulletin's languages, paired: which texts are written, which wait, and which were left behind.

The main language is the source of the others. A side that its source moved away from is noted in
the document (`Document.behind`), as `left_behind.py` says. `bulletins.save` calls `followed`; the
composer, the lists, the check before sending and the translators' pages ask `sides` and `progress`.
"""

import enum
import typing
from collections.abc import Iterator, Mapping, Sequence

from campaigns import documents, left_behind, word_changes
from campaigns.block_models import AnyBlock, HeadingText, Piece
from campaigns.documents import Document
from campaigns.left_behind import Change, Fields, Key
from campaigns.word_changes import readable
from foundation.frozen import frozen

HEAD = ("subject", "preheader", "title")
"""What stands outside the blocks, in each language."""
_HEAD = "head."


class State(enum.StrEnum):
    """How far one side of a text is."""

    DONE = "done"
    """It says what its source says."""
    BEHIND = "behind"
    """Its source was changed since."""
    MISSING = "missing"
    """Something of its source has no words there yet."""


@frozen
class Side:
    """One text of a bulletin in one language, beside its source."""

    place: str
    """`head.subject`, a block's name, or that and where in the block it stands."""
    language: str
    names: Sequence[str]
    """The fields that it can have."""
    source: Fields
    target: Fields
    was: Fields
    """What the source said when this side was right; empty where it still says so."""

    @property
    def state(self) -> State:
        """How far it is."""
        if any(name not in self.target for name in self.source if not is_address(name)):
            return State.MISSING
        return State.BEHIND if self.was else State.DONE

    @property
    def block(self) -> str:
        """The block that it is of; blank for what stands outside."""
        return "" if self.place.startswith(_HEAD) else self.place.partition(".")[0]

    @property
    def changes(self) -> list[tuple[str, list[word_changes.Piece]]]:
        """Field by field, what changed in the source since this side was right."""
        if not self.was:
            return []
        found = []
        for name in dict.fromkeys((*self.source, *self.was)):
            old, new = (readable(name, each.get(name, "")) for each in (self.was, self.source))
            if not word_changes.says_the_same(old, new):
                found.append((name, word_changes.compare(old, new)))
        return found


@frozen
class Progress:
    """How far a language is."""

    language: str
    total: int
    behind: int
    missing: int

    @property
    def done(self) -> int:
        """So many texts say what their source says."""
        return self.total - self.behind - self.missing

    @property
    def waiting(self) -> int:
        """So many texts wait for somebody."""
        return self.behind + self.missing


def sides(document: Document, language: str) -> list[Side]:
    """Every text that the main language has, as it stands in another, in order."""
    source = _source(document)
    kept = document.behind.get(language, {})
    found = []
    for place, pieces in _places(document).items():
        texts = {code: _fields(pieces[code]) for code in (source, language) if code in pieces}
        if any(not is_address(name) for name in texts.get(source, {})):
            found.append(
                Side(
                    place=place,
                    language=language,
                    names=list(dict.fromkeys(n for code in texts for n, _ in _flat(pieces[code]))),
                    source=texts[source],
                    target=texts.get(language, {}),
                    was=kept.get(place, {}),
                )
            )
    return found


def progress(document: Document) -> list[Progress]:
    """How far each language is, besides the main one."""
    found = []
    for language in document.languages[1:]:
        states = [each.state for each in sides(document, language)]
        found.append(
            Progress(
                language=language,
                total=len(states),
                behind=states.count(State.BEHIND),
                missing=states.count(State.MISSING),
            )
        )
    return found


def by_block(document: Document) -> Mapping[str, Mapping[str, Sequence[Side]]]:
    """The sides that wait, by block and language; what stands outside the blocks is under ''."""
    found: dict[str, dict[str, list[Side]]] = {}
    for language in document.languages[1:]:
        for side in sides(document, language):
            if side.state is not State.DONE:
                found.setdefault(side.block, {}).setdefault(language, []).append(side)
    return found


def is_address(name: str) -> bool:
    """Whether a field of this name holds a link; where a language has none, it has the block's."""
    return name.endswith("url")


def is_of_an_item(name: str) -> bool:
    """Whether a field belongs to one of several, which has no address but its own."""
    return "." in name


def followed(
    before: Document | None, after: Document, *, seen: Mapping[Key, Fields] | None = None
) -> Document:
    """`after` with what was left behind noted, as it follows from the state before it.

    `seen` says for some sides what their source said when they were written or called right;
    another side that was changed is right, and one that was not stays as right as it was.
    """
    source, texts = _source(after), _texts(after)
    old, noted = texts, after.behind  # of a new one, what its own note says
    if before is not None:
        is_other = _source(before) != source
        old, noted = ({}, {}) if is_other else (_texts(before), before.behind)
    change = Change(before=old, after=texts, noted=noted, seen=seen or {})
    behind = left_behind.followed(change, source=source, languages=after.languages[1:])
    return after.model_copy(update={"behind": behind})


def made_from(document: Document) -> dict[Key, Fields]:
    """Of every side, what its source said when it was right: `seen` for a document brought back."""
    found: dict[Key, Fields] = {}
    for language in document.languages[1:]:
        for side in sides(document, language):
            found[side.place, language] = side.was or side.source
    return found


def with_texts(document: Document, language: str, texts: Mapping[str, Fields]) -> Document:
    """The document with other texts in a language, by place. Raises `errors.Invalid`."""
    editions = dict(document.editions)
    heads = {
        place.removeprefix(_HEAD): fields.get("text", "")
        for place, fields in texts.items()
        if place.startswith(_HEAD)
    }
    if heads:
        editions[language] = editions[language].model_copy(update=heads)
    blocks = [
        _block_with(
            block,
            language,
            {
                place: fields
                for place, fields in texts.items()
                if place.partition(".")[0] == block.id
            },
        )
        for block in document.blocks
    ]
    return document.model_copy(update={"editions": editions, "blocks": blocks})


def without(document: Document, language: str) -> dict[str, typing.Any]:
    """All of a document but its texts in a language: what their translator may not change."""
    values = document.model_dump(mode="json", exclude={"behind"})
    values["editions"][language] = {}
    for block, kept in zip(document.blocks, values["blocks"], strict=True):
        for path, _ in _worded(block, ""):
            _found(kept, path)["texts"].pop(language, None)
    return values


def _source(document: Document) -> str:
    return next(iter(document.languages), "")


def _texts(document: Document) -> dict[str, dict[str, Fields]]:
    return {
        place: {code: fields for code, piece in pieces.items() if (fields := _fields(piece))}
        for place, pieces in _places(document).items()
    }


def _places(document: Document) -> dict[str, Mapping[str, Piece]]:
    """Every place of a document that can have words, in order: language → what holds them."""
    found: dict[str, Mapping[str, Piece]] = {}
    for name in HEAD:
        found[_HEAD + name] = {
            code: HeadingText(text=getattr(each, name)) for code, each in document.editions.items()
        }
    for block in document.blocks:
        found.update(_worded(block, block.id))
    return found


def _fields(piece: Piece) -> Fields:
    return {name: value for name, value in _flat(piece) if value}


def _flat(piece: Piece, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a piece with its name, those of its items too; blank ones as well."""
    for name, value in piece:
        if isinstance(value, str):
            yield path + name, value
        elif isinstance(value, list):
            for number, each in enumerate(value):
                yield from _flat(each, f"{path}{name}.{number}.")


def _unflat(fields: Fields) -> dict[str, typing.Any]:
    """The other way round."""
    found: dict[str, typing.Any] = {}
    for path, value in fields.items():
        node = found
        *steps, name = path.split(".")
        for listed, number in zip(steps[::2], steps[1::2], strict=True):
            items = node.setdefault(listed, [])
            items.extend({} for _ in range(int(number) + 1 - len(items)))
            node = items[int(number)]
        node[name] = value
    return found


def _worded(piece: Piece, path: str) -> Iterator[tuple[str, Mapping[str, Piece]]]:
    """Every part that has texts in several languages: where it stands, and they."""
    for name, value in piece:
        if name == "texts":
            yield path, value
        elif isinstance(value, Piece):
            yield from _worded(value, f"{path}.{name}")
        elif isinstance(value, list):
            for number, each in enumerate(value):
                if isinstance(each, Piece):
                    yield from _worded(each, f"{path}.{name}.{number}")
        elif isinstance(value, dict):
            for called, each in value.items():
                if isinstance(each, Piece):
                    yield from _worded(each, f"{path}.{name}.{called}")


def _block_with(block: AnyBlock, language: str, texts: Mapping[str, Fields]) -> AnyBlock:
    if not texts:
        return block
    values = block.model_dump(mode="json")
    for place, fields in texts.items():
        kept = _found(values, place.removeprefix(block.id))["texts"]
        kept.pop(language, None)
        if fields:
            kept[language] = _unflat(fields)
    return documents.parse_block(values)


def _found(values: typing.Any, path: str) -> typing.Any:
    """What stands at a path such as `.items.2` in a block's values."""
    for step in path.split(".")[1:]:
        values = values[int(step)] if isinstance(values, list) else values[step]
    return values
