"""A report accounts for everybody, at every instant, and names each figure of the contract."""

import json
from collections.abc import Awaitable, Callable

import pytest

from campaigns import lifecycle, reports
from foundation.audit import COMMAND
from foundation.ground import Ground
from subscribers.models import SubscriptionState
from tests.world import campaigning, people
from tests.world.smtp import Catcher

Deliver = Callable[[], Awaitable[None]]
STATES = ("queued", "sent", "deferred", "failed", "uncertain", "cancelled")


async def adds_up(ground: Ground, campaign_id: int) -> reports.Report:
    """The report, checked."""
    found = await reports.report(ground, campaign_id=campaign_id)
    assert found.audience == sum(getattr(found, name) for name in STATES)
    by_language = sum(sum(states.values()) for states in found.by_language.values())
    assert by_language == found.audience
    return found


@pytest.mark.storage
async def test_everybody_is_accounted_for_at_every_step(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    for name, language in (("a", "en"), ("b", "es"), ("c", "en"), ("d", "es")):
        await people.subscribed(ground, f"{name}@example.org", language=language)
    await people.subscribed(ground, "p@example.org", state=SubscriptionState.PENDING)
    smtp.answer("RCPT", "b@example.org", "550 5.1.1 No such user")
    smtp.answer("RCPT", "c@example.org", "450 4.2.1 Try again later")
    draft = await campaigning.draft(ground, name="Other")
    assert (await adds_up(ground, draft.id)).audience == 0
    campaign, _ = await campaigning.started(ground)
    found = await adds_up(ground, campaign.id)
    assert (found.audience, found.queued, found.excluded) == (4, 4, {"pending": 1})
    await deliver()
    found = await adds_up(ground, campaign.id)
    assert (found.sent, found.failed, found.deferred) == (2, 1, 1)
    assert found.by_language == {"en": {"sent": 1, "deferred": 1}, "es": {"sent": 1, "failed": 1}}
    (refused,) = found.came_back
    assert (refused.kind, refused.reason, refused.domain) == ("hard", "user-unknown", "example.org")
    assert (refused.count, refused.while_sending) == (1, 1)
    await lifecycle.cancel(ground, actor=COMMAND, campaign_id=campaign.id)
    found = await adds_up(ground, campaign.id)
    assert (found.state, found.cancelled, found.deferred) == ("cancelled", 1, 0)


async def test_the_report_has_every_figure_of_the_contract(ground: Ground) -> None:
    await people.subscribed(ground)
    campaign, _ = await campaigning.started(ground)
    found = (await reports.report(ground, campaign_id=campaign.id)).as_dict()
    wanted = {
        "state", "audience", "excluded", *STATES, "bounced", "complaints", "unsubscribed",
        "opens", "clicks", "links", "started_at", "finished_at",
    }  # fmt: skip
    assert wanted <= set(found)
    assert set(found["bounced"]) == {"hard", "soft", "block"}
    assert set(found["opens"]) == set(found["clicks"]) == {"human", "machine", "people"}
    assert {"url", "clicks", "people"} <= set(found["links"][0])
    json.dumps(found)
