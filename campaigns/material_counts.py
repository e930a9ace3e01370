"""How often handouts are taken: by a campaign's links, from the issue's page, the archive, or else.

Totals alone; machines are told from people by the rules for clicks. What a mail's link brought is
counted by that link, so that nobody counts twice.
"""

import collections
from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import links, materials, wording
from campaigns.material_models import MaterialAddress, MaterialDownload, Source
from campaigns.models import HitKind, HitTotal, Material
from delivery import naming
from delivery.models import Dispatch, DispatchLink
from foundation import cells, errors, logs, tables
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.together import Queue

_log = logs.get("materials")

_APART_S = 0.4
COLUMNS = ("material", "source", "campaign", "name", "language", "people", "machines")
"""Of the CSV file."""


@frozen
class Taken:
    """A file was asked for."""

    material_id: int
    language: str
    source: Source
    day: date
    is_human: bool


@frozen
class Count:
    """How often a handout was taken in one language by one way."""

    language: str
    source: Source
    human: int
    machine: int
    campaign_id: int | None = None
    """Of a mail's link; below zero for the welcome."""
    name: str = ""
    """Of the campaign."""


@frozen
class OfCampaign:
    """A handout that a campaign brought, and how often its links to it were followed."""

    material_id: int
    issue_id: int
    slug: str
    title: str
    """In the language of the file, or the nearest."""
    language: str
    """Of the file."""
    human: int
    machine: int


