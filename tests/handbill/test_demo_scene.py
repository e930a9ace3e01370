"""The demo's clock, its timeline, and the partner's page on another origin."""

from datetime import UTC, date, datetime, timedelta
from functools import partial

import aiohttp
import pytest

from handbill.demo import content, partner_page
from handbill.demo.checking import StoryError, link_in, token_in, until
from handbill.demo.clock import DemoClock
from handbill.demo.mailbox import Mailbox
from handbill.demo.partner_page import PartnerPage
from handbill.demo.scene import Timeline

PAST = datetime(2026, 10, 1, 12, tzinfo=UTC)


def test_the_clock_stands_in_the_past_until_it_is_told_to_run() -> None:
    clock = DemoClock()
    clock.stand_at(PAST)
    assert clock.now() == PAST
    clock.skip(timedelta(hours=2))
    assert clock.now() == PAST + timedelta(hours=2)
    clock.run()
    before = clock.now()
    assert before > PAST
    clock.skip(timedelta(days=1))
    assert clock.now() - before >= timedelta(days=1)


async def test_a_timeline_goes_by_moments_and_takes_what_follows() -> None:
    clock = DemoClock()
    timeline = Timeline(clock)
    seen: list[tuple[str, datetime]] = []

    async def note(name: str) -> None:
        seen.append((name, clock.now()))
        if name == "first":
            timeline.after(timedelta(minutes=5), partial(note, "follows"))

    timeline.add(PAST + timedelta(hours=1), partial(note, "last"))
    timeline.add(PAST, partial(note, "first"))
    await timeline.run()
    assert seen == [
        ("first", PAST),
        ("follows", PAST + timedelta(minutes=5)),
        ("last", PAST + timedelta(hours=1)),
    ]


def test_links_in_mails_are_found_whole() -> None:
    mail = Mailbox().keep(
        received_at=PAST,
        mail_from="",
        recipient="ana@example.org",
        data=b"Subject: x\r\n\r\nPress here:\r\nhttp://site.test/confirm/AbC-_1\r\n\r\nBye\r\n",
    )
    assert link_in(mail, "/confirm/") == "http://site.test/confirm/AbC-_1"
    assert token_in(mail, "/confirm/") == "AbC-_1"
    with pytest.raises(StoryError):
        link_in(mail, "/unsubscribe/")
    with pytest.raises(StoryError):
        link_in(None, "/confirm/")


async def test_waiting_for_what_never_comes_ends() -> None:
    with pytest.raises(StoryError, match="a mail did not come"):
        await until(lambda: None, "a mail", within_s=0.01)


async def test_the_partners_page_carries_the_form_in_both_languages() -> None:
    partner = content.load(date(2026, 11, 24)).coalition.partner
    page = PartnerPage(partner=partner, forms={"en": "<form id=e></form>", "es": "<form id=s>"})
    async with partner_page.open_page(page, port=0) as port, aiohttp.ClientSession() as http:
        async with http.get(f"http://127.0.0.1:{port}/") as answer:
            english = await answer.text()
        async with http.get(
            f"http://127.0.0.1:{port}/", headers={"Accept-Language": "es-MX,es;q=0.9"}
        ) as answer:
            spanish = await answer.text()
    assert '<html lang="en">' in english
    assert "<form id=e>" in english
    assert '<html lang="es">' in spanish
    assert partner.texts["es"]["body"] in spanish
