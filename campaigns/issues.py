"""Issues: the causes that people follow, the parts of their pages, and who changed them when.

Staff's pages, the API and the demo call the verbs; `issue_page.py` makes what readers see. Making
an issue makes the topic that supporters subscribe to.
"""

import re
from collections.abc import Sequence
from dataclasses import field as dataclass_field
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import links, wording
from campaigns.models import Issue, IssuePart, PartKind
from campaigns.wording import Texts
from foundation import audit, errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import topics
from subscribers.models import Topic, TopicKind

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_RESERVED = frozenset({"new", "feed"})
MAX_SLUG = 80


@frozen
class PartDraft:
    """A part of an issue's page as staff wrote it."""

    kind: PartKind
    texts: Texts
    key: str = ""
    value: str = ""
    """The number of a figure, such as `53%`."""
    url: str = ""
    source_name: str = ""
    source_url: str = ""


@frozen
class IssueDraft:
    """An issue as staff wrote it."""

    texts: Texts = dataclass_field(default_factory=dict)
    is_published: bool = False
    position: int = 0


async def create(ground: Ground, *, actor: Actor, slug: str, draft: IssueDraft) -> Issue:
    """Make an issue and its topic. Raises `errors.Invalid`."""
    slug = check_slug(slug)
    texts = _checked_texts(ground, draft.texts)
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        if (await session.exec(select(Issue.id).where(Issue.slug == slug))).first() is not None:
            problem = errors.Invalid(N_("There is an issue of this name already."))
            raise errors.Invalid(problem.msgid, fields={"slug": problem})
        topic = await topics.ensure(
            session,
            slug=slug,
            kind=TopicKind.ISSUE,
            texts=_topic_texts(texts),
            now=now,
            is_public=draft.is_published,
        )
        issue = Issue(
            slug=slug,
            topic_id=topic.id,
            position=draft.position,
            is_published=draft.is_published,
            texts=texts,
            created_at=now,
            updated_at=now,
        )
        session.add(issue)
        await session.flush()
        await _offer_topic(session, issue, is_public=draft.is_published)
        audit.record(
            session,
            actor=actor,
            at=now,
            action="issue.created",
            object_kind="issue",
            object_id=issue.id,
            after=_seen(issue),
        )
    return issue


async def update(
    ground: Ground, *, actor: Actor, issue_id: int, version: int, draft: IssueDraft
) -> Issue:
    """Change title, summary, place and publication.

    Raises `errors.Conflict` when it is no longer at `version`, `errors.Invalid`, `errors.NotFound`.
    """
    texts = _checked_texts(ground, draft.texts)
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        issue = await _claimed(session, ground, issue_id, version)
        before = _seen(issue)
        issue.texts = texts
        issue.is_published = draft.is_published
        issue.position = draft.position
        session.add(issue)
        await topics.retitle(session, slug=issue.slug, texts=_topic_texts(texts))
        await _offer_topic(session, issue, is_public=draft.is_published)
        audit.record(
            session,
            actor=actor,
            at=now,
            action="issue.updated",
            object_kind="issue",
            object_id=issue.id,
            before=before,
            after=_seen(issue),
        )
    return issue


async def save_part(
    ground: Ground,
    *,
    actor: Actor,
    issue_id: int,
    version: int,
    draft: PartDraft,
    part_id: int | None = None,
) -> IssuePart:
    """Add a part at the end of its kind, or change one. Raises as `update` does."""
    values = _checked_part(ground, draft)
    async with ground.db.transaction() as session:
        await _claimed(session, ground, issue_id, version)
        if part_id is None:
            part = await _new_part(session, issue_id, values)
            before: dict[str, Any] = {}
        else:
            part = await _part(session, issue_id, part_id)
            before = _part_seen(part)
            part.sqlmodel_update(values)
            session.add(part)
            await session.flush()
        _record_part(session, ground, actor, issue_id, "issue.part-saved", before, _part_seen(part))
    return part


