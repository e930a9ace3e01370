"""What came of a campaign: every recipient accounted for, people's hits apart from machines'."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import breakdowns, campaign_views, leaving, material_counts, transitions
from campaigns.material_counts import OfCampaign
from campaigns.models import Hit, HitKind, HitRule, HitTotal
from delivery import ledger, listing, refusals
from delivery.listing import Choice
from delivery.models import IS_ODD, BounceKind, Delivery, DeliveryState, DispatchLink, Return
from foundation.frozen import frozen
from foundation.ground import Ground
from subscribers.models import Subscriber

NOBODY = ledger.Counts(bounced=dict.fromkeys(("hard", "soft", "block"), 0))
_LISTED = 500
"""Uncertain recipients, and reasons of what came back, that a report names."""


@frozen
class Hits:
    """Opens or clicks."""

    human: int = 0
    """Of everybody, as far as the rules can tell."""
    machine: int = 0
    """Prefetchers, scanners and the like."""
    people: int = 0
    """Different persons, among those who agreed to be counted by name."""


@frozen
class LinkHits:
    """One link's clicks by people."""

    url: str
    clicks: int
    people: int
    language: str = ""
    label: str = ""
    form: str = ""
    """Of two forms that are tried, a or b; each has links of its own."""
    number: int = 0
    """In the dispatch, over all its editions and forms."""
    machine: int = 0
    """Clicks that were taken for machines'."""

    @property
    def edition(self) -> str:
        """The mail in which it stands: its language, and the form where two are tried."""
        return f"{self.language} {self.form}".strip()


@frozen
class CameBack:
    """So many mails that came back, or were refused, for one reason from one domain."""

    kind: str
    reason: str
    """A `BounceReason`; blank where none was given."""
    domain: str
    """Of the readers' mailboxes; blank for who was forgotten since."""
    count: int
    while_sending: int
    """How many of them our relay refused at once."""


