"""One of each thing that the staff room has a page for, beside a site's people and campaigns."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import SQLModel, col

from bench.old_site import TOPICS
from campaigns import audiences, bulletins, inbox_rules, lifecycle, series_runs
from campaigns.inbox_models import Feed, InboxRule, IncomingItem
from campaigns.mail_template_models import MailTemplate
from campaigns.models import (
    Bulletin,
    Campaign,
    CampaignState,
    Development,
    Issue,
    IssuePart,
    Material,
    Picture,
)
from campaigns.segment_models import Segment
from campaigns.series_models import Series, SeriesRun
from campaigns.snippet_models import Snippet
from campaigns.welcome_models import WelcomeMailing, WelcomeStep
from delivery.models import Return
from foundation.audit import COMMAND
from foundation.ground import Ground
from subscribers.models import Form, Partner
from subscribers.street_models import Gathering
from tests.campaigns import desk, editions, newsroom
from tests.world import estate, people

_OF: Mapping[str, type[SQLModel]] = {
    "bulletins": Bulletin,
    "feeds": Feed,
    "forms": Form,
    "gatherings": Gathering,
    "inbox": IncomingItem,
    "issues": Issue,
    "partners": Partner,
    "returns": Return,
    "rules": InboxRule,
    "segments": Segment,
    "series": Series,
    "snippets": Snippet,
    "templates": MailTemplate,
    "welcome-mailings": WelcomeMailing,
}
"""What `{id}` is the number of, by the word before it."""
_MEMBER, _PERSON = "2", "40"
"""An organisation that was taken in, and somebody who has got much."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbers:
    """What stands in the places of addresses."""

    by_word: Mapping[str, str]
    """In that of `{id}`, by the word before it."""
    others: Mapping[str, str]
    """In all others, by their names."""
    draft: str
    scheduled: str
    """Numbers of campaigns."""

    def filled(self, pattern: str) -> str:
        """An address that leads to something."""
        words: list[str] = []
        for each in pattern.split("/"):
            if each == "{id}":
                words.append(self.by_word[words[-1]])
            else:
                words.append(self.others.get(each.strip("{}"), each) if "{" in each else each)
        return "/".join(words)


async def furnish(ground: Ground) -> None:
    """Lay it out, unless it is there."""
    async with ground.db.reading() as session:
        if await session.scalar(sa.select(col(Issue.id)).limit(1)) is not None:
            return
    await people.topic(ground, "coalition-members")
    issue = await newsroom.issue(ground)
    await newsroom.parts(ground, issue)
    today = ground.clock.now().date()
    await newsroom.development(ground, issue, newsroom.news(key="news", day=today))
    await newsroom.handout(ground, issue)
    await newsroom.picture(ground)
    blocks = [newsroom.text_block("Hello", "Hola"), {"kind": "developments", "keys": ["news"]}]
    bulletin = await newsroom.bulletin(ground, newsroom.written(blocks=blocks))
    await estate.writing(ground, bulletin.id)
    await _campaigns(ground, bulletin.id)
    await estate.neighbours(ground)
    await estate.returned(ground)
    series = await editions.made(ground)
    await series_runs.run_now(ground, actor=COMMAND, series_id=series.id)
    await desk.feed(ground, "https://paper.example/feed")
    await desk.put(ground, desk.offer())
    await inbox_rules.add_usual(ground, actor=COMMAND)
    await estate.welcome_step(ground, issue.id)


async def _campaigns(ground: Ground, bulletin_id: int) -> None:
    """One is written, and another waits for its time; both are for everybody."""
    for name in ("Draft", "Scheduled"):
        campaign = await lifecycle.create(
            ground,
            actor=COMMAND,
            bulletin_id=bulletin_id,
            name=name,
            audience=audiences.Audience(topics=list(TOPICS[:1])),
        )
        if name == "Scheduled":
            await lifecycle.request_review(ground, actor=COMMAND, campaign_id=campaign.id)
            await lifecycle.approve(ground, actor=COMMAND, campaign_id=campaign.id)
            at = ground.clock.now() + timedelta(days=300)
            await lifecycle.schedule(
                ground,
                actor=COMMAND,
                campaign_id=campaign.id,
                at=f"{at:%Y-%m-%dT%H:%M}",
                zone="UTC",
            )


async def numbers(ground: Ground, *, sent: int) -> Numbers:
    """Look up what is there; `sent` is the campaign whose pages show what came of it."""
    async with ground.db.reading() as session:

        async def newest(table: type[SQLModel], *where: sa.ColumnElement[bool]) -> str:
            number = sa.inspect(table).columns["id"]
            return str(await session.scalar(sa.select(sa.func.max(number)).where(*where)))

        by_word = {word: await newest(table) for word, table in _OF.items()}
        # A picture's smaller sizes are no pictures of the library.
        by_word["media"] = await newest(Picture, col(Picture.parent_id).is_(None))
        bulletin = await bulletins.get(session, int(by_word["bulletins"]))
        state = col(Campaign.state)
        return Numbers(
            by_word={
                **by_word,
                "campaigns": str(sent),
                "members": _MEMBER,
                "people": _PERSON,
                "move": await newest(Campaign, state == CampaignState.SCHEDULED.value),
                "overlap": await newest(Campaign, state == CampaignState.SCHEDULED.value),
            },
            others={
                "block": bulletins.document_of(bulletin).blocks[0].id,
                "development": await newest(Development),
                "material": await newest(Material),
                "part": await newest(IssuePart),
                "run": await newest(SeriesRun),
                "step": await newest(WelcomeStep),
                "topic": TOPICS[0],
            },
            draft=await newest(Campaign, state == CampaignState.DRAFT.value),
            scheduled=await newest(Campaign, state == CampaignState.SCHEDULED.value),
        )
