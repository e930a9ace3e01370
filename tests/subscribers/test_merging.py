"""Joining two records: refusals outlive consents, old links work, nothing is lost or doubled."""

import re
from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa
from sqlmodel import col

from campaigns import holdings as campaigns_holdings
from campaigns.models import Hit
from delivery import holdings as delivery_holdings
from delivery.models import Delivery
from foundation import errors
from foundation.accounts.models import Role
from foundation.audit import COMMAND, AuditEntry
from foundation.ground import Ground
from foundation.tokens import Purpose
from subscribers import erasing, mending, merging, people, suppression, unsubscribe
from subscribers.finding import Standing
from subscribers.models import (
    Consent,
    ConsentStep,
    FormerSubscriber,
    SignUp,
    SignUpState,
    Subscriber,
    SubscriberTag,
    Subscription,
    SubscriptionState,
    SuppressionReason,
)
from tests.campaigns.test_campaign_pages import words
from tests.campaigns.test_tracking import PERSON, clicks
from tests.handbill.test_api import bearer
from tests.world import campaigning
from tests.world import people as world
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher
from tests.world.web import Web

Deliver = Callable[[], Awaitable[None]]
ELSEWHERE = (delivery_holdings, campaigns_holdings)
CONFIRMED, PENDING, GONE = (
    SubscriptionState.CONFIRMED, SubscriptionState.PENDING, SubscriptionState.UNSUBSCRIBED,
)  # fmt: skip


@pytest.mark.parametrize(
    ("kept", "former", "outcome"),
    [
        (CONFIRMED, CONFIRMED, CONFIRMED),
        (CONFIRMED, None, CONFIRMED),
        (None, CONFIRMED, CONFIRMED),
        (PENDING, CONFIRMED, CONFIRMED),
        (CONFIRMED, GONE, GONE),
        (GONE, CONFIRMED, GONE),
        (None, GONE, GONE),
        (PENDING, GONE, GONE),
        (PENDING, None, PENDING),
        (None, PENDING, None),
        (CONFIRMED, PENDING, CONFIRMED),
    ],
)
def test_what_was_taken_back_with_either_address_stays_taken_back(
    kept: SubscriptionState | None,
    former: SubscriptionState | None,
    outcome: SubscriptionState | None,
) -> None:
    assert merging.joined(kept, former) is outcome


async def join(ground: Ground, kept: Subscriber, former: Subscriber) -> people.Person:
    """Both records, joined."""
    await merging.merge(
        ground, actor=COMMAND, kept_id=kept.id, former_id=former.id, elsewhere=ELSEWHERE
    )
    return await people.show(ground, subscriber_id=kept.id)


@pytest.mark.storage
async def test_mails_clicks_consents_and_links_are_about_the_one_who_stays(
    web: Web, smtp: Catcher, deliver: Deliver, clock: FakeClock
) -> None:
    ground = web.ground
    old = await world.subscribed(
        ground, "old@example.org", topics=["secure-communities", "action-alerts"],
        allows_tracking=True, first_name="Ana", town="Lynn", fields={"bus": "426"},
    )  # fmt: skip
    await campaigning.started(ground, name="First")
    await deliver()
    clock.advance(minutes=5)
    await web.get(clicks(smtp.to("old@example.org")[0])[0], headers=PERSON)
    kept = await world.subscribed(
        ground, "new@example.org", first_name="Anita", allows_tracking=True
    )
    await campaigning.started(ground, name="Second")
    await deliver()
    mail = smtp.to("old@example.org")[1]
    async with ground.db.transaction() as session:
        session.add(SubscriberTag(subscriber_id=old.id, tag="choir"))
        session.add(
            SignUp(
                subscriber_id=old.id, state=SignUpState.SUBMITTED.value, language="en",
                created_at=clock.now(),
            )
        )  # fmt: skip
    found = await merging.preview(ground, kept_id=kept.id, former_id=old.id)
    assert dict(found.details) == {"town": "Lynn", "bus": "426"}
    assert found.problem is None
    person = await join(ground, kept, old)
    mine = person.subscriber
    assert (mine.email, mine.first_name, mine.town, mine.fields) == (
        "new@example.org", "Anita", "Lynn", {"bus": "426"},
    )  # fmt: skip
    assert (mine.allows_tracking, list(person.tags)) == (True, ["choir"])
    assert {each.topic.slug: each.state for each in person.topics} == {
        "secure-communities": CONFIRMED, "action-alerts": CONFIRMED,
    }  # fmt: skip
    assert person.consents[0].step == ConsentStep.MERGED
    assert [each.signup.state for each in person.sources] == [SignUpState.EXPIRED]
    async with ground.db.reading() as session:
        owners = await session.execute(
            sa.select(col(Delivery.subscriber_id), sa.func.count()).group_by(
                col(Delivery.subscriber_id)
            )
        )
        # The second bulletin went to both addresses: the row of one is nobody's, and still counts.
        assert dict(owners.all()) == {kept.id: 2, None: 1}
        hit = sa.select(col(Delivery.subscriber_id)).join(
            Hit, col(Hit.delivery_id) == col(Delivery.id)
        )
        assert (await session.scalars(hit)).all() == [kept.id]
        assert await session.get(Subscriber, old.id) is None
    link = re.search(
        r"<(http://handbill\.test/unsubscribe/[^>]+)>", mail.parsed["List-Unsubscribe"]
    )
    assert link
    await web.post(link[1], {"List-Unsubscribe": "One-Click"})
    assert (await people.show(ground, subscriber_id=kept.id)).topics[0].state is GONE
    preferences = ground.link("/preferences", Purpose.PREFERENCES, old.id)
    assert "new@example.org" in (await web.get(preferences)).text


