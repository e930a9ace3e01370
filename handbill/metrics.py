"""Totals of the whole site in Prometheus' text format; nothing about a person."""

import prometheus_client
import sqlalchemy as sa
from prometheus_client.core import GaugeMetricFamily
from sqlmodel import col

from delivery.models import (
    ALL_QUEUED,
    IS_ODD,
    Delivery,
    DeliveryState,
    Dispatch,
    DispatchState,
    NoticeState,
    QueuedNotice,
)
from foundation.database import Database
from subscribers.models import Subscriber, Subscription


async def told(db: Database) -> tuple[bytes, str]:
    """The text, and its content type."""
    registry = prometheus_client.CollectorRegistry()
    registry.register(_Collected(await _counts(db)))
    return prometheus_client.generate_latest(registry), prometheus_client.CONTENT_TYPE_LATEST


async def _counts(db: Database) -> dict[str, list[tuple[str, int]]]:
    async with db.reading() as session:
        queries: dict[str, sa.Executable] = {
            "subscriptions": sa.select(col(Subscription.state), sa.func.count()).group_by(
                col(Subscription.state)
            ),
            "deliveries_running": _running(),
            "notices_waiting": sa.select(sa.literal("queued"), sa.func.count()).where(
                col(QueuedNotice.state) == NoticeState.QUEUED
            ),
            "subscribers": sa.select(sa.literal("all"), sa.func.count()).select_from(Subscriber),
        }
        return {
            name: [(state, count) for state, count in (await session.execute(query)).all()]
            for name, query in queries.items()
        }


def _running() -> sa.CompoundSelect[str, int]:
    """Recipients of dispatches that are not over, by state; each kind by an index of its own."""
    running = sa.select(col(Dispatch.id)).where(
        col(Dispatch.state).in_([DispatchState.SENDING, DispatchState.PAUSED])
    )
    of_them = col(Delivery.dispatch_id).in_(running)
    queued, sent = sa.literal(DeliveryState.QUEUED.value), sa.literal(DeliveryState.SENT.value)
    state, count = col(Delivery.state), sa.func.count()
    free, in_hand = (
        sa.select(count).where(of_them, condition).scalar_subquery() for condition in ALL_QUEUED
    )
    return sa.union_all(
        sa.select(queued, free + in_hand),
        sa.select(state, count).where(of_them, IS_ODD).group_by(state),
        sa.select(sent, count).where(of_them, col(Delivery.sent_at).is_not(None)),
    )


class _Collected:
    """Figures in the form that prometheus_client asks for."""

    def __init__(self, counts: dict[str, list[tuple[str, int]]]) -> None:
        self._counts = counts

    def collect(self) -> list[GaugeMetricFamily]:
        """One gauge a query, labelled by state."""
        families = []
        for name, rows in self._counts.items():
            family = GaugeMetricFamily(
                f"handbill_{name}", f"{name.replace('_', ' ')} by state", labels=["state"]
            )
            for state, count in rows:
                family.add_metric([state], count)
            families.append(family)
        return families
