"""Takes in what came from feeds, mail, partners and colleagues, each story once.

A story is known when its origin gave it the same name before; or when the same feed gave it another
name, but the same link, or the same headline on the same day, as feeds do that make up new names at
every reading. Such a one is not kept again. A story that another origin told before, by its link or
by a headline that says nearly the same (`likeness.py`), is kept as `ItemState.SAME` under the
first one, where staff can tell the two apart again.

Before that, the rules of the inbox (`inbox_rules.py`) may give it a kind, a place or another issue,
or drop it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import literal_column
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import developments, feed_reading, inbox_rules, issues, likeness, links
from campaigns.inbox_models import InboxRule, IncomingItem, ItemState, Origin
from campaigns.models import DevelopmentKind
from foundation import audit, errors, tables
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

BY_RULE = "rule"
"""Who decided about what a rule dropped."""
_LOOKED_AT = 3000
"""So many stories of the last days a new one is compared with at most, the newest."""


@frozen
class Offer:
    """A story as it came in."""

    identity: str
    """What its origin calls it; blank: its link, else its headline."""
    headline: str
    happened_on: date
    language: str
    summary: str = ""
    """HTML; sanitised here."""
    source_name: str = ""
    source_url: str = ""
    kind: DevelopmentKind | None = None
    place: str = ""
    partner_id: int | None = None
    sender: str = ""
    not_before: datetime | None = None
    apart_because: str = ""
    """Why it stands apart; blank: it does not."""


@frozen
class TakenIn:
    """What became of some offers."""

    added: Sequence[int] = ()
    """Numbers of the items that are new."""
    known: Sequence[int] = ()
    """Numbers of items that came in before, one for each offer that was one of them."""
    same: Sequence[int] = ()
    """Numbers of items that tell the same as another."""
    dropped: Sequence[int] = ()
    """Numbers of items that a rule dropped."""

    @property
    def every(self) -> list[int]:
        """All of them, the new ones first."""
        return [*self.added, *self.same, *self.dropped, *self.known]


async def take_in(
    ground: Ground, *, actor: Actor, issue_id: int, origin: Origin, offers: Sequence[Offer]
) -> TakenIn:
    """Keep what is new among some offers, for an issue.

    Raises `errors.NotFound` for the issue, `errors.Invalid` for what nobody could keep later.
    """
    offers = [_checked(ground, each) for each in offers]
    async with ground.db.transaction() as session:
        await issues.get(session, issue_id)
        for partner_id in {each.partner_id for each in offers}:
            await developments.refuse_unknown_partner(session, partner_id)
        return await put(
            ground, session, issue_id=issue_id, origin=origin, offers=offers, actor=actor
        )


async def put(
    ground: Ground,
    session: AsyncSession,
    *,
    issue_id: int,
    origin: Origin,
    offers: Sequence[Offer],
    feed_id: int | None = None,
    actor: Actor | None = None,
) -> TakenIn:
    """The same in the caller's transaction, for a feed too, which nobody brings."""
    rules = await inbox_rules.everything(session) if offers else ()
    by_issue: dict[int, dict[str, _Judged]] = {}
    for offer in offers:
        judged = _judged(rules, offer, issue_id)
        key = _key(offer, origin=origin, feed_id=feed_id, issue_id=issue_id)
        by_issue.setdefault(judged.issue_id, {})[key] = judged
    added, known, same, dropped = [], [], [], []
    for number, judged_offers in by_issue.items():
        intake = _Intake(ground=ground, issue_id=number, origin=origin, feed_id=feed_id)
        await intake.look(session, judged_offers)
        for key, judged in judged_offers.items():
            await intake.take(session, key, judged)
        added += intake.added
        known += intake.known
        same += intake.same
        dropped += intake.dropped
    if actor is not None:
        for number in (*added, *same, *dropped):
            audit.record(
                session,
                actor=actor,
                at=ground.clock.now(),
                action="incoming.added",
                object_kind="incoming",
                object_id=number,
                after={"origin": origin.value, "issue_id": issue_id},
            )
    return TakenIn(added=added, known=known, same=same, dropped=dropped)