async def delete_part(
    ground: Ground, *, actor: Actor, issue_id: int, version: int, part_id: int
) -> None:
    """Take a part off the page; the log keeps what it said. Raises as `update` does."""
    async with ground.db.transaction() as session:
        await _claimed(session, ground, issue_id, version)
        part = await _part(session, issue_id, part_id)
        _record_part(session, ground, actor, issue_id, "issue.part-deleted", _part_seen(part), {})
        await session.delete(part)


async def move_part(
    ground: Ground, *, actor: Actor, issue_id: int, version: int, part_id: int, by: int
) -> None:
    """Exchange a part with the one above (`by=-1`) or below (`by=1`) of its kind."""
    async with ground.db.transaction() as session:
        await _claimed(session, ground, issue_id, version)
        part = await _part(session, issue_id, part_id)
        row = [each for each in await parts(session, issue_id) if each.kind == part.kind]
        place = next(index for index, each in enumerate(row) if each.id == part_id)
        target = place + by
        if 0 <= target < len(row):
            row[place], row[target] = row[target], row[place]
        for index, each in enumerate(row):
            each.position = index
            session.add(each)
        moved = {"key": part.key, "kind": part.kind}
        _record_part(
            session,
            ground,
            actor,
            issue_id,
            "issue.part-moved",
            {**moved, "position": place},
            {**moved, "position": part.position},
        )


async def replace_parts(
    ground: Ground, *, actor: Actor, issue_id: int, drafts: Sequence[PartDraft]
) -> None:
    """Set all parts of a page at once, in order; for imports and samples."""
    checked = [_checked_part(ground, draft) for draft in drafts]
    async with ground.db.transaction() as session:
        issue = await get(session, issue_id)
        await _claimed(session, ground, issue_id, issue.version)
        await session.execute(sa.delete(IssuePart).where(col(IssuePart.issue_id) == issue_id))
        for position, values in enumerate(checked):
            session.add(IssuePart(issue_id=issue_id, position=position, **values))
        after = {"parts": len(checked)}
        _record_part(session, ground, actor, issue_id, "issue.parts-replaced", {}, after)


async def get(session: AsyncSession, issue_id: int) -> Issue:
    """An issue by its number. Raises `errors.NotFound`."""
    issue = await session.get(Issue, issue_id)
    if issue is None:
        raise errors.NotFound(N_("There is no such issue."))
    return issue


async def by_slug(session: AsyncSession, slug: str) -> Issue:
    """An issue by its name. Raises `errors.NotFound`."""
    issue = (await session.exec(select(Issue).where(Issue.slug == slug))).first()
    if issue is None:
        raise errors.NotFound(N_("There is no issue called “%(slug)s”."), slug=slug[:80])
    return issue


async def everything(session: AsyncSession, *, is_published: bool | None = None) -> list[Issue]:
    """All issues in order, or only those that are (not) published."""
    statement = select(Issue).order_by(col(Issue.position), col(Issue.id))
    if is_published is not None:
        statement = statement.where(col(Issue.is_published).is_(is_published))
    return list((await session.exec(statement)).all())


async def parts(session: AsyncSession, issue_id: int) -> list[IssuePart]:
    """All parts of an issue's page, in order."""
    statement = (
        select(IssuePart)
        .where(IssuePart.issue_id == issue_id)
        .order_by(col(IssuePart.position), col(IssuePart.id))
    )
    return list((await session.exec(statement)).all())


def title(ground: Ground, issue: Issue, language: str) -> str:
    """What an issue is called in a reader's language."""
    worded = wording.pick(
        issue.texts,
        ground.translator(language),
        need="title",
        default=ground.settings.site.language,
    )
    return worded["title"] or issue.slug


def check_slug(slug: str, *, field: str = "slug") -> str:
    """A name that can stand in an address. Raises `errors.Invalid` on `field`."""
    slug = slug.strip().lower()
    if not _SLUG.fullmatch(slug) or len(slug) > MAX_SLUG or slug in _RESERVED:
        problem = errors.Invalid(N_("Use small letters, digits and hyphens, such as clean-water."))
        raise errors.Invalid(problem.msgid, fields={field: problem})
    return slug


