"""Lets the welcome happen: who is new begins, who may not be mailed stops, what is due goes out.

Whatever a tick does for a topic is one transaction under the lock of its welcome's row. So of any
number of schedulers one does it, and a crash leaves all of it or nothing; from the ledger on, the
journal and the last look hold (`docs/decisions/0024-the-welcome-is-a-dispatch-that-stays-open.md`).
"""

import collections
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audiences, readings, welcome_content, welcome_days, welcome_rules
from campaigns.readings import Wish
from campaigns.welcome_content import Ready
from campaigns.welcome_models import (
    MailOutcome,
    ReaderState,
    SkipReason,
    StopReason,
    Welcome,
    WelcomeMail,
    WelcomeMailing,
    WelcomeReader,
    WelcomeStep,
)
from delivery import appending, dispatch
from delivery.models import Delivery, DeliveryState
from foundation import errors, logs
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import suppression
from subscribers.models import (
    Consent,
    ConsentStep,
    Subscriber,
    Subscription,
    SubscriptionState,
    Topic,
)

_log = logs.get("welcome")

_PIECE = 500
"""Readers that one transaction looks at."""
_LOOKED_BACK = timedelta(days=30)
"""Who confirmed longer ago was seen by an earlier look."""
_NAME = N_("Welcome: %(step)s")
_NOBODY = sa.select(col(Subscriber.id), col(Subscriber.language)).where(sa.false())


async def work(ground: Ground) -> int:
    """Everything that is due now; returns how many mails were handed to the ledger."""
    async with ground.db.reading() as session:
        numbers = (await session.exec(select(Welcome.id).order_by(col(Welcome.id)))).all()
    handed = 0
    for number in numbers:
        while (piece := await _piece(ground, number, first=numbers[0])) is not None:
            handed += piece
    return handed


async def _piece(ground: Ground, welcome_id: int, *, first: int) -> int | None:
    """Some of a welcome's readers; None when nobody else is due, or another scheduler is at it.

    Whoever has the first welcome's row is the only one at any of them: somebody may be in two, and
    two schedulers would not see that both write to them today.
    """
    async with ground.db.transaction() as session:
        rows = select(Welcome).where(col(Welcome.id).in_({first, welcome_id}))
        locked = rows.order_by(col(Welcome.id)).with_for_update(skip_locked=True)
        found = {each.id: each for each in (await session.exec(locked)).all()}
        welcome = found.get(welcome_id)
        if welcome is None or first not in found:
            return None
        await _stop(ground, session, welcome)
        await _begin(ground, session, welcome)
        readers = await _due(ground, session, welcome)
        if not readers:
            return None
        turn = await _turn(ground, session, welcome, readers)
        for reader in readers:
            await turn.look(reader)
        return await turn.hand_over()


async def _stop(ground: Ground, session: AsyncSession, welcome: Welcome) -> None:
    """End the welcome of whoever left, may not be mailed, or is gone."""
    is_confirmed = sa.exists().where(
        col(Subscription.subscriber_id) == col(WelcomeReader.subscriber_id),
        col(Subscription.topic_id) == welcome.topic_id,
        col(Subscription.state) == SubscriptionState.CONFIRMED.value,
    )
    is_suppressed = suppression.is_active_for(col(WelcomeReader.subscriber_id))
    is_gone = col(WelcomeReader.subscriber_id).is_(None)
    reason = sa.case(
        (is_gone, StopReason.ERASED.value),
        (is_suppressed, StopReason.SUPPRESSED.value),
        else_=StopReason.LEFT.value,
    )
    await session.execute(
        sa.update(WelcomeReader)
        .where(
            col(WelcomeReader.welcome_id) == welcome.id,
            col(WelcomeReader.state) == ReaderState.GOING.value,
            sa.or_(is_gone, is_suppressed, ~is_confirmed),
        )
        .values(state=ReaderState.STOPPED.value, reason=reason, ended_at=ground.clock.now())
        .execution_options(synchronize_session=False)
    )


async def _begin(ground: Ground, session: AsyncSession, welcome: Welcome) -> None:
    """Whoever confirmed since it was switched on in their language, and whoever came back since."""
    topic = await session.get_one(Topic, welcome.topic_id)
    language = audiences.edition_language(ground.catalog.languages)
    was_brought_along = sa.exists().where(
        col(Consent.subscriber_id) == col(Subscription.subscriber_id),
        col(Consent.at) == col(Subscription.since),
        col(Consent.step) == ConsentStep.IMPORTED.value,
    )
    is_known = sa.exists().where(
        col(WelcomeReader.welcome_id) == welcome.id,
        col(WelcomeReader.subscriber_id) == col(Subscription.subscriber_id),
        col(WelcomeReader.began_at) >= col(Subscription.since),
    )
    recently = ground.clock.now() - _LOOKED_BACK
    for code, since in welcome.on_since.items():
        new = (
            sa.select(col(Subscription.subscriber_id), col(Subscription.since))
            .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
            .where(
                col(Subscription.topic_id) == topic.id,
                col(Subscription.state) == SubscriptionState.CONFIRMED.value,
                col(Subscription.since) >= max(datetime.fromisoformat(since), recently),
                language == code,
                ~suppression.is_active_for(col(Subscriber.id)),
                ~was_brought_along,
                ~is_known,
            )
            .order_by(col(Subscription.since), col(Subscriber.id))
            .limit(_PIECE)
        )
        found = (await session.execute(new)).all()
        if found:
            await _admit(ground, session, welcome, dict(found))