@pytest.mark.storage
async def test_a_refusal_with_either_address_holds_for_the_person(ground: Ground) -> None:
    kept = await world.subscribed(ground, "kept@example.org")
    former = await world.subscribed(ground, "former@example.org")
    await mending.suppress(ground, actor=COMMAND, subscriber_id=former.id, note="Wrote to us")
    found = await merging.preview(ground, kept_id=kept.id, former_id=former.id)
    assert found.barred == [SuppressionReason.BY_HAND]
    person = await join(ground, kept, former)
    assert person.standing is Standing.SUPPRESSED
    async with ground.db.reading() as session:
        assert await suppression.is_active(ground, session, email_key="former@example.org")


@pytest.mark.storage
async def test_a_dead_mailbox_stays_barred_and_its_person_is_not(ground: Ground) -> None:
    kept = await world.subscribed(ground, "kept@example.org", allows_tracking=True)
    former = await world.subscribed(ground, "former@example.org")
    async with ground.db.transaction() as session:
        await suppression.add(
            ground,
            session,
            subscriber_id=former.id,
            reason=SuppressionReason.HARD_BOUNCE,
            via="bounce",
        )
    person = await join(ground, kept, former)
    assert person.standing is Standing.CONFIRMED
    assert not person.subscriber.allows_tracking, "not both agreed"
    async with ground.db.reading() as session:
        assert await suppression.is_active(ground, session, email_key="former@example.org")


@pytest.mark.storage
async def test_nobody_gets_mail_at_an_address_that_was_never_confirmed(ground: Ground) -> None:
    await world.topic(ground)
    unproven = await world.subscribed(ground, "unproven@example.org", state=PENDING)
    proven = await world.subscribed(ground, "proven@example.org")
    with pytest.raises(errors.Refused):
        await join(ground, unproven, proven)
    person = await join(ground, proven, unproven)
    assert person.standing is Standing.CONFIRMED


@pytest.mark.storage
async def test_a_second_joining_and_an_erasure_take_the_former_numbers_along(
    ground: Ground, clock: FakeClock
) -> None:
    first = await world.subscribed(ground, "one@example.org")
    second = await world.subscribed(ground, "two@example.org")
    third = await world.subscribed(ground, "three@example.org")
    await join(ground, second, first)
    clock.advance(minutes=1)
    await join(ground, third, second)
    token = ground.tokens.seal(Purpose.UNSUBSCRIBE, first.id, 0, 0)
    assert (await unsubscribe.look(ground, token=token)).email == "three@example.org"
    with pytest.raises(errors.Invalid):
        await join(ground, third, third)
    fourth = await world.subscribed(ground, "four@example.org")
    with pytest.raises(errors.Conflict):
        await merging.merge(
            ground, actor=COMMAND, kept_id=third.id, former_id=fourth.id,
            seen=(first.updated_at, fourth.updated_at),
        )  # fmt: skip
    await erasing.erase(
        ground, subscriber_id=third.id, via="staff", actor=COMMAND, elsewhere=ELSEWHERE
    )
    assert (await unsubscribe.look(ground, token=token)).email == ""
    async with ground.db.reading() as session:
        assert await session.scalar(sa.select(sa.func.count()).select_from(FormerSubscriber)) == 0
        kept = await session.scalars(
            sa.select(col(AuditEntry.before)).where(col(AuditEntry.action) == "subscriber.merged")
        )
        assert kept.all() == [{}, {}], "the log names nobody who was erased"
        assert await session.scalar(sa.select(sa.func.count()).select_from(Consent)) == 0
        left = sa.select(sa.func.count()).where(col(Subscription.subscriber_id) != fourth.id)
        assert await session.scalar(left) == 0


async def test_staff_see_what_will_be_and_are_asked_once(web: Web) -> None:
    ground = web.ground
    kept = await world.subscribed(ground, "kept@example.org")
    former = await world.subscribed(ground, "former@example.org", town="<b>Lynn</b>")
    await mending.take_off(ground, actor=COMMAND, subscriber_id=former.id, reason="")
    viewer, editor = await web.as_staff(Role.VIEWER), await web.as_staff(Role.EDITOR)
    here = f"/staff/people/{kept.id}/merge"
    assert (await viewer.get(here)).status == 403
    assert here in (await editor.get(f"/staff/people/{kept.id}")).text
    unknown = await editor.post(here, {"email": "nobody@example.org"})
    assert unknown.status == 422
    chosen = await editor.post(here, {"email": "Former@example.org"})
    assert chosen.location == f"{here}?other={former.id}"
    page = await editor.get(chosen.location)
    assert "Secure Communities Confirmed Unsubscribed Unsubscribed" in words(page.text)
    assert "<b>Lynn</b>" not in page.text
    form = {name: page.field(name) for name in ("other", "seen", "seen_other")}
    changed = await editor.post(
        f"{here}/now?other={former.id}", form | {"seen": "2020-01-01T00:00:00+00:00"}
    )
    assert changed.status == 409
    done = await editor.post(f"{here}/now?other={former.id}", form)
    assert (done.status, done.location) == (303, f"/staff/people/{kept.id}")
    assert (await editor.get(f"/staff/people/{former.id}")).status == 404
    third = await world.subscribed(ground, "third@example.org")
    joined = await web.post(
        f"/api/v1/subscribers/{kept.id}/merge",
        json={"former_id": third.id},
        headers=await bearer(ground),
    )
    assert (joined.status, joined.json()["email"]) == (200, "kept@example.org")
