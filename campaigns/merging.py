"""Brings together what two people made of one bulletin at the same time.

`composing.py` asks for it whenever somebody saves over a version that is no longer the newest. What
only one of them touched is taken from that one, block by block, language by language and field by
field; what both gave different words is a clash, and nobody's words are dropped for it.
"""

import enum
from collections.abc import Mapping, Sequence
from typing import Any

from campaigns import documents
from campaigns.documents import Document
from foundation.frozen import frozen

HEAD = ""
"""Stands for what is outside the blocks where a block is named."""
_SIDED = ("texts", "editions")
"""Keys that hold fields in each language."""
_NAMED = "short"
"""The key that holds several things with such fields, by name."""
_NOTES = ("behind", "desk_said")
"""What texts were made from, which is noted anew by whoever saves."""
_Leaf = tuple[str, ...]
_Values = Mapping[str, Any]


class Prefer(enum.StrEnum):
    """Whose words are taken where both gave different ones."""

    NOBODY = ""
    """Nobody's: the clash is reported."""
    MINE = "mine"
    """Those of who saves now."""
    THEIRS = "theirs"
    """Those that are kept already."""


@frozen
class Clash:
    """A place to which both gave something else."""

    block: str
    """The block's name; `HEAD` outside the blocks."""
    language: str = ""
    """Blank for what is the same in all languages."""
    field: str = ""
    """Blank for a block's settings, or the block as a whole."""
    mine: Any = None
    """None where it was deleted."""
    theirs: Any = None


@frozen
class Merged:
    """What came of it; where there are clashes, with `theirs` in their places."""

    document: Document
    clashes: Sequence[Clash] = ()


def merge(base: Document, mine: Document, theirs: Document, prefer: Prefer) -> Merged:
    """Both changes of `base` in one. Raises `errors.Invalid` where they can't stand together."""
    if theirs == base:
        return Merged(document=mine)
    clashes: list[Clash] = []
    was, own, other = (_by_id(each) for each in (base, mine, theirs))
    blocks = {}
    for name in dict.fromkeys((*other, *own)):
        found = _block(name, was.get(name), own.get(name), other.get(name), prefer, clashes)
        if found is not None:
            blocks[name] = found
    heads = [_without_blocks(each) for each in (base, mine, theirs)]
    values = _fields(HEAD, heads[0], heads[1], heads[2], prefer, clashes)
    order = _order(list(was), list(own), list(other))
    values |= {name: getattr(theirs, name) for name in _NOTES}
    values["blocks"] = [blocks[name] for name in order if name in blocks]
    return Merged(document=documents.parse(values), clashes=clashes)


def _by_id(document: Document) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in documents.dump(document).get("blocks", [])}


def _without_blocks(document: Document) -> dict[str, Any]:
    left = ("blocks", *_NOTES)
    return {name: each for name, each in documents.dump(document).items() if name not in left}


def _block(
    name: str,
    base: _Values | None,
    mine: _Values | None,
    theirs: _Values | None,
    prefer: Prefer,
    clashes: list[Clash],
) -> dict[str, Any] | None:
    """One block; None when it is gone."""
    if mine in (theirs, base):
        return dict(theirs) if theirs is not None else None
    if theirs == base:
        return dict(mine) if mine is not None else None
    if mine is None or theirs is None:
        # One deleted what the other wrote on: the words stay until somebody has seen that.
        if prefer is Prefer.NOBODY:
            clashes.append(Clash(block=name, mine=mine, theirs=theirs))
        chosen = mine if prefer is Prefer.MINE else theirs
        return dict(chosen) if chosen is not None else None
    return _fields(name, base or {}, mine, theirs, prefer, clashes)


def _fields(
    block: str,
    base: _Values,
    mine: _Values,
    theirs: _Values,
    prefer: Prefer,
    clashes: list[Clash],
) -> dict[str, Any]:
    was, own, other = (_leaves(each, block) for each in (base, mine, theirs))
    found: dict[_Leaf, Any] = {}
    for leaf in dict.fromkeys((*other, *own)):
        before, one, two = was.get(leaf), own.get(leaf), other.get(leaf)
        value = two if one in (before, two) else one
        if one not in (before, two) and two != before:
            value = one if prefer is Prefer.MINE else two
            if prefer is Prefer.NOBODY:
                language, field = leaf[-2:] if len(leaf) > 2 else ("", "".join(leaf))
                clashes.append(
                    Clash(block=block, language=language, field=field, mine=one, theirs=two)
                )
        if value is not None:
            found[leaf] = value
    return _grown(found)


def _leaves(values: _Values, block: str) -> dict[_Leaf, Any]:
    """Every field by where it stands.

    A block's settings hang together (a day to count from excludes a choice), so they are one.
    """
    found: dict[_Leaf, Any] = {}
    shared: dict[str, Any] = {}
    for name, value in values.items():
        if name in _SIDED:
            for language, fields in value.items():
                found[name, language, ""] = True  # an edition may have no words yet
                found |= {(name, language, field): text for field, text in fields.items()}
        elif name == _NAMED:
            for each, own in value.items():
                for language, fields in own.get("texts", {}).items():
                    found |= {(name, each, language, field): text for field, text in fields.items()}
        else:
            shared[name] = value
    if block == HEAD:
        return found | {(name,): value for name, value in shared.items()}
    return found | {(): shared}


def _grown(leaves: Mapping[_Leaf, Any]) -> dict[str, Any]:
    """The values that have these fields."""
    grown: dict[str, Any] = {}
    for leaf, value in leaves.items():
        if len(leaf) == 3:
            side = grown.setdefault(leaf[0], {}).setdefault(leaf[1], {})
            if leaf[2]:
                side[leaf[2]] = value
        elif len(leaf) == 4:
            name, each, language, field = leaf
            own = grown.setdefault(name, {}).setdefault(each, {"texts": {}})
            own["texts"].setdefault(language, {})[field] = value
        elif leaf:
            grown[leaf[0]] = value
        else:
            grown |= value
    return grown


def _order(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> list[str]:
    """Their order, in which what I moved or added stands behind what it stands behind in mine."""
    known = set(theirs)
    stayed = documents.in_the_same_order(base, mine)
    moved = [name for name in mine if name not in stayed or name not in known]
    order = [name for name in theirs if name not in moved]
    for name in moved:
        place = mine.index(name)
        before = next((each for each in reversed(mine[:place]) if each in order), None)
        order.insert(order.index(before) + 1 if before is not None else 0, name)
    return order
