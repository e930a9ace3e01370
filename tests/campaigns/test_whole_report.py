"""A campaign's whole report: clicks on the mail, hours, where people came from, why they left."""

import csv
import io
import json
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col

from campaigns import breakdowns, everybody, leaving, lifecycle, outcomes, reports
from campaigns.breakdowns import Part, Row
from campaigns.everybody import Fate, Query
from delivery import returns
from delivery.models import BounceKind
from delivery.returns import Event
from foundation.accounts.models import Role
from foundation.audit import AuditEntry
from foundation.ground import Ground
from subscribers.models import Partner, SignUp, SignUpState, Subscriber
from tests.campaigns.test_campaign_pages import words
from tests.campaigns.test_tracking import PERSON, clicks, pixel
from tests.world import campaigning, mailing, people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher
from tests.world.web import Web

Deliver = Callable[[], Awaitable[None]]


async def signed_up(ground: Ground, person: Subscriber, source: str, partner: str = "") -> None:
    """A person confirmed a sign-up that came from somewhere."""
    async with ground.db.transaction() as session:
        number = None
        if partner:
            host = Partner(key=partner, name=partner, created_at=ground.clock.now())
            session.add(host)
            await session.flush()
            number = host.id
        session.add(
            SignUp(
                subscriber_id=person.id,
                partner_id=number,
                state=SignUpState.CONFIRMED.value,
                language=person.language,
                source=source,
                created_at=ground.clock.now(),
                confirmed_at=ground.clock.now(),
            )
        )


@pytest.mark.storage
async def test_a_report_says_who_clicked_where_when_and_from_where_they_came(
    web: Web, smtp: Catcher, deliver: Deliver, clock: FakeClock
) -> None:
    ground = web.ground
    old = await people.subscribed(ground, "old@example.org")
    first, _ = await campaigning.started(ground, name="Before")
    await deliver()
    await lifecycle.follow_dispatches(ground)
    async with ground.db.transaction() as session:
        await session.execute(sa.delete(Subscriber).where(col(Subscriber.id) == old.id))
    yes = await people.subscribed(ground, "yes@example.org", allows_tracking=True)
    await people.subscribed(ground, "no@example.org", language="es")
    gone = await people.subscribed(ground, "gone@example.org")
    await signed_up(ground, yes, "flyer", "Lynn Legal")
    await signed_up(ground, gone, "flyer")
    await signed_up(ground, gone, "later")
    campaign, order = await campaigning.started(ground)
    await deliver()
    await lifecycle.follow_dispatches(ground)
    address, hard = "gone@example.org", BounceKind.HARD
    await returns.take_events(
        ground, [Event(via="ses", kind=hard, reason="user-unknown", address=address)]
    )
    of_yes, of_no = smtp.to("yes@example.org")[0], smtp.to("no@example.org")[0]
    clock.advance(hours=1)
    await web.get(clicks(of_yes)[1], headers=PERSON)
    await web.get(clicks(of_no)[1], headers=PERSON)
    await web.get(pixel(of_yes), headers=PERSON)
    await web.request("HEAD", clicks(of_no)[0], headers=PERSON)
    await web.get(clicks(of_no)[0], headers={"User-Agent": "LinkGuard"})
    left = re.search(
        r"<(http://handbill\.test/unsubscribe/[^>]+)>", of_no.parsed["List-Unsubscribe"]
    )
    assert left
    await web.post(left[1], {"from": "everything", "reason": "Too much <b>mail</b>"})

    report = await reports.report(ground, campaign_id=campaign.id)
    assert report.machine_rules == {"click": {"agent": 1, "head": 1}}
    async with ground.db.reading() as session:
        counted = await breakdowns.count(ground, session, order)
        why = await leaving.of_dispatch(session, order.id)
        (own,) = await outcomes.of(session, [(campaign, order)])
        before = await outcomes.latest(session, limit=10, before=order)
    assert counted.by_language == report.by_language
    assert counted.consenting == report.consenting == 1
    assert counted.sent_by_hour == [3]
    assert list(counted.parts[Part.SOURCE]) == [
        Row(name="flyer", recipients=2, sent=2, came_back=1, named=1, clicked=1),
        Row(name="", recipients=1, sent=1, left=1),
    ]
    assert {row.name: row.recipients for row in counted.parts[Part.PARTNER]} == {
        "Lynn Legal": 1, "": 2,
    }  # fmt: skip
    assert (why.people, why.ways, why.said, why.silent) == (
        1, {"link": 1}, [("Too much <b>mail</b>", 1)], 0,
    )  # fmt: skip
    assert (own.sent, own.came_back, own.clicks, own.unsubscribed) == (3, 1, 2, 1)
    assert own.delivered == pytest.approx(2 / 3)
    assert own.clicks_a_hundred == 100
    assert [each.campaign.id for each in before] == [first.id]

    viewer = await web.as_staff(Role.VIEWER)
    here = f"/staff/campaigns/{campaign.id}"
    assert f"{here}/report" in (await viewer.get(here)).text
    page = await viewer.get(f"{here}/report?edition=es")
    said = words(page.text)
    for told in ("flyer", "Lynn Legal", "“Too much", "asked only whether the address is there"):
        assert told in said
    assert "<b>mail</b>" not in page.text
    frame = await viewer.get(f"{here}/heat?edition=es")
    marks = re.findall(
        r'<a\b[^>]*href="([^"]+)"[^>]*data-heat="(\d)">[^<]*<span[^>]*>([^<]+)', frame.text
    )
    assert marks[:3] == [
        (campaigning.LINKS[0], "0", "0 · 0%"),
        (campaigning.LINKS[1], "4", "1 · 100%"),
        (campaigning.LINKS[2], "0", "0 · 0%"),
    ]
    assert "/r/" not in frame.text
    whole = json.loads((await viewer.get(f"{here}/report.json")).text)
    assert whole["parts"]["source"][0]["clicked"] == 1
    assert "uncertain_people" not in whole
    rows = dict(csv.reader(io.StringIO((await viewer.get(f"{here}/report.csv")).text)))
    assert (rows["clicks.human"], rows["leaving.said.1.people"]) == ("2", "1")
    assert "@example.org" not in json.dumps(whole)


