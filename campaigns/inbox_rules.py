"""Rules of the inbox: words in a story say its kind, its place, its issue, or that it is dropped.

Rules are asked in their order. Of what several say, the first that says it counts; one that drops
ends it. What a story brings along itself, a kind or a place, stays. Staff's pages, the API and the
command line call these; `incoming.py` asks `judge` about everything that comes in.
"""

from collections.abc import Sequence
from dataclasses import field
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import feed_reading, issues, words_in
from campaigns.inbox_models import InboxRule
from campaigns.models import DevelopmentKind
from foundation import audit, errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

MOST = 200
USUAL: dict[DevelopmentKind, tuple[str, ...]] = {
    DevelopmentKind.PUBLIC_MEETING: (
        "public hearing", "public meeting", "town hall meeting", "listening session",
        "audiencia pública", "reunión pública", "asamblea", "cabildo abierto",
    ),
    DevelopmentKind.RULING: (
        "court", "judge", "judges", "ruling", "ruled", "lawsuit", "appeals",
        "tribunal", "juez", "jueza", "fallo", "sentencia", "demanda",
    ),
    DevelopmentKind.STATISTIC: (
        "percent", "statistics", "new data", "figures", "por ciento", "estadísticas", "cifras",
    ),
    DevelopmentKind.MATERIAL: ("flyer", "handout", "toolkit", "fact sheet", "folleto", "volante"),
    DevelopmentKind.ACTION: ("petition", "call your", "petición", "llame a su"),
}  # fmt: skip
"""Words by which stories mostly tell their kind, to begin with."""


@frozen
class RuleDraft:
    """A rule as staff write it."""

    words: Sequence[str]
    issue_id: int | None = None
    is_headline_only: bool = False
    kind: DevelopmentKind | None = None
    place: str = ""
    to_issue_id: int | None = None
    is_drop: bool = False


@frozen
class Match:
    """A rule that fits a story, and by which word."""

    rule: InboxRule
    word: str


@frozen
class Verdict:
    """What the rules make of a story; blank and None: they don't say."""

    kind: DevelopmentKind | None = None
    place: str = ""
    issue_id: int | None = None
    dropped_by: Match | None = None
    matches: Sequence[Match] = field(default_factory=tuple)


def judge(
    rules: Sequence[InboxRule], *, headline: str, summary: str, issue_id: int | None
) -> Verdict:
    """What rules, in their order, make of a story for an issue. Pure."""
    whole = f"{headline}\n{feed_reading.plain(summary)}"
    kind, place, to_issue_id = "", "", None
    matches: list[Match] = []
    dropped_by = None
    for rule in rules:
        if rule.issue_id is not None and rule.issue_id != issue_id:
            continue
        word = words_in.first(headline if rule.is_headline_only else whole, rule.words)
        if not word:
            continue
        match = Match(rule=rule, word=word)
        matches.append(match)
        if rule.is_drop:
            dropped_by = match
            break
        kind, place = kind or rule.kind, place or rule.place
        to_issue_id = to_issue_id or rule.to_issue_id
    return Verdict(
        kind=DevelopmentKind(kind) if kind else None,
        place=place,
        issue_id=to_issue_id,
        dropped_by=dropped_by,
        matches=matches,
    )


async def everything(session: AsyncSession) -> Sequence[InboxRule]:
    """All rules in their order; they are few."""
    statement = select(InboxRule).order_by(col(InboxRule.position), col(InboxRule.id)).limit(MOST)
    return (await session.exec(statement)).all()


async def get(session: AsyncSession, rule_id: int) -> InboxRule:
    """A rule by its number. Raises `errors.NotFound`."""
    rule = await session.get(InboxRule, rule_id)
    if rule is None:
        raise errors.NotFound(N_("There is no such rule."))
    return rule


async def add(ground: Ground, *, actor: Actor, draft: RuleDraft) -> InboxRule:
    """Keep a new rule, after those that are there. Raises `errors.Invalid`, `errors.NotFound`."""
    values = _checked(draft)
    async with ground.db.transaction() as session:
        await _check_issues(session, draft)
        return await _put(ground, session, actor, values)


async def add_usual(ground: Ground, *, actor: Actor) -> int:
    """Keep the rules that are mostly wanted, where there are none; says how many those are."""
    async with ground.db.transaction() as session:
        if await everything(session):
            raise errors.Refused(N_("There are rules already."))
        for kind, words in USUAL.items():
            await _put(ground, session, actor, _checked(RuleDraft(words=words, kind=kind)))
    return len(USUAL)


