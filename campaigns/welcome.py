"""The welcome of a topic: what comes to people who are new to it, kept and switched by staff.

Staff's pages, the API and the command line call these; `welcome_sending` lets it happen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audiences, bulletins, welcome_content, wording
from campaigns.welcome_content import Ready
from campaigns.welcome_models import (
    ReaderState,
    StepKind,
    StopReason,
    Welcome,
    WelcomeReader,
    WelcomeStep,
)
from campaigns.wording import Texts
from delivery import message
from foundation import audit, errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import topics
from subscribers.models import Subscriber, Topic

MAX_STEPS = 12
MAX_DAYS = 365
_LONGEST = {"subject": 300, "lead": 4000}


@frozen
class StepDraft:
    """A step as staff wrote it."""

    kind: StepKind
    object_id: int
    """The issue, material or bulletin."""
    days: int
    hour: int = 9
    texts: Texts = field(default_factory=dict)
    """Language → {subject, lead}, for an explainer or a handout."""


@frozen
class Line:
    """A topic in the list: its welcome, if it has one."""

    topic: Topic
    welcome: Welcome | None
    steps: int
    going: int
    """People who are in the middle of it."""


@frozen
class View:
    """A topic's welcome with its steps, each with what it says now."""

    topic: Topic
    welcome: Welcome | None
    steps: Sequence[WelcomeStep]
    """In the order in which they come."""
    removed: Sequence[WelcomeStep]
    content: Mapping[int, Ready]
    """Step → what it says, and what should be looked at."""

    @property
    def version(self) -> int:
        """What a change has to name; 0 while nothing is kept."""
        return self.welcome.version if self.welcome else 0

    @property
    def on_since(self) -> Mapping[str, datetime]:
        """Language → since when it is on."""
        kept = self.welcome.on_since if self.welcome else {}
        return {code: datetime.fromisoformat(since) for code, since in kept.items()}


async def listed(ground: Ground) -> Sequence[Line]:
    """Every topic, with its welcome."""
    async with ground.db.reading() as session:
        kept = {each.topic_id: each for each in (await session.exec(select(Welcome))).all()}
        steps = await _counted(
            session, col(WelcomeStep.welcome_id), col(WelcomeStep.removed_at).is_(None)
        )
        going = await _counted(
            session,
            col(WelcomeReader.welcome_id),
            col(WelcomeReader.state) == ReaderState.GOING.value,
        )
        found = await topics.everything(session)
    numbers = {each.id: kept[each.id].id if each.id in kept else 0 for each in found}
    return [
        Line(
            topic=each,
            welcome=kept.get(each.id),
            steps=steps.get(numbers[each.id], 0),
            going=going.get(numbers[each.id], 0),
        )
        for each in found
    ]


async def show(ground: Ground, *, topic: str) -> View:
    """A topic's welcome. Raises `errors.NotFound` for an unknown topic."""
    async with ground.db.reading() as session:
        found = await _topic(session, topic)
        welcome = await _of_topic(session, found.id)
        steps = await _steps(session, welcome.id) if welcome else []
        there = [each for each in steps if each.removed_at is None]
        return View(
            topic=found,
            welcome=welcome,
            steps=there,
            removed=[each for each in steps if each.removed_at is not None],
            content={
                each.id: await welcome_content.ready(ground, session, topic=found, step=each)
                for each in there
            },
        )


async def troubled(session: AsyncSession) -> Sequence[tuple[WelcomeStep, str]]:
    """Steps that people wait for because they can't be made, each with its topic's slug."""
    statement = (
        select(WelcomeStep, Topic.slug)
        .join(Welcome, col(Welcome.id) == col(WelcomeStep.welcome_id))
        .join(Topic, col(Topic.id) == col(Welcome.topic_id))
        .where(col(WelcomeStep.problem_since).is_not(None), col(WelcomeStep.removed_at).is_(None))
        .order_by(col(WelcomeStep.problem_since))
        .limit(20)
    )
    return (await session.exec(statement)).all()


async def kept(session: AsyncSession, topic: str) -> tuple[Welcome | None, Sequence[WelcomeStep]]:
    """A topic's welcome with all its steps, removed ones too. Raises `errors.NotFound`."""
    found = await _topic(session, topic)
    welcome = await _of_topic(session, found.id)
    return welcome, await _steps(session, welcome.id) if welcome else []


async def content(ground: Ground, *, topic: str, step_id: int) -> tuple[WelcomeStep, Ready]:
    """A step that was not removed, with what it says. Raises `errors.NotFound`."""
    async with ground.db.reading() as session:
        found = await _topic(session, topic)
        welcome = await _of_topic(session, found.id)
        step = await _step(session, welcome, step_id)
        return step, await welcome_content.ready(ground, session, topic=found, step=step)


