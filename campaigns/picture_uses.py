"""Where a picture is used: replaced, it is so everywhere; deleted, it was nowhere."""

import enum
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import bulletins, documents, pictures, snippets
from campaigns.models import Bulletin, Picture
from campaigns.series_models import Series, SeriesState
from campaigns.snippet_models import Snippet
from campaigns.trial_models import Trial
from foundation import audit, errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

_KEYS = ("picture", "first_picture", "second_picture")
"""Keys of blocks that name a picture."""
_UNSENT = 500
"""So many bulletins that are still to be sent are looked through when one is replaced."""


class Where(enum.StrEnum):
    """What a picture stands in."""

    BULLETIN = "bulletin"
    """A bulletin, sent or not."""
    SNIPPET = "snippet"
    """A snippet, whether a bulletin has it or not."""
    SERIES = "series"
    """What a series puts into every edition."""
    TRIAL = "trial"
    """The other form of a campaign."""


_TABLES: Mapping[Where, tuple[Any, Any, Any]] = {
    Where.BULLETIN: (Bulletin.id, Bulletin.name, Bulletin.document),
    Where.SNIPPET: (Snippet.id, Snippet.name, Snippet.block),
    Where.SERIES: (Series.id, Series.name, Series.document),
    Where.TRIAL: (Trial.campaign_id, Trial.state, Trial.plan),
}
PATHS: Mapping[Where, str] = {
    Where.BULLETIN: "/staff/bulletins/{id}",
    Where.SNIPPET: "/staff/snippets/{id}",
    Where.SERIES: "/staff/series/{id}",
    Where.TRIAL: "/staff/campaigns/{id}/trial",
}


@frozen
class Use:
    """One thing that shows a picture."""

    where: Where
    id: int
    name: str

    @property
    def path(self) -> str:
        """Its page in the staff room."""
        return PATHS[self.where].format(id=self.id)


async def of(session: AsyncSession, picture: Picture) -> list[Use]:
    """What shows a picture by now; earlier versions do not count."""
    names = _names(picture)
    found = []
    for where, (number, name, values) in _TABLES.items():
        text = sa.cast(col(values), sa.Text)
        statement = (
            sa.select(col(number), col(name))
            .where(sa.or_(*(text.contains(f'"{each}"', autoescape=True) for each in names)))
            .order_by(col(number).desc())
        )
        if where is Where.SERIES:
            statement = statement.where(col(Series.state) != SeriesState.DELETED.value)
        rows = (await session.execute(statement)).all()
        found += [Use(where=where, id=number, name=name) for number, name in rows]
    return found


async def delete(ground: Ground, *, actor: Actor, picture_id: int) -> None:
    """Remove a picture that nothing shows. Raises `errors.Refused`, `errors.NotFound`."""
    async with ground.db.transaction() as session:
        picture = await pictures.get(session, picture_id)
        if used := await of(session, picture):
            raise errors.Refused(
                N_("It is shown by %(names)s. Take it out there first."),
                names=", ".join(f"“{each.name}”" for each in used[:5]),
            )
        await session.execute(
            sa.delete(Picture).where(
                (col(Picture.id) == picture_id) | (col(Picture.parent_id) == picture_id)
            )
        )
        audit.record(
            session,
            actor=actor,
            at=ground.clock.now(),
            action="picture.deleted",
            object_kind="picture",
            object_id=picture_id,
            before={"file_name": picture.file_name, "digest": picture.digest},
        )


async def replace(
    ground: Ground, *, actor: Actor, picture_id: int, file_name: str, content: bytes
) -> Picture:
    """Put another picture in the place of one, in all that is still to be sent.

    What went out shows the old one, which is kept for that. The words stay, to be looked at.
    Raises `errors.Invalid`, `errors.NotFound`, `errors.Conflict` where somebody writes meanwhile.
    """
    async with ground.db.reading() as session:
        old = await pictures.get(session, picture_id)
    made = await pictures.add(ground, actor=actor, file_name=file_name, content=content)
    if made.id == old.id:
        return old
    made = await pictures.describe(
        ground,
        actor=actor,
        picture_id=made.id,
        alts=made.alts or old.alts,
        is_decorative=old.is_decorative,
        focus=(made.focus_x, made.focus_y),
    )
    names = _names(old)
    async with ground.db.reading() as session:
        unsent = await bulletins.unsent(session, limit=_UNSENT)
        saved = await snippets.listed(session)
    for bulletin in unsent:
        document = bulletins.document_of(bulletin)
        values = documents.dump(document)
        if _swapped(values.get("blocks", []), names, made.digest):
            await bulletins.save(
                ground,
                actor=actor,
                bulletin_id=bulletin.id,
                version=bulletin.version,
                document=documents.parse(values),
            )
    for snippet in saved:
        block = dict(snippet.block)
        if _swapped([block], names, made.digest):
            await snippets.save(
                ground,
                actor=actor,
                snippet_id=snippet.id,
                version=snippet.version,
                name=snippet.name,
                block=documents.parse_block(block),
            )
    return made


def _swapped(blocks: Sequence[dict[str, Any]], names: Sequence[str], digest: str) -> bool:
    """Name another picture in the blocks that name this one; whether there were any."""
    is_changed = False
    for block in blocks:
        for key in _KEYS:
            if block.get(key) in names:
                block[key] = digest
                is_changed = True
    return is_changed


def _names(picture: Picture) -> list[str]:
    """What documents may call it."""
    return [picture.digest, picture.file_name, picture.file_name.rpartition(".")[0]]
