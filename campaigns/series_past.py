"""What a series has done with items before: which edition each was in, what waits, what is free.

People change drafts. So an edition holds what its bulletin says now, or said when it went out, and
not what it was drafted with: what somebody took out by hand is free again, and what they put in
counts as used.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import developments
from campaigns.models import (
    Bulletin,
    BulletinVersion,
    Campaign,
    CampaignState,
    Material,
)
from campaigns.series_models import RunOutcome, SeriesItem, SeriesRun
from campaigns.series_selection import LEFT_OVER, ItemKind
from foundation.frozen import frozen

Key = tuple[str, int]
"""Kind and number of an item."""


class ByHand(enum.StrEnum):
    """What people changed about an edition's items after it was drafted."""

    TAKEN_OUT = "taken-out"
    """It is in it no more, and free for the next."""
    PUT_IN = "put-in"
    """It is in it now."""


@frozen
class Past:
    """What became of items in earlier editions."""

    used_in: Mapping[Key, str] = field(default_factory=dict)
    """Item → the number of the last edition that holds it."""
    taken_out_of: Mapping[Key, str] = field(default_factory=dict)
    """Item → the number of the last edition that somebody took it out of."""
    left_over: frozenset[Key] = frozenset()
    """Did not fit before, and was in no edition since."""


async def of(session: AsyncSession, series_id: int | None, *, since: date) -> Past:
    """What a series did; the bulletins of editions before `since` are not opened.

    A cancelled edition reached nobody, so what was in it is free again.
    """
    if series_id is None:
        return Past()
    holding = await _holding(session, series_id, since=since)
    used: dict[Key, str] = {}
    taken_out: dict[Key, str] = {}
    left: set[Key] = set()
    for run_id, kind, number, is_in, edition in await _judged(session, series_id):
        key = (kind, number)
        if not is_in:
            left.add(key)
        elif run_id in holding and holding[run_id].has_lost(key):
            taken_out[key] = edition
        else:
            used[key] = edition
    for held in holding.values():
        used |= dict.fromkeys(held.items, held.number)
    return Past(
        used_in=used,
        taken_out_of={key: edition for key, edition in taken_out.items() if key not in used},
        left_over=frozenset(left - used.keys()),
    )


async def by_hand(
    session: AsyncSession, run: SeriesRun, items: Iterable[SeriesItem]
) -> dict[int, ByHand]:
    """Which of a run's items people took out of its edition since, or put in, by their row."""
    found = await _holding(session, run.series_id, since=run.day, until=run.day)
    if run.id not in found:
        return {}
    edition = found[run.id]
    changed: dict[int, ByHand] = {}
    for each in items:
        key = (each.kind, each.object_id)
        if each.is_in and edition.has_lost(key):
            changed[each.id] = ByHand.TAKEN_OUT
        elif not each.is_in and key in edition.items:
            changed[each.id] = ByHand.PUT_IN
    return changed


@frozen
class _Edition:
    """An edition that was not cancelled, and what its bulletin holds."""

    number: str
    items: frozenset[Key]
    is_open: bool
    """It also takes whatever happened in some time, so that nothing is surely out of it."""

    def has_lost(self, key: Key) -> bool:
        """Whether what was drafted into it is not in it any more."""
        is_loose = self.is_open and key[0] == ItemKind.DEVELOPMENT.value
        return key not in self.items and not is_loose


