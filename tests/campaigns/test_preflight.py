"""The list before sending: what stops a campaign is red, and says what to do."""

from collections.abc import Awaitable, Callable

import pytest

from campaigns import bulletins, preflight
from campaigns.preflight import Tone
from foundation.audit import COMMAND
from foundation.ground import Ground
from tests.world import campaigning, people


async def tones(ground: Ground, campaign_id: int) -> dict[str, Tone]:
    """Each line's tone by its code."""
    found = await preflight.check(ground, campaign_id=campaign_id)
    speaks = ground.translator("es")
    assert all(item.say(speaks) for item in found)
    return {item.code: item.tone for item in found}


@pytest.mark.storage
async def test_a_good_campaign_is_green_all_through(ground: Ground) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground)
    assert set((await tones(ground, campaign.id)).values()) == {Tone.GOOD}
    assert preflight.is_clear(await preflight.check(ground, campaign_id=campaign.id))


@pytest.mark.settings(site={"postal_address": ""}, mail={"from_address": "x@here.localdomain"})
async def test_what_the_law_and_servers_ask_for_is_looked_at(ground: Ground) -> None:
    campaign = await campaigning.draft(ground)
    found = await tones(ground, campaign.id)
    assert found["postal-address"] is Tone.BAD
    assert found["from"] is Tone.WARN
    assert found["audience"] is Tone.BAD


async def test_a_change_after_approval_is_red(ground: Ground) -> None:
    await people.subscribed(ground)
    campaign = await campaigning.approved(ground)
    await bulletins.save(
        ground,
        actor=COMMAND,
        bulletin_id=campaign.bulletin_id,
        version=1,
        document=campaigning.document("Other"),
    )
    assert (await tones(ground, campaign.id))["approval"] is Tone.BAD


async def test_a_relay_that_is_away_is_said(
    ground: Ground, deliver: Callable[[], Awaitable[None]]
) -> None:
    await people.subscribed(ground)
    campaign, _ = await campaigning.started(ground)
    await deliver()  # nothing listens at the relay's port in this test
    assert (await tones(ground, campaign.id))["relay"] is Tone.WARN
