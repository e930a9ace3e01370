"""Developments: what happened on an issue, written by staff, read on its page and in bulletins."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import development_drafts, issues, left_behind, links, wording
from campaigns.development_drafts import Draft
from campaigns.left_behind import Fields, Key, Places
from campaigns.models import Development, DevelopmentKind
from campaigns.wording import Texts
from foundation import audit, errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_, Translator
from subscribers.models import Partner

KIND_WORDS = {
    DevelopmentKind.NEWS: N_("News"),
    DevelopmentKind.STATISTIC: N_("Figures"),
    DevelopmentKind.PUBLIC_MEETING: N_("Public meeting"),
    DevelopmentKind.RULING: N_("Ruling"),
    DevelopmentKind.MATERIAL: N_("New material"),
    DevelopmentKind.ACTION: N_("Take action"),
}
PAGE = 30
_MAX_NUMBER = 10**17


@frozen
class Page:
    """A part of the list, newest first; `next_after` asks for what follows."""

    items: Sequence[Development]
    next_after: str | None = None


@frozen
class Told:
    """A development in a reader's language."""

    id: int
    key: str
    kind: DevelopmentKind
    kind_label: str
    happened_on: date
    place: str
    source_name: str
    source_url: str
    headline: str
    summary_html: str
    language: str
    language_note: str


async def add(ground: Ground, *, actor: Actor, issue_id: int, draft: Draft) -> Development:
    """Keep a new development. Raises `errors.Invalid`, `errors.NotFound`."""
    async with ground.db.transaction() as session:
        return await put(ground, session, actor=actor, issue_id=issue_id, draft=draft)


async def put(
    ground: Ground, session: AsyncSession, *, actor: Actor, issue_id: int, draft: Draft
) -> Development:
    """The same in the caller's transaction."""
    values = await development_drafts.checked(ground, draft)
    now = ground.clock.now()
    await issues.get(session, issue_id)
    await _refuse_taken_key(session, values["key"], None)
    await refuse_unknown_partner(session, draft.partner_id)
    development = Development(issue_id=issue_id, created_at=now, updated_at=now, **values)
    session.add(development)
    await session.flush()
    _record(session, ground, actor, development, "development.added", before={})
    return development


async def update(
    ground: Ground,
    *,
    actor: Actor,
    development_id: int,
    version: int,
    draft: Draft,
    seen: Mapping[Key, Fields] | None = None,
) -> Development:
    """Change a development, and note which of its languages are left behind.

    `seen`: what the source said when some of them were written or called right.
    Raises `errors.Conflict` when it is no longer at `version`, `errors.Invalid`, `errors.NotFound`.
    """
    values = await development_drafts.checked(ground, draft)
    async with ground.db.transaction() as session:
        present = await get(session, development_id)
        before = _seen(present)
        change = left_behind.Change(
            before=places(present.texts),
            after=places(values["texts"]),
            noted=present.behind,
            seen=seen or {},
        )
        await _refuse_taken_key(session, values["key"], development_id)
        await refuse_unknown_partner(session, draft.partner_id)
        development = await _claimed(session, ground, development_id, version)
        development.sqlmodel_update(values)
        development.behind = left_behind.of_thing(change, default=ground.settings.site.language)
        session.add(development)
        _record(session, ground, actor, development, "development.updated", before=before)
    return development


async def publish(
    ground: Ground, *, actor: Actor, development_id: int, version: int, is_published: bool = True
) -> Development:
    """Show a development to everybody, or take it back. Raises as `update` does."""
    async with ground.db.transaction() as session:
        before = _seen(await get(session, development_id))
        development = await _claimed(session, ground, development_id, version)
        development.is_published = is_published
        session.add(development)
        action = "development.published" if is_published else "development.withdrawn"
        _record(session, ground, actor, development, action, before=before)
    return development


async def delete(ground: Ground, *, actor: Actor, development_id: int, version: int) -> None:
    """Remove a development; the log keeps what it said. Raises as `update` does."""
    async with ground.db.transaction() as session:
        development = await _claimed(session, ground, development_id, version)
        audit.record(
            session,
            actor=actor,
            at=ground.clock.now(),
            action="development.deleted",
            object_kind="development",
            object_id=development.id,
            before=_seen(development),
        )
        await session.delete(development)