async def add_step(
    ground: Ground, *, actor: Actor, topic: str, version: int, draft: StepDraft
) -> WelcomeStep:
    """A new step; people whose day for it has passed already don't get it.

    Raises `errors.Invalid`, `errors.NotFound` for an unknown topic, and `errors.Conflict` when the
    welcome is no longer at `version`.
    """
    values = _checked(ground, draft)
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        found = await _topic(session, topic)
        welcome = await _claimed(ground, session, found, version)
        if len([each for each in await _steps(session, welcome.id) if not each.removed_at]) >= (
            MAX_STEPS
        ):
            raise errors.Refused(N_("A welcome has %(most)s steps at most."), most=MAX_STEPS)
        values |= await _object(ground, session, draft)
        step = WelcomeStep(welcome_id=welcome.id, created_at=now, **values)
        session.add(step)
        await session.flush()
        await _look_again(ground, session, welcome)
        _note(session, ground, actor, welcome, "step-added", after={"step": step.id, **values})
    return step


async def change_step(
    ground: Ground, *, actor: Actor, topic: str, version: int, step_id: int, draft: StepDraft
) -> WelcomeStep:
    """Change a step; whoever did not get it yet gets it as it is then. Raises as `add_step`."""
    values = _checked(ground, draft)
    async with ground.db.transaction() as session:
        found = await _topic(session, topic)
        welcome = await _claimed(ground, session, found, version)
        step = await _step(session, welcome, step_id)
        values |= await _object(ground, session, draft)
        before = {name: getattr(step, name) for name in values}
        for name, value in values.items():
            setattr(step, name, value)
        step.problem_since, step.problem_texts = None, {}
        session.add(step)
        await session.flush()
        await _look_again(ground, session, welcome)
        _note(
            session, ground, actor, welcome, "step-changed",
            before={"step": step.id, **before}, after={"step": step.id, **values},
        )  # fmt: skip
    return step


async def remove_step(
    ground: Ground, *, actor: Actor, topic: str, version: int, step_id: int
) -> None:
    """Send a step no more; whoever is in the middle goes on with the next. Raises as `add_step`."""
    async with ground.db.transaction() as session:
        found = await _topic(session, topic)
        welcome = await _claimed(ground, session, found, version)
        step = await _step(session, welcome, step_id)
        step.removed_at = ground.clock.now()
        session.add(step)
        await session.flush()
        await _look_again(ground, session, welcome)
        removed = {"step": step.id, "kind": step.kind, "name": step.name}
        _note(session, ground, actor, welcome, "step-removed", before=removed)


async def switch(
    ground: Ground, *, actor: Actor, topic: str, version: int, languages: Sequence[str]
) -> Welcome:
    """Have it on in these languages, and off in all others.

    From then on it begins for whoever confirms; nobody who confirmed before gets it. Switched off,
    it ends for whoever is in the middle of it. Raises `errors.Refused` when there is no step or one
    can't go out, else as `add_step`.
    """
    wording.check_languages({code: {} for code in languages}, ground.catalog.languages)
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        found = await _topic(session, topic)
        welcome = await _claimed(ground, session, found, version)
        before = dict(welcome.on_since)
        fresh = [code for code in languages if code not in before]
        if fresh:
            await _refuse_unready(ground, session, found, welcome)
        ended = [code for code in before if code not in languages]
        welcome.on_since = {code: before.get(code, now.isoformat()) for code in languages}
        session.add(welcome)
        if ended:
            await _end(ground, session, welcome, ended)
        if not languages:
            await session.execute(
                sa.update(WelcomeStep)
                .where(col(WelcomeStep.welcome_id) == welcome.id)
                .values(problem_since=None, problem_texts={})
            )
        _note(
            session, ground, actor, welcome, "switched",
            before={"on": sorted(before)}, after={"on": sorted(languages)},
        )  # fmt: skip
    return welcome


async def _refuse_unready(
    ground: Ground, session: AsyncSession, topic: Topic, welcome: Welcome
) -> None:
    steps = [each for each in await _steps(session, welcome.id) if each.removed_at is None]
    if not steps:
        raise errors.Refused(N_("Give it a step first: there is nothing to send yet."))
    for step in steps:
        made = await welcome_content.ready(ground, session, topic=topic, step=step)
        # A first bulletin may well go out before anybody is due.
        if made.problem is not None and step.kind != StepKind.LAST_BULLETIN:
            raise errors.Refused(
                N_("“%(name)s” can't go out yet: %(problem)s"),
                name=step.name,
                problem=errors.Several([made.problem]),
            )


async def _end(
    ground: Ground, session: AsyncSession, welcome: Welcome, languages: Sequence[str]
) -> None:
    speaks = audiences.edition_language(ground.catalog.languages)
    theirs = sa.select(col(Subscriber.id)).where(speaks.in_(languages))
    await session.execute(
        sa.update(WelcomeReader)
        .where(
            col(WelcomeReader.welcome_id) == welcome.id,
            col(WelcomeReader.state) == ReaderState.GOING.value,
            col(WelcomeReader.subscriber_id).in_(theirs),
        )
        .values(
            state=ReaderState.STOPPED.value,
            reason=StopReason.SWITCHED_OFF.value,
            ended_at=ground.clock.now(),
        )
        .execution_options(synchronize_session=False)
    )


