"""How many people would see each block that is not for everybody, for the list before sending.

People are counted by their answers to the very conditions that their mail is made by; they are read
as groups of the same town, postal code and membership, so the list grows with places, not people.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audiences, editions
from campaigns.audiences import Audience
from campaigns.documents import Document
from foundation import errors
from foundation.ground import Ground
from templates import conditions
from templates.conditions import Condition


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A block for some: how many see it, of how many who get an edition that has it."""

    number: int
    """The block's, counted from 1."""
    readers: int
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """What the conditions of a bulletin come to for an audience."""

    blocks: Sequence[Seen] = ()
    bare: Mapping[str, int] = field(default_factory=dict)
    """Language → how many would get an edition with no block in it."""


async def count(
    ground: Ground, session: AsyncSession, *, document: Document, audience: Audience
) -> Counted:
    """Count an audience for a bulletin; nothing is asked for one that everybody sees whole.

    An edition that can't be compiled is left out: the list says so elsewhere. Raises
    `errors.Invalid` for an audience with an unknown topic.
    """
    rules = [block.condition for block in document.blocks]
    if not any(rules):
        return Counted()
    contents = await _contents(ground, session, document)
    ask = {
        language: conditions.compiled([rules[number - 1] or _ALWAYS for number in numbers])
        for language, numbers in contents.items()
    }
    readers: Counter[int] = Counter()
    totals: Counter[int] = Counter()
    bare: Counter[str] = Counter()
    groups = audiences.by_place(
        session,
        audience,
        languages=document.languages,
        with_membership=any(rule.members for rule in rules if rule),
    )
    async for group in groups:
        numbers = contents.get(group.language, ())
        answers = ask[group.language](group) if numbers else ()
        for number, is_shown in zip(numbers, answers, strict=True):
            totals[number] += group.people
            readers[number] += group.people if is_shown else 0
        if numbers and not any(answers):
            bare[group.language] += group.people
    return Counted(
        blocks=[
            Seen(number=number, readers=readers[number], total=totals[number])
            for number in sorted(totals)
            if rules[number - 1]
        ],
        bare=bare,
    )


_ALWAYS = Condition(is_reversed=True)
"""Everybody but nobody."""


async def _contents(
    ground: Ground, session: AsyncSession, document: Document
) -> dict[str, Sequence[int]]:
    """Language → the numbers of the blocks that its edition has."""
    found: dict[str, Sequence[int]] = {}
    for language in document.languages:
        try:
            resolved = await editions.resolve(ground, session, document, language=language)
        except errors.HandbillError:
            continue
        found[language] = resolved.numbers
    return found
