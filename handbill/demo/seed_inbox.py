"""Fills the sample inbox: stories that wait for the editor, one that was dropped, a paused feed."""

import functools
from datetime import timedelta

from campaigns import feed_reading, feed_sources, inbox, inbox_rules, incoming
from campaigns.feed_sources import FeedDraft
from campaigns.inbox_models import Origin
from campaigns.incoming import Offer
from foundation.accounts.models import Role
from handbill.demo.content import Story
from handbill.demo.scene import Scene


async def add_feed(scene: Scene, *, issue_id: int) -> None:
    """The editor begins with the usual rules, tries a feed out, and pauses it."""
    sample, actor = scene.sample.inbox.feed, scene.staff[Role.EDITOR]
    draft = FeedDraft(issue_id=issue_id, url=sample.url, name=sample.name, include=sample.include)
    kept = await feed_sources.add(scene.ground, actor=actor, draft=draft)
    await inbox_rules.add_usual(scene.ground, actor=actor)
    await feed_sources.pause(scene.ground, actor=actor, feed_id=kept.id, version=kept.version)


def plan_stories(scene: Scene, *, issue_id: int) -> None:
    """Each is sent in by the author's own program on its day."""
    for sample in scene.sample.inbox.stories:
        act = functools.partial(_take_in, scene, issue_id, sample)
        scene.timeline.add(scene.ago(sample.days_ago), act)


async def _take_in(scene: Scene, issue_id: int, sample: Story) -> None:
    offer = Offer(
        identity=sample.source_url,
        headline=sample.headline,
        summary=feed_reading.paragraphs(sample.summary),
        source_name=sample.source_name,
        source_url=sample.source_url,
        language=sample.language,
        happened_on=(scene.now - timedelta(days=sample.days_ago)).date(),
        kind=sample.kind,
        place=sample.place,
    )
    taken = await incoming.take_in(
        scene.ground,
        actor=scene.staff[Role.AUTHOR],
        issue_id=issue_id,
        origin=Origin.API,
        offers=[offer],
    )
    if sample.dropped_because:
        await inbox.drop(
            scene.ground,
            actor=scene.staff[Role.EDITOR],
            item_id=taken.added[0],
            version=1,
            reason=sample.dropped_because,
        )
