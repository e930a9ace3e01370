"""The demo's own bulletin, in English and Spanish, compiled as for sending."""

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import aiohttp

from campaigns import bulletins, compiling, documents
from foundation import migrations
from foundation.accounts.models import Role
from foundation.ground import Ground
from handbill.demo import catcher as catching
from handbill.demo import content, seed_site
from handbill.demo.clock import DemoClock
from handbill.demo.scene import Scene, Timeline
from templates.plan import Plan
from tests.world import grounds

_NAME = "sent"
_NEAR = {"only_to": {"towns": ["Worcester"]}}
_MEMBERS = {"only_to": {"members": True}}


async def plans(*, is_conditional: bool = False) -> Mapping[str, Plan]:
    """A plan for each language; conditional: a block for a town alone, another for members."""
    async with _scene() as scene:
        document = documents.parse(scene.sample.bulletins[_NAME], name=_NAME)
        if is_conditional:
            document = _with_conditions(document)
        ground = scene.ground
        bulletin = await bulletins.create(ground, actor=scene.staff[Role.AUTHOR], document=document)
        async with ground.db.reading() as session:
            return await compiling.compile_plans(
                ground,
                session,
                bulletin,
                campaign_name="What we learned",
                archive_url=ground.url("/archive/what-we-learned"),
            )


@asynccontextmanager
async def composed() -> AsyncIterator[tuple[Ground, int]]:
    """The demo's site with its bulletin, by number, still to be sent."""
    async with _scene() as scene:
        document = documents.parse(scene.sample.bulletins[_NAME], name=_NAME)
        actor = scene.staff[Role.AUTHOR]
        kept = await bulletins.create(scene.ground, actor=actor, document=document)
        yield scene.ground, kept.id


def _with_conditions(document: documents.Document) -> documents.Document:
    """The two longest kinds of blocks, each for some alone."""
    conditions: dict[str, Any] = {"figures": _NEAR, "developments": _MEMBERS}
    values = documents.dump(document)
    for block in values["blocks"]:
        block.update(conditions.pop(block["kind"], {}))
    if conditions:
        raise LookupError(f"the demo's bulletin has no block of {', '.join(conditions)}")
    return documents.parse(values)


@asynccontextmanager
async def _scene() -> AsyncIterator[Scene]:
    """The demo's site with its issue, materials and developments, and nobody on it."""
    clock = DemoClock()
    now = clock.now()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wanted = grounds.settings(url=f"sqlite:///{folder / 'demo.db'}", folder=folder, changes={})
        async with (
            catching.catching(clock) as catcher,
            grounds.standing(wanted, clock) as ground,
            aiohttp.ClientSession() as web,
        ):
            await migrations.migrate(ground.db)
            scene = Scene(
                ground=ground,
                clock=clock,
                timeline=Timeline(clock),
                catcher=catcher,
                sample=content.load(now.date()),
                random=Random(1),  # noqa: S311 - nothing secret
                folder=folder,
                now=now,
                web=web,
            )
            clock.stand_at(scene.ago(45))
            await seed_site.add_staff(scene)
            issue_id = await seed_site.add_issue(scene)
            await seed_site.add_materials(scene, issue_id=issue_id)
            seed_site.plan_developments(scene, issue_id=issue_id)
            await scene.timeline.run()
            yield scene
