"""A person's page tells one story, and staff change topics in the one direction that is theirs."""

import json
import re
from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa
from sqlmodel import col

from foundation.accounts.models import Role
from foundation.audit import AuditEntry
from subscribers.models import Subscription, SubscriptionState
from tests.campaigns.test_campaign_pages import words
from tests.world import campaigning, people
from tests.world.clock import FakeClock
from tests.world.web import Web


@pytest.mark.usefixtures("smtp")
async def test_what_happened_stands_in_one_list_the_newest_first(
    web: Web, deliver: Callable[[], Awaitable[None]], clock: FakeClock
) -> None:
    ground = web.ground
    topics = ["secure-communities", "action-alerts"]
    person = await people.subscribed(ground, "ana@example.org", topics=topics)
    await campaigning.started(ground, name="Bulletin of May")
    await deliver()
    clock.advance(minutes=5)
    here = f"/staff/people/{person.id}"
    editor = await web.as_staff(Role.EDITOR)
    done = await editor.post(f"{here}/topics", {"topic": "action-alerts"})
    assert (done.status, done.location) == (303, here)
    clock.advance(minutes=5)
    await editor.post(f"{here}/suppress", {"note": "Wrote to us"})
    page = await editor.get(here)
    story = words(re.split(r'id="story-title"', page.text)[1].split("</section>")[0])
    order = [story.index(said) for said in ("“Wrote to us”", "Action alerts", "Bulletin of May")]
    assert order == sorted(order)
    async with ground.db.reading() as session:
        states = await session.scalars(
            sa.select(col(Subscription.state)).order_by(col(Subscription.id))
        )
        assert states.all() == [SubscriptionState.CONFIRMED, SubscriptionState.UNSUBSCRIBED]
    await editor.post(f"{here}/topics", {"topic": "action-alerts"})
    assert "They were not on this topic." in (await editor.get(here)).text
    for nothing in ("nowhere", ""):
        assert (await editor.post(f"{here}/topics", {"topic": nothing})).status == 422
    async with ground.db.reading() as session:
        gone = col(Subscription.state) == SubscriptionState.UNSUBSCRIBED.value
        assert await session.scalar(sa.select(sa.func.count()).where(gone)) == 1


async def test_the_office_can_give_somebody_all_that_is_held_and_is_in_the_log_for_it(
    web: Web,
) -> None:
    person = await people.subscribed(web.ground, "ana@example.org", first_name="Ana")
    viewer, editor = await web.as_staff(Role.VIEWER), await web.as_staff(Role.EDITOR)
    path = f"/staff/people/{person.id}/file"
    assert (await viewer.post(path, {})).status == 403
    file = await editor.post(path, {})
    assert json.loads(file.text)["person"]["first_name"] == "Ana"
    assert "attachment" in file.headers["Content-Disposition"]
    async with web.ground.db.reading() as session:
        noted = sa.select(col(AuditEntry.object_id)).where(
            col(AuditEntry.action) == "subscriber.downloaded"
        )
        assert (await session.scalars(noted)).all() == [str(person.id)]
