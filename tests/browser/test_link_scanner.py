"""Programs that check mail open every link of it, with and without scripts: nothing comes of it."""

import asyncio
import html
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa
from playwright.async_api import Browser, BrowserContext
from sqlmodel import col
from yarl import URL

from campaigns import reports
from campaigns.models import Hit
from foundation import tables
from foundation.config import Settings
from foundation.ground import Ground
from handbill.demo.browser import Browser as FormBrowser
from subscribers.models import (
    Consent,
    Member,
    MemberContact,
    MemberState,
    Subscriber,
    Subscription,
    SubscriptionState,
    Suppression,
)
from tests.world import campaigning, elsewhere, homes, people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher, Received

pytestmark = pytest.mark.browser

# Scanners dress up as people; then only the moment of the visit gives them away.
PERSON = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36"
)
_URL = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")
_PEOPLES_OWN = (Subscriber, Subscription, Consent, Suppression, Member, MemberContact)
Deliver = Callable[[], Awaitable[None]]


@pytest.fixture
async def outside() -> AsyncIterator[str]:
    """A page of somebody else's, which a bulletin links to."""
    async with elsewhere.page_with("<p>News</p>", language="en") as address:
        yield address


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The site's address leads to this test's server, so that mailed links work in a browser."""
    return homes.moved(settings)


@pytest.fixture
async def site(ground: Ground) -> AsyncIterator[str]:
    """The service, listening where its mails say."""
    async with homes.at_home(ground) as web:
        yield web.base


def links(mail: Received) -> list[str]:
    """Every address in a mail: both parts, pictures too, and what its headers offer."""
    headers = [
        str(mail.parsed[name] or "") for name in ("List-Unsubscribe", "List-Help", "List-Archive")
    ]
    attributes = re.findall(r'\b(?:href|src)="([^"]+)"', mail.html)
    found = [html.unescape(each) for each in attributes]
    found += _URL.findall(mail.text)
    found += re.findall(r"<(https?://[^>]+)>", " ".join(headers))
    return [url for url in dict.fromkeys(found) if url.startswith("http")]


async def ask(method: str, urls: Iterable[str]) -> None:
    """Plain HTTP, following redirects; every address answers well."""
    async with aiohttp.ClientSession(headers={"User-Agent": PERSON}) as http:
        for url in urls:
            async with http.request(method, URL(url, encoded=True)) as answer:
                await answer.read()
                assert answer.status == 200, f"{method} {url}"


async def browse(context: BrowserContext, mail: Received) -> None:
    """Show the mail, then open all of its links, and let everything there run to its end."""
    page = await context.new_page()
    await page.set_content(mail.html, wait_until="networkidle")
    await page.close()
    async with asyncio.TaskGroup() as group:
        for url in links(mail):
            group.create_task(visit(context, url))


async def visit(context: BrowserContext, url: str) -> None:
    """One link in a page of its own, redirects and scripts and all."""
    page = await context.new_page()
    answer = await page.goto(url, wait_until="networkidle")
    assert answer is not None
    assert answer.status == 200, url
    await page.close()


async def scan(browser: Browser, mails: list[Received]) -> None:
    """All that a scanner does to mails that have just come in."""
    urls = [url for mail in mails for url in links(mail)]
    await ask("HEAD", urls)
    await ask("GET", urls)
    for can_script in (True, False):
        context = await browser.new_context(user_agent=PERSON, java_script_enabled=can_script)
        for mail in mails:
            await browse(context, mail)
        await context.close()


async def held(ground: Ground) -> dict[str, list[Any]]:
    """Every row about anybody's wishes, whole."""
    async with ground.db.reading() as session:
        return {
            model.__name__: [tuple(row) for row in (await session.execute(_rows(model))).all()]
            for model in _PEOPLES_OWN
        }


def _rows(model: type[tables.Table]) -> sa.Select[Any]:
    table = sa.inspect(model).local_table
    return sa.select(table).order_by(*table.primary_key.columns)