@pytest.mark.storage
async def test_everybody_is_listed_with_what_happened_to_each(
    web: Web, smtp: Catcher, deliver: Deliver, clock: FakeClock
) -> None:
    ground = web.ground
    await people.subscribed(ground, "yes@example.org", allows_tracking=True)
    await people.subscribed(ground, "no@example.org")
    await people.subscribed(ground, "bad@example.org")
    smtp.answer("RCPT", "bad@example.org", "550 5.3.5 Setup")
    campaign, _ = await campaigning.started(ground)
    await deliver()
    clock.advance(minutes=5)
    for name in ("yes", "no"):
        await web.get(clicks(smtp.to(f"{name}@example.org")[0])[0], headers=PERSON)
    await web.get(pixel(smtp.to("yes@example.org")[0]), headers=PERSON)

    async def listed(fate: Fate = Fate.ALL, text: str = "", after: int = 0) -> list[str]:
        page = await everybody.page(
            ground, campaign_id=campaign.id, query=Query(fate=fate, text=text), after=after, limit=2
        )
        names = [each.email.partition("@")[0] for each in page.items]
        return names + (await listed(fate, text, page.next_after) if page.next_after else [])

    assert await listed() == ["yes", "no", "bad"]
    assert await listed(Fate.ARRIVED) == ["yes", "no"]
    # No is counted in the sums alone, whatever they followed.
    assert await listed(Fate.CLICKED) == ["yes"]
    assert await listed(Fate.NOT_SENT) == ["bad"]
    assert await listed(text="NO@example.org") == ["no"]
    assert await listed(text="yes@ex") == ["yes"]
    assert await listed(Fate.LEFT) == await listed(Fate.CAME_BACK) == []

    editor = await web.as_staff(Role.EDITOR)
    here = f"/staff/campaigns/{campaign.id}/everybody"
    said = words((await editor.get(f"{here}?fate=not-sent")).text)
    assert "bad@example.org" in said
    assert "yes@example.org" not in said

    async def taken_along() -> list[tuple[str, bool, str]]:
        file = await editor.post(f"{here}/export", {"fate": "", "q": ""})
        rows = csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff")))
        return [(row["email"], row["opened_at"] != "", row["links_followed"]) for row in rows]

    assert await taken_along() == [
        ("yes@example.org", True, "1"),
        ("no@example.org", False, ""),
        ("bad@example.org", False, ""),
    ]
    async with ground.db.reading() as session:
        noted = sa.select(col(AuditEntry.after)).where(
            col(AuditEntry.action) == "campaign.recipients-exported"
        )
        assert (await session.scalars(noted)).all() == [{"of": "everybody"}]
    # Whoever agrees no more is counted by name no more, with what they did before, too.
    async with ground.db.transaction() as session:
        await session.execute(sa.update(Subscriber).values(allows_tracking=False))
    assert await listed(Fate.CLICKED) == []
    assert (await taken_along())[0] == ("yes@example.org", False, "")


