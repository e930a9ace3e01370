"""Materials: the handouts of an issue, as a file of ours or a link elsewhere for each language."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.orm import defer
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import filekinds, issues, left_behind, links, pictures, wording
from campaigns.filekinds import FileKind
from campaigns.left_behind import Fields, Key, Places
from campaigns.material_models import MaterialAddress, Source
from campaigns.models import Material, MaterialFile
from campaigns.wording import Texts
from foundation import audit, errors, tables
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_, Translator

MAX_BYTES = 10 * 1024 * 1024
_FILES = "/files/"
_FROM = "from"
FILE = "file"
"""The place of a material's files, where other places hold words."""
KINDS = frozenset({FileKind.PDF, FileKind.PNG, FileKind.JPEG, FileKind.TEXT})


@frozen
class Draft:
    """A material as staff wrote it."""

    texts: Texts = field(default_factory=dict)
    """Language → {title, description}."""
    position: int = 0


@frozen
class Copy:
    """One language of a material, as a reader meets it."""

    language: str
    language_name: str
    url: str
    kind: str
    """`PDF`, `PNG`… for a file of ours; blank for a link elsewhere."""
    host: str = ""
    """Where a link elsewhere leads."""


@frozen
class Told:
    """A material in a reader's language; its copies in that language come first."""

    id: int
    slug: str
    title: str
    description: str
    language: str
    language_note: str
    copies: Sequence[Copy]


async def add(ground: Ground, *, actor: Actor, issue_id: int, slug: str, draft: Draft) -> Material:
    """Keep a new material, without files yet. Raises `errors.Invalid`, `errors.NotFound`."""
    slug = issues.check_slug(slug)
    texts = _checked_texts(ground, draft.texts)
    async with ground.db.transaction() as session:
        await issues.get(session, issue_id)
        taken = await session.exec(select(Material.id).where(Material.slug == slug))
        if taken.first() is not None:
            problem = errors.Invalid(N_("Another material has this name already."))
            raise errors.Invalid(problem.msgid, fields={"slug": problem})
        material = Material(
            issue_id=issue_id,
            slug=slug,
            position=draft.position,
            texts=texts,
            created_at=ground.clock.now(),
        )
        session.add(material)
        await session.flush()
        _record(session, ground, actor, material.id, "material.added", after=_seen(material))
    return material


async def update(
    ground: Ground,
    *,
    actor: Actor,
    material_id: int,
    draft: Draft,
    seen: Mapping[Key, Fields] | None = None,
) -> Material:
    """Change what is said of a material. Raises as `add` does.

    `seen`: what the source said when some languages were written or called right.
    """
    texts = _checked_texts(ground, draft.texts)
    async with ground.db.transaction() as session:
        material = await get(session, material_id)
        before, was = _seen(material), places(material, await copies(session, [material_id]))
        material.texts = texts
        material.position = draft.position
        await _follow(ground, session, material, was, seen or {})
        session.add(material)
        _record(session, ground, actor, material_id, "material.updated", before, _seen(material))
    return material


async def put_file(
    ground: Ground,
    *,
    actor: Actor,
    material_id: int,
    language: str,
    file_name: str,
    content: bytes,
) -> MaterialFile:
    """Give a material its file in one language, in place of what was there.

    Raises `errors.Invalid` for other kinds of file or too large ones, `errors.NotFound`.
    """
    kind, cleaned, digest = await asyncio.to_thread(_check_file, content)
    values = {
        "url": "",
        "file_name": pictures.clean_name(file_name, kind),
        "media_type": kind.value,
        "digest": digest,
        "content": cleaned,
    }
    return await _put(ground, actor, material_id, language, values)


async def put_link(
    ground: Ground, *, actor: Actor, material_id: int, language: str, url: str
) -> MaterialFile:
    """Give a material a link elsewhere in one language. Raises as `put_file` does."""
    url = links.check(url, field="url")
    if not url:
        problem = errors.Invalid(N_("Fill this in."))
        raise errors.Invalid(problem.msgid, fields={"url": problem})
    values = {"url": url, "file_name": "", "media_type": "", "digest": "", "content": None}
    return await _put(ground, actor, material_id, language, values)


