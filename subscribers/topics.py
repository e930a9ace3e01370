"""What people can subscribe to: issues, topics across issues, and the hidden one of members."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import errors, i18n, tables
from foundation.i18n import N_
from subscribers.models import Topic, TopicKind

Texts = Mapping[str, Mapping[str, str]]
"""Language → {name, description}."""


async def ensure(
    session: AsyncSession,
    *,
    slug: str,
    kind: TopicKind,
    texts: Texts,
    now: datetime,
    position: int | None = None,
    is_public: bool | None = None,
) -> Topic:
    """The topic `slug`, made when it is not there; one that is there stays as it is.

    The members' topic is never public. New ones come last unless `position` says where.
    """
    shown = kind is not TopicKind.MEMBERS and is_public is not False
    last = await session.scalar(sa.select(sa.func.max(col(Topic.position))))
    await session.execute(
        tables.insert_for(session, Topic)
        .values(
            slug=slug,
            kind=kind.value,
            is_public=shown,
            position=(last or 0) + 1 if position is None else position,
            texts={language: dict(text) for language, text in texts.items()},
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["slug"])
    )
    return (await session.exec(select(Topic).where(Topic.slug == slug))).one()


async def retitle(session: AsyncSession, *, slug: str, texts: Texts) -> None:
    """Give a topic other names and descriptions, such as when its issue was renamed."""
    await session.execute(
        sa.update(Topic)
        .where(col(Topic.slug) == slug)
        .values(texts={language: dict(text) for language, text in texts.items()})
    )


async def public(session: AsyncSession) -> list[Topic]:
    """What is offered to everybody, in order."""
    statement = (
        select(Topic)
        .where(col(Topic.is_public).is_(True))
        .order_by(col(Topic.position), col(Topic.id))
    )
    return list((await session.exec(statement)).all())


async def everything(session: AsyncSession) -> list[Topic]:
    """All topics, hidden ones too, in order."""
    return list(
        (await session.exec(select(Topic).order_by(col(Topic.position), col(Topic.id)))).all()
    )


async def by_slugs(session: AsyncSession, slugs: Sequence[str]) -> list[Topic]:
    """The topics of these names, in that order, each once.

    Raises `errors.Invalid` that names those which are not there.
    """
    wanted = list(dict.fromkeys(slugs))
    if not wanted:
        return []
    found = await session.exec(select(Topic).where(col(Topic.slug).in_(wanted)))
    by_slug = {topic.slug: topic for topic in found}
    missing = [slug for slug in wanted if slug not in by_slug]
    if missing:
        raise unknown(missing)
    return [by_slug[slug] for slug in wanted]


def unknown(slugs: Sequence[str]) -> errors.Invalid:
    """What is said of topics that are not there, or not for everybody."""
    problem = errors.Invalid(
        N_("There is no topic called %(topics)s."),
        topics=", ".join(f"“{slug[:60]}”" for slug in slugs[:5]),
    )
    return errors.Invalid(problem.msgid, fields={"topic": problem}, **problem.values)


def name(topic: Topic, language: str, *, default: str = i18n.SOURCE) -> str:
    """What a topic is called in a reader's language, or the nearest that it has a name in."""
    return _text(topic, language, "name", default) or topic.slug


def description(topic: Topic, language: str, *, default: str = i18n.SOURCE) -> str:
    """What a topic is about, in a reader's language."""
    return _text(topic, language, "description", default)


def names(found: Sequence[Topic], language: str, *, default: str = i18n.SOURCE) -> str:
    """Topics by name, joined for a sentence or a mail."""
    return ", ".join(name(topic, language, default=default) for topic in found)


def _text(topic: Topic, language: str, part: str, default: str) -> str:
    """Exact → base → `default` → whatever there is."""
    there = [code for code, text in topic.texts.items() if text.get(part)]
    if not there:
        return ""
    ordered = sorted(there, key=lambda code: (code != default, code))
    return topic.texts[i18n.match(language, ordered)][part]