@pytest.mark.storage
@pytest.mark.usefixtures("smtp")
async def test_a_large_campaign_is_counted_by_itself_and_says_when(
    ground: Ground,
    deliver: Deliver,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(breakdowns, "AT_ONCE", 1)
    await people.subscribed(ground, "a@example.org")
    await people.subscribed(ground, "b@example.org", language="es")
    campaign, order = await campaigning.started(ground)
    async with ground.db.reading() as session:
        assert await breakdowns.read(ground, session, order) is None
    await breakdowns.work(ground)
    began = clock.now()
    clock.advance(minutes=1)
    await deliver()
    await breakdowns.work(ground)
    report = await reports.report(ground, campaign_id=campaign.id)
    assert report.counted_at == began
    assert report.by_language == {"en": {"queued": 1}, "es": {"queued": 1}}
    clock.advance(minutes=5)
    await breakdowns.work(ground)
    report = await reports.report(ground, campaign_id=campaign.id)
    assert report.by_language == {"en": {"sent": 1}, "es": {"sent": 1}}

    # Three days later nothing is counted for three hours, unless something comes back.
    await lifecycle.follow_dispatches(ground)
    clock.advance(days=3)
    await breakdowns.work(ground)
    clock.advance(minutes=6)
    await breakdowns.work(ground)
    assert (await reports.report(ground, campaign_id=campaign.id)).counted_at == clock.now() - (
        timedelta(minutes=6)
    )
    bounce = Event(via="ses", kind=BounceKind.HARD, reason="user-unknown", address="b@example.org")
    await returns.take_events(ground, [bounce])
    await breakdowns.work(ground)
    async with ground.db.reading() as session:
        counted = await breakdowns.kept(session, order.id)
    assert counted is not None
    assert [row.came_back for row in counted.parts[Part.LANGUAGE]] == [0, 1]
    assert (await reports.report(ground, campaign_id=campaign.id)).bounced["hard"] == 1
    assert (await mailing.counts(ground, order.id)).sent == 2


async def test_a_sweep_is_told_by_its_rule(
    web: Web, smtp: Catcher, deliver: Deliver, clock: FakeClock
) -> None:
    await people.subscribed(web.ground, "yes@example.org", allows_tracking=True)
    campaign, _ = await campaigning.started(web.ground)
    await deliver()
    clock.advance(minutes=5)
    followed = clicks(smtp.to("yes@example.org")[0])
    for url in followed:
        await web.get(url, headers=PERSON)
    report = await reports.report(web.ground, campaign_id=campaign.id)
    assert report.clicks.human == 0
    assert report.machine_rules == {"click": {"every-link": len(followed)}}
