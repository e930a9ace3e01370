"""Bulletins, campaigns, series, issues and developments, found by a word of their names."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import transitions, wording
from campaigns.models import Bulletin, Campaign, CampaignState, Development, Issue
from campaigns.series_models import Series, SeriesState
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.lookup import Asked, Place

_NEWEST = 1000
"""So many of each kind are looked through, the newest first."""
_Named = list[tuple[str, Place]]


async def find(ground: Ground, asked: Asked) -> Sequence[Place]:
    """What this floor has; see `foundation.lookup.Finder`."""
    async with ground.db.reading() as session:
        kinds = (
            await _bulletins(session),
            await _campaigns(session),
            await _series(session),
            await _issues(ground, session, asked),
            await _developments(ground, session, asked),
        )
    return [place for named in kinds for place in asked.among(named)]


async def _bulletins(session: AsyncSession) -> _Named:
    number, name = col(Bulletin.id), col(Bulletin.name)
    found = await session.execute(sa.select(number, name).order_by(number.desc()).limit(_NEWEST))
    return [
        (name, Place(kind=N_("Bulletins"), name=name, path=f"/staff/bulletins/{number}"))
        for number, name in found.all()
    ]


async def _campaigns(session: AsyncSession) -> _Named:
    number, name = col(Campaign.id), col(Campaign.name)
    found = await session.execute(
        sa.select(number, name, col(Campaign.state)).order_by(number.desc()).limit(_NEWEST)
    )
    return [
        (
            name,
            Place(
                kind=N_("Campaigns"),
                name=name,
                path=f"/staff/campaigns/{number}",
                state=transitions.STATE_WORDS[CampaignState(state)],
            ),
        )
        for number, name, state in found.all()
    ]


async def _series(session: AsyncSession) -> _Named:
    number, name = col(Series.id), col(Series.name)
    there = sa.select(number, name).where(col(Series.state) != SeriesState.DELETED.value)
    found = await session.execute(there.order_by(number.desc()).limit(_NEWEST))
    return [
        (name, Place(kind=N_("Series"), name=name, path=f"/staff/series/{number}"))
        for number, name in found.all()
    ]


async def _issues(ground: Ground, session: AsyncSession, asked: Asked) -> _Named:
    found = await session.execute(
        sa.select(col(Issue.id), col(Issue.texts)).order_by(col(Issue.position), col(Issue.id))
    )
    return [
        _worded(ground, asked, texts, "title", kind=N_("Issues"), path=f"/staff/issues/{number}")
        for number, texts in found.all()
    ]


async def _developments(ground: Ground, session: AsyncSession, asked: Asked) -> _Named:
    number = col(Development.id)
    found = await session.execute(
        sa.select(number, col(Development.issue_id), col(Development.texts))
        .order_by(col(Development.happened_on).desc(), number.desc())
        .limit(_NEWEST)
    )
    return [
        _worded(
            ground,
            asked,
            texts,
            "headline",
            kind=N_("Developments"),
            path=f"/staff/issues/{issue}/developments/{number}",
        )
        for number, issue, texts in found.all()
    ]


def _worded(
    ground: Ground,
    asked: Asked,
    texts: Mapping[str, Mapping[str, str]],
    field: str,
    *,
    kind: str,
    path: str,
) -> tuple[str, Place]:
    """Found by its name in any language, shown by that in the reader's, if it has one."""
    names = {code: name for code, each in texts.items() if (name := each.get(field, "").strip())}
    default = ground.settings.site.language
    shown = names[wording.choose(names, asked.language, default=default)] if names else "—"
    return " ".join(names.values()), Place(kind=kind, name=shown, path=path)
