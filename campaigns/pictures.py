"""Pictures for bulletins: made ready by `picture_making.py`, served under their hash, described.

A picture that is cut to a shape is kept beside the whole one (`Picture.parent_id`), anew whenever
what has to be in view changes: what went out before still shows what it showed.
"""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import defer
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from campaigns import picture_making
from campaigns.filekinds import FileKind
from campaigns.models import Picture
from campaigns.picture_making import KINDS, Made, Shape
from foundation import audit, errors, tables
from foundation.audit import Actor
from foundation.ground import Ground
from foundation.i18n import N_

MAX_BYTES = picture_making.MAX_BYTES
PAGE = 24
_NAME_LIMIT = 120
_WORDS_LIMIT = 300
_MIDDLE = (50, 50)
PATH = "/pictures/"
"""Where pictures are served; a digest follows."""


async def add(ground: Ground, *, actor: Actor, file_name: str, content: bytes) -> Picture:
    """Keep a picture; the same content twice is one picture. Raises `errors.Invalid`."""
    made = await asyncio.to_thread(picture_making.made, content)
    async with ground.db.transaction() as session:
        known = await _by_digest(session, _digest(made))
        if known is not None and known.parent_id is None:
            return known
        await _keep(ground, session, made, file_name=clean_name(file_name, made.kind))
        picture = (
            await session.exec(_without_content().where(Picture.digest == _digest(made)))
        ).one()
        picture.parent_id, picture.shape = None, ""
        await _cut(ground, session, picture, made.content, _MIDDLE)
        _record(ground, session, actor, picture, "picture.added")
    return picture


async def describe(
    ground: Ground,
    *,
    actor: Actor,
    picture_id: int,
    alts: Mapping[str, str],
    is_decorative: bool,
    focus: tuple[int, int],
) -> Picture:
    """Say what a picture shows in each language, and what has to be in view when it is cut.

    Raises `errors.Invalid`, `errors.NotFound`.
    """
    kept = {code: " ".join(words.split())[:_WORDS_LIMIT] for code, words in alts.items()}
    async with ground.db.transaction() as session:
        picture = await get(session, picture_id)
        before = {"alts": picture.alts, "is_decorative": picture.is_decorative}
        picture.alts = {code: words for code, words in kept.items() if words}
        picture.is_decorative = is_decorative
        x, y = (min(100, max(0, each)) for each in focus)
        if (x, y) != (picture.focus_x, picture.focus_y):
            picture.focus_x, picture.focus_y = x, y
            whole = await session.scalar(
                sa.select(col(Picture.content)).where(col(Picture.id) == picture_id)
            )
            await _cut(ground, session, picture, whole or b"", (x, y))
        session.add(picture)
        _record(ground, session, actor, picture, "picture.described", before=before)
    return picture


async def get(session: AsyncSession, picture_id: int) -> Picture:
    """A picture by its number, without its content. Raises `errors.NotFound`."""
    statement = _without_content().where(Picture.id == picture_id, col(Picture.parent_id).is_(None))
    found = (await session.exec(statement)).first()
    if found is None:
        raise errors.NotFound(N_("There is no such picture."))
    return found


async def recent(session: AsyncSession, *, limit: int = 40) -> list[Picture]:
    """The newest pictures, without their content."""
    return list(await listed(session, limit=limit))


async def listed(
    session: AsyncSession, *, words: str = "", after: int | None = None, limit: int = PAGE
) -> Sequence[Picture]:
    """Pictures, the newest first, without content; `words` are in their name or description."""
    statement = _without_content().where(col(Picture.parent_id).is_(None))
    if after is not None:
        statement = statement.where(col(Picture.id) < after)
    for word in words.split()[:5]:
        pattern = f"%{_escaped(word.lower())}%"
        said = sa.func.lower(sa.cast(col(Picture.alts), sa.Text))
        named = sa.func.lower(col(Picture.file_name))
        statement = statement.where(
            named.like(pattern, escape="\\") | said.like(pattern, escape="\\")
        )
    return (await session.exec(statement.order_by(col(Picture.id).desc()).limit(limit))).all()


