"""Feeds that tests write, and the desk that reads them."""

import dataclasses
from collections.abc import Sequence
from datetime import date
from typing import Any
from xml.sax.saxutils import escape

from aiohttp import web
from sqlmodel import col, select

from campaigns import feed_polling, feed_sources, incoming, issues
from campaigns.feed_polling import Reading
from campaigns.feed_sources import FeedDraft
from campaigns.inbox_models import Feed, IncomingItem, Origin
from campaigns.incoming import Offer, TakenIn
from foundation.ground import Ground
from tests.campaigns.newsroom import ANA
from tests.world.abroad import Abroad

VOTE = "Boston council votes to limit police role in deportations"
PAPER = "https://paper.example/vote"


def rss(*stories: tuple[str, str, str], title: str = "City Desk", day: str = "") -> web.Response:
    """A feed; each story is what it calls itself, its headline and its link."""
    dated = f"<pubDate>{day}</pubDate>" if day else ""
    items = "".join(
        f'<item><guid isPermaLink="false">{escape(guid)}</guid><title>{escape(headline)}</title>'
        f"<link>{escape(link)}</link>{dated}<description>{escape(headline)}, told.</description>"
        "</item>"
        for guid, headline, link in stories
    )
    return web.Response(
        text=f'<rss version="2.0"><channel><title>{escape(title)}</title>'
        f"<language>en</language>{items}</channel></rss>",
        content_type="application/rss+xml",
    )


def with_headers(response: web.Response, **headers: str) -> web.Response:
    """The same with some headers."""
    for name, value in headers.items():
        response.headers[name.replace("_", "-")] = value
    return response


def reaching(ground: Ground, there: Abroad) -> Ground:
    """The same ground, whose feeds are at a server of the test."""
    return dataclasses.replace(ground, outward=there.outward())


async def feed(
    ground: Ground, url: str, *, slug: str = "secure-communities", **more: object
) -> Feed:
    """A feed that was added."""
    async with ground.db.reading() as session:
        issue = await issues.by_slug(session, slug)
    draft = FeedDraft(issue_id=issue.id, url=url, **more)  # type: ignore[arg-type]
    return await feed_sources.add(ground, actor=ANA, draft=draft)


def offer(headline: str = VOTE, url: str = PAPER, **more: Any) -> Offer:
    """A story as it comes in."""
    values: dict[str, Any] = {
        "identity": "",
        "headline": headline,
        "summary": "<p>Told.</p><script>alert(1)</script>",
        "source_url": url,
        "source_name": "Paper",
        "language": "en",
        "happened_on": date(2026, 11, 1),
    }
    return Offer(**values | more)


async def put(ground: Ground, *offers: Offer, origin: Origin = Origin.API) -> TakenIn:
    """Stories that came in for the first issue."""
    return await incoming.take_in(ground, actor=ANA, issue_id=1, origin=origin, offers=offers)


async def polled(ground: Ground) -> list[Reading]:
    """One look of the scheduler."""
    return sorted(await feed_polling.poll_due(ground), key=lambda each: each.feed_id)


async def now(ground: Ground, feed_id: int) -> Feed:
    """A feed as it stands."""
    async with ground.db.reading() as session:
        return await feed_sources.get(session, feed_id)


async def items(ground: Ground) -> Sequence[IncomingItem]:
    """Everything in the inbox, in the order in which it came."""
    async with ground.db.reading() as session:
        statement = select(IncomingItem).order_by(col(IncomingItem.id))
        return (await session.exec(statement)).all()


async def told(ground: Ground) -> list[tuple[str, str]]:
    """Headline and state of everything in the inbox."""
    return [(each.headline, each.state) for each in await items(ground)]
