"""Hits: by name only with consent, machines apart from people, and never a way to anywhere else."""

import re
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col

from campaigns import bulletins, compiling, documents, reports, tracking
from campaigns.models import Hit, HitKind
from campaigns.tracking import Visit
from foundation.audit import COMMAND
from foundation.ground import Ground
from subscribers.models import Subscriber
from tests.world import campaigning, mailing, people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher, Received
from tests.world.web import Web

PERSON = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"}
Deliver = Callable[[], Awaitable[None]]


def clicks(mail: Received) -> list[str]:
    """The tracked links of a mail, in order."""
    return list(dict.fromkeys(re.findall(r'href="(http://handbill\.test/r/[^"]+)"', mail.html)))


def pixel(mail: Received) -> str:
    """The address of a mail's counting image."""
    found = re.search(r'src="(http://handbill\.test/o/[^"]+\.gif)"', mail.html)
    assert found
    return found[1]


async def sent(ground: Ground, smtp: Catcher, deliver: Deliver) -> tuple[int, Received, Received]:
    """A campaign that went to one person who allows to be counted by name, and one who doesn't."""
    await people.subscribed(ground, "yes@example.org", allows_tracking=True)
    await people.subscribed(ground, "no@example.org")
    campaign, _ = await campaigning.started(ground)
    await deliver()
    return campaign.id, smtp.to("yes@example.org")[0], smtp.to("no@example.org")[0]


@pytest.mark.storage
async def test_only_who_agreed_is_counted_by_name(
    web: Web, smtp: Catcher, deliver: Deliver, clock: FakeClock
) -> None:
    number, yes, no = await sent(web.ground, smtp, deliver)
    clock.advance(minutes=5)
    for mail in (yes, no):
        answer = await web.get(clicks(mail)[0], headers=PERSON)
        assert (answer.status, answer.location) == (302, campaigning.LINKS[0])
        image = await web.get(pixel(mail), headers=PERSON)
        assert (image.status, image.body[:6]) == (200, b"GIF89a")
    found = await reports.report(web.ground, campaign_id=number)
    assert (found.clicks.human, found.clicks.people, found.clicks.machine) == (2, 1, 0)
    assert (found.opens.human, found.opens.people) == (2, 1)
    assert [(link.clicks, link.people) for link in found.links[:2]] == [(2, 1), (0, 0)]
    async with web.ground.db.reading() as session:
        assert await session.scalar(sa.select(sa.func.count(col(Hit.id)))) == 2


async def test_taking_consent_back_counts_from_then_on(
    web: Web, smtp: Catcher, deliver: Deliver, clock: FakeClock
) -> None:
    number, yes, _ = await sent(web.ground, smtp, deliver)
    clock.advance(minutes=5)
    async with web.ground.db.transaction() as session:
        await session.execute(sa.update(Subscriber).values(allows_tracking=False))
    await web.get(clicks(yes)[0], headers=PERSON)
    found = await reports.report(web.ground, campaign_id=number)
    assert (found.clicks.human, found.clicks.people) == (1, 0)


@pytest.mark.parametrize(
    ("visit", "since", "rule"),
    [
        (Visit(method="HEAD", agent="Mozilla/5.0 Firefox"), 3600, "head"),
        (Visit(agent="Mozilla/5.0 Firefox", is_prefetch=True), 3600, "prefetch"),
        (Visit(agent=""), 3600, "agent"),
        (Visit(agent="Mozilla/5.0 (via ggpht.com GoogleImageProxy)"), 3600, "agent"),
        (Visit(agent="python-requests/2.32"), 3600, "agent"),
        (Visit(agent="Mozilla/5.0"), 3600, "privacy-proxy"),
        (Visit(agent="Mozilla/5.0 Firefox"), 5, "too-soon"),
        (Visit(agent="Mozilla/5.0 Firefox"), 3600, ""),
    ],
)
def test_machines_are_known_by_simple_rules(visit: Visit, since: int, rule: str) -> None:
    found = tracking.judge(
        visit,
        kind=HitKind.OPEN,
        since_sent=timedelta(seconds=since),
        window=timedelta(seconds=20),
    )
    assert found == rule


async def test_who_follows_every_link_at_once_is_a_machine(
    web: Web, smtp: Catcher, deliver: Deliver, clock: FakeClock
) -> None:
    number, yes, _ = await sent(web.ground, smtp, deliver)
    clock.advance(minutes=5)
    for url in clicks(yes):
        await web.get(url, headers=PERSON)
        clock.advance(seconds=1)
    found = await reports.report(web.ground, campaign_id=number)
    assert (found.clicks.human, found.clicks.people) == (0, 0)
    assert found.clicks.machine == len(clicks(yes))


