"""The overview reads the same on both engines."""

import pytest

from campaigns import overview
from foundation.accounts.models import Role
from foundation.ground import Ground
from tests.world import campaigning, people
from tests.world.web import Web


@pytest.mark.storage
async def test_what_is_being_sent_and_waits_is_there(ground: Ground) -> None:
    assert (await overview.read(ground)).is_new
    await people.subscribed(ground)
    sending, _ = await campaigning.started(ground)
    found = await overview.read(ground)
    assert [each.id for each in found.sending] == [sending.id]
    assert found.outcomes == []
    assert not found.is_new


async def test_sending_can_be_held_and_gone_on_with_right_there(web: Web) -> None:
    await people.subscribed(web.ground)
    campaign, _ = await campaigning.started(web.ground)
    editor, viewer = await web.as_staff(Role.EDITOR), await web.as_staff(Role.VIEWER)
    here = f"/staff/campaigns/{campaign.id}"
    assert f'action="{here}/pause"' in (await editor.get("/staff")).text
    assert f'action="{here}/pause"' not in (await viewer.get("/staff?days=364")).text
    await editor.post(f"{here}/pause", {})
    assert f'action="{here}/resume"' in (await editor.get("/staff?days=7")).text
