"""What of a bulletin changed since somebody approved it: subjects, and block by block. Pure."""

import enum
from collections.abc import Mapping, Sequence

from campaigns import composer
from campaigns.block_models import AnyBlock
from campaigns.documents import Document
from foundation.frozen import frozen
from foundation.i18n import N_

HEAD_WORDS: Mapping[str, str] = {
    "subject": N_("Subject"),
    "preheader": N_("Preheader"),
    "title": N_("Headline in the mail"),
}


class Kind(enum.StrEnum):
    """What became of a block."""

    ADDED = "added"
    """It was not there."""
    CHANGED = "changed"
    """It says or shows something else."""
    MOVED = "moved"
    """It says the same at another place."""
    REMOVED = "removed"
    """It is gone."""


KIND_WORDS: Mapping[Kind, str] = {
    Kind.ADDED: N_("new"),
    Kind.CHANGED: N_("changed"),
    Kind.MOVED: N_("moved"),
    Kind.REMOVED: N_("removed"),
}


@frozen
class Head:
    """A subject, preheader or headline that reads otherwise now."""

    language: str
    field: str
    before: str
    now: str


@frozen
class Block:
    """What became of a block; `before` is what it said, language → words, where that differs."""

    id: str
    kind: Kind
    before: Mapping[str, str]


@frozen
class Changes:
    """Everything that changed between two documents."""

    heads: Sequence[Head]
    blocks: Mapping[str, Block]
    is_look_changed: bool
    """Another template or issue: the same words look otherwise."""

    @property
    def are_any(self) -> bool:
        """Whether anything did that readers would see."""
        return bool(self.heads or self.blocks or self.is_look_changed)

    @property
    def removed(self) -> Sequence[Block]:
        """What is not there any more."""
        return [each for each in self.blocks.values() if each.kind is Kind.REMOVED]


def between(before: Document, now: Document) -> Changes:
    """What changed from one to the other."""
    old = {block.id: block for block in before.blocks}
    stay = [block.id for block in now.blocks if block.id in old]
    were = [block.id for block in before.blocks if block.id in set(stay)]
    found: dict[str, Block] = {}
    for block in now.blocks:
        former = old.get(block.id)
        if former is None:
            found[block.id] = Block(id=block.id, kind=Kind.ADDED, before={})
        elif former != block:
            said = _said_before(former, block, now.languages)
            found[block.id] = Block(id=block.id, kind=Kind.CHANGED, before=said)
        elif were.index(block.id) != stay.index(block.id):
            found[block.id] = Block(id=block.id, kind=Kind.MOVED, before={})
    for block in before.blocks:
        if block.id not in {each.id for each in now.blocks}:
            said = {code: composer.excerpt(block, code) for code in before.languages}
            found[block.id] = Block(id=block.id, kind=Kind.REMOVED, before=said)
    return Changes(
        heads=_heads(before, now),
        blocks=found,
        is_look_changed=(before.template, before.issue) != (now.template, now.issue),
    )


def _heads(before: Document, now: Document) -> list[Head]:
    found = []
    for code in dict.fromkeys((*now.languages, *before.languages)):
        was, is_ = before.editions.get(code), now.editions.get(code)
        for field in HEAD_WORDS:
            former, present = getattr(was, field, ""), getattr(is_, field, "")
            if former != present:
                found.append(Head(language=code, field=field, before=former, now=present))
    return found


def _said_before(former: AnyBlock, block: AnyBlock, languages: Sequence[str]) -> dict[str, str]:
    return {
        code: composer.excerpt(former, code)
        for code in languages
        if getattr(former, "texts", {}).get(code) != getattr(block, "texts", {}).get(code)
    }