class Counter:
    """Counts the files that one process hands out, many with one commit."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._queue: Queue[Taken, None] = Queue(self._write, apart_s=_APART_S)

    async def count(self, taken: Taken) -> None:
        """Keep it at once in quiet times; in a surge a moment later, as with clicks."""
        await self._queue.hand(taken)

    async def close(self) -> None:
        """Write what is left."""
        await self._queue.settle()

    async def _write(self, taken: Sequence[Taken]) -> Sequence[None]:
        try:
            async with self._ground.db.transaction() as session:
                await _add(session, taken)
        except errors.Busy:
            _log.warning("downloads were not counted: the database is busy", downloads=len(taken))
        return [None] * len(taken)


async def _add(session: AsyncSession, taken: Sequence[Taken]) -> None:
    sums: dict[tuple[int, str, str, date], list[int]] = collections.defaultdict(lambda: [0, 0])
    for each in taken:
        key = (each.material_id, each.language, each.source.value, each.day)
        sums[key][0 if each.is_human else 1] += 1
    there = set(
        await session.scalars(
            sa.select(col(Material.id)).where(col(Material.id).in_({key[0] for key in sums}))
        )
    )
    # Sorted, so that processes that meet at the same totals wait in one order only.
    for key in sorted(sums):
        material_id, language, source, day = key
        if material_id not in there:
            continue
        human, machine = sums[key]
        insert = tables.insert_for(session, MaterialDownload).values(
            material_id=material_id,
            language=language,
            source=source,
            day=day,
            human=human,
            machine=machine,
        )
        await session.execute(
            insert.on_conflict_do_update(
                index_elements=["material_id", "language", "source", "day"],
                set_={
                    "human": col(MaterialDownload.human) + insert.excluded.human,
                    "machine": col(MaterialDownload.machine) + insert.excluded.machine,
                },
            )
        )


async def of_material(ground: Ground, *, material_id: int) -> Sequence[Count]:
    """Everything that is counted of a handout, campaigns first. Raises `errors.NotFound`."""
    async with ground.db.reading() as session:
        await materials.get(session, material_id)
        by_mail = await _by_mail(ground, session, material_id)
        statement = (
            sa.select(
                col(MaterialDownload.source),
                col(MaterialDownload.language),
                sa.func.sum(col(MaterialDownload.human)),
                sa.func.sum(col(MaterialDownload.machine)),
            )
            .where(col(MaterialDownload.material_id) == material_id)
            .group_by(col(MaterialDownload.source), col(MaterialDownload.language))
            .order_by(col(MaterialDownload.source), col(MaterialDownload.language))
        )
        rows = (await session.execute(statement)).all()
    return [
        *by_mail,
        *(
            Count(language=language, source=Source(source), human=int(human), machine=int(machine))
            for source, language, human, machine in rows
        ),
    ]


async def _by_mail(ground: Ground, session: AsyncSession, material_id: int) -> list[Count]:
    """Clicks of links that led to it, of every campaign that had one."""
    statement = select(MaterialAddress).where(MaterialAddress.material_id == material_id)
    known = {
        _in_mail(ground, each.address): each.language
        for each in (await session.exec(statement)).all()
    }
    led = (
        sa.select(
            col(Dispatch.campaign_id),
            col(Dispatch.name),
            col(DispatchLink.url),
            sa.func.coalesce(sa.func.sum(col(HitTotal.human)), 0),
            sa.func.coalesce(sa.func.sum(col(HitTotal.machine)), 0),
        )
        .join(Dispatch, col(Dispatch.id) == col(DispatchLink.dispatch_id))
        .outerjoin(HitTotal, _of_link())
        .where(col(DispatchLink.url).in_(list(known)))
        .group_by(
            col(Dispatch.id), col(Dispatch.campaign_id), col(Dispatch.name), col(DispatchLink.url)
        )
        .order_by(col(Dispatch.id).desc())
    )
    sums: dict[tuple[int, str, str], list[int]] = collections.defaultdict(lambda: [0, 0])
    for campaign_id, name, url, human, machine in await session.execute(led):
        total = sums[campaign_id, name, known[url]]
        total[0] += int(human)
        total[1] += int(machine)
    return [
        Count(
            language=language,
            source=Source.MAIL,
            human=human,
            machine=machine,
            campaign_id=campaign_id,
            name=name,
        )
        for (campaign_id, name, language), (human, machine) in sums.items()
    ]


async def of_dispatch(
    ground: Ground, session: AsyncSession, dispatch_id: int
) -> Sequence[OfCampaign]:
    """The handouts that a dispatch brought; those that nobody took are there with zero."""
    statement = (
        sa.select(
            col(DispatchLink.url),
            sa.func.coalesce(sa.func.sum(col(HitTotal.human)), 0),
            sa.func.coalesce(sa.func.sum(col(HitTotal.machine)), 0),
        )
        .outerjoin(HitTotal, _of_link())
        .where(col(DispatchLink.dispatch_id) == dispatch_id)
        .group_by(col(DispatchLink.url))
    )
    followed = {
        url: (int(human), int(machine)) for url, human, machine in await session.execute(statement)
    }
    addresses = {kept: url for url in followed for kept in _kept(ground, url)}
    known = (
        select(MaterialAddress, Material)
        .join(Material, col(Material.id) == col(MaterialAddress.material_id))
        .where(col(MaterialAddress.address).in_(list(addresses)))
        .order_by(col(Material.position), col(Material.id), col(MaterialAddress.language))
    )
    return [
        OfCampaign(
            material_id=material.id,
            issue_id=material.issue_id,
            slug=material.slug,
            title=_title(ground, material, each.language),
            language=each.language,
            human=followed[addresses[each.address]][0],
            machine=followed[addresses[each.address]][1],
        )
        for each, material in (await session.exec(known)).all()
    ]


def as_csv(material: Material, counts: Sequence[Count]) -> bytes:
    """The counts of a handout as a file."""
    rows = [
        [
            *(
                material.slug,
                each.source.value,
                naming.mark(each.campaign_id) if each.campaign_id else "",
                each.name,
            ),
            *(each.language, str(each.human), str(each.machine)),
        ]
        for each in counts
    ]
    return cells.lines([COLUMNS, *rows]).encode("utf-8-sig")


def _of_link() -> sa.ColumnElement[bool]:
    return sa.and_(
        col(HitTotal.dispatch_id) == col(DispatchLink.dispatch_id),
        col(HitTotal.link) == col(DispatchLink.number),
        col(HitTotal.kind) == HitKind.CLICK.value,
    )


def _title(ground: Ground, material: Material, language: str) -> str:
    speaks, site = ground.translator(language), ground.settings.site.language
    return wording.pick(material.texts, speaks, need="title", default=site)["title"]


def _in_mail(ground: Ground, address: str) -> str:
    """An address as links in mail have it."""
    if address.startswith("/files/"):
        return materials.by_way_of(ground.url(address), Source.MAIL)
    return links.absolute(ground, address)


def _kept(ground: Ground, url: str) -> Sequence[str]:
    """The other way round: how it may be kept."""
    site = ground.url("")
    if not url.startswith(f"{site}/"):
        return (url,)
    path = materials.bare(url).removeprefix(site)
    return (url, path, f"{links.SITE}{url.removeprefix(site)}")
