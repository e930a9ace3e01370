"""Makes the sample welcome: whoever tries the form gets its first mail tomorrow at nine."""

import functools

from campaigns import materials, welcome
from campaigns.welcome import StepDraft
from campaigns.welcome_models import StepKind
from foundation.accounts.models import Role
from handbill.demo.scene import Scene

_TOPIC = "secure-communities"


def plan_welcome(scene: Scene, *, issue_id: int, days_ago: float) -> None:
    """The editor makes it, and switches it on for those who come from now on."""
    scene.timeline.add(scene.ago(days_ago), functools.partial(_make, scene, issue_id))


async def _make(scene: Scene, issue_id: int) -> None:
    ground, editor = scene.ground, scene.staff[Role.EDITOR]
    async with ground.db.reading() as session:
        handouts = await materials.listed(session, issue_id)
    steps = [StepDraft(kind=StepKind.EXPLAINER, object_id=issue_id, days=1)]
    if handouts:
        steps.append(StepDraft(kind=StepKind.MATERIAL, object_id=handouts[0].id, days=3))
    steps.append(StepDraft(kind=StepKind.LAST_BULLETIN, object_id=issue_id, days=7))
    for version, draft in enumerate(steps):
        await welcome.add_step(ground, actor=editor, topic=_TOPIC, version=version, draft=draft)
    await welcome.switch(
        ground,
        actor=editor,
        topic=_TOPIC,
        version=len(steps),
        languages=ground.settings.site.languages,
    )