async def find(session: AsyncSession, name: str) -> Picture | None:
    """A picture by its hash, or by its file's name with or without ending; no content.

    A file that came as PNG may be kept as JPEG; both endings name it.
    """
    endings = [f".{kind.suffix}" for kind in sorted(KINDS)]
    stem = next((name.removesuffix(each) for each in endings if name.endswith(each)), name)
    statement = (
        _without_content()
        .where(
            col(Picture.parent_id).is_(None),
            (col(Picture.digest) == name)
            | (col(Picture.file_name) == name)
            | col(Picture.file_name).in_([f"{stem}{each}" for each in endings]),
        )
        .order_by((col(Picture.file_name) == name).desc(), col(Picture.id).desc())
    )
    return (await session.exec(statement)).first()


async def in_shape(session: AsyncSession, picture: Picture, shape: Shape) -> Picture:
    """The picture cut to a shape; the whole one where there is nothing to cut."""
    if shape is Shape.AS_IS:
        return picture
    statement = (
        _without_content()
        .where(Picture.parent_id == picture.id, Picture.shape == shape.value)
        .order_by(col(Picture.id).desc())
    )
    return (await session.exec(statement)).first() or picture


async def served(session: AsyncSession, digest: str) -> Picture | None:
    """A picture with its content."""
    return (await session.exec(select(Picture).where(Picture.digest == digest))).first()


def path(picture: Picture) -> str:
    """Where a picture is served."""
    return f"{PATH}{picture.digest}"


def lacking(picture: Picture, languages: Iterable[str]) -> list[str]:
    """The languages in which nobody has said what it shows; none for one that only decorates."""
    if picture.is_decorative:
        return []
    return [code for code in languages if not picture.alts.get(code)]


def clean_name(file_name: str, kind: FileKind) -> str:
    """A file's name that can stand in an address, with the ending that its content has."""
    stem = file_name.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or file_name
    kept = "".join(each if each.isalnum() or each in "-_" else "-" for each in stem)
    kept = "-".join(part for part in kept.split("-") if part)[:_NAME_LIMIT]
    return f"{kept or 'file'}.{kind.suffix}"


async def _cut(
    ground: Ground, session: AsyncSession, picture: Picture, whole: bytes, focus: tuple[int, int]
) -> None:
    """Keep the picture in each shape; one that moves is not cut."""
    if picture.media_type == FileKind.GIF:
        return
    for shape in picture_making.RATIOS:
        made = await asyncio.to_thread(picture_making.cut, whole, shape, focus)
        if (made.width, made.height) != (picture.width, picture.height):
            stem = picture.file_name.rpartition(".")[0]
            name = f"{stem}-{shape.value.replace(':', 'x')}.{made.kind.suffix}"
            await _keep(ground, session, made, file_name=name, parent_id=picture.id, shape=shape)


async def _keep(
    ground: Ground,
    session: AsyncSession,
    made: Made,
    *,
    file_name: str,
    parent_id: int | None = None,
    shape: Shape = Shape.AS_IS,
) -> None:
    values: dict[str, Any] = {
        "digest": _digest(made),
        "file_name": file_name,
        "media_type": made.kind.value,
        "width": made.width,
        "height": made.height,
        "content": made.content,
        "alts": {},
        "is_decorative": False,
        "focus_x": _MIDDLE[0],
        "focus_y": _MIDDLE[1],
        "parent_id": parent_id,
        "shape": shape.value,
        "created_at": ground.clock.now(),
    }
    await session.execute(
        tables.insert_for(session, Picture)
        .values(values)
        .on_conflict_do_nothing(index_elements=["digest"])
    )


async def _by_digest(session: AsyncSession, digest: str) -> Picture | None:
    return (await session.exec(_without_content().where(Picture.digest == digest))).first()


def _without_content() -> SelectOfScalar[Picture]:
    return select(Picture).options(defer(Picture.content))  # type: ignore[arg-type]


def _digest(made: Made) -> str:
    return hashlib.sha256(made.content).hexdigest()


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _record(
    ground: Ground,
    session: AsyncSession,
    actor: Actor,
    picture: Picture,
    action: str,
    before: Mapping[str, object] | None = None,
) -> None:
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action=action,
        object_kind="picture",
        object_id=picture.id,
        before=dict(before) if before else None,
        after={
            "file_name": picture.file_name,
            "digest": picture.digest,
            "alts": picture.alts,
            "is_decorative": picture.is_decorative,
        },
    )
