"""Who may or may not have got a bulletin gets it again only if staff say so."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import col

from campaigns import lifecycle, reports, uncertain
from campaigns.models import CampaignState
from delivery import worker
from delivery.models import Delivery, DeliveryState, Dispatch, DispatchState
from foundation import errors
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.ground import Ground
from tests.world import campaigning, grounds, people, sink
from tests.world.clock import FakeClock
from tests.world.web import Web


@pytest.mark.storage
async def test_they_get_it_again_when_staff_say_so_and_nobody_else_does(
    database_url: str, tmp_path: Path, clock: FakeClock
) -> None:
    async with sink.running() as server:
        settings = grounds.settings(
            url=database_url,
            folder=tmp_path,
            changes={"relay": {"connections": 1}, "delivery": {"relay_rest_s": 0.01}},
            relay_port=server.port,
        )
        async with grounds.standing(settings, clock) as ground:
            await people.subscribed(ground, email="lost@example.org")
            campaign, _ = await campaigning.started(ground)
            server.acts["dot"] = sink.hanging_up
            await worker.run_until_idle(ground)
            await lifecycle.follow_dispatches(ground)
            report = await reports.report(ground, campaign_id=campaign.id)
            assert [email for _, email in report.uncertain_people] == ["lost@example.org"]
            assert server.total == 0

            server.acts.clear()
            await worker.run_until_idle(ground)
            assert server.total == 0, "not by itself"
            assert await uncertain.resend(ground, actor=COMMAND, campaign_id=campaign.id) == 1
            assert await campaigning.state(ground, campaign.id) == CampaignState.SENDING
            await worker.run_until_idle(ground)
            await lifecycle.follow_dispatches(ground)
            assert server.taken == {"lost@example.org": 1}
            report = await reports.report(ground, campaign_id=campaign.id)
            assert (report.state, report.sent, report.uncertain) == ("sent", 1, 0)
            with pytest.raises(errors.Refused, match="nobody"):
                await uncertain.resend(ground, actor=COMMAND, campaign_id=campaign.id)
            assert await campaigning.state(ground, campaign.id) == CampaignState.SENT


async def test_an_editor_has_a_button_for_it_and_an_author_has_none(
    web: Web, ground: Ground
) -> None:
    await people.subscribed(ground, email="lost@example.org")
    campaign, order = await campaigning.started(ground)
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(Delivery)
            .where(col(Delivery.dispatch_id) == order.id)
            .values(state=DeliveryState.UNCERTAIN.value)
        )
        await session.execute(
            sa.update(Dispatch)
            .where(col(Dispatch.id) == order.id)
            .values(state=DispatchState.SENT.value)
        )
    await lifecycle.follow_dispatches(ground)
    here = f"/staff/campaigns/{campaign.id}"
    author, editor = await web.as_staff(Role.AUTHOR), await web.as_staff(Role.EDITOR)
    assert f"{here}/resend-uncertain" not in (await author.get(here)).text
    assert (await author.post(f"{here}/resend-uncertain")).status == 403
    page = (await editor.get(here)).text
    assert "lost@example.org" in page
    assert f"{here}/resend-uncertain" in page
    assert (await editor.post(f"{here}/resend-uncertain")).status == 303
    assert await campaigning.state(ground, campaign.id) == CampaignState.SENDING
