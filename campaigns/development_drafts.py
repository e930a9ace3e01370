"""A development as staff, feeds and programs write it, and whether it can be kept like that.

`developments.py` keeps what `checked` lets through.
"""

from dataclasses import field, fields
from datetime import date, datetime
from typing import Any

from campaigns import issues, links, wording, zips
from campaigns.models import Development, DevelopmentKind
from campaigns.wording import Texts
from foundation import errors
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_


@frozen
class Draft:
    """A development as staff wrote it."""

    kind: DevelopmentKind
    happened_on: date
    texts: Texts = field(default_factory=dict)
    """Language → {headline, summary}."""
    place: str = ""
    postal_code: str = ""
    """The ZIP code of the place, or what `zips.named` knows as one."""
    miles: int = zips.USUAL_MILES
    source_name: str = ""
    source_url: str = ""
    key: str = ""
    is_published: bool = False
    not_before: datetime | None = None
    is_pinned: bool = False
    partner_id: int | None = None


def draft_of(development: Development, **changes: Any) -> Draft:
    """A development as it was written, with some of it changed."""
    kept = {each.name: getattr(development, each.name) for each in fields(Draft)}
    kept |= {"kind": DevelopmentKind(development.kind), "key": development.key or ""}
    return Draft(**(kept | changes))


def kind_from(name: str) -> DevelopmentKind:
    """A kind by its name. Raises `errors.Invalid`."""
    try:
        return DevelopmentKind(name)
    except ValueError as problem:
        said = errors.Invalid(
            N_("There is no kind “%(kind)s”. There are: %(allowed)s."),
            kind=name[:40],
            allowed=", ".join(each.value for each in DevelopmentKind),
        )
        raise errors.Invalid(said.msgid, fields={"kind": said}, **said.values) from problem


async def checked(ground: Ground, draft: Draft) -> dict[str, Any]:
    """The columns of what was written. Raises `errors.Invalid`, with its fields."""
    return _words(ground, draft) | await _nearness(draft)


def _words(ground: Ground, draft: Draft) -> dict[str, Any]:
    texts = wording.tidy(
        {
            code: {
                "headline": " ".join(each.get("headline", "").split()),
                "summary": links.clean(each.get("summary", "")),
            }
            for code, each in draft.texts.items()
        }
    )
    wording.check_languages(texts, ground.catalog.languages)
    fields: dict[str, errors.HandbillError] = {
        f"headline-{code}": errors.Invalid(N_("Give it a headline too."))
        for code, each in texts.items()
        if not each["headline"]
    }
    if not texts:
        name = f"headline-{ground.settings.site.language}"
        fields[name] = errors.Invalid(N_("Give it a headline in one language at least."))
    key = draft.key.strip().lower()
    if fields:
        raise errors.Invalid(
            N_("Something needs to be mended before this can be kept."), fields=fields
        )
    return {
        "key": issues.check_slug(key, field="key") if key else None,
        "kind": draft.kind.value,
        "happened_on": draft.happened_on,
        "place": draft.place.strip(),
        "source_name": draft.source_name.strip(),
        "source_url": links.check(draft.source_url, field="source_url"),
        "is_published": draft.is_published,
        "not_before": draft.not_before,
        "is_pinned": draft.is_pinned,
        "partner_id": draft.partner_id,
        "texts": texts,
    }


async def _nearness(draft: Draft) -> dict[str, Any]:
    """The ZIP code that is meant, and how far around it is near. Raises `errors.Invalid`."""
    if not 0 < draft.miles <= zips.MOST_MILES:
        said = errors.Invalid(
            N_("Near is between 1 and %(most)s miles around."), most=zips.MOST_MILES
        )
        raise errors.Invalid(said.msgid, fields={"miles": said}, **said.values)
    code = ""
    if draft.postal_code.strip():
        try:
            code = (await zips.named(draft.postal_code)).code
        except errors.Invalid as problem:
            raise errors.Invalid(
                problem.msgid, fields={"postal_code": problem}, **problem.values
            ) from problem
    return {"postal_code": code, "miles": draft.miles}
