"""`/healthz` says that the process lives, `/readyz` that it can work, `/metrics` how it does."""

import prometheus_client
import sqlalchemy as sa
from aiohttp import web
from prometheus_client.core import GaugeMetricFamily
from sqlmodel import col

from delivery.models import Delivery, Dispatch, DispatchState, NoticeState, QueuedNotice
from foundation import database
from foundation.web import kit
from subscribers.models import Subscriber, Subscription


def routes() -> list[web.RouteDef]:
    """Addresses for whoever watches the service."""
    return [
        web.get("/healthz", alive),
        web.get("/readyz", ready),
        web.get("/metrics", metrics),
    ]


async def alive(_request: web.Request) -> web.Response:
    """Answers as long as the process does."""
    return web.Response(text="ok\n")


async def ready(request: web.Request) -> web.Response:
    """503 while the database can't be read and written."""
    if await database.is_writable(kit.ground(request).db):
        return web.Response(text="ready\n")
    return web.Response(
        status=503,
        text="the database can't be written: it is locked or out of reach, or its disk is full\n",
        headers={"Retry-After": "5"},
    )


async def metrics(request: web.Request) -> web.Response:
    """Totals in Prometheus' text format; nothing about a person."""
    counts = await _counts(kit.ground(request).db)
    registry = prometheus_client.CollectorRegistry()
    registry.register(_Collected(counts))
    return web.Response(
        body=prometheus_client.generate_latest(registry),
        headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST},
    )


async def _counts(db: database.Database) -> dict[str, list[tuple[str, int]]]:
    async with db.reading() as session:
        running = sa.select(col(Dispatch.id)).where(
            col(Dispatch.state).in_([DispatchState.SENDING, DispatchState.PAUSED])
        )
        queries = {
            "subscriptions": sa.select(col(Subscription.state), sa.func.count()).group_by(
                col(Subscription.state)
            ),
            "deliveries_running": sa.select(col(Delivery.state), sa.func.count())
            .where(col(Delivery.dispatch_id).in_(running))
            .group_by(col(Delivery.state)),
            "notices_waiting": sa.select(sa.literal("queued"), sa.func.count()).where(
                col(QueuedNotice.state) == NoticeState.QUEUED
            ),
            "subscribers": sa.select(sa.literal("all"), sa.func.count()).select_from(Subscriber),
        }
        return {
            name: [(state, count) for state, count in (await session.execute(query)).all()]
            for name, query in queries.items()
        }


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
