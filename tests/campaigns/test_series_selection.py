"""Which items are in an edition, and why; no database."""

from datetime import date
from typing import Any

from campaigns import series_drafting, series_selection
from campaigns.models import DevelopmentKind
from campaigns.series_selection import Item, ItemKind, Selection
from foundation.ground import Ground
from tests.campaigns import editions

DAY = date(2026, 11, 5)
ALL = {"en": "Heading", "es": "Encabezado"}


def item(number: int, **more: Any) -> Item:
    """Something that happened on a day of November."""
    values: dict[str, Any] = {
        "kind": ItemKind.DEVELOPMENT,
        "id": number,
        "issue": "secure-communities",
        "day": date(2026, 11, 1),
        "titles": {"en": f"News {number}", "es": f"Noticia {number}"},
        "development": DevelopmentKind.NEWS,
    }
    return Item(**(values | more))


def chosen(items: list[Item], **changes: Any) -> Selection:
    """The edition of the fifth of November."""
    return series_selection.choose(editions.plan(**changes), items, day=DAY)


def told(selection: Selection) -> dict[int, str]:
    """Number → in or out, and why."""
    return {
        each.item.id: f"{'in' if each.is_in else 'out'}: {each.reason}"
        for each in selection.choices
    }


def test_what_was_in_an_edition_is_not_in_another_unless_it_is_pinned() -> None:
    found = chosen(
        [
            item(1),
            item(2, used_in="1/4"),
            item(3, used_in="1/4", is_pinned=True, day=date(2020, 1, 1)),
        ]
    )
    assert told(found) == {3: "in: pinned", 1: "in: new", 2: "out: used"}
    assert found.fresh == 1
    alone = chosen([item(3, used_in="1/4", is_pinned=True)])
    assert told(alone) == {3: "out: edition-short"}  # readers have had all of it


def test_every_section_gets_what_it_needs_before_any_gets_all_that_it_may() -> None:
    sections = [
        {"kinds": ["news"], "most": 5},
        {"kinds": ["ruling"], "least": 1, "most": 5},
    ]
    ruling = item(9, development=DevelopmentKind.RULING)
    found = chosen([*(item(number) for number in range(1, 5)), ruling], sections=sections, most=3)
    assert told(found) == {
        4: "in: new", 3: "in: new", 9: "in: new", 2: "out: edition-full", 1: "out: edition-full",
    }  # fmt: skip


def test_a_section_with_too_little_falls_away_and_another_may_take_what_it_had() -> None:
    rulings = {"kinds": ["ruling"], "least": 2}
    ruling = item(9, development=DevelopmentKind.RULING)
    alone = chosen([item(1), ruling], sections=[rulings, {"kinds": ["news"]}])
    assert told(alone) == {1: "in: new", 9: "out: section-short"}
    taken = chosen([item(1), ruling], sections=[rulings, {}])
    assert told(taken) == {9: "in: new", 1: "in: new"}


def test_a_section_that_takes_nothing_along_passes_over_what_did_not_fit() -> None:
    sections = [{"carries_over": False}]
    found = chosen([item(1), item(2, is_left_over=True)], sections=sections)
    assert told(found) == {1: "in: new", 2: "out: passed-over"}


def test_meetings_to_come_stand_soonest_first_and_those_past_among_the_news() -> None:
    meeting = DevelopmentKind.PUBLIC_MEETING
    found = chosen(
        [
            item(1, development=meeting, day=date(2026, 11, 20)),
            item(2, development=meeting, day=date(2026, 11, 9)),
            item(3, development=meeting, day=date(2026, 11, 2)),
            item(4, day=date(2026, 11, 30)),
        ]
    )
    assert [each.id for each in found.of_section(1)] == [2, 1]
    assert [each.id for each in found.of_section(0)] == [3]
    assert told(found)[4] == "out: not-yet"


async def test_an_edition_is_written_in_each_language_with_its_number_and_day(
    ground: Ground,
) -> None:
    words = {
        code: {
            "subject": "{number} · {date}",
            "opening": "<p>{volume}, {{ subscriber.first_name }}</p>",
        }
        for code in ("en", "es")
    }
    sections = [{"headings": ALL}, {"kind": "materials", "headings": ALL}]
    plan = editions.plan(editions=words, sections=sections, fallback="leave-out")
    handout = item(5, kind=ItemKind.MATERIAL, development=None, name="intake-form")
    selection = series_selection.choose(
        plan, [item(1, titles={"en": "Only here"}), item(2), handout], day=DAY
    )
    made = series_drafting.document(ground, plan, selection, day=DAY, volume=3, number=7)
    assert made.editions["es"].subject == "7 · 5 de noviembre de 2026"
    opening, news, head, material = made.blocks
    assert opening.texts["en"].html == "<p>3, {{ subscriber.first_name }}</p>"  # type: ignore[union-attr]
    assert (news.kind, news.keys, news.only_translated) == ("developments", [2, 1], True)  # type: ignore[union-attr]
    assert (head.kind, material.kind) == ("heading", "material")
    values = {each.item.id: dict(each.values) for each in selection.choices}
    assert values[1] == {"missing": ["es"], "fallback": "leave-out"}
