from datetime import date, timedelta
from typing import Any

import pytest

from campaigns import compiling, developments, issue_page
from foundation import errors
from foundation.ground import Ground
from tests.campaigns import newsroom
from tests.campaigns.newsroom import ANA, BEN
from tests.world.clock import FakeClock

pytestmark = pytest.mark.storage


async def test_developments_are_listed_newest_first_by_pages(ground: Ground) -> None:
    issue = await newsroom.issue(ground)
    for day in range(1, 8):
        await newsroom.development(
            ground, issue, newsroom.news(f"Day {day}", day=date(2026, 10, 1 + day // 2))
        )
    seen: list[str] = []
    after = ""
    async with ground.db.reading() as session:
        while True:
            page = await developments.listed(session, issue_id=issue.id, after=after, limit=3)
            seen += [each.texts["en"]["headline"] for each in page.items]
            if page.next_after is None:
                break
            after = page.next_after
    assert seen == [f"Day {day}" for day in (7, 6, 5, 4, 3, 2, 1)]


@pytest.mark.parametrize(
    "after", ["", "x", "2026-13-01.5", "2026-10-01.-1", "2026-10-01." + "9" * 40]
)
async def test_a_broken_cursor_starts_at_the_top(ground: Ground, after: str) -> None:
    issue = await newsroom.issue(ground)
    await newsroom.development(ground, issue, newsroom.news())
    async with ground.db.reading() as session:
        page = await developments.listed(session, issue_id=issue.id, after=after)
    assert len(page.items) == 1


async def test_all_since_a_day_are_the_published_ones_up_to_today(ground: Ground) -> None:
    issue = await newsroom.issue(ground)
    for headline, day, is_published in (
        ("Too old", date(2026, 9, 30), True),
        ("Just in", date(2026, 10, 1), True),
        ("Draft", date(2026, 10, 2), False),
        ("Today", date(2026, 11, 2), True),
        ("To come", date(2026, 11, 3), True),
    ):
        draft = newsroom.news(headline, day=day, is_published=is_published)
        await newsroom.development(ground, issue, draft)
    async with ground.db.reading() as session:
        found = await developments.since(
            session,
            issue_id=issue.id,
            day=date(2026, 10, 1),
            until=date(2026, 11, 2),
            shown_at=ground.clock.now(),
            limit=10,
        )
    assert [each.texts["en"]["headline"] for each in found] == ["Today", "Just in"]


async def test_chosen_ones_come_in_the_order_in_which_they_were_named(ground: Ground) -> None:
    issue = await newsroom.issue(ground)
    a = await newsroom.development(ground, issue, newsroom.news("A", key="a"))
    b = await newsroom.development(ground, issue, newsroom.news("B"))
    async with ground.db.reading() as session:
        found = await developments.chosen(session, [b.id, "a", str(b.id)])
        assert [each.id for each in found] == [b.id, a.id]
        with pytest.raises(errors.Invalid, match="“gone”"):
            await developments.chosen(session, ["a", "gone"])


async def test_a_reader_without_a_translation_gets_another_one_and_is_told(ground: Ground) -> None:
    issue = await newsroom.issue(ground)
    only_english = await newsroom.development(ground, issue, newsroom.news("Hi", spanish=None))
    told = developments.tell(ground, only_english, ground.translator("es"))
    assert (told.headline, told.language, told.language_note) == ("Hi", "en", "(en inglés)")
    told = developments.tell(ground, only_english, ground.translator("en"))
    assert told.language_note == ""


async def test_the_second_of_two_editors_is_told(ground: Ground) -> None:
    issue = await newsroom.issue(ground)
    made = await newsroom.development(ground, issue, newsroom.news("First"))
    await developments.update(
        ground, actor=ANA, development_id=made.id, version=1, draft=newsroom.news("Ana's")
    )
    with pytest.raises(errors.Conflict):
        await developments.update(
            ground, actor=BEN, development_id=made.id, version=1, draft=newsroom.news("Ben's")
        )
    async with ground.db.reading() as session:
        kept = await developments.get(session, made.id)
    assert kept.texts["en"]["headline"] == "Ana's"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"texts": {}}, "headline-en"),
        ({"texts": {"es": {"headline": "", "summary": "<p>x</p>"}}}, "headline-es"),
        ({"source_url": "javascript:alert(1)"}, "source_url"),
        ({"key": "Not a name"}, "key"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field(
    ground: Ground, changes: dict[str, Any], field: str
) -> None:
    issue = await newsroom.issue(ground)
    with pytest.raises(errors.Invalid) as caught:
        await newsroom.development(ground, issue, newsroom.news(**changes))
    assert field in caught.value.fields


async def test_two_developments_can_not_have_one_short_name(ground: Ground) -> None:
    issue = await newsroom.issue(ground)
    await newsroom.development(ground, issue, newsroom.news(key="same"))
    with pytest.raises(errors.Invalid) as caught:
        await newsroom.development(ground, issue, newsroom.news(key="same"))
    assert "key" in caught.value.fields


async def test_what_is_held_is_nowhere_for_readers_until_its_moment(
    ground: Ground, clock: FakeClock
) -> None:
    issue = await newsroom.issue(ground)
    moment = clock.now() + timedelta(hours=1)
    draft = newsroom.news("Held", day=date(2026, 11, 1), not_before=moment)
    held = await newsroom.development(ground, issue, draft)
    document = newsroom.written(blocks=[{"kind": "developments", "keys": [held.id]}])
    bulletin = await newsroom.bulletin(ground, document)
    english = ground.translator("en")

    async def shown() -> tuple[int, int, list[str]]:
        page = await issue_page.show(ground, slug=issue.slug, translator=english)
        front = await issue_page.front(ground, translator=english)
        async with ground.db.reading() as session:
            found = await compiling.concerns(ground, session, bulletin)
        stopping = [each.code for each in found if each.is_blocking]
        return len(page.developments), len(front.issues[0][1]), stopping

    assert await shown() == (0, 0, ["development-held"] * 2)
    clock.set(moment)
    assert await shown() == (1, 1, [])
