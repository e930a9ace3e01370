"""Whose mail was stopped asks for it again from their own mailbox, and confirms it there."""

import pytest

from foundation.ground import Ground
from subscribers import suppression
from subscribers.models import Subscriber, SuppressionReason
from tests.subscribers import mailbox
from tests.subscribers.mailbox import ANA
from tests.subscribers.test_suppression import is_blocked
from tests.world import people
from tests.world.clock import FakeClock
from tests.world.web import Web

WORDS = {
    SuppressionReason.COMPLAINT: "marked as spam",
    SuppressionReason.HARD_BOUNCE: "this mailbox does not exist",
    SuppressionReason.SOFT_BOUNCES: "several times in a row",
}


async def stopped(ground: Ground, reason: SuppressionReason) -> Subscriber:
    who = await people.subscribed(ground, ANA)
    await stop(ground, who, reason)
    return who


async def stop(ground: Ground, who: Subscriber, reason: SuppressionReason) -> None:
    async with ground.db.transaction() as session:
        await suppression.add(ground, session, subscriber_id=who.id, reason=reason, via="bounce")


@pytest.mark.storage
@pytest.mark.parametrize("reason", list(WORDS))
async def test_the_page_says_why_and_a_confirmed_wish_lets_mail_come_again(
    web: Web, ground: Ground, reason: SuppressionReason
) -> None:
    who = await stopped(ground, reason)
    here = mailbox.preferences_path(ground, who)
    assert WORDS[reason] in (await web.get(here)).text
    asked = await web.post(here, {"action": "come-back"})
    assert "is on its way" in (await web.get(asked.location)).text
    url = await mailbox.confirm_url(ground)
    assert "/come-back/" in url
    assert "press the button" in (await web.get(url)).text.lower()
    assert await is_blocked(ground, who.id), "looking changes nothing"
    assert "comes again" in (await web.post(url, {})).text
    assert not await is_blocked(ground, who.id)
    assert (await web.post(url, {})).status == 200
    assert await mailbox.states(ground) == {"secure-communities": "confirmed"}
    assert mailbox.kinds(await mailbox.steps(ground)) == ["suppressed", "lifted"]


async def test_what_the_office_stopped_stays_and_the_page_says_whom_to_write_to(
    web: Web, ground: Ground
) -> None:
    who = await stopped(ground, SuppressionReason.BY_HAND)
    here = mailbox.preferences_path(ground, who)
    page = (await web.get(here)).text
    assert "Write to office@coalition.example" in page
    assert "Write to me again" not in page
    await web.post(here, {"action": "come-back"})
    assert await mailbox.notices(ground) == []


@pytest.mark.storage
async def test_a_complaint_that_comes_after_the_wish_is_not_lifted_by_it(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    who = await stopped(ground, SuppressionReason.HARD_BOUNCE)
    await web.post(mailbox.preferences_path(ground, who), {"action": "come-back"})
    clock.advance(minutes=5)
    await stop(ground, who, SuppressionReason.COMPLAINT)
    answer = await web.post(await mailbox.confirm_url(ground), {})
    assert "has run out" in answer.text
    assert await is_blocked(ground, who.id)


async def test_nobody_is_flooded_with_mails_to_confirm_and_old_links_run_out(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    who = await stopped(ground, SuppressionReason.COMPLAINT)
    here = mailbox.preferences_path(ground, who)
    answers = [await web.post(here, {"action": "come-back"}) for _ in range(3)]
    assert "saved=too-often" in answers[-1].location
    assert len(await mailbox.notices(ground)) == 1
    clock.advance(days=ground.settings.signup.confirm_link_days + 1)
    await web.post(await mailbox.confirm_url(ground), {})
    assert await is_blocked(ground, who.id)
