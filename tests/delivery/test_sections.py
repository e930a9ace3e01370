"""Blocks that only some people see: from the edition to what the mail server got."""

import re
from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa
from sqlmodel import col

from foundation.ground import Ground
from subscribers.models import MemberState, Subscriber
from templates import compiler, content
from templates.conditions import Condition
from templates.plan import Plan
from tests.world import mailing, people
from tests.world.smtp import Catcher

Deliver = Callable[[], Awaitable[None]]
NEAR = Condition(towns=("Worcester",), postal_codes=("016",))
MEMBERS = Condition(members=True)
OTHERS = Condition(members=True, is_reversed=True)


def plan(ground: Ground) -> Plan:
    """A text for all, one for Worcester, one for members, one for all but those."""
    edition = content.Edition(
        language="en",
        subject="Hello {{ subscriber.first_name }}",
        title="News",
        blocks=(
            content.RichText(html='<p>To all. <a href="https://x.example/all">All</a></p>'),
            content.RichText(
                html="<p>To Worcester, {{ subscriber.first_name }}. "
                '<a href="https://x.example/near">Near</a></p>',
                shown_to=NEAR,
            ),
            content.RichText(html="<p>To members.</p>", shown_to=MEMBERS),
            content.RichText(html="<p>To others.</p>", shown_to=OTHERS),
        ),
    )
    return compiler.compile_edition(
        edition,
        content.Brand.from_site(ground.settings.site),
        archive_url=ground.url("/archive/1"),
        translator=ground.translator("en"),
    )


def seen(smtp: Catcher, address: str) -> set[str]:
    """Whom the sections are for that somebody got; the same in both parts."""
    (received,) = smtp.to(address)
    found = [set(re.findall(r"To (\w+)[.,]", part)) for part in (received.html, received.text)]
    assert found[0] == found[1]
    return found[0]


@pytest.mark.storage
async def test_everybody_gets_what_is_for_them(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    await people.subscribed(ground, "near@example.org", town="worcester")
    await people.subscribed(ground, "code@example.org", postal_code="01609-1234")
    await people.subscribed(ground, "far@example.org", town="Boston", postal_code="02134")
    await people.subscribed(ground, "unknown@example.org")
    member = await people.subscribed(ground, "member@example.org", town="Worcester")
    await people.speaks_for_a_member(ground, member)
    left = await people.subscribed(ground, "left@example.org")
    await people.speaks_for_a_member(ground, left, state=MemberState.LEFT)
    topic = await people.topic(ground)
    await mailing.start(ground, topics=[topic.id], plans={"en": plan(ground)})
    await deliver()
    assert {
        address: seen(smtp, f"{address}@example.org")
        for address in ("near", "code", "far", "unknown", "member", "left")
    } == {
        "near": {"all", "Worcester", "others"},
        "code": {"all", "Worcester", "others"},
        "far": {"all", "others"},
        "unknown": {"all", "others"},
        "member": {"all", "Worcester", "members"},
        "left": {"all", "others"},
    }
    assert (await mailing.counts(ground)).sent == 6


async def test_each_reader_of_a_section_gets_it_with_their_own_values(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    for name, tracking in (("Ana", True), ("Ben", False)):
        await people.subscribed(
            ground,
            f"{name}@example.org",
            first_name=name,
            town="Worcester",
            allows_tracking=tracking,
        )
    topic = await people.topic(ground)
    await mailing.start(ground, topics=[topic.id], plans={"en": plan(ground)})
    await deliver()
    for name in ("Ana", "Ben"):
        (received,) = smtp.to(f"{name}@example.org")
        assert f"To Worcester, {name}." in received.html
        assert f"To Worcester, {name}." in received.text
        assert len(set(re.findall(r"/r/([\w-]+)", received.html))) == 2


async def test_what_changes_before_a_persons_turn_counts(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    ana = await people.subscribed(ground, "ana@example.org", town="Boston")
    topic = await people.topic(ground)
    await mailing.start(ground, topics=[topic.id], plans={"en": plan(ground)})
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(Subscriber).where(col(Subscriber.id) == ana.id).values(town="Worcester")
        )
    await deliver()
    assert seen(smtp, "ana@example.org") == {"all", "Worcester", "others"}