async def remove_copy(ground: Ground, *, actor: Actor, material_id: int, language: str) -> None:
    """Take a language's file or link away."""
    async with ground.db.transaction() as session:
        material = await get(session, material_id)
        was = places(material, await copies(session, [material_id]))
        await session.execute(
            sa.delete(MaterialFile).where(
                col(MaterialFile.material_id) == material_id,
                col(MaterialFile.language) == language,
            )
        )
        await _follow(ground, session, material, was, {})
        removed = {"language": language}
        _record(session, ground, actor, material_id, "material.copy-removed", before=removed)


async def delete(ground: Ground, *, actor: Actor, material_id: int) -> None:
    """Remove a material with its files; links to them in sent bulletins break."""
    async with ground.db.transaction() as session:
        material = await get(session, material_id)
        _record(session, ground, actor, material_id, "material.deleted", before=_seen(material))
        await session.delete(material)


async def get(session: AsyncSession, material_id: int) -> Material:
    """A material by its number. Raises `errors.NotFound`."""
    found = await session.get(Material, material_id)
    if found is None:
        raise errors.NotFound(N_("There is no such material."))
    return found


async def by_slug(session: AsyncSession, slug: str) -> Material:
    """A material by its name. Raises `errors.NotFound`."""
    found = (await session.exec(select(Material).where(Material.slug == slug))).first()
    if found is None:
        raise errors.NotFound(N_("There is no material called “%(slug)s”."), slug=slug[:80])
    return found


async def listed(session: AsyncSession, issue_id: int | None = None) -> list[Material]:
    """The materials of an issue, or all, in order."""
    statement = select(Material).order_by(
        col(Material.issue_id), col(Material.position), col(Material.id)
    )
    if issue_id is not None:
        statement = statement.where(col(Material.issue_id) == issue_id)
    return list((await session.exec(statement)).all())


async def copies(session: AsyncSession, material_ids: Sequence[int]) -> list[MaterialFile]:
    """The files and links of materials, without content."""
    statement = (
        select(MaterialFile)
        .options(defer(MaterialFile.content))  # type: ignore[arg-type]
        .where(col(MaterialFile.material_id).in_(material_ids))
        .order_by(col(MaterialFile.language))
    )
    return list((await session.exec(statement)).all())


def places(material: Material, files: Sequence[MaterialFile]) -> Places:
    """What is said of a material, and its files, as `left_behind.py` compares them.

    `files` may hold those of other materials too.
    """
    return {
        left_behind.WORDS: {
            code: left_behind.filled(each)
            for code, each in material.texts.items()
            if each.get("title")
        },
        FILE: {
            each.language: {FILE: each.digest or each.url}
            for each in files
            if each.material_id == material.id
        },
    }


async def served(session: AsyncSession, digest: str) -> MaterialFile | None:
    """A file by its hash, with its content."""
    statement = select(MaterialFile).where(
        MaterialFile.digest == digest, col(MaterialFile.content).is_not(None)
    )
    return (await session.exec(statement)).first()


def tell(
    ground: Ground, material: Material, files: Sequence[MaterialFile], translator: Translator
) -> Told:
    """A material in a reader's language; `files` may hold those of other materials too."""
    worded = wording.pick(
        material.texts, translator, need="title", default=ground.settings.site.language
    )
    own = [each for each in files if each.material_id == material.id]
    best = (
        wording.choose(
            [each.language for each in own],
            translator.language,
            default=ground.settings.site.language,
        )
        if own
        else ""
    )
    own.sort(key=lambda each: (each.language != best, each.language))
    return Told(
        id=material.id,
        slug=material.slug,
        title=worded["title"] or material.slug,
        description=worded["description"],
        language=worded.language,
        language_note=worded.note,
        copies=tuple(_copy(ground, each, translator) for each in own),
    )


def path(file: MaterialFile) -> str:
    """Where a file of ours is served."""
    return f"{_FILES}{file.digest}/{quote(file.file_name)}"


