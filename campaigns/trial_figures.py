"""What came of each form while two are tried, and whether one of them is clearly better.

Clicks are those of people, as far as the rules can tell; machines' are counted apart. Whoever
agreed to be counted by name counts once, however often they clicked. All others are a number and
nothing more: each of their clicks counts, which the pages say.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import intervals
from campaigns.intervals import Interval
from campaigns.models import Hit, HitKind, HitTotal
from delivery.models import Delivery, DeliveryState, DispatchLink, Variant
from foundation.frozen import frozen
from subscribers.models import Consent, ConsentStep

FORMS = (Variant.A, Variant.B)


@frozen
class Figures:
    """What came of one form among those who were drawn for it."""

    people: int = 0
    """Drawn for it."""
    sent: int = 0
    untried: int = 0
    """Whose turn has not come yet."""
    clicks: int = 0
    """By people."""
    machine_clicks: int = 0
    clicked: int = 0
    """Clicks, but those of whoever is counted by name once for each person."""
    unsubscribed: int = 0
    complaints: int = 0

    @property
    def share(self) -> Interval:
        """Of those who have it, how many clicked."""
        return intervals.share(min(self.clicked, self.sent), self.sent)


@frozen
class Comparison:
    """Both forms side by side."""

    a: Figures
    b: Figures

    def of(self, variant: Variant) -> Figures:
        """The figures of a form."""
        return self.b if variant is Variant.B else self.a

    @property
    def difference(self) -> Interval:
        """By how much more of those who have A clicked."""
        return intervals.difference(self.a.share, self.b.share)

    @property
    def winner(self) -> Variant | None:
        """The form that is clearly better; None while neither is."""
        found = self.difference
        if not (found.is_clear and self.a.sent and self.b.sent):
            return None
        return Variant.A if found.value > 0 else Variant.B

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {"a": dataclasses.asdict(self.a), "b": dataclasses.asdict(self.b)}


def kept(values: Mapping[str, Any]) -> Comparison:
    """What `as_dict` gave."""
    return Comparison(a=Figures(**values["a"]), b=Figures(**values["b"]))


async def read(session: AsyncSession, dispatch_id: int) -> Comparison:
    """Both forms as they stand, in the caller's transaction."""
    found: dict[str, dict[str, int]] = {variant.value: {} for variant in FORMS}
    for statement in (
        _deliveries(dispatch_id),
        _totals(dispatch_id),
        _by_name(dispatch_id),
        _unsubscribed(dispatch_id),
    ):
        for row in (await session.execute(statement)).mappings():
            values = {name: int(value) for name, value in row.items() if name != "variant"}
            found[row["variant"]] |= values
    return Comparison(a=_figures(found[Variant.A]), b=_figures(found[Variant.B]))


def _figures(found: Mapping[str, int]) -> Figures:
    names = {field.name for field in dataclasses.fields(Figures)}
    clicks = found.get("clicks", 0)
    # Each person who is known by name once, in place of all of their clicks.
    clicked = clicks - found.get("named_clicks", 0) + found.get("named_people", 0)
    values = {name: number for name, number in found.items() if name in names}
    return Figures(**values, clicked=max(0, clicked))


def _drawn(dispatch_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        col(Delivery.dispatch_id) == dispatch_id,
        col(Delivery.variant).in_([variant.value for variant in FORMS]),
    )


def _deliveries(dispatch_id: int) -> sa.Executable:
    state = col(Delivery.state)
    return (
        sa.select(
            col(Delivery.variant).label("variant"),
            sa.func.count().label("people"),
            sa.func.count().filter(state == DeliveryState.SENT.value).label("sent"),
            sa.func.count().filter(state == DeliveryState.QUEUED.value).label("untried"),
            sa.func.count(col(Delivery.complained_at)).label("complaints"),
        )
        .where(*_drawn(dispatch_id))
        .group_by(col(Delivery.variant))
    )


def _totals(dispatch_id: int) -> sa.Executable:
    """By the numbers of links, of which each form has its own: nobody has to be known for it."""
    return (
        sa.select(
            col(DispatchLink.variant).label("variant"),
            sa.func.sum(col(HitTotal.human)).label("clicks"),
            sa.func.sum(col(HitTotal.machine)).label("machine_clicks"),
        )
        .join(
            DispatchLink,
            sa.and_(
                col(DispatchLink.dispatch_id) == col(HitTotal.dispatch_id),
                col(DispatchLink.number) == col(HitTotal.link),
            ),
        )
        .where(
            col(HitTotal.dispatch_id) == dispatch_id,
            col(HitTotal.kind) == HitKind.CLICK.value,
            col(DispatchLink.variant).in_([variant.value for variant in FORMS]),
        )
        .group_by(col(DispatchLink.variant))
    )


def _by_name(dispatch_id: int) -> sa.Executable:
    return (
        sa.select(
            col(Delivery.variant).label("variant"),
            sa.func.count().label("named_clicks"),
            sa.func.count(sa.distinct(col(Hit.delivery_id))).label("named_people"),
        )
        .join(Delivery, col(Delivery.id) == col(Hit.delivery_id))
        .where(
            col(Hit.dispatch_id) == dispatch_id,
            col(Hit.kind) == HitKind.CLICK.value,
            col(Hit.is_human).is_(True),
            *_drawn(dispatch_id),
        )
        .group_by(col(Delivery.variant))
    )


def _unsubscribed(dispatch_id: int) -> sa.Executable:
    return (
        sa.select(
            col(Delivery.variant).label("variant"),
            sa.func.count(sa.distinct(col(Consent.subscriber_id))).label("unsubscribed"),
        )
        .join(Delivery, col(Delivery.subscriber_id) == col(Consent.subscriber_id))
        .where(
            col(Consent.dispatch_id) == dispatch_id,
            col(Consent.step) == ConsentStep.UNSUBSCRIBED.value,
            *_drawn(dispatch_id),
        )
        .group_by(col(Delivery.variant))
    )
