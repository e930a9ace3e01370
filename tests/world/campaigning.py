"""Bulletins and campaigns for tests about what happens to them."""

from collections.abc import Sequence
from typing import Any

from campaigns import audiences, bulletins, campaign_views, documents, lifecycle
from campaigns.models import Bulletin, Campaign
from delivery.models import Dispatch
from foundation.audit import COMMAND
from foundation.ground import Ground
from tests.world import people

LINKS = (
    "https://coalition.example/one",
    "https://coalition.example/two",
    "https://coalition.example/three",
)


def document(
    name: str = "News", languages: Sequence[str] = ("en", "es"), links: Sequence[str] = LINKS
) -> documents.Document:
    """A bulletin with a greeting and `links` in each language."""
    shown = " ".join(f'<a href="{url}">{url[-5:]}</a>' for url in links)
    return documents.parse(
        {
            "name": name,
            "default_language": "en",
            "editions": {
                code: {
                    "subject": f"{name} ({code})",
                    "preheader": "What happened this month, and what comes next",
                }
                for code in languages
            },
            "blocks": [
                {
                    "kind": "rich_text",
                    "texts": {
                        code: {
                            "html": "<p>Hello "
                            '{{ subscriber.first_name | default_if_blank("friend") }}</p>'
                            f"<p>{shown}</p>"
                            "<p>This is what the coalition did, and what it will do next.</p>"
                        }
                        for code in languages
                    },
                }
            ],
        }
    )


async def bulletin(ground: Ground, name: str = "News", *, links: Sequence[str] = LINKS) -> Bulletin:
    """A bulletin, kept."""
    return await bulletins.create(ground, actor=COMMAND, document=document(name, links=links))


async def draft(
    ground: Ground,
    *,
    topics: Sequence[str] = ("secure-communities",),
    name: str = "News",
    links: Sequence[str] = LINKS,
) -> Campaign:
    """A campaign that was only written."""
    for slug in topics:
        await people.topic(ground, slug)
    made = await bulletin(ground, name, links=links)
    return await lifecycle.create(
        ground,
        actor=COMMAND,
        bulletin_id=made.id,
        name=name,
        audience=audiences.Audience(topics=list(topics)),
    )


async def of_blocks(ground: Ground, kept: documents.Document, *blocks: dict[str, Any]) -> Campaign:
    """A draft of a document with more blocks, to everybody on a topic."""
    await people.topic(ground)
    values = documents.dump(kept)
    made = await bulletins.create(
        ground,
        actor=COMMAND,
        document=documents.parse({**values, "blocks": [*values["blocks"], *blocks]}),
    )
    return await lifecycle.create(
        ground,
        actor=COMMAND,
        bulletin_id=made.id,
        name=kept.name,
        audience=audiences.Audience(topics=["secure-communities"]),
    )


async def approved(ground: Ground, *, name: str = "News", links: Sequence[str] = LINKS) -> Campaign:
    """A campaign that may be sent."""
    made = await draft(ground, name=name, links=links)
    await lifecycle.request_review(ground, actor=COMMAND, campaign_id=made.id)
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=made.id)
    return made


async def started(
    ground: Ground, *, name: str = "News", links: Sequence[str] = LINKS
) -> tuple[Campaign, Dispatch]:
    """A campaign whose dispatch waits for a worker."""
    made = await approved(ground, name=name, links=links)
    return made, await lifecycle.start(ground, actor=COMMAND, campaign_id=made.id)


async def state(ground: Ground, campaign_id: int) -> str:
    """Where a campaign is now."""
    return (await campaign_views.show(ground, campaign_id=campaign_id)).campaign.state