async def ask_for_mail(site: str) -> None:
    """Somebody signs up and an organisation applies, in a browser without scripts."""
    async with FormBrowser(site) as person:
        page = await person.open("/subscribe")
        await person.send(page.form("/subscribe"), email="luz@example.org", lang="es")
        page = await person.open("/join")
        await person.send(
            page.form("/join"),
            name="Harbor Choir",
            mission="We sing.",
            contact_name="Lidia Sosa",
            contact_email="lidia@example.org",
            agrees="1",
        )


async def test_following_every_link_of_a_mail_to_confirm_confirms_nobody(
    ground: Ground, site: str, smtp: Catcher, deliver: Deliver, browser: Browser
) -> None:
    await people.topic(ground)
    await ask_for_mail(site)
    await deliver()
    asked = [*smtp.to("luz@example.org"), *smtp.to("lidia@example.org")]
    assert [any("/confirm/" in url for url in links(mail)) for mail in asked] == [True, True]
    before = await held(ground)
    smtp.clear()

    await scan(browser, asked)
    await deliver()

    assert await held(ground) == before
    assert smtp.messages == [], "no mail of welcome either"
    async with ground.db.reading() as session:
        states = await session.scalars(sa.select(col(Subscription.state)))
        assert set(states.all()) == {SubscriptionState.PENDING}
        assert await session.scalar(sa.select(col(Member.state))) == MemberState.UNCONFIRMED


async def sent(
    ground: Ground, smtp: Catcher, deliver: Deliver, outside: str
) -> tuple[int, list[Received]]:
    """A campaign to one who allows to be counted by name and one who does not, in two languages."""
    await people.subscribed(ground, "ana@example.org", allows_tracking=True)
    await people.subscribed(ground, "ben@example.org", language="es")
    campaign, _ = await campaigning.started(ground, links=(outside, f"{outside}?2", f"{outside}?3"))
    await deliver()
    return campaign.id, [*smtp.to("ana@example.org"), *smtp.to("ben@example.org")]


@pytest.mark.usefixtures("site")
async def test_following_every_link_of_a_bulletin_changes_nothing_and_is_no_person(
    ground: Ground,
    smtp: Catcher,
    deliver: Deliver,
    browser: Browser,
    outside: str,
    clock: FakeClock,
) -> None:
    number, mails = await sent(ground, smtp, deliver, outside)
    kinds = {URL(url).path.split("/")[1] for mail in mails for url in links(mail)}
    assert {"r", "o", "view", "unsubscribe", "preferences"} <= kinds
    before = await held(ground)

    clock.advance(seconds=3)
    await scan(browser, mails)
    clock.advance(hours=3)
    await ask("HEAD", [url for mail in mails for url in links(mail)])

    assert await held(ground) == before
    found = await reports.report(ground, campaign_id=number)
    assert (found.clicks.human, found.clicks.people) == (0, 0)
    assert (found.opens.human, found.opens.people) == (0, 0)
    assert (found.unsubscribed, found.complaints) == (0, 0)
    assert [link.clicks for link in found.links if link.clicks] == []
    assert found.clicks.machine > 0
    assert found.opens.machine > 0
    async with ground.db.reading() as session:
        judged = await session.scalars(sa.select(col(Hit.is_human)).distinct())
        assert judged.all() == [False]


@pytest.mark.usefixtures("site")
async def test_somebody_who_reads_after_the_scanner_is_counted(
    ground: Ground,
    smtp: Catcher,
    deliver: Deliver,
    browser: Browser,
    outside: str,
    clock: FakeClock,
) -> None:
    number, mails = await sent(ground, smtp, deliver, outside)
    await ask("GET", links(mails[0]))
    clock.advance(hours=1)
    async with AsyncExitStack() as stack:
        context = await browser.new_context(user_agent=PERSON)
        stack.push_async_callback(context.close)
        page = await context.new_page()
        await page.set_content(mails[0].html, wait_until="networkidle")
        await page.get_by_role("link", name=outside[-5:]).first.click()
        await page.wait_for_url(outside)
    found = await reports.report(ground, campaign_id=number)
    assert (found.opens.human, found.opens.people) == (1, 1)
    assert (found.clicks.human, found.clicks.people) == (1, 1)
    assert [link.clicks for link in found.links if link.clicks] == [1]