def _checked(ground: Ground, offer: Offer) -> Offer:
    """The offer with a headline of one line, a link that leads somewhere, and a known language."""
    headline = feed_reading.line(offer.headline)
    problem: tuple[str, errors.Invalid] | None = None
    if not headline:
        problem = ("headline", errors.Invalid(N_("Give it a headline too.")))
    elif offer.language not in ground.catalog.languages:
        problem = ("language", errors.Invalid(N_("Choose one of the site's languages.")))
    if problem is not None:
        name, said = problem
        raise errors.Invalid(said.msgid, fields={name: said})
    url = links.check(offer.source_url, field="source_url")
    return replace(offer, headline=headline, source_url=url)


@frozen
class _Judged:
    """An offer, what the rules say its kind and place are, and for which issue it is."""

    offer: Offer
    issue_id: int
    dropped_because: str = ""


def _judged(rules: Sequence[InboxRule], offer: Offer, issue_id: int) -> _Judged:
    """What stands apart is judged by people alone."""
    if offer.apart_because:
        return _Judged(offer=offer, issue_id=issue_id)
    verdict = inbox_rules.judge(
        rules, headline=offer.headline, summary=offer.summary, issue_id=issue_id
    )
    dropped = verdict.dropped_by
    return _Judged(
        offer=replace(offer, kind=offer.kind or verdict.kind, place=offer.place or verdict.place),
        issue_id=verdict.issue_id or issue_id,
        dropped_because=f"“{dropped.word}”" if dropped else "",
    )


def _key(offer: Offer, *, origin: Origin, feed_id: int | None, issue_id: int) -> str:
    """What the database knows an offer by, whichever issue the rules give it to."""
    identity = offer.identity or offer.source_url or offer.headline
    text = f"{origin.value}\n{feed_id or ''}\n{issue_id}\n{identity}"
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


@frozen
class _Earlier:
    """A story that is there."""

    id: int
    """Of the one that it tells the same as, if it does."""
    feed_id: int | None
    own_words: str
    day: date


