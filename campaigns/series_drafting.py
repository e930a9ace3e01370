"""Makes a bulletin document of what was chosen for an edition. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from campaigns import documents, series_plans
from campaigns.documents import Document
from campaigns.series_plans import Fallback, Plan, Section, SectionKind
from campaigns.series_selection import Selection
from foundation.ground import Ground


def document(
    ground: Ground, plan: Plan, selection: Selection, *, day: date, volume: int, number: int
) -> Document:
    """The edition's bulletin in every language of the plan. Raises `errors.Invalid`."""
    places = {code: _places(ground, code, day, volume, number) for code in plan.languages}
    site = ground.settings.site.language
    return documents.parse(
        {
            "name": f"{plan.name} {volume}/{number} ({day.isoformat()})",
            "issue": plan.issue,
            "template": plan.template.value,
            "default_language": site if site in plan.editions else plan.languages[0],
            "editions": {
                code: {
                    "subject": series_plans.filled(words.subject, places[code]),
                    "preheader": series_plans.filled(words.preheader, places[code]),
                    "title": series_plans.filled(words.title, places[code]),
                }
                for code, words in plan.editions.items()
            },
            "blocks": [
                *_text(plan, "opening", places),
                *(
                    block
                    for place, section in enumerate(plan.sections)
                    for block in _section(plan, section, selection, place, places)
                ),
                *_text(plan, "closing", places),
            ],
            "audience": plan.audience,
            "campaign": plan.campaign.model_dump() | {"name": f"{plan.name} {volume}/{number}"},
        }
    )


def _places(ground: Ground, code: str, day: date, volume: int, number: int) -> dict[str, str]:
    """What stands in braces, in a language."""
    return {
        "volume": str(volume),
        "number": str(number),
        "date": ground.translator(code).date(day),
    }


def _text(plan: Plan, field: str, places: Mapping[str, dict[str, str]]) -> list[dict[str, Any]]:
    texts = {
        code: {"html": series_plans.filled(getattr(words, field), places[code])}
        for code, words in plan.editions.items()
        if getattr(words, field)
    }
    return [{"kind": "rich_text", "texts": texts}] if texts else []


def _section(
    plan: Plan,
    section: Section,
    selection: Selection,
    place: int,
    places: Mapping[str, dict[str, str]],
) -> list[dict[str, Any]]:
    items = selection.of_section(place)
    if not items:
        return []
    headings = {
        code: series_plans.filled(text, places[code])
        for code, text in section.headings.items()
        if text and code in places
    }
    is_left_out = plan.fallback is Fallback.LEAVE_OUT
    if section.kind is SectionKind.MATERIALS:
        head = {
            "kind": "heading",
            "texts": {code: {"text": text} for code, text in headings.items()},
        }
        blocks = [
            {"kind": "material", "material": each.name, "only_translated": is_left_out}
            for each in items
        ]
        return [head, *blocks] if headings else blocks
    return [
        {
            "kind": "developments",
            "keys": [each.id for each in items],
            "only_translated": is_left_out,
            "credits": plan.credits,
            "near": section.near.value,
            "texts": {code: {"title": text} for code, text in headings.items()},
        }
    ]
