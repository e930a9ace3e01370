"""Staff and operators see which limit holds sending back, and until when."""

from collections.abc import Sequence

import pytest

from delivery import allowances, holding_back, worker
from delivery.holding_back import Held
from foundation.accounts.models import Role
from foundation.ground import Ground
from handbill import doctor
from tests.delivery.test_limits import BIG, begin
from tests.world import campaigning, people
from tests.world.clock import FakeClock
from tests.world.sink import Sink
from tests.world.web import Web


async def held(ground: Ground) -> Sequence[Held]:
    """What holds something back now."""
    async with ground.db.reading() as session:
        return await holding_back.read(ground.settings, session, now=ground.clock.now())


async def doctors_word(ground: Ground) -> list[str]:
    """What `handbill doctor` says of limits."""
    speaks = ground.translator("en")
    return [
        each.finding.say(speaks)
        async for each in doctor.examine(ground.settings, clock=ground.clock, names=None)
        if each.finding.code == "limit"
    ]


@pytest.mark.storage
@pytest.mark.settings(relay={"rates": ["20/h"]}, domain_limit=[BIG])
async def test_a_relay_at_its_rate_is_named_until_it_gets_more(
    ground: Ground, clock: FakeClock, server: Sink
) -> None:
    assert await held(ground) == []
    assert await doctors_word(ground) == ["No limit holds sending back."]
    await begin(ground, 40)
    await worker.run_until_idle(ground)
    assert server.total == 19
    (one,) = await held(ground)
    assert (one.name, one.is_relay, one.per_minute) == ("relay", True, None)
    assert one.until is not None
    (said,) = await doctors_word(ground)
    assert said.startswith("“relay” has had all that it may get until ")
    assert f"{one.until:%Y-%m-%d %H:%M:%S} UTC" in said
    clock.set(one.until)
    assert await held(ground) == []
    await worker.run_until_idle(ground)
    assert server.total == 38


@pytest.mark.settings(domain_limit=[BIG])
async def test_a_host_that_asked_for_less_is_named_with_its_words(
    ground: Ground, clock: FakeClock
) -> None:
    await allowances.slow_down(ground, name="domains:big", measured=600, said="421 4.7.0 slow down")
    (one,) = await held(ground)
    assert (one.name, one.until, one.per_minute) == ("big", None, 300)
    assert await doctors_word(ground) == [
        "“big” asked us to be slower (421 4.7.0 slow down); it gets 300 mails a minute for now."
    ]
    clock.advance(minutes=60)
    assert await held(ground) == []


@pytest.mark.settings(domain_limit=[BIG])
async def test_staff_see_it_while_something_is_being_sent(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    viewer = await web.as_staff(Role.VIEWER)
    await allowances.slow_down(ground, name="domains:big", measured=600, said="421 slow down")
    assert "asked us to be slower" not in (await viewer.get("/staff")).text
    await people.subscribed(ground)
    await campaigning.started(ground)
    assert "big asked us to be slower" in (await viewer.get("/staff")).text
    clock.advance(minutes=60)
    assert "asked us to be slower" not in (await viewer.get("/staff")).text


async def test_a_limit_that_the_settings_know_no_more_holds_nothing_back(ground: Ground) -> None:
    await allowances.slow_down(ground, name="domains:gone", measured=600, said="421 slow down")
    assert await held(ground) == []