async def _look_again(ground: Ground, session: AsyncSession, welcome: Welcome) -> None:
    """Have everybody looked at anew who may be concerned by a change of steps."""
    now = ground.clock.now()
    last = max((each.days for each in await _steps(session, welcome.id)), default=0)
    is_late = col(WelcomeReader.began_at) < now - timedelta(days=last + 2)
    may_go_on = sa.and_(col(WelcomeReader.state) == ReaderState.DONE.value, ~is_late)
    await session.execute(
        sa.update(WelcomeReader)
        .where(
            col(WelcomeReader.welcome_id) == welcome.id,
            sa.or_(col(WelcomeReader.state) == ReaderState.GOING.value, may_go_on),
        )
        .values(state=ReaderState.GOING.value, due_at=now, ended_at=None)
        .execution_options(synchronize_session=False)
    )


def _checked(ground: Ground, draft: StepDraft) -> dict[str, Any]:
    wrong: dict[str, errors.HandbillError] = {}
    if not 0 <= draft.days <= MAX_DAYS:
        wrong["days"] = errors.Invalid(N_("Choose from 0 to %(most)s days."), most=MAX_DAYS)
    if not 0 <= draft.hour <= 23:
        wrong["hour"] = errors.Invalid(N_("Choose an hour from 0 to 23."))
    texts = wording.tidy(draft.texts)
    for code, fields in texts.items():
        for name, most in _LONGEST.items():
            if len(fields.get(name, "")) > most:
                wrong[f"{name}-{code}"] = errors.Invalid(
                    N_("This is too long: at most %(most)s characters."), most=most
                )
        try:
            message.unstructured(fields.get("subject", ""))
        except errors.Invalid as problem:
            wrong[f"subject-{code}"] = problem
    if wrong:
        raise errors.Invalid(
            N_("Something needs to be mended before this can be kept."), fields=wrong
        )
    wording.check_languages(texts, ground.catalog.languages)
    return {
        "kind": draft.kind.value,
        "object_id": draft.object_id,
        "days": draft.days,
        "hour": draft.hour,
        "texts": texts,
    }


async def _object(ground: Ground, session: AsyncSession, draft: StepDraft) -> dict[str, Any]:
    """What the object is called now, and the version of a bulletin."""
    try:
        name = await welcome_content.object_name(ground, session, draft.kind, draft.object_id)
    except errors.NotFound as problem:
        raise errors.Invalid(problem.msgid, fields={"object": problem}) from problem
    version = 0
    if draft.kind is StepKind.BULLETIN:
        version = (await bulletins.get(session, draft.object_id)).version
    return {"name": name, "object_version": version}


async def _topic(session: AsyncSession, slug: str) -> Topic:
    found = (await session.exec(select(Topic).where(Topic.slug == slug))).first()
    if found is None:
        raise errors.NotFound(N_("There is no such topic."))
    return found


async def _of_topic(session: AsyncSession, topic_id: int) -> Welcome | None:
    return (await session.exec(select(Welcome).where(Welcome.topic_id == topic_id))).first()


async def _steps(session: AsyncSession, welcome_id: int) -> Sequence[WelcomeStep]:
    """All, those that were removed too, in the order in which they come."""
    statement = (
        select(WelcomeStep)
        .where(WelcomeStep.welcome_id == welcome_id)
        .order_by(col(WelcomeStep.days), col(WelcomeStep.hour), col(WelcomeStep.id))
    )
    return (await session.exec(statement)).all()


async def _step(session: AsyncSession, welcome: Welcome | None, step_id: int) -> WelcomeStep:
    found = await session.get(WelcomeStep, step_id)
    if welcome is None or found is None or found.welcome_id != welcome.id or found.removed_at:
        raise errors.NotFound(N_("This step is no longer there."))
    return found


async def _claimed(ground: Ground, session: AsyncSession, topic: Topic, version: int) -> Welcome:
    """The topic's welcome, its version counted up; made at version 0."""
    now = ground.clock.now()
    if version == 0 and await _of_topic(session, topic.id) is None:
        made = Welcome(topic_id=topic.id, created_at=now, updated_at=now)
        session.add(made)
        await session.flush()
        return made
    claimed = await session.execute(
        sa.update(Welcome)
        .where(col(Welcome.topic_id) == topic.id, col(Welcome.version) == version)
        .values(version=version + 1, updated_at=now)
        .returning(col(Welcome.id))
        .execution_options(synchronize_session=False)
    )
    number = claimed.scalar()
    if number is None:
        raise errors.Conflict(
            N_("Somebody else changed this welcome meanwhile. Reload, then change it.")
        )
    return await session.get_one(Welcome, number, populate_existing=True)


async def _counted(
    session: AsyncSession, by: Any, *conditions: sa.ColumnElement[bool]
) -> dict[int, int]:
    statement = sa.select(by, sa.func.count()).where(*conditions).group_by(by)
    return dict((await session.execute(statement)).all())


def _note(
    session: AsyncSession,
    ground: Ground,
    actor: Actor,
    welcome: Welcome,
    verb: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action=f"welcome.{verb}",
        object_kind="welcome",
        object_id=welcome.id,
        before=before,
        after=after,
    )