def by_way_of(url: str, source: Source) -> str:
    """An address of ours, or one with our site before it, that says where it was offered."""
    return f"{bare(url)}?{_FROM}={source.value}"


def bare(url: str) -> str:
    """The address without that."""
    return url.partition("?")[0]


def offered_by(url: str, ground: Ground, source: Source) -> str:
    """A link that says where it was offered if it leads to a file of ours; others stay."""
    return by_way_of(url, source) if url.startswith(ground.url(_FILES)) else url


def source_of(query: Mapping[str, str]) -> Source:
    """Where the address that somebody follows was offered."""
    said = query.get(_FROM, "")
    return Source(said) if said in set(Source) else Source.DIRECT


async def _follow(
    ground: Ground,
    session: AsyncSession,
    material: Material,
    was: Places,
    seen: Mapping[Key, Fields],
) -> None:
    """Note what the languages of a material were left behind by, since it was as it was."""
    now = places(material, await copies(session, [material.id]))
    change = left_behind.Change(before=was, after=now, noted=material.behind, seen=seen)
    material.behind = left_behind.of_thing(change, default=ground.settings.site.language)
    session.add(material)


def _copy(ground: Ground, file: MaterialFile, translator: Translator) -> Copy:
    url = links.absolute(ground, file.url)
    return Copy(
        language=file.language,
        language_name=wording.language_name(file.language, translator),
        url=ground.url(path(file)) if file.digest else url,
        kind=FileKind(file.media_type).suffix.upper() if file.digest else "",
        host="" if file.digest else url.partition("//")[2].partition("/")[0],
    )


async def _put(
    ground: Ground, actor: Actor, material_id: int, language: str, values: dict[str, Any]
) -> MaterialFile:
    wording.check_languages({language: {}}, ground.catalog.languages)
    async with ground.db.transaction() as session:
        material = await get(session, material_id)
        was = places(material, await copies(session, [material_id]))
        await session.execute(
            sa.delete(MaterialFile).where(
                col(MaterialFile.material_id) == material_id,
                col(MaterialFile.language) == language,
            )
        )
        file = MaterialFile(material_id=material_id, language=language, **values)
        session.add(file)
        await session.flush()
        await _follow(ground, session, material, was, {})
        await session.execute(
            tables.insert_for(session, MaterialAddress)
            .values(
                material_id=material_id,
                language=language,
                address=path(file) if file.digest else file.url,
            )
            .on_conflict_do_nothing()
        )
        kept = {name: values[name] for name in ("url", "file_name", "media_type", "digest")}
        after = {"language": language, **kept}
        _record(session, ground, actor, material_id, "material.copy-put", after=after)
    return file


def _check_file(content: bytes) -> tuple[FileKind, bytes, str]:
    kind = filekinds.recognise(content)
    if kind is None or kind not in KINDS:
        raise _refused(N_("Upload a PDF, PNG, JPEG or plain text file."))
    if len(content) > MAX_BYTES:
        raise _refused(N_("This file is too large: at most 10 MB."))
    cleaned = filekinds.without_private_data(content, kind)
    return kind, cleaned, hashlib.sha256(cleaned).hexdigest()


def _refused(msgid: str) -> errors.Invalid:
    return errors.Invalid(msgid, fields={"file": errors.Invalid(msgid)})


def _checked_texts(ground: Ground, texts: Texts) -> dict[str, dict[str, str]]:
    tidied = wording.tidy(texts)
    wording.check_languages(tidied, ground.catalog.languages)
    if not any(fields.get("title") for fields in tidied.values()):
        problem = errors.Invalid(N_("Give it a title in one language at least."))
        name = f"title-{ground.settings.site.language}"
        raise errors.Invalid(problem.msgid, fields={name: problem})
    return tidied


def _seen(material: Material) -> dict[str, Any]:
    return {"slug": material.slug, "position": material.position, "texts": material.texts}


def _record(
    session: AsyncSession,
    ground: Ground,
    actor: Actor,
    material_id: int,
    action: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action=action,
        object_kind="material",
        object_id=material_id,
        before=before,
        after=after,
    )
