import pytest
import sqlalchemy as sa
from sqlmodel import col

from foundation.ground import Ground
from subscribers import retention
from subscribers.models import SignUpState, Subscriber, SubscriptionState
from tests.subscribers import mailbox
from tests.subscribers.mailbox import ANA
from tests.world import people
from tests.world.clock import FakeClock
from tests.world.web import Web


async def emails(ground: Ground) -> list[str]:
    async with ground.db.reading() as session:
        return sorted(await session.scalars(sa.select(col(Subscriber.email))))


@pytest.mark.storage
async def test_networks_are_blanked_in_time_and_the_consent_stays(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    await mailbox.topics(ground)
    await mailbox.sign_up(web, ground)
    clock.advance(days=29)
    await retention.tidy(ground)
    assert [step.network for step in await mailbox.steps(ground)] == ["127.0.0.0/24"] * 2
    clock.advance(days=2)
    assert (await retention.tidy(ground)).networks == 2
    found = await mailbox.steps(ground)
    assert [step.network for step in found] == [None, None]
    assert all(step.wording_id for step in found)


@pytest.mark.storage
async def test_who_never_confirmed_is_forgotten_and_nobody_else(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    await mailbox.topics(ground)
    await people.subscribed(ground, "reader@example.org")
    await people.subscribed(ground, "left@example.org", state=SubscriptionState.UNSUBSCRIBED)
    await mailbox.sign_up(web, ground, "confirmed@example.org")
    await mailbox.send(web, email="typed@example.org")
    await mailbox.send(web, email="reader@example.org", topic="action-alerts")
    clock.advance(days=20)
    await mailbox.send(web, email="late@example.org")
    clock.advance(days=11)
    done = await retention.tidy(ground)
    assert (done.people, done.signups_expired) == (1, 2)
    assert await emails(ground) == [
        "confirmed@example.org",
        "late@example.org",
        "left@example.org",
        "reader@example.org",
    ]
    assert await mailbox.states(ground, "reader@example.org") == {"secure-communities": "confirmed"}
    assert (await retention.tidy(ground)).people == 0


async def test_a_link_of_somebody_forgotten_says_that_it_is_too_old(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    await mailbox.topics(ground)
    await mailbox.send(web)
    url = await mailbox.confirm_url(ground)
    clock.advance(days=31)
    await retention.tidy(ground)
    assert (await web.get(url)).status == 410
    assert (await web.post(url, {})).status == 410


@pytest.mark.storage
@pytest.mark.settings(signup={"confirmations_per_hour": 2})
async def test_what_a_limit_held_back_goes_out_when_there_is_room(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    await mailbox.topics(ground)
    for number in range(5):
        await mailbox.send(web, email=f"p{number}@example.org")
    assert await retention.release_held(ground) == 0
    for expected in (2, 1, 0):
        clock.advance(hours=1)
        assert await retention.release_held(ground) == expected
    url = await mailbox.confirm_url(ground, to="p4@example.org")
    assert (await web.post(url, {})).status == 200
    assert await mailbox.states(ground, "p4@example.org") == {"secure-communities": "confirmed"}


@pytest.mark.settings(signup={"submissions_per_network_per_hour": 2})
async def test_a_networks_limit_holds_for_what_was_held_too(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    await mailbox.topics(ground)
    for number in range(6):
        await mailbox.send(web, email=f"p{number}@example.org")
    clock.advance(hours=1)
    assert await retention.release_held(ground) == 2
    assert await retention.release_held(ground) == 0
    clock.advance(hours=1)
    assert await retention.release_held(ground) == 2


async def test_a_second_press_brings_no_second_mail_later(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    await mailbox.topics(ground)
    await mailbox.send(web)
    await mailbox.send(web)
    await mailbox.send(web, topic="action-alerts")
    clock.advance(hours=1)
    assert await retention.release_held(ground) == 1
    assert [notice.context["topics"] for notice in await mailbox.notices(ground)] == [
        "Secure Communities",
        "Action alerts",
    ]
    found = [each.state for each in await mailbox.sign_ups(ground)]
    assert found == [SignUpState.SUBMITTED, SignUpState.EXPIRED, SignUpState.SUBMITTED]


async def test_who_confirmed_meanwhile_is_not_asked_again(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    await mailbox.topics(ground)
    await mailbox.send(web)
    await mailbox.send(web)
    await web.post(await mailbox.confirm_url(ground), {})
    clock.advance(hours=1)
    assert await retention.release_held(ground) == 0
    assert len(await mailbox.notices(ground, to=ANA)) == 1
