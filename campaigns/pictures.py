"""Pictures for bulletins: checked by content, freed of private data, served under their hash."""

import asyncio
import hashlib
from dataclasses import dataclass

from sqlalchemy.orm import defer
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import filekinds
from campaigns.filekinds import FileKind
from campaigns.models import Picture
from foundation import audit, errors, tables
from foundation.audit import Actor
from foundation.ground import Ground
from foundation.i18n import N_

MAX_BYTES = 5 * 1024 * 1024
MAX_SIDE = 6000
KINDS = frozenset({FileKind.PNG, FileKind.JPEG, FileKind.GIF, FileKind.WEBP})
_NAME_LIMIT = 120
PATH = "/pictures/"
"""Where pictures are served; a digest follows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Checked:
    digest: str
    kind: FileKind
    width: int
    height: int
    content: bytes


async def add(ground: Ground, *, actor: Actor, file_name: str, content: bytes) -> Picture:
    """Keep a picture; the same content twice is one picture. Raises `errors.Invalid`."""
    checked = await asyncio.to_thread(_check, content)
    async with ground.db.transaction() as session:
        made = await session.execute(
            tables.insert_for(session, Picture)
            .values(
                digest=checked.digest,
                file_name=clean_name(file_name, checked.kind),
                media_type=checked.kind.value,
                width=checked.width,
                height=checked.height,
                content=checked.content,
                created_at=ground.clock.now(),
            )
            .on_conflict_do_nothing(index_elements=["digest"])
            .returning(col(Picture.id))
        )
        is_new = made.first() is not None
        picture = (
            await session.exec(select(Picture).where(Picture.digest == checked.digest))
        ).one()
        if is_new:
            audit.record(
                session,
                actor=actor,
                at=ground.clock.now(),
                action="picture.added",
                object_kind="picture",
                object_id=picture.id,
                after={"file_name": picture.file_name, "digest": picture.digest},
            )
    return picture


async def recent(session: AsyncSession, *, limit: int = 40) -> list[Picture]:
    """The newest pictures, without their content."""
    statement = (
        select(Picture)
        .options(defer(Picture.content))  # type: ignore[arg-type]
        .order_by(col(Picture.id).desc())
        .limit(limit)
    )
    return list((await session.exec(statement)).all())


async def find(session: AsyncSession, name: str) -> Picture | None:
    """A picture by its hash, or by its file's name with or without ending; no content."""
    statement = (
        select(Picture)
        .options(defer(Picture.content))  # type: ignore[arg-type]
        .where(
            (col(Picture.digest) == name)
            | (col(Picture.file_name) == name)
            | col(Picture.file_name).in_([f"{name}.{kind.suffix}" for kind in sorted(KINDS)])
        )
        .order_by(col(Picture.id).desc())
    )
    return (await session.exec(statement)).first()


async def served(session: AsyncSession, digest: str) -> Picture | None:
    """A picture with its content."""
    return (await session.exec(select(Picture).where(Picture.digest == digest))).first()


def path(picture: Picture) -> str:
    """Where a picture is served."""
    return f"{PATH}{picture.digest}"


def clean_name(file_name: str, kind: FileKind) -> str:
    """A file's name that can stand in an address, with the ending that its content has."""
    stem = file_name.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or file_name
    kept = "".join(each if each.isalnum() or each in "-_" else "-" for each in stem)
    kept = "-".join(part for part in kept.split("-") if part)[:_NAME_LIMIT]
    return f"{kept or 'file'}.{kind.suffix}"


def _check(content: bytes) -> _Checked:
    kind = filekinds.recognise(content)
    if kind not in KINDS or kind is None:
        raise _refused(N_("This is not a picture that mail programs show: use JPEG, PNG or GIF."))
    if len(content) > MAX_BYTES:
        raise _refused(N_("This picture is too large: at most 5 MB."))
    size = filekinds.picture_size(content, kind)
    if size is None:
        raise _refused(N_("This picture is damaged. Save it again and upload it once more."))
    if max(size) > MAX_SIDE:
        raise _refused(N_("This picture has too many pixels: at most 6000 on each side."))
    cleaned = filekinds.without_private_data(content, kind)
    return _Checked(
        digest=hashlib.sha256(cleaned).hexdigest(),
        kind=kind,
        width=size[0],
        height=size[1],
        content=cleaned,
    )


def _refused(msgid: str) -> errors.Invalid:
    return errors.Invalid(msgid, fields={"file": errors.Invalid(msgid)})