async def _admit(
    ground: Ground, session: AsyncSession, welcome: Welcome, since: Mapping[int, datetime]
) -> None:
    """Begin with them; who comes back goes on with what they did not get, counted from now on."""
    back = await session.exec(
        select(WelcomeReader).where(
            WelcomeReader.welcome_id == welcome.id,
            col(WelcomeReader.subscriber_id).in_(list(since)),
        )
    )
    now = ground.clock.now()
    known = {reader.subscriber_id: reader for reader in back.all()}
    for number, began_at in since.items():
        reader = known.get(number)
        if reader is None:
            reader = WelcomeReader(
                welcome_id=welcome.id,
                subscriber_id=number,
                began_at=began_at,
                state=ReaderState.GOING.value,
                due_at=now,
            )
        reader.began_at, reader.due_at = began_at, now
        reader.state, reader.reason, reader.ended_at = ReaderState.GOING.value, "", None
        session.add(reader)
    await session.flush()
    cancelled = sa.select(col(Delivery.id)).where(
        col(Delivery.subscriber_id).in_([number for number in known if number]),
        col(Delivery.state) == DeliveryState.CANCELLED.value,
    )
    # What was stopped before its last dot they did not get.
    await session.execute(
        sa.delete(WelcomeMail)
        .where(
            col(WelcomeMail.reader_id).in_([reader.id for reader in known.values()]),
            col(WelcomeMail.delivery_id).in_(cancelled),
        )
        .execution_options(synchronize_session=False)
    )


async def _due(ground: Ground, session: AsyncSession, welcome: Welcome) -> Sequence[WelcomeReader]:
    statement = (
        select(WelcomeReader)
        .where(
            WelcomeReader.welcome_id == welcome.id,
            WelcomeReader.state == ReaderState.GOING.value,
            col(WelcomeReader.due_at) <= ground.clock.now(),
        )
        .order_by(col(WelcomeReader.due_at), col(WelcomeReader.id))
        .limit(_PIECE)
    )
    return (await session.exec(statement)).all()


async def _turn(
    ground: Ground, session: AsyncSession, welcome: Welcome, readers: Sequence[WelcomeReader]
) -> "_Turn":
    """What has to be known about the readers of a piece, asked once for all of them."""
    steps = await session.exec(
        select(WelcomeStep).where(
            WelcomeStep.welcome_id == welcome.id, col(WelcomeStep.removed_at).is_(None)
        )
    )
    done: dict[int, set[int]] = collections.defaultdict(set)
    had = sa.select(col(WelcomeMail.reader_id), col(WelcomeMail.step_id)).where(
        col(WelcomeMail.reader_id).in_([reader.id for reader in readers])
    )
    for reader_id, step_id in (await session.execute(had)).all():
        done[reader_id].add(step_id)
    who = [reader.subscriber_id for reader in readers if reader.subscriber_id is not None]
    reads = sa.select(
        col(Subscriber.id), col(Subscriber.language), col(Subscriber.further_languages)
    ).where(col(Subscriber.id).in_(who))
    return _Turn(
        ground=ground,
        session=session,
        topic=await session.get_one(Topic, welcome.topic_id),
        now=ground.clock.now(),
        steps=steps.all(),
        done=done,
        wishes={
            number: Wish(language=language, further=further, reads_both=False)
            for number, language, further in await session.execute(reads)
        },
        mailed=await welcome_days.mailed(ground, session, who),
    )


