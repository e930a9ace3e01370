"""The sample coalition's past weeks, made by the same verbs that the service runs on.

`seed` is called once by `handbill/demo/run.py`, over an empty database, before the scheduler and
the worker start. It moves the demo's clock through the past and leaves it standing there.
"""

from handbill.demo import (
    seed_campaigns,
    seed_inbox,
    seed_partners,
    seed_people,
    seed_series,
    seed_site,
    seed_statement,
    seed_welcome,
)
from handbill.demo.scene import Scene

_FOUNDED = 45
_SENT = 16
"""In days before the demo is started."""


async def seed(scene: Scene, *, partner_origin: str) -> None:
    """Make everything, in the order in which it happened."""
    scene.clock.stand_at(scene.ago(_FOUNDED))
    await seed_site.add_staff(scene)
    issue_id = await seed_site.add_issue(scene)
    await seed_site.add_materials(scene, issue_id=issue_id)
    own = await seed_site.add_forms(scene, partner_origin=partner_origin)
    await seed_site.add_gathering(scene)
    seed_site.plan_developments(scene, issue_id=issue_id)
    await seed_inbox.add_feed(scene, issue_id=issue_id)
    seed_inbox.plan_stories(scene, issue_id=issue_id)
    await seed_people.bring_along(scene)
    seed_people.plan_members(scene, from_days_ago=_FOUNDED - 3)
    seed_statement.plan_signatures(scene)
    seed_people.plan_sign_ups(scene, from_days_ago=_FOUNDED - 4, until_days_ago=1)
    seed_partners.plan_partners(scene, own=own, from_days_ago=_FOUNDED - 4)
    seed_campaigns.plan_sending(scene, days_ago=_SENT)
    seed_campaigns.plan_next(scene)
    seed_series.plan_series(scene, days_ago=0.1)
    seed_welcome.plan_welcome(scene, issue_id=issue_id, days_ago=0.04)
    await scene.timeline.run()
