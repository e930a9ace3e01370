"""Says what is wrong in an audience or segment that was sent in: the place, and what is allowed."""

from collections.abc import Mapping
from typing import Any, TypeVar

import pydantic

from campaigns import audience_rules
from foundation import errors
from foundation.i18n import N_

_Model = TypeVar("_Model", bound=audience_rules.Shape)
KINDS: Mapping[str, type[audience_rules.Shape]] = {
    each.model_fields["kind"].default: each
    for each in (
        audience_rules.OnTopic, audience_rules.Speaks, audience_rules.PostalCode,
        audience_rules.Town, audience_rules.Near, audience_rules.Source, audience_rules.ByForm,
        audience_rules.ByPartner, audience_rules.Tag, audience_rules.OwnField,
        audience_rules.Joined, audience_rules.Received, audience_rules.Opened,
        audience_rules.Clicked, audience_rules.Counted, audience_rules.IsContact,
        audience_rules.NotMailed, audience_rules.InSegment,
    )
}  # fmt: skip
"""Kind → what such a condition says."""


def read(model: type[_Model], values: Mapping[str, Any]) -> _Model:
    """An audience, or the rules of a segment. Raises `errors.Invalid` that names the place."""
    try:
        return model.model_validate(values)
    except pydantic.ValidationError as problem:
        raise _explained(model, problem) from problem


def _explained(
    model: type[audience_rules.Shape], problem: pydantic.ValidationError
) -> errors.Invalid:
    """The first of pydantic's findings, in words."""
    first = problem.errors()[0]
    place, kind = _place(first["loc"]), first["type"]
    if kind == "extra_forbidden":
        kinds = [KINDS[part] for part in first["loc"] if isinstance(part, str) and part in KINDS]
        inner = kinds[0] if kinds else model
        return errors.Invalid(
            N_("The audience has “%(place)s”, which is not known here. Known are: %(known)s."),
            place=place,
            known=", ".join(inner.model_fields),
        )
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return errors.Invalid(
            N_("The audience has a condition of no known kind (%(place)s). Known are: %(known)s."),
            place=place,
            known=", ".join(KINDS),
        )
    return errors.Invalid(
        N_("The audience can't be read (%(place)s): %(problem)s"),
        place=place,
        problem=first["msg"].removeprefix("Value error, "),
    )


def _place(loc: tuple[int | str, ...]) -> str:
    """`("all_of", 1, "tag", "tags")` → `all_of[2].tags`; conditions are counted from 1."""
    words = ""
    for part in loc:
        if isinstance(part, int):
            words += f"[{part + 1}]"
        elif part not in KINDS:
            words += f".{part}" if words else part
    return words or "audience"
