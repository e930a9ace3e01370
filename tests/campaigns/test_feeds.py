"""Feeds are fetched from servers of others, and from none in a network of our own."""

import dataclasses

import pytest
from aiohttp import web

from campaigns import feeds
from foundation import errors
from foundation.audit import COMMAND
from foundation.ground import Ground
from tests.campaigns import newsroom
from tests.world import abroad

FEED = """<rss version="2.0"><channel><title>City Desk</title><language>en</language>
<item><title>A vote</title><link>https://desk.example/1</link></item></channel></rss>"""


async def fetched(ground: Ground, url: str) -> feeds.Fetched:
    return await feeds.fetch(ground, actor=COMMAND, issue_slug="secure-communities", url=url)


async def test_a_feed_is_followed_to_where_it_moved_but_never_into_a_private_network(
    ground: Ground,
) -> None:
    await newsroom.issue(ground)
    pages: dict[str, web.Response | str | int] = {
        "/feed": web.Response(text=FEED),
        "/moved": "/feed",
        "/inside": "http://inside.coop:PORT/feed",
        "/here": "http://127.0.0.2:PORT/feed",
        "/large": web.Response(body=b" " * (ground.settings.desk.feed_max_bytes + 1)),
        "/round": "/round",
    }
    async with abroad.serving(pages) as there:
        there.names["inside.coop"] = ["10.1.2.3"]
        ours = dataclasses.replace(ground, outward=there.outward())
        assert (await fetched(ours, there.url("/moved"))).added == 1
        asked = ("/inside", "/here")
        for url in [*map(there.url, asked), "http://10.9.8.7/feed"]:
            with pytest.raises(errors.Refused, match="in a private network"):
                await fetched(ours, url)
        assert there.asked.count("GET /feed") == 1
        for path, said in (
            ("/large", "larger than"),
            ("/round", "on and on"),
            ("/no", "answers with 404"),
        ):
            with pytest.raises(errors.Refused, match=said):
                await fetched(ours, there.url(path))
        with pytest.raises(errors.Refused, match="in a private network"):
            await fetched(ground, f"http://127.0.0.1:{there.port}/feed")