async def update(
    ground: Ground, *, actor: Actor, rule_id: int, version: int, draft: RuleDraft
) -> InboxRule:
    """Change a rule that was seen at `version`; what came in before stays as it is.

    Raises `errors.Conflict` when it is no longer at `version`, `errors.Invalid`, `errors.NotFound`.
    """
    values = _checked(draft)
    async with ground.db.transaction() as session:
        await _check_issues(session, draft)
        rule = await get(session, rule_id)
        before = _seen(rule)
        await _claim(ground, session, rule, version)
        rule.sqlmodel_update(values)
        session.add(rule)
        _note(session, ground, actor, rule.id, "updated", before=before, after=_seen(rule))
    return rule


async def move(ground: Ground, *, actor: Actor, rule_id: int, by: int) -> None:
    """Ask a rule one sooner (`by` -1) or later (1). Raises `errors.NotFound`."""
    async with ground.db.transaction() as session:
        rule = await get(session, rule_id)
        ordered = list(await everything(session))
        place = next(n for n, each in enumerate(ordered) if each.id == rule.id)
        other = place + by
        if not 0 <= other < len(ordered):
            return
        before = {"position": place}
        ordered[place], ordered[other] = ordered[other], ordered[place]
        for position, each in enumerate(ordered):
            each.position = position
            session.add(each)
        _note(session, ground, actor, rule.id, "moved", before=before, after={"position": other})


async def remove(ground: Ground, *, actor: Actor, rule_id: int, version: int) -> None:
    """Take a rule away. Raises as `update` does."""
    async with ground.db.transaction() as session:
        rule = await get(session, rule_id)
        before = _seen(rule)
        await _claim(ground, session, rule, version)
        await session.delete(rule)
        _note(session, ground, actor, rule_id, "removed", before=before, after={})


def _checked(draft: RuleDraft) -> dict[str, Any]:
    words = words_in.checked(draft.words, field="words")
    place = " ".join(draft.place.split())[:120]
    problem = None
    if not words:
        problem = ("words", errors.Invalid(N_("Write one word at least.")))
    elif not (draft.kind or place or draft.to_issue_id or draft.is_drop):
        problem = ("kind", errors.Invalid(N_("Say what is made of such a story.")))
    if problem is not None:
        name, said = problem
        raise errors.Invalid(said.msgid, fields={name: said})
    return {
        "issue_id": draft.issue_id,
        "words": words,
        "is_headline_only": draft.is_headline_only,
        "kind": draft.kind.value if draft.kind else "",
        "place": place,
        "to_issue_id": draft.to_issue_id,
        "is_drop": draft.is_drop,
    }


async def _check_issues(session: AsyncSession, draft: RuleDraft) -> None:
    for number in (draft.issue_id, draft.to_issue_id):
        if number is not None:
            await issues.get(session, number)


async def _put(
    ground: Ground, session: AsyncSession, actor: Actor, values: dict[str, Any]
) -> InboxRule:
    present = await everything(session)
    if len(present) >= MOST:
        raise errors.Refused(N_("At most %(most)s rules."), most=MOST)
    now = ground.clock.now()
    rule = InboxRule(
        position=present[-1].position + 1 if present else 0,
        created_by=actor.label,
        created_at=now,
        updated_at=now,
        **values,
    )
    session.add(rule)
    await session.flush()
    _note(session, ground, actor, rule.id, "added", before={}, after=_seen(rule))
    return rule


async def _claim(ground: Ground, session: AsyncSession, rule: InboxRule, version: int) -> None:
    claimed = await session.execute(
        sa.update(InboxRule)
        .where(col(InboxRule.id) == rule.id, col(InboxRule.version) == version)
        .values(version=version + 1, updated_at=ground.clock.now())
        .returning(col(InboxRule.id))
    )
    if claimed.first() is None:
        raise errors.Conflict(
            N_("Somebody else changed this rule meanwhile. Nothing was overwritten.")
        )
    await session.refresh(rule)


def _seen(rule: InboxRule) -> dict[str, Any]:
    return {
        "issue_id": rule.issue_id,
        "words": rule.words,
        "is_headline_only": rule.is_headline_only,
        "kind": rule.kind,
        "place": rule.place,
        "to_issue_id": rule.to_issue_id,
        "is_drop": rule.is_drop,
    }


def _note(
    session: AsyncSession,
    ground: Ground,
    actor: Actor,
    rule_id: int,
    what: str,
    *,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action=f"inbox_rule.{what}",
        object_kind="inbox_rule",
        object_id=rule_id,
        before=before,
        after=after,
    )