@pytest.mark.parametrize(
    "change", [lambda token: token[:-3], lambda token: "A" * len(token), lambda token: token + "x"]
)
async def test_a_forged_link_leads_nowhere(
    web: Web, smtp: Catcher, deliver: Deliver, change: Callable[[str], str]
) -> None:
    number, yes, _ = await sent(web.ground, smtp, deliver)
    token = clicks(yes)[0].rpartition("/")[2]
    answer = await web.get(f"/r/{change(token)}", headers=PERSON)
    assert answer.status == 400
    assert not answer.location
    image = await web.get(f"/o/{change(token)}.gif", headers=PERSON)
    assert image.status == 200
    found = await reports.report(web.ground, campaign_id=number)
    assert (found.opens.human, found.opens.machine) == (0, 0)


async def test_a_links_token_opens_nothing_else(web: Web, smtp: Catcher, deliver: Deliver) -> None:
    _, yes, _ = await sent(web.ground, smtp, deliver)
    token = clicks(yes)[0].rpartition("/")[2]
    for path in ("unsubscribe", "preferences", "view", "confirm"):
        assert (await web.get(f"/{path}/{token}")).status == 400


async def test_the_view_in_a_browser_is_the_readers_own_and_counts_nothing(
    web: Web, smtp: Catcher, deliver: Deliver, clock: FakeClock
) -> None:
    number, yes, _ = await sent(web.ground, smtp, deliver)
    clock.advance(minutes=5)
    found = re.search(r'href="(http://handbill\.test/view/[^"]+)"', yes.html)
    assert found
    page = await web.get(found[1], headers=PERSON)
    assert page.status == 200
    assert "Hello friend" in page.text
    assert "/r/" not in page.text
    assert "/o/" not in page.text
    assert "sandbox" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Robots-Tag"] == "noindex"
    report = await reports.report(web.ground, campaign_id=number)
    assert (report.opens.human, report.opens.machine) == (0, 0)


@pytest.mark.settings(tracking={"enabled": False})
async def test_without_tracking_links_lead_straight_on(
    web: Web, smtp: Catcher, deliver: Deliver
) -> None:
    _, yes, _ = await sent(web.ground, smtp, deliver)
    assert clicks(yes) == []
    assert "/o/" not in yes.html
    assert campaigning.LINKS[0] in yes.html


@pytest.mark.settings(database={"busy_timeout_s": 0.5})
async def test_a_reader_gets_on_while_the_database_is_locked(
    web: Web, smtp: Catcher, deliver: Deliver
) -> None:
    number, yes, _ = await sent(web.ground, smtp, deliver)
    file = web.ground.settings.database.url.removeprefix("sqlite:///")
    lock = sqlite3.connect(file, isolation_level=None)
    try:
        lock.execute("BEGIN IMMEDIATE")
        answer = await web.get(clicks(yes)[0], headers=PERSON)
        assert (answer.status, answer.location) == (302, campaigning.LINKS[0])
        assert (await web.get(pixel(yes), headers=PERSON)).status == 200
    finally:
        lock.close()
    found = await reports.report(web.ground, campaign_id=number)
    assert found.clicks == found.opens == reports.Hits()


async def test_the_view_in_a_browser_shows_the_blocks_that_the_person_got(
    web: Web, smtp: Catcher, deliver: Deliver
) -> None:
    ground = web.ground
    await people.subscribed(ground, "near@example.org", town="Lynn")
    await people.subscribed(ground, "far@example.org")
    member = await people.subscribed(ground, "member@example.org")
    await people.speaks_for_a_member(ground, member)
    words = {"To Lynn": {"towns": ["Lynn"]}, "To members": {"members": True}}
    blocks = [
        {"kind": "rich_text", "texts": {"en": {"html": f"<p>{said}</p>"}}, "only_to": readers}
        for said, readers in words.items()
    ]
    document = documents.parse(documents.dump(campaigning.document()) | {"blocks": blocks})
    bulletin = await bulletins.create(ground, actor=COMMAND, document=document)
    topic = await people.topic(ground)
    async with ground.db.reading() as session:
        plans = await compiling.compile_plans(ground, session, bulletin)
    await mailing.start(ground, topics=[topic.id], plans=plans)
    await deliver()
    for name, seen in (("near", {"To Lynn"}), ("far", set()), ("member", {"To members"})):
        (received,) = smtp.to(f"{name}@example.org")
        found = re.search(r'href="(http://handbill\.test/view/[^"]+)"', received.html)
        assert found
        page = await web.get(found[1], headers=PERSON)
        assert page.status == 200
        for part in (received.html, received.text, page.text):
            assert {each for each in words if each in part} == seen
