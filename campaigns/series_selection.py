"""Chooses the items of an edition, and says of each why it is in or out. Pure: no clock, no query.

`series_candidates` brings what there is; `series_runs` keeps the answer, and pages show it.
"""

import enum
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import date
from typing import Any

from campaigns.models import DevelopmentKind
from campaigns.series_plans import Fallback, Plan, Section, SectionKind
from foundation.frozen import frozen


class ItemKind(enum.StrEnum):
    """What an item is."""

    DEVELOPMENT = "development"
    """Something that happened, or will."""
    MATERIAL = "material"
    """A handout."""


class ItemReason(enum.StrEnum):
    """Why an item is in an edition, or out of it."""

    NEW = "new"
    """In: readers have not had it."""
    CARRIED = "carried"
    """In: it did not fit before."""
    RETURNED = "returned"
    """In: somebody took it out of an earlier edition by hand."""
    PINNED = "pinned"
    """In: somebody pinned it."""
    DRAFT = "draft"
    """It is not published."""
    EMBARGO = "embargo"
    """It may not be told yet."""
    USED = "used"
    """It was in an edition."""
    TOO_OLD = "too-old"
    """It is too long ago."""
    PASSED_OVER = "passed-over"
    """It did not fit before, and its section takes nothing along."""
    NO_TRANSLATION = "no-translation"
    """It has no text in any of the editions' languages."""
    NO_FILE = "no-file"
    """The handout has no file yet."""
    NOT_YET = "not-yet"
    """It is of a later day."""
    NO_SECTION = "no-section"
    """No section takes its kind."""
    SECTION_FULL = "section-full"
    """Its section has all that it takes."""
    EDITION_FULL = "edition-full"
    """The edition has all that it takes."""
    PARTNER_QUOTA = "partner-quota"
    """Its partner has all that one may have."""
    SECTION_SHORT = "section-short"
    """Its section had too little to stand there."""
    EDITION_SHORT = "edition-short"
    """It would have been in, but there was too little for an edition."""


LEFT_OVER = frozenset(
    {
        ItemReason.SECTION_FULL,
        ItemReason.EDITION_FULL,
        ItemReason.PARTNER_QUOTA,
        ItemReason.SECTION_SHORT,
        ItemReason.EDITION_SHORT,
    }
)
"""Reasons that carry an item over to the next edition."""


@frozen
class Item:
    """Something that could be in an edition."""

    kind: ItemKind
    id: int
    issue: str
    """The issue's slug."""
    day: date
    """When it happened or will; of a handout, when it was added."""
    titles: Mapping[str, str]
    """Language → headline or title; the languages that it has."""
    name: str = ""
    """A handout's slug."""
    development: DevelopmentKind | None = None
    partner_id: int | None = None
    partner: str = ""
    is_pinned: bool = False
    is_left_over: bool = False
    """It did not fit into an earlier edition."""
    taken_out_of: str = ""
    """The number of the edition that somebody took it out of, where it is in none since."""
    refusal: ItemReason | None = None
    """Why it can't be in, whatever else there is."""
    used_in: str = ""
    """The number of the edition that it was in."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """What the refusal's words need."""


@frozen
class Choice:
    """An item with its answer."""

    item: Item
    is_in: bool
    reason: ItemReason
    section: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


@frozen
class Selection:
    """What an edition would hold."""

    choices: Sequence[Choice]
    """Those that are in stand first, by section, in the order of the edition."""
    fresh: int
    """Items in it that its readers have not had."""
    is_enough: bool

    def of_section(self, number: int) -> list[Item]:
        """What a section holds, in order."""
        return [each.item for each in self.choices if each.is_in and each.section == number]


def choose(plan: Plan, items: Iterable[Item], *, day: date) -> Selection:
    """The edition of a day."""
    judged = {(each.kind, each.id): each for each in items}
    refused: list[Choice] = []
    able: list[Item] = []
    for each in judged.values():
        answer = _refused(plan, each)
        if answer is None:
            able.append(each)
        else:
            refused.append(answer)
    closed: set[int] = set()
    while True:
        filling = _Filling(plan=plan, day=day, closed=frozenset(closed))
        filling.fill(able)
        short = filling.short()
        if not short:
            break
        # What a section that falls away would have taken may fit into another.
        closed |= short
    chosen = filling.chosen()
    fresh = sum(not each.item.used_in for each in chosen)
    is_enough = fresh >= plan.least and fresh > 0
    if not is_enough:
        chosen = [replace(each, is_in=False, reason=ItemReason.EDITION_SHORT) for each in chosen]
    left = sorted([*filling.left(able), *refused], key=_by_day)
    return Selection(choices=[*chosen, *left], fresh=fresh, is_enough=is_enough)


def _refused(plan: Plan, item: Item) -> Choice | None:
    """The answer of an item that can't be in, whatever else there is."""
    reason, values = item.refusal, dict(item.values)
    missing = _untranslated(plan, item).get("missing", ())
    is_unreadable = plan.fallback is Fallback.LEAVE_OUT and len(missing) == len(plan.editions)
    if reason is None and is_unreadable:
        reason = ItemReason.NO_TRANSLATION
    if reason is None and not item.is_pinned and item.used_in:
        reason, values = ItemReason.USED, {"edition": item.used_in}
    return Choice(item=item, is_in=False, reason=reason, values=values) if reason else None


