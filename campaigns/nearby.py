"""What stands in a mail only for, or first for, people near its place.

How far “near” reaches was turned into ZIP codes before (`zips.py`); here a resolved block becomes
several, each with the condition on whom it depends. Who gave no ZIP code, or one that is not there,
lives near nothing: they don't see what is only for people near, and the rest in its usual order.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace

from campaigns import zips
from campaigns.block_models import Near
from foundation.frozen import frozen
from templates import content
from templates.conditions import ZIP_DIGITS, Condition


@frozen
class Spread:
    """What one block of a document becomes."""

    here: Sequence[content.Block]
    """In the block's own place."""
    first: Sequence[content.Block] = ()
    """Before all other blocks, for people near."""


def spread(block: content.Block, *, near: Near, rule: Condition | None) -> Spread:
    """The blocks that `block` becomes; `rule` says who sees it at all."""
    if near is not Near.NO and isinstance(block, content.Developments):
        return Spread(here=_list(block, near, rule))
    if near is not Near.NO and isinstance(block, content.Event) and block.zip_codes:
        here, first = _event(block, near, rule)
        return Spread(here=here, first=first)
    return Spread(here=(replace(block, shown_to=rule),))


async def around(near: Near, postal_code: str, miles: int) -> str:
    """The ZIP codes of people near a place, if that matters."""
    return await zips.around(postal_code, miles) if near is not Near.NO and postal_code else ""


def _event(
    block: content.Event, near: Near, rule: Condition | None
) -> tuple[Sequence[content.Block], Sequence[content.Block]]:
    codes = block.zip_codes
    if near is Near.ONLY:
        return (replace(block, shown_to=_around(codes, rule)),), ()
    copy = replace(block, shown_to=_copy(codes, rule))
    return (replace(block, shown_to=_elsewhere(codes, rule)),), (copy,)


def _list(block: content.Developments, near: Near, rule: Condition | None) -> list[content.Block]:
    """The list's title and its items, those together that are for the same people."""
    groups = [
        (codes, tuple(items))
        for codes, items in itertools.groupby(block.items, key=lambda item: item.zip_codes)
    ]
    placed = [(codes, items) for codes, items in groups if codes]
    if not placed:
        return [replace(block, shown_to=rule)]
    if near is Near.ONLY:
        is_for_some = len(placed) == len(groups)
        head = _around(_union(codes for codes, _ in placed), rule) if is_for_some else rule
        pieces = [(_around(codes, rule), items) for codes, items in groups]
    else:
        head = rule
        pieces = [(_copy(codes, rule), items) for codes, items in placed]
        pieces += [(_elsewhere(codes, rule), items) for codes, items in groups]
    made: list[content.Block] = []
    if block.title and pieces[0][0] != head:
        made.append(replace(block, items=(), shown_to=head))
    for condition, items in pieces:
        title = block.title if not made else ""
        made.append(replace(block, title=title, items=items, shown_to=condition))
    return made


def _around(codes: str, rule: Condition | None) -> Condition | None:
    """For people near, and for everybody what has no place."""
    return Condition(zip_codes=codes, also=rule) if codes else rule


def _copy(codes: str, rule: Condition | None) -> Condition:
    """What comes first for people near."""
    return Condition(zip_codes=codes, also=rule, is_copy=True)


def _elsewhere(codes: str, rule: Condition | None) -> Condition | None:
    """The usual place, for everybody who does not have it first."""
    if not codes:
        return rule
    return Condition(zip_codes=codes, is_reversed=True, also=rule, is_ordinary=rule is None)


def _union(many: Iterable[str]) -> str:
    """Every code once."""
    return "".join(
        sorted(
            {
                codes[at : at + ZIP_DIGITS]
                for codes in many
                for at in range(0, len(codes), ZIP_DIGITS)
            }
        )
    )