@frozen
class Report:
    """Read in one transaction: `audience` is the sum of the six states, at every instant."""

    state: str
    audience: int
    excluded: Mapping[str, int]
    queued: int
    sent: int
    deferred: int
    failed: int
    uncertain: int
    cancelled: int
    bounced: Mapping[str, int]
    complaints: int
    came_back: Sequence[CameBack]
    """What came back, and what the relay refused for good: by kind, reason and domain."""
    unsubscribed: int
    opens: Hits
    clicks: Hits
    links: Sequence[LinkHits]
    handouts: Sequence[OfCampaign]
    """How often its links to each handout were followed."""
    started_at: datetime | None
    finished_at: datetime | None
    by_language: Mapping[str, Mapping[str, int]]
    """Language of the edition → state → recipients."""
    reasons: Mapping[str, int]
    """Why recipients failed, are put off, uncertain or cancelled."""
    uncertain_people: Sequence[tuple[int, str]]
    """Delivery and address of those who may or may not have got it."""
    consenting: int
    """Recipients who agreed to be counted by name."""
    machine_rules: Mapping[str, Mapping[str, int]]
    """open or click → the rule by which a hit was taken for a machine's → hits."""
    counted_at: datetime | None
    """When languages and consenting were counted, of a large dispatch; None: just now."""

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values, moments in ISO 8601."""
        values = dataclasses.asdict(self)
        values["uncertain_people"] = [
            {"delivery": number, "email": email} for number, email in self.uncertain_people
        ]
        for name in ("started_at", "finished_at", "counted_at"):
            moment: datetime | None = values[name]
            values[name] = moment.isoformat() if moment else None
        return values


async def report(ground: Ground, *, campaign_id: int) -> Report:
    """The report of a campaign in any state. Raises `errors.NotFound`."""
    async with ground.db.reading() as session:
        campaign = await transitions.get(session, campaign_id)
        order = await campaign_views.dispatch_of(session, campaign_id)
        number = order.id if order is not None else 0
        counts = await ledger.standing(session, order) if order is not None else NOBODY
        is_large = counts.audience > breakdowns.AT_ONCE
        kept = await breakdowns.kept(session, number) if is_large else None
        return Report(
            state=campaign.state,
            audience=counts.audience,
            excluded=order.excluded if order is not None else {},
            queued=counts.queued,
            sent=counts.sent,
            deferred=counts.deferred,
            failed=counts.failed,
            uncertain=counts.uncertain,
            cancelled=counts.cancelled,
            bounced=dict(counts.bounced),
            complaints=counts.complaints,
            came_back=await _came_back(session, number),
            unsubscribed=await leaving.count(session, number),
            opens=await _hits(session, number, HitKind.OPEN),
            clicks=await _hits(session, number, HitKind.CLICK),
            links=await _links(session, number),
            handouts=await material_counts.of_dispatch(ground, session, number),
            started_at=order.started_at if order is not None else None,
            finished_at=campaign.finished_at,
            by_language=kept.by_language if kept else await _by_language(session, number),
            reasons=await _reasons(session, number),
            uncertain_people=[
                (each.id, each.email)
                for each in await listing.listed(
                    session, number, Choice(state=DeliveryState.UNCERTAIN), limit=_LISTED
                )
            ],
            consenting=kept.consenting if kept else await _consenting(session, number),
            machine_rules=await _rules(session, number),
            counted_at=kept.at if kept else None,
        )


async def _came_back(session: AsyncSession, dispatch_id: int) -> list[CameBack]:
    """The most frequent first; a mail counts once, with the worst that is known of it."""
    is_relay = sa.case((col(Return.via) == refusals.RELAY, 1), else_=0)
    is_worst = sa.or_(
        col(Return.kind) == BounceKind.COMPLAINT.value,
        col(Return.kind) == col(Delivery.bounce),
        sa.and_(col(Delivery.bounce) == "", col(Return.via) == refusals.RELAY),
    )
    grouped = (col(Return.kind), col(Return.reason), col(Return.domain))
    count = sa.func.count()
    statement = (
        sa.select(*grouped, count, sa.func.sum(is_relay))
        .join(Delivery, col(Delivery.id) == col(Return.delivery_id))
        .where(col(Return.dispatch_id) == dispatch_id, is_worst)
        .group_by(*grouped)
        .order_by(count.desc(), *grouped)
        .limit(_LISTED)
    )
    return [
        CameBack(
            kind=kind, reason=reason, domain=domain, count=int(found), while_sending=int(at_once)
        )
        for kind, reason, domain, found, at_once in (await session.execute(statement)).all()
    ]


async def _hits(session: AsyncSession, dispatch_id: int, kind: HitKind) -> Hits:
    totals = sa.select(
        sa.func.coalesce(sa.func.sum(col(HitTotal.human)), 0),
        sa.func.coalesce(sa.func.sum(col(HitTotal.machine)), 0),
    ).where(col(HitTotal.dispatch_id) == dispatch_id, col(HitTotal.kind) == kind.value)
    named = sa.select(sa.func.count(sa.distinct(col(Hit.delivery_id)))).where(
        col(Hit.dispatch_id) == dispatch_id,
        col(Hit.kind) == kind.value,
        col(Hit.is_human).is_(True),
    )
    human, machine = (await session.execute(totals)).one()
    persons = (await session.execute(named)).scalar_one()
    return Hits(human=int(human), machine=int(machine), people=int(persons))


async def _links(session: AsyncSession, dispatch_id: int) -> list[LinkHits]:
    """In the order of the bulletin; a link that nobody followed is there with zero."""
    totals = (
        sa.select(
            col(HitTotal.link), sa.func.sum(col(HitTotal.human)), sa.func.sum(col(HitTotal.machine))
        )
        .where(col(HitTotal.dispatch_id) == dispatch_id, col(HitTotal.kind) == HitKind.CLICK.value)
        .group_by(col(HitTotal.link))
    )
    named = (
        sa.select(col(Hit.link), sa.func.count(sa.distinct(col(Hit.delivery_id))))
        .where(
            col(Hit.dispatch_id) == dispatch_id,
            col(Hit.kind) == HitKind.CLICK.value,
            col(Hit.is_human).is_(True),
        )
        .group_by(col(Hit.link))
    )
    clicks = {link: counts for link, *counts in (await session.execute(totals)).all()}
    people: dict[int | None, int] = dict((await session.execute(named)).all())
    links = await session.exec(
        select(DispatchLink)
        .where(DispatchLink.dispatch_id == dispatch_id)
        .order_by(col(DispatchLink.number))
    )
    return [
        LinkHits(
            url=link.url,
            clicks=int(human),
            people=people.get(link.number, 0),
            language=link.language,
            label=link.label,
            form=link.variant,
            number=link.number,
            machine=int(machine),
        )
        for link in links.all()
        for human, machine in (clicks.get(link.number, (0, 0)),)
    ]


async def _rules(session: AsyncSession, dispatch_id: int) -> dict[str, dict[str, int]]:
    """What was counted before rules were kept has none, so these may be fewer than all."""
    statement = (
        sa.select(col(HitRule.kind), col(HitRule.rule), col(HitRule.count))
        .where(col(HitRule.dispatch_id) == dispatch_id)
        .order_by(col(HitRule.count).desc(), col(HitRule.rule))
    )
    found: dict[str, dict[str, int]] = {}
    for kind, rule, count in (await session.execute(statement)).all():
        found.setdefault(kind, {})[rule] = count
    return found


async def _by_language(session: AsyncSession, dispatch_id: int) -> dict[str, dict[str, int]]:
    statement = (
        sa.select(col(Delivery.language), col(Delivery.state), sa.func.count())
        .where(col(Delivery.dispatch_id) == dispatch_id)
        .group_by(col(Delivery.language), col(Delivery.state))
        .order_by(col(Delivery.language))
    )
    found: dict[str, dict[str, int]] = {}
    for language, state, count in (await session.execute(statement)).all():
        found.setdefault(language, {})[state] = count
    return found


async def _reasons(session: AsyncSession, dispatch_id: int) -> dict[str, int]:
    statement = (
        sa.select(col(Delivery.reason), sa.func.count())
        .where(col(Delivery.dispatch_id) == dispatch_id, IS_ODD, col(Delivery.reason) != "")
        .group_by(col(Delivery.reason))
    )
    rows = (await session.execute(statement)).all()
    return {reason: int(count) for reason, count in rows}


async def _consenting(session: AsyncSession, dispatch_id: int) -> int:
    statement = (
        sa.select(sa.func.count())
        .select_from(Delivery)
        .join(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
        .where(col(Delivery.dispatch_id) == dispatch_id, col(Subscriber.allows_tracking).is_(True))
    )
    return int((await session.execute(statement)).scalar_one())