def _checked_texts(ground: Ground, texts: Texts) -> dict[str, dict[str, str]]:
    tidied = wording.tidy(texts)
    wording.check_languages(tidied, ground.catalog.languages)
    if not any(fields.get("title") for fields in tidied.values()):
        problem = errors.Invalid(N_("Give it a title in one language at least."))
        name = f"title-{ground.settings.site.language}"
        raise errors.Invalid(problem.msgid, fields={name: problem})
    return tidied


def _checked_part(ground: Ground, draft: PartDraft) -> dict[str, Any]:
    texts = wording.tidy(
        {
            code: {
                name: links.clean(text) if name == "body" else text for name, text in each.items()
            }
            for code, each in draft.texts.items()
        }
    )
    wording.check_languages(texts, ground.catalog.languages)
    if not texts:
        problem = errors.Invalid(N_("Write something in one language at least."))
        name = f"title-{ground.settings.site.language}"
        raise errors.Invalid(problem.msgid, fields={name: problem})
    if draft.kind is PartKind.FIGURE and not draft.value.strip():
        problem = errors.Invalid(N_("Fill this in."))
        raise errors.Invalid(problem.msgid, fields={"value": problem})
    return {
        "kind": draft.kind.value,
        "key": draft.key.strip(),
        "value": draft.value.strip(),
        "url": links.check(draft.url, field="url"),
        "source_name": draft.source_name.strip(),
        "source_url": links.check(draft.source_url, field="source_url"),
        "texts": texts,
    }


async def _claimed(session: AsyncSession, ground: Ground, issue_id: int, version: int) -> Issue:
    """The issue, its version counted up, if nobody else was faster."""
    issue = await get(session, issue_id)
    claimed = await session.execute(
        sa.update(Issue)
        .where(col(Issue.id) == issue_id, col(Issue.version) == version)
        .values(version=version + 1, updated_at=ground.clock.now())
        .returning(col(Issue.id))
    )
    if claimed.first() is None:
        raise errors.Conflict(
            N_(
                "Somebody else changed this issue meanwhile. Nothing was overwritten: "
                "what you wrote is still here, and the page below shows what is kept now."
            )
        )
    await session.refresh(issue)
    return issue


async def _new_part(session: AsyncSession, issue_id: int, values: dict[str, Any]) -> IssuePart:
    last = await session.scalar(
        sa.select(sa.func.max(col(IssuePart.position))).where(
            col(IssuePart.issue_id) == issue_id, col(IssuePart.kind) == values["kind"]
        )
    )
    part = IssuePart(issue_id=issue_id, position=0 if last is None else last + 1, **values)
    session.add(part)
    await session.flush()
    return part


async def _part(session: AsyncSession, issue_id: int, part_id: int) -> IssuePart:
    part = await session.get(IssuePart, part_id)
    if part is None or part.issue_id != issue_id:
        raise errors.NotFound(N_("This part of the page is no longer there."))
    return part


async def _offer_topic(session: AsyncSession, issue: Issue, *, is_public: bool) -> None:
    """The topic is offered on forms while its issue is published."""
    await session.execute(
        sa.update(Topic)
        .where(col(Topic.id) == issue.topic_id, col(Topic.kind) == TopicKind.ISSUE.value)
        .values(is_public=is_public)
    )


def _topic_texts(texts: Texts) -> dict[str, dict[str, str]]:
    return {
        code: {"name": fields["title"], "description": fields.get("summary", "")}
        for code, fields in texts.items()
        if fields.get("title")
    }


def _seen(issue: Issue) -> dict[str, Any]:
    return {
        "slug": issue.slug,
        "texts": issue.texts,
        "is_published": issue.is_published,
        "position": issue.position,
    }


def _part_seen(part: IssuePart) -> dict[str, Any]:
    return {
        "part": part.id,
        "kind": part.kind,
        "key": part.key,
        "value": part.value,
        "url": part.url,
        "source_name": part.source_name,
        "source_url": part.source_url,
        "texts": part.texts,
    }


def _record_part(
    session: AsyncSession,
    ground: Ground,
    actor: Actor,
    issue_id: int,
    action: str,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action=action,
        object_kind="issue",
        object_id=issue_id,
        before=before,
        after=after,
    )
