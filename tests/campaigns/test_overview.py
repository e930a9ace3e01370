"""The overview reads the same on both engines."""

import pytest

from campaigns import overview
from foundation.ground import Ground
from tests.world import campaigning, people


@pytest.mark.storage
async def test_what_is_being_sent_and_waits_is_there(ground: Ground) -> None:
    assert (await overview.read(ground)).is_new
    await people.subscribed(ground)
    sending, _ = await campaigning.started(ground)
    found = await overview.read(ground)
    assert [each.id for each in found.sending] == [sending.id]
    assert found.outcomes == []
    assert not found.is_new
