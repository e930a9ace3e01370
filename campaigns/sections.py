"""How many people would see each block that is not for everybody, for the list before sending.

People are counted by their answers to the very conditions that their mail is made by; they are read
as groups of the same town, postal code and membership, so the list grows with places, not people.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audiences, editions
from campaigns.audiences import Audience
from campaigns.block_models import Near
from campaigns.compiling import Compiled
from campaigns.documents import Document
from foundation import errors
from foundation.frozen import frozen
from foundation.ground import Ground
from templates import conditions
from templates.conditions import Answers, Condition, Reader


@frozen
class Seen:
    """A block for some: how many see it, of how many who get an edition that has it."""

    number: int
    """The block's, counted from 1."""
    readers: int
    """Where it heeds who lives near: how many live near something in it."""
    total: int
    near: Near = Near.NO


@frozen
class Counted:
    """What the conditions of a bulletin come to for an audience."""

    blocks: Sequence[Seen] = ()
    bare: Mapping[str, int] = field(default_factory=dict)
    """Language → how many would get an edition with no block in it."""


_Piece = tuple[int, Condition | None]
"""A block's number, and on whom it depends whether this part of it is shown."""


async def count(
    ground: Ground, session: AsyncSession, *, document: Document, audience: Audience
) -> Counted:
    """Count an audience for a bulletin; nothing is asked for one that everybody sees whole.

    An edition that can't be compiled is left out: the list says so elsewhere. Raises
    `errors.Invalid` for an audience with an unknown topic.
    """
    nears = [getattr(block, "near", Near.NO) for block in document.blocks]
    if not any(nears) and not any(block.condition for block in document.blocks):
        return Counted()
    contents = await _contents(ground, session, document)
    ask = {
        language: conditions.compiled([rule or _ALWAYS for _, rule in pieces])
        for language, pieces in contents.items()
    }
    rules = [rule for pieces in contents.values() for _, rule in pieces if rule]
    readers: Counter[int] = Counter()
    totals: Counter[int] = Counter()
    bare: Counter[str] = Counter()
    groups = audiences.by_place(
        ground,
        session,
        audience,
        languages=document.languages,
        with_membership=any(rule.asks_membership for rule in rules),
    )
    async for group in groups:
        pieces = contents.get(group.language, ())
        answers = ask[group.language](group) if pieces else ()
        for number in {number for number, rule in pieces if is_special(rule)}:
            totals[number] += group.people
        for number in _shown(pieces, answers):
            readers[number] += group.people
        if pieces and not any(answers):
            bare[group.language] += group.people
    return Counted(
        blocks=[
            Seen(
                number=number,
                readers=readers[number],
                total=totals[number],
                near=nears[number - 1],
            )
            for number in sorted(totals)
        ],
        bare=bare,
    )


_ALWAYS = Condition(is_reversed=True)
"""Everybody but nobody."""


def is_special(rule: Condition | None) -> bool:
    """Whether something is for some people, and not just in its usual place for all others."""
    return rule is not None and not rule.is_ordinary


def of_reader(compiled: Compiled, reader: Reader) -> Mapping[int, bool]:
    """The blocks of an edition that are for some → whether a person is one of them."""
    found: dict[int, bool] = {}
    for number, rule in _pieces(compiled.resolved):
        if rule is not None and is_special(rule):
            answers = conditions.compiled([rule])(reader)
            found[number] = found.get(number, False) or answers[0]
    return found


def _shown(pieces: Sequence[_Piece], answers: Answers) -> set[int]:
    """The blocks for some that a group is among."""
    return {
        number
        for (number, rule), is_shown in zip(pieces, answers, strict=True)
        if is_shown and is_special(rule)
    }


def _pieces(resolved: editions.Resolved) -> Sequence[_Piece]:
    blocks = zip(resolved.numbers, resolved.edition.blocks, strict=True)
    return [(number, block.shown_to) for number, block in blocks]


async def _contents(
    ground: Ground, session: AsyncSession, document: Document
) -> dict[str, Sequence[_Piece]]:
    """Language → what its edition has."""
    found: dict[str, Sequence[_Piece]] = {}
    for language in document.languages:
        try:
            resolved = await editions.resolve(ground, session, document, language=language)
        except errors.HandbillError:
            continue
        found[language] = _pieces(resolved)
    return found