async def get(session: AsyncSession, development_id: int) -> Development:
    """A development by its number. Raises `errors.NotFound`."""
    found = await session.get(Development, development_id)
    if found is None:
        raise errors.NotFound(N_("There is no such development."))
    return found


async def listed(
    session: AsyncSession,
    *,
    issue_id: int,
    is_published: bool | None = None,
    shown_at: datetime | None = None,
    kind: DevelopmentKind | None = None,
    after: str = "",
    limit: int = PAGE,
) -> Page:
    """The developments of an issue, newest first; index `ix_developments_issue_date`.

    `shown_at` asks for those that everybody may see at a moment.
    """
    statement = _newest_first(issue_id)
    if shown_at is not None:
        statement = statement.where(*_is_shown(shown_at))
    if is_published is not None:
        statement = statement.where(col(Development.is_published).is_(is_published))
    if kind is not None:
        statement = statement.where(col(Development.kind) == kind.value)
    last = _cursor(after)
    if last is not None:
        day, number = last
        statement = statement.where(
            sa.or_(
                col(Development.happened_on) < day,
                sa.and_(col(Development.happened_on) == day, col(Development.id) < number),
            )
        )
    found = list((await session.exec(statement.limit(limit + 1))).all())
    is_more = len(found) > limit
    items = found[:limit]
    next_after = f"{items[-1].happened_on.isoformat()}.{items[-1].id}" if is_more else None
    return Page(items=items, next_after=next_after)


async def elsewhere(session: AsyncSession, *, issue_id: int, limit: int) -> list[Development]:
    """What is newest of all other issues; few have so many that it takes an index of its own."""
    statement = (
        select(Development)
        .where(Development.issue_id != issue_id)
        .order_by(col(Development.happened_on).desc(), col(Development.id).desc())
        .limit(limit)
    )
    return list((await session.exec(statement)).all())


async def since(
    session: AsyncSession, *, issue_id: int, day: date, until: date, limit: int, shown_at: datetime
) -> list[Development]:
    """What everybody may see at a moment of the days from `day` to `until`, newest first."""
    statement = _newest_first(issue_id).where(
        *_is_shown(shown_at),
        col(Development.happened_on) >= day,
        col(Development.happened_on) <= until,
    )
    return list((await session.exec(statement.limit(limit))).all())


async def chosen(session: AsyncSession, keys: Sequence[str | int]) -> list[Development]:
    """Developments by key or number, in that order, unpublished ones too.

    Raises `errors.Invalid` that names those which are not there.
    """
    by_name = await named(session, keys)
    missing = [str(key) for key in keys if key not in by_name]
    if missing:
        raise errors.Invalid(
            N_("There is no development called %(keys)s."),
            keys=", ".join(f"“{key[:60]}”" for key in missing[:5]),
        )
    return list({by_name[key].id: by_name[key] for key in keys}.values())


async def known(session: AsyncSession, keys: Sequence[str | int]) -> list[Development]:
    """The same, without those that are not there."""
    by_name = await named(session, keys)
    return list({by_name[key].id: by_name[key] for key in keys if key in by_name}.values())


async def named(session: AsyncSession, keys: Sequence[str | int]) -> dict[str | int, Development]:
    """Key, or number as a number or text → the development; those that are not there are not."""
    names = [key for key in keys if isinstance(key, str)]
    numbers = [key for key in keys if isinstance(key, int) and 0 < key < _MAX_NUMBER]
    # A form sends numbers as text; a key of digits only would still be found first.
    numbers += [int(key) for key in names if key.isascii() and key.isdigit() and len(key) < 18]
    statement = select(Development).where(
        sa.or_(col(Development.key).in_(names), col(Development.id).in_(numbers))
    )
    found = (await session.exec(statement)).all()
    by_name: dict[str | int, Development] = {str(each.id): each for each in found}
    by_name |= {each.id: each for each in found}
    by_name |= {each.key: each for each in found if each.key}
    return by_name


async def partner_names(session: AsyncSession, numbers: Sequence[int]) -> dict[int | None, str]:
    """What some partners are called, by number."""
    if not numbers:
        return {}
    statement = sa.select(col(Partner.id), col(Partner.name)).where(col(Partner.id).in_(numbers))
    return dict((await session.execute(statement)).all())