class _Filling:
    """One way to fill the sections that are open."""

    def __init__(self, *, plan: Plan, day: date, closed: frozenset[int]) -> None:
        self._plan = plan
        self._day = day
        self._closed = closed
        self._taken: dict[int, list[Item]] = {place: [] for place in range(len(plan.sections))}
        self._where: dict[tuple[ItemKind, int], int] = {}
        self._partners: Counter[int] = Counter()
        self._why_not: dict[tuple[ItemKind, int], Choice] = {}

    def fill(self, items: Sequence[Item]) -> None:
        """Give each section what it needs at least, then what it may have, in their order."""
        for caps in ("least", "most"):
            for place, section in enumerate(self._plan.sections):
                if place in self._closed:
                    continue
                for item in _ordered(section, self._suitable(section, items)):
                    self._offer(place, section, item, cap=getattr(section, caps))
        for taken, section in zip(self._taken.values(), self._plan.sections, strict=True):
            taken[:] = _ordered(section, taken)

    def short(self) -> set[int]:
        """Sections that have something, but less than they need."""
        return {
            place
            for place, taken in self._taken.items()
            if taken and len(taken) < self._plan.sections[place].least
        }

    def chosen(self) -> list[Choice]:
        """What is in, in the order of the edition."""
        return [
            Choice(
                item=item,
                is_in=True,
                reason=_why(item),
                section=place,
                values=_said(self._plan, item),
            )
            for place, taken in self._taken.items()
            for item in taken
        ]

    def left(self, items: Sequence[Item]) -> list[Choice]:
        """What no section took, and why."""
        return [self._reason(each) for each in items if (each.kind, each.id) not in self._where]

    def _offer(self, place: int, section: Section, item: Item, *, cap: int) -> None:
        key = (item.kind, item.id)
        if key in self._where:
            return
        values: dict[str, Any] = {}
        if item.partner_id is not None and self._is_over_quota(item.partner_id):
            reason = ItemReason.PARTNER_QUOTA
            values = {"partner": item.partner, "most": self._plan.partner_most}
        elif len(self._taken[place]) >= cap:
            reason, values = ItemReason.SECTION_FULL, {"most": section.most}
        elif len(self._where) >= self._plan.most:
            reason, values = ItemReason.EDITION_FULL, {"most": self._plan.most}
        else:
            self._where[key] = place
            self._taken[place].append(item)
            if item.partner_id is not None:
                self._partners[item.partner_id] += 1
            return
        self._why_not[key] = Choice(
            item=item, is_in=False, reason=reason, section=place, values=values
        )

    def _is_over_quota(self, partner_id: int) -> bool:
        most = self._plan.partner_most
        return bool(most) and self._partners[partner_id] >= most

    def _suitable(self, section: Section, items: Sequence[Item]) -> list[Item]:
        return [each for each in items if self._takes(section, each) and _may_follow(section, each)]

    def _takes(self, section: Section, item: Item) -> bool:
        if item.issue != (section.issue or self._plan.issue):
            return False
        if section.kind is SectionKind.MATERIALS:
            return item.kind is ItemKind.MATERIAL
        if item.development is None or (section.kinds and item.development not in section.kinds):
            return False
        if section.kind is SectionKind.EVENTS:
            is_meeting = item.development is DevelopmentKind.PUBLIC_MEETING
            return is_meeting and item.day >= self._day
        return item.day <= self._day

    def _reason(self, item: Item) -> Choice:
        found = self._why_not.get((item.kind, item.id))
        if found is not None:
            return found
        sections = self._plan.sections
        place = next((n for n, each in enumerate(sections) if self._takes(each, item)), None)
        values: dict[str, Any] = {}
        if place is None:
            is_later = item.day > self._day
            reason = ItemReason.NOT_YET if is_later else ItemReason.NO_SECTION
        elif not _may_follow(sections[place], item):
            reason = ItemReason.PASSED_OVER
        else:
            reason, values = ItemReason.SECTION_SHORT, {"least": sections[place].least}
        return Choice(item=item, is_in=False, reason=reason, section=place, values=values)


def _untranslated(plan: Plan, item: Item) -> dict[str, Any]:
    """The editions whose language an item has no text in, and what becomes of it there."""
    there = {_base(code) for code in item.titles}
    missing = [code for code in plan.languages if _base(code) not in there]
    return {"missing": missing, "fallback": plan.fallback.value} if missing else {}


def _said(plan: Plan, item: Item) -> dict[str, Any]:
    """What the words need that say why an item is in."""
    before = {"edition": item.taken_out_of} if item.taken_out_of else {}
    return before | _untranslated(plan, item)


def _base(language: str) -> str:
    return language.partition("-")[0].lower()


def _may_follow(section: Section, item: Item) -> bool:
    return section.carries_over or item.is_pinned or not item.is_left_over


def _why(item: Item) -> ItemReason:
    if item.is_pinned:
        return ItemReason.PINNED
    if item.taken_out_of:
        return ItemReason.RETURNED
    return ItemReason.CARRIED if item.is_left_over else ItemReason.NEW


def _ordered(section: Section, items: Sequence[Item]) -> list[Item]:
    """Pinned ones first, then those left over, then by day: newest first, or soonest."""
    sign = 1 if section.kind is SectionKind.EVENTS else -1
    return sorted(
        items,
        key=lambda each: (
            not each.is_pinned,
            not each.is_left_over,
            sign * each.day.toordinal(),
            sign * each.id,
        ),
    )


def _by_day(choice: Choice) -> tuple[int, int]:
    return -choice.item.day.toordinal(), -choice.item.id