@dataclass(kw_only=True)
class _Turn:
    """One look at some readers of a welcome."""

    ground: Ground
    session: AsyncSession
    topic: Topic
    now: datetime
    steps: Sequence[WelcomeStep]
    done: Mapping[int, set[int]]
    """Reader → steps that they had, or that were passed over."""
    wishes: Mapping[int, Wish]
    """Subscriber → the languages that they read."""
    mailed: frozenset[int]
    """Subscribers who get something else today."""
    _made: dict[int, Ready] = field(default_factory=dict)
    _out: dict[int, list[WelcomeReader]] = field(
        default_factory=lambda: collections.defaultdict(list)
    )

    async def look(self, reader: WelcomeReader) -> None:
        """What becomes of a reader now: a mail goes out, they wait, or they are done."""
        zone = self.ground.settings.site.tzinfo
        grace = timedelta(hours=self.ground.settings.delivery.late_start_hours)
        done = set(self.done.get(reader.id, ()))
        self.session.add(reader)
        while (found := welcome_rules.coming(self.steps, done, reader.began_at, zone)) is not None:
            step, moment = found
            opens = welcome_rules.opening(step, max(self.now, moment), zone, grace)
            if opens > self.now:
                reader.due_at = opens
                return
            if reader.subscriber_id in self.mailed:
                reader.due_at = welcome_rules.tomorrow(step, self.now, zone)
                return
            made = await self._content(step)
            if made.problem is not None and self.now - moment < welcome_rules.WAIT_FOR_MENDING:
                reader.due_at = welcome_rules.tomorrow(step, self.now, zone)
                return
            reason = await self._passed_over(reader, made)
            if reason is None:
                self._out[step.id].append(reader)
                return
            self._note(reader, step, reason=reason)
            done.add(step.id)
        reader.state, reader.ended_at = ReaderState.DONE.value, self.now

    async def hand_over(self) -> int:
        """Put what goes out into the ledger; returns how many mails."""
        handed = 0
        by_id = {step.id: step for step in self.steps}
        for number, readers in self._out.items():
            step, made = by_id[number], self._made[number]
            order = await self._order(step, made)
            offered = made.languages
            wanted = {
                reader.subscriber_id: readings.edition_for(
                    self.wishes[reader.subscriber_id], offered
                )
                for reader in readers
                if reader.subscriber_id is not None
            }
            queued = await appending.append(
                self.session, dispatch_id=order, recipients=wanted, now=self.now
            )
            for reader in readers:
                delivery = queued.get(reader.subscriber_id or 0)
                self._note(reader, step, delivery_id=delivery)
                handed += delivery is not None
        await self.session.flush()
        return handed

    def _note(
        self,
        reader: WelcomeReader,
        step: WelcomeStep,
        *,
        reason: SkipReason | None = None,
        delivery_id: int | None = None,
    ) -> None:
        """There is one row for a reader and a step: a second one would fail the transaction."""
        self.session.add(
            WelcomeMail(
                reader_id=reader.id,
                step_id=step.id,
                outcome=(MailOutcome.SKIPPED if reason else MailOutcome.HANDED).value,
                reason=reason.value if reason else "",
                delivery_id=delivery_id,
                at=self.now,
            )
        )

    async def _content(self, step: WelcomeStep) -> Ready:
        if step.id not in self._made:
            made = await welcome_content.ready(
                self.ground, self.session, topic=self.topic, step=step
            )
            self._tell(step, made.problem)
            self._made[step.id] = made
        return self._made[step.id]

    def _tell(self, step: WelcomeStep, problem: errors.HandbillError | None) -> None:
        """Have the overview name a step that can't be made, until it is seen that it can."""
        if problem is None:
            step.problem_since, step.problem_texts = None, {}
        else:
            _log.warning("a step can't go out", step=step.id, said=str(problem))
            languages = self.ground.catalog.languages
            step.problem_since = step.problem_since or self.now
            step.problem_texts = {
                code: problem.say(self.ground.translator(code)) for code in languages
            }
        self.session.add(step)

    async def _passed_over(self, reader: WelcomeReader, made: Ready) -> SkipReason | None:
        if made.problem is not None:
            return SkipReason.NOT_READY
        if made.dispatch_id is None:
            return None
        has_it = sa.select(col(Delivery.id)).where(
            col(Delivery.dispatch_id) == made.dispatch_id,
            col(Delivery.subscriber_id) == reader.subscriber_id,
            col(Delivery.state) != DeliveryState.CANCELLED.value,
        )
        found = (await self.session.execute(has_it)).first()
        return SkipReason.HAS_IT if found is not None else None

    async def _order(self, step: WelcomeStep, made: Ready) -> int:
        """The dispatch that brings what a step says now; made when it says it for the first time.

        Welcomes count their mailings below zero, where campaigns count theirs above.
        """
        digest = made.digest
        known = select(WelcomeMailing).where(
            WelcomeMailing.step_id == step.id, WelcomeMailing.digest == digest
        )
        mailing = (await self.session.exec(known)).first()
        if mailing is not None and mailing.dispatch_id is not None:
            return mailing.dispatch_id
        mailing = WelcomeMailing(step_id=step.id, digest=digest, made_at=self.now)
        self.session.add(mailing)
        await self.session.flush()
        settings = self.ground.settings
        speaks = self.ground.translator(settings.site.language)
        order = await dispatch.start(
            self.ground,
            self.session,
            dispatch.Order(
                campaign_id=-mailing.id,
                name=speaks.gettext(_NAME) % {"step": step.name},
                from_name=settings.from_name,
                from_address=settings.mail.from_address,
                reply_to=settings.mail.reply_to,
                default_language=made.languages[0],
                plans=made.plans,
                topics=[self.topic.id],
                recipients=sa.select(col(Subscriber.id), col(Subscriber.language)).where(
                    sa.false()
                ),
            ),
        )
        mailing.dispatch_id = order.id
        self.session.add(mailing)
        return order.id
