"""Makes the sample series, and its first edition, which waits to be approved."""

import functools

from campaigns import series, series_plans, series_runs
from campaigns.series_models import Series
from foundation.accounts.models import Role
from handbill.demo.scene import Scene


def plan_series(scene: Scene, *, days_ago: float) -> None:
    """The editor sets the series up, and does not want to wait for the first edition."""
    scene.timeline.add(scene.ago(days_ago), functools.partial(_set_up, scene))


async def _set_up(scene: Scene) -> None:
    values = dict(scene.sample.series)
    today = scene.clock.now().astimezone(scene.ground.settings.site.tzinfo).date()
    plan = series_plans.parse(values | {"rule": {**values["rule"], "starts_on": today}})
    kept = await series.create(scene.ground, actor=scene.staff[Role.EDITOR], plan=plan)
    act = functools.partial(_draft, scene, kept)
    scene.timeline.add(scene.ago(0.05), act)


async def _draft(scene: Scene, kept: Series) -> None:
    await series_runs.run_now(scene.ground, actor=scene.staff[Role.EDITOR], series_id=kept.id)
