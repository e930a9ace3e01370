"""How long an audience of a million people is counted, for the number beside the page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from bench import kept, timing
from bench.measure import Figure
from campaigns import audiences
from campaigns.audiences import Counted
from foundation.ground import Ground

ONE_MS, SEVERAL_MS = 1000.0, 2000.0
_TIMES = 3
_LAST = {"last": 3}
_ONE: Mapping[str, Mapping[str, Any]] = {
    "everybody on a topic": {},
    "another topic": {"all_of": [{"kind": "topic", "topics": ["action-alerts"]}]},
    "a language": {"all_of": [{"kind": "language", "languages": ["es"]}]},
    "postal codes": {"all_of": [{"kind": "postal-code", "codes": ["0110", "0120"]}]},
    "a town": {"all_of": [{"kind": "town", "towns": ["Boston"]}]},
    "near a place": {"all_of": [{"kind": "near", "place": "Worcester, MA", "miles": 25}]},
    "a source": {"all_of": [{"kind": "source", "sources": ["archive"]}]},
    "a form": {"all_of": [{"kind": "form", "forms": ["river"]}]},
    "a partner": {"all_of": [{"kind": "partner", "partners": [1]}]},
    "a tag": {"all_of": [{"kind": "tag", "tags": ["volunteer"]}]},
    "a field": {"all_of": [{"kind": "field", "name": "trade", "values": ["baker"]}]},
    "joined lately": {"all_of": [{"kind": "joined", "last_days": 300}]},
    "got one of three": {"all_of": [{"kind": "received", **_LAST}]},
    "got none of three": {"none_of": [{"kind": "received", **_LAST}]},
    "opened one of three": {"all_of": [{"kind": "opened", **_LAST}]},
    "followed none of three": {"none_of": [{"kind": "clicked", **_LAST}]},
    "counted by name": {"all_of": [{"kind": "counted"}]},
    "members' contacts": {"all_of": [{"kind": "member"}]},
    "mailed nothing for 30 days": {"all_of": [{"kind": "not-mailed", "days": 30}]},
    "a segment": {"all_of": [{"kind": "segment", "segment": 1}]},
}
_SEVERAL: Mapping[str, Mapping[str, Any]] = {
    "of a time and language, by place or source, without three": {
        "all_of": [
            {"kind": "joined", "last_days": 600},
            {"kind": "language", "languages": ["es"]},
        ],
        "any_of": [
            {"kind": "town", "towns": ["Boston", "Lowell"]},
            {"kind": "source", "sources": ["archive"]},
        ],
        "none_of": [{"kind": "received", **_LAST}],
    },
    "on another topic, mailed nothing, not who followed or has a tag": {
        "all_of": [
            {"kind": "topic", "topics": ["action-alerts"]},
            {"kind": "not-mailed", "days": 30},
        ],
        "none_of": [{"kind": "clicked", "last": 5}, {"kind": "tag", "tags": ["press"]}],
    },
    "by a source, or got one of three, or with a tag": {
        "any_of": [
            {"kind": "source", "sources": ["archive"]},
            {"kind": "received", **_LAST},
            {"kind": "tag", "tags": ["volunteer"]},
        ],
    },
}


async def run(
    engines: Sequence[str] = kept.ENGINES, *, people: int, campaigns: int, folder: Path | None
) -> list[Figure]:
    """Medians of each count; see `kept.site` on `folder`."""
    found: list[Figure] = []
    for engine in engines:
        async with kept.site(engine, people=people, campaigns=campaigns, folder=folder) as ground:
            for asked, limit_ms in ((_ONE, ONE_MS), (_SEVERAL, SEVERAL_MS)):
                for name, conditions in asked.items():
                    found.append(await _counted(ground, f"{engine}: {name}", conditions, limit_ms))
    return found


async def _counted(
    ground: Ground, name: str, conditions: Mapping[str, Any], limit_ms: float
) -> Figure:
    wanted = audiences.parse({"topics": ["secure-communities"], **conditions})

    async def count(session: AsyncSession) -> Counted:
        return await audiences.count_in(ground, session, wanted, languages=["en", "es"])

    async def act() -> None:
        await ground.db.apart(count)

    return await timing.figure(name, act, _TIMES, limit_ms)