async def _judged(session: AsyncSession, series_id: int) -> list[tuple[int, str, int, bool, str]]:
    """Run, kind, number, whether it was in, and the edition: what was in, and what did not fit."""
    statement = (
        sa.select(
            col(SeriesItem.run_id),
            col(SeriesItem.kind),
            col(SeriesItem.object_id),
            col(SeriesItem.is_in),
            col(SeriesRun.volume),
            col(SeriesRun.number),
        )
        .join(SeriesRun, col(SeriesRun.id) == col(SeriesItem.run_id))
        .outerjoin(Campaign, col(Campaign.id) == col(SeriesRun.campaign_id))
        .where(
            col(SeriesRun.series_id) == series_id,
            sa.or_(
                sa.and_(
                    col(SeriesItem.is_in).is_(True),
                    sa.func.coalesce(col(Campaign.state), "") != CampaignState.CANCELLED.value,
                ),
                col(SeriesItem.reason).in_([each.value for each in LEFT_OVER]),
            ),
        )
        .order_by(col(SeriesRun.day), col(SeriesItem.id))
    )
    return [
        (run_id, kind, number, is_in, f"{volume}/{edition}")
        for run_id, kind, number, is_in, volume, edition in (await session.execute(statement)).all()
    ]


async def _holding(
    session: AsyncSession, series_id: int, *, since: date, until: date = date.max
) -> dict[int, _Edition]:
    """Run → what its bulletin holds now, in the order of their days."""
    statement = (
        sa.select(SeriesRun, Bulletin, BulletinVersion, col(Campaign.started_at).is_not(None))
        .join(Campaign, col(Campaign.id) == col(SeriesRun.campaign_id))
        .join(Bulletin, col(Bulletin.id) == col(Campaign.bulletin_id))
        .outerjoin(
            BulletinVersion,
            sa.and_(
                col(BulletinVersion.bulletin_id) == col(Bulletin.id),
                col(BulletinVersion.version) == col(Campaign.approved_version),
            ),
        )
        .where(
            col(SeriesRun.series_id) == series_id,
            col(SeriesRun.outcome) == RunOutcome.DRAFTED.value,
            col(SeriesRun.day).between(since, until),
            col(Campaign.state) != CampaignState.CANCELLED.value,
        )
        .order_by(col(SeriesRun.day))
    )
    found: list[tuple[SeriesRun, list[dict[str, Any]]]] = []
    for run, bulletin, approved, has_started in (await session.execute(statement)).all():
        # What readers got does not change when the bulletin does.
        is_changed = has_started and approved is not None
        document = approved.document if is_changed else bulletin.document
        found.append((run, document.get("blocks", [])))
    named = await _named(session, [each for _, blocks in found for each in blocks])
    return {
        run.id: _Edition(
            number=f"{run.volume}/{run.number}",
            items=frozenset(
                named[each] for block in blocks for each in _names(block) if each in named
            ),
            is_open=any(each.get("since") or each.get("since_days") for each in blocks),
        )
        for run, blocks in found
    }


def _names(block: Mapping[str, Any]) -> list[tuple[str, str | int]]:
    """What a block of a document names: developments by key or number, a handout by its name."""
    if block["kind"] == "developments":
        return [(ItemKind.DEVELOPMENT.value, each) for each in block.get("keys", ())]
    if block["kind"] == "material":
        return [(ItemKind.MATERIAL.value, block.get("material", ""))]
    return []


async def _named(
    session: AsyncSession, blocks: Iterable[Mapping[str, Any]]
) -> dict[tuple[str, str | int], Key]:
    """Each name in some blocks with the item that it means."""
    names = {each for block in blocks for each in _names(block)}
    keys = [name for kind, name in names if kind == ItemKind.DEVELOPMENT]
    slugs = [name for kind, name in names if kind == ItemKind.MATERIAL]
    found: dict[tuple[str, str | int], Key] = {}
    if keys:
        for name, each in (await developments.named(session, keys)).items():
            found[ItemKind.DEVELOPMENT.value, name] = (ItemKind.DEVELOPMENT.value, each.id)
    if slugs:
        statement = sa.select(col(Material.slug), col(Material.id)).where(
            col(Material.slug).in_(slugs)
        )
        for slug, number in (await session.execute(statement)).all():
            found[ItemKind.MATERIAL.value, slug] = (ItemKind.MATERIAL.value, number)
    return found
