"""The service is killed while many sign up and many follow links: what was answered is there."""

import asyncio
import bisect
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from campaigns.models import HitTotal
from delivery.models import QueuedNotice
from foundation.clock import SystemClock
from foundation.ground import Ground
from foundation.tokens import Purpose
from subscribers.models import Consent, SignUp, Subscriber, Subscription
from tests.world import grounds, mailing, service

AT_ONCE = 12
"""People who sign up at every moment."""
READERS = 3
"""People who follow links at every moment."""
SIGN_UPS = 150
"""So many are answered before the kill."""
LASTING_S = 3.0
"""For so long links are followed before the kill."""
MANY = 1_000_000
UNLIMITED = {
    "submissions_per_network_per_hour": MANY,
    "confirmations_per_hour": MANY,
    "confirmations_per_domain_per_hour": MANY,
    "challenge_from_per_10_minutes": MANY,
}


class Crowd:
    """Many who ask a service for something over and over, until it is gone."""

    def __init__(self, url: str, *, may_be_busy: bool = False) -> None:
        self.url = url
        self._may_be_busy = may_be_busy
        self.answered: list[tuple[str, float]] = []
        """What was answered, and when."""
        self._moved = asyncio.Event()

    def in_busiest_second(self) -> int:
        """How many were answered within the second that had most."""
        times = [at for _, at in self.answered]
        return max(bisect.bisect_left(times, at + 1.0) - n for n, at in enumerate(times))

    def lasted_s(self) -> float:
        """From the first answer to the last."""
        return self.answered[-1][1] - self.answered[0][1] if self.answered else 0.0

    async def ask(
        self, client: aiohttp.ClientSession, wanted: Iterator[tuple[str, dict[str, str]]]
    ) -> None:
        """Ask for one after the other; a path and the form to send there, if any."""
        for path, form in wanted:
            method = "POST" if form else "GET"
            try:
                async with client.request(
                    method, self.url + path, data=form or None, allow_redirects=False
                ) as answer:
                    if answer.status == 503 and self._may_be_busy:
                        continue
                    assert answer.status in (302, 303)
            except (aiohttp.ClientError, ConnectionError):
                return  # killed
            name = form.get("email", path)
            self.answered.append((name, asyncio.get_running_loop().time()))
            self._moved.set()

    async def until(self, is_enough: Callable[[], bool]) -> None:
        """Wait until what was answered is enough."""
        while not is_enough():
            self._moved.clear()
            await self._moved.wait()


async def checked_sign_ups(ground: Ground, answered: set[str]) -> None:
    """Everybody who was answered is there, and nobody is there by halves."""
    theirs = select(Subscriber.id, Subscriber.email).where(
        col(Subscriber.email).endswith("@load.example")
    )
    confirmations = select(QueuedNotice.to_address).where(QueuedNotice.kind == "confirm")
    async with ground.db.reading() as session:
        people = dict((await session.exec(theirs)).all())
        parts = [
            Counter(await session.scalars(sa.select(col(table.subscriber_id))))
            for table in (SignUp, Subscription, Consent)
        ]
        queued = Counter((await session.exec(confirmations)).all())
    assert answered <= set(people.values()), "lost"
    for number, email in people.items():
        assert [counted[number] for counted in parts] == [1, 1, 1], "kept by halves"
        assert queued[email] == 1, "kept without the mail that asks them"


async def counted_clicks(ground: Ground) -> int:
    """How many clicks the report has, of people and machines."""
    async with ground.db.reading() as session:
        found = await session.scalar(sa.select(sa.func.sum(HitTotal.human + HitTotal.machine)))
    return int(found or 0)


@pytest.mark.storage
@pytest.mark.slow
async def test_whoever_was_answered_is_kept_whole_and_a_second_of_clicks_at_most_is_lost(
    database_url: str, tmp_path: Path
) -> None:
    settings = grounds.settings(url=database_url, folder=tmp_path, changes={"signup": UNLIMITED})
    async with grounds.standing(settings, SystemClock()) as ground:
        topic = await mailing.crowd(ground, 1)
        order = await mailing.start(ground, topics=[topic])
        numbers = itertools.count()
        forms = (
            ("/subscribe", {"email": f"p{number}@load.example", "topic": "secure-communities"})
            for number in numbers
        )
        token = ground.tokens.seal(Purpose.CLICK, order.id, 1, 0, 0)
        links = itertools.repeat((f"/r/{token}", dict[str, str]()))
        async with (
            service.running(settings, tmp_path) as serving,
            aiohttp.ClientSession() as client,
        ):
            signing, clicking = Crowd(serving.url), Crowd(serving.url)
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(signing.ask(client, forms))
                for _ in range(READERS):
                    group.create_task(clicking.ask(client, links))
                await signing.until(lambda: len(signing.answered) >= SIGN_UPS)
                await clicking.until(lambda: clicking.lasted_s() >= LASTING_S)
                await serving.kill()
        await checked_sign_ups(ground, {email for email, _ in signing.answered})
        kept = await counted_clicks(ground)
        assert kept <= len(clicking.answered) + READERS, "counted twice"
        assert len(clicking.answered) - kept <= clicking.in_busiest_second()
