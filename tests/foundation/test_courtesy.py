"""Whoever looks at a page goes before who sends, and neither is kept waiting without end."""

import asyncio

from foundation import courtesy
from foundation.courtesy import Courtesy


class Sending:
    """A sender, and the moment that it is."""

    def __init__(self) -> None:
        self.now = 0.0
        self.goes_on = asyncio.Event()
        self.courtesy = Courtesy(tick=lambda: self.now)
        self.courtesy.tell_when_over(self.goes_on.set)

    async def until_it_may(self) -> None:
        """It waits, and at some time does no more."""
        assert self.courtesy.is_asked
        async with asyncio.timeout(10):
            await self.goes_on.wait()
        assert not self.courtesy.is_asked

    async def until_it_waits(self) -> None:
        """Its turn ends."""
        async with asyncio.timeout(10):
            while not self.courtesy.is_asked:  # noqa: ASYNC110 - nobody is told of this end
                await asyncio.sleep(0)
        self.goes_on.clear()


async def test_while_a_page_is_made_a_sender_waits_and_goes_on_at_its_end() -> None:
    sending = Sending()
    with sending.courtesy.answering():
        with sending.courtesy.answering():
            assert sending.courtesy.is_asked
        assert sending.courtesy.is_asked, "the other one is not answered yet"
    assert sending.goes_on.is_set()
    assert not sending.courtesy.is_asked


async def test_a_sender_has_a_turn_after_each_wait_whoever_asks() -> None:
    sending = Sending()
    with sending.courtesy.answering():
        pass
    with sending.courtesy.answering():
        assert not sending.courtesy.is_asked, "no turn after a page"
        await sending.until_it_waits()
        await sending.until_it_may()
        await sending.until_it_waits()


async def test_what_takes_long_is_not_waited_for_any_more() -> None:
    sending = Sending()
    with sending.courtesy.answering():
        await sending.until_it_may()
        sending.now += courtesy.OLD_S
        with sending.courtesy.answering():
            await sending.until_it_waits()
        assert sending.goes_on.is_set(), "the one that lasts is waited for"


async def test_where_nobody_sends_nobody_waits() -> None:
    alone = Courtesy()
    with alone.answering():
        assert not alone.is_asked