@dataclass(kw_only=True, slots=True)
class _Intake:
    """One look at what is there, and what is put beside it."""

    ground: Ground
    issue_id: int
    origin: Origin
    feed_id: int | None
    added: list[int] = field(default_factory=list)
    known: list[int] = field(default_factory=list)
    same: list[int] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    _by_key: Mapping[str, int] = field(default_factory=dict)
    _by_link: dict[str, list[_Earlier]] = field(default_factory=dict)
    _by_words: dict[str, list[_Earlier]] = field(default_factory=dict)
    _headlines: likeness.Headlines = field(default_factory=likeness.Headlines)

    async def look(self, session: AsyncSession, offers: Mapping[str, _Judged]) -> None:
        """Gather everything that the offers may be the same as, in three questions."""
        named = select(IncomingItem.key, IncomingItem.id).where(
            col(IncomingItem.key).in_(list(offers))
        )
        self._by_key = dict((await session.exec(named)).all())
        if len(self._by_key) == len(offers):
            return  # as most times with a feed
        wanted = {likeness.link_key(each.offer.source_url) for each in offers.values()} - {""}
        linked = select(IncomingItem).where(
            col(IncomingItem.link_key).in_(list(wanted)),
            IncomingItem.issue_id == self.issue_id,
            IncomingItem.state != ItemState.APART.value,
        )
        for each in (await session.exec(linked.order_by(col(IncomingItem.id)))).all():
            self._by_link.setdefault(each.link_key, []).append(_earlier(each))
        span = timedelta(days=self.ground.settings.desk.same_story_days)
        recent = (
            select(IncomingItem)
            .where(
                IncomingItem.issue_id == self.issue_id,
                col(IncomingItem.received_at) > self.ground.clock.now() - span,
                IncomingItem.state != ItemState.APART.value,
            )
            .order_by(col(IncomingItem.received_at).desc(), col(IncomingItem.id).desc())
            .limit(_LOOKED_AT)
        )
        for each in (await session.exec(recent)).all():
            self._remember(_earlier(each), each.headline)

    async def take(self, session: AsyncSession, key: str, judged: _Judged) -> None:
        """Put one offer where it belongs."""
        offer = judged.offer
        found = self._by_key.get(key) or self._again(offer)
        if found is not None:
            self.known.append(found)
            return
        is_alone = bool(offer.apart_because or judged.dropped_because)
        first = None if is_alone else self._first(offer)
        number = await self._insert(session, key, judged, first)
        if number is None:
            return  # another process took the same in at this very moment
        place = (
            self.dropped if judged.dropped_because else self.added if first is None else self.same
        )
        place.append(number)
        if not offer.apart_because:
            earlier = _Earlier(
                id=first or number,
                feed_id=self.feed_id,
                own_words=_own_words(offer.headline),
                day=offer.happened_on,
            )
            self._by_link.setdefault(likeness.link_key(offer.source_url), []).append(earlier)
            self._remember(earlier, offer.headline)

    def _remember(self, each: _Earlier, headline: str) -> None:
        self._by_words.setdefault(each.own_words, []).append(each)
        if self.ground.settings.desk.same_story_days:
            self._headlines.add(each.id, headline)

    def _again(self, offer: Offer) -> int | None:
        """The story that the same feed told before, under another name."""
        if self.feed_id is None:
            return None
        linked = self._by_link.get(likeness.link_key(offer.source_url), [])
        worded = self._by_words.get(_own_words(offer.headline), [])
        told = [*linked, *(each for each in worded if each.day == offer.happened_on)]
        return next((each.id for each in told if each.feed_id == self.feed_id), None)

    def _first(self, offer: Offer) -> int | None:
        """The story of another origin that an offer tells again."""
        key = likeness.link_key(offer.source_url)
        if key and self._by_link.get(key):
            return self._by_link[key][0].id
        return self._headlines.find(offer.headline)

    async def _insert(
        self, session: AsyncSession, key: str, judged: _Judged, first: int | None
    ) -> int | None:
        offer = judged.offer
        state = ItemState.SAME if first else ItemState.NEW
        if offer.apart_because:
            state = ItemState.APART
        if judged.dropped_because:
            state = ItemState.DROPPED
        values = {
            "key": key,
            "origin": self.origin.value,
            "feed_id": self.feed_id,
            "issue_id": self.issue_id,
            "partner_id": offer.partner_id,
            "sender": offer.sender,
            "state": state.value,
            "language": offer.language,
            "headline": offer.headline,
            "summary": links.clean(offer.summary),
            "source_name": offer.source_name,
            "source_url": offer.source_url,
            "link_key": likeness.link_key(offer.source_url),
            "happened_on": offer.happened_on,
            "kind": (offer.kind or DevelopmentKind.NEWS).value,
            "place": offer.place,
            "not_before": offer.not_before,
            "reason": offer.apart_because or judged.dropped_because,
            "same_as_id": first,
            "received_at": self.ground.clock.now(),
            "decided_at": self.ground.clock.now() if judged.dropped_because else None,
            "decided_by": BY_RULE if judged.dropped_because else "",
            "version": 1,
        }
        statement: Any = (
            tables.insert_for(session, IncomingItem)
            .values(**values)
            .on_conflict_do_nothing(index_elements=["key"])
            .returning(literal_column("id"))
        )
        row = (await session.execute(statement)).first()
        return int(row[0]) if row else None


def _earlier(each: IncomingItem) -> _Earlier:
    return _Earlier(
        id=each.same_as_id or each.id,
        feed_id=each.feed_id,
        own_words=_own_words(each.headline),
        day=each.happened_on,
    )


def _own_words(headline: str) -> str:
    return " ".join(likeness.words(headline))
