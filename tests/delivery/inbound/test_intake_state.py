"""What is known of each way in: when it was last used, and what is wrong with it."""

import pytest

from delivery import intake_state
from delivery.inbound.models import Way
from delivery.intake_state import WayState
from foundation.ground import Ground
from tests.world.clock import FakeClock

ALL = {
    "listener": {"enabled": True, "port": 25},
    "imap": {"host": "mail.coalition.example"},
    "maildir": {"path": "/var/mail/returns"},
}


async def states(ground: Ground) -> dict[Way, WayState]:
    async with ground.db.reading() as session:
        return {each.way: each for each in await intake_state.read(ground, session)}


async def test_without_a_way_in_there_is_nothing_to_say(ground: Ground) -> None:
    assert await states(ground) == {}


@pytest.mark.storage
@pytest.mark.settings(**ALL)
async def test_a_way_that_nobody_looked_at_is_not_in_use(ground: Ground) -> None:
    found = await states(ground)
    assert list(found) == [Way.LISTENER, Way.IMAP, Way.MAILDIR]
    assert found[Way.IMAP].place == "mail.coalition.example:993"
    assert not any(each.is_in_use or each.is_well for each in found.values())


@pytest.mark.storage
@pytest.mark.settings(**ALL)
async def test_trouble_is_kept_with_its_beginning_until_all_is_well_again(
    ground: Ground, clock: FakeClock
) -> None:
    began = clock.now()
    await intake_state.note(ground, way=Way.IMAP, last_message_at=began)
    clock.advance(minutes=1)
    await intake_state.note(ground, way=Way.IMAP, said="no such user")
    clock.advance(minutes=1)
    await intake_state.note(ground, way=Way.IMAP, said="no such user")
    found = (await states(ground))[Way.IMAP]
    assert (found.said, found.is_well, found.is_in_use) == ("no such user", False, True)
    assert found.since is not None
    assert (found.since - began).total_seconds() == 60
    assert (found.last_message_at, found.looked_at) == (began, clock.now())
    await intake_state.note(ground, way=Way.IMAP)
    found = (await states(ground))[Way.IMAP]
    assert (found.said, found.is_well, found.since) == ("", True, clock.now())
    assert found.last_message_at == began


@pytest.mark.settings(**ALL)
async def test_after_ten_minutes_of_silence_nobody_is_there_any_more(
    ground: Ground, clock: FakeClock
) -> None:
    await intake_state.note(ground, way=Way.LISTENER)
    clock.advance(minutes=9)
    assert (await states(ground))[Way.LISTENER].is_well
    clock.advance(minutes=1)
    assert not (await states(ground))[Way.LISTENER].is_in_use