def places(texts: Texts) -> Places:
    """The words of a development as `left_behind.py` compares them."""
    return {
        left_behind.WORDS: {
            code: left_behind.filled(
                {"headline": each.get("headline", ""), "summary_html": each.get("summary", "")}
            )
            for code, each in texts.items()
            if each.get("headline")
        }
    }


def is_held(development: Development, now: datetime) -> bool:
    """Whether nobody but staff may see it yet, published or not."""
    return development.not_before is not None and development.not_before > now


def tell(ground: Ground, development: Development, translator: Translator) -> Told:
    """A development in a reader's language, with links that lead somewhere."""
    worded = wording.pick(
        development.texts, translator, need="headline", default=ground.settings.site.language
    )
    kind = DevelopmentKind(development.kind)
    return Told(
        id=development.id,
        key=development.key or "",
        kind=kind,
        kind_label=translator.gettext(KIND_WORDS[kind]),
        happened_on=development.happened_on,
        place=development.place,
        source_name=development.source_name,
        source_url=links.absolute(ground, development.source_url),
        headline=worded["headline"],
        summary_html=links.absolute_html(ground, worded["summary"]),
        language=worded.language,
        language_note=worded.note,
    )


def _is_shown(now: datetime) -> list[sa.ColumnElement[bool]]:
    held_until = col(Development.not_before)
    return [
        col(Development.is_published).is_(True),
        sa.or_(held_until.is_(None), held_until <= now),
    ]


def _newest_first(issue_id: int) -> Any:
    return (
        select(Development)
        .where(Development.issue_id == issue_id)
        .order_by(col(Development.happened_on).desc(), col(Development.id).desc())
    )


def _cursor(after: str) -> tuple[date, int] | None:
    day, _, number = after.partition(".")
    if not (number.isascii() and number.isdigit() and len(number) < 18):
        return None
    try:
        return date.fromisoformat(day), int(number)
    except ValueError:
        return None


async def refuse_unknown_partner(session: AsyncSession, partner_id: int | None) -> None:
    """Raise `errors.Invalid` when there is no partner of this number."""
    if partner_id is not None and await session.get(Partner, partner_id) is None:
        problem = errors.Invalid(N_("There is no such partner."))
        raise errors.Invalid(problem.msgid, fields={"partner_id": problem})


async def _refuse_taken_key(session: AsyncSession, key: str | None, own_id: int | None) -> None:
    if key is None:
        return
    holder = (await session.exec(select(Development.id).where(Development.key == key))).first()
    if holder is not None and holder != own_id:
        problem = errors.Invalid(N_("Another development has this name already."))
        raise errors.Invalid(problem.msgid, fields={"key": problem})


async def _claimed(
    session: AsyncSession, ground: Ground, development_id: int, version: int
) -> Development:
    """The development, its version counted up, if nobody else was faster."""
    development = await get(session, development_id)
    claimed = await session.execute(
        sa.update(Development)
        .where(col(Development.id) == development_id, col(Development.version) == version)
        .values(version=version + 1, updated_at=ground.clock.now())
        .returning(col(Development.id))
    )
    if claimed.first() is None:
        raise errors.Conflict(
            N_(
                "Somebody else changed this development meanwhile. Nothing was overwritten: "
                "what you wrote is still here."
            )
        )
    await session.refresh(development)
    return development


def _seen(development: Development) -> dict[str, Any]:
    return {
        "key": development.key,
        "kind": development.kind,
        "happened_on": development.happened_on.isoformat(),
        "place": development.place,
        "postal_code": development.postal_code,
        "miles": development.miles,
        "source_name": development.source_name,
        "source_url": development.source_url,
        "is_published": development.is_published,
        "not_before": development.not_before.isoformat() if development.not_before else None,
        "is_pinned": development.is_pinned,
        "partner_id": development.partner_id,
        "texts": development.texts,
    }


def _record(
    session: AsyncSession,
    ground: Ground,
    actor: Actor,
    development: Development,
    action: str,
    *,
    before: dict[str, Any],
) -> None:
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action=action,
        object_kind="development",
        object_id=development.id,
        before=before,
        after=_seen(development),
    )
