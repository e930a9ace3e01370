"""Says what is wrong in a bulletin document: the place as people count it, and what is allowed."""

import re
import types
import typing
from collections.abc import Mapping
from typing import Any

import pydantic
from pydantic import BaseModel

from campaigns.block_models import KINDS
from foundation import errors
from foundation.i18n import N_


def explained(
    problem: pydantic.ValidationError,
    values: Mapping[str, Any],
    name: str,
    *,
    model: type[BaseModel],
) -> errors.Invalid:
    """Pydantic's findings about `values` of a `model` as an error; `fields` names every place.

    `name` is a file's, for the message.
    """
    fields: dict[str, errors.HandbillError] = {}
    for each in problem.errors():
        place, said = _finding(each["type"], each["loc"], each["msg"], values, model)
        fields.setdefault(place, said)
    place, first = next(iter(fields.items()))
    return errors.Invalid(
        N_("%(file)s: %(place)s: %(problem)s"),
        fields=fields,
        file=name or "document",
        place=place,
        problem=first,
    )


def _finding(
    kind: str,
    loc: tuple[int | str, ...],
    message: str,
    values: Mapping[str, Any],
    model: type[BaseModel],
) -> tuple[str, errors.HandbillError]:
    """Place and words of one of pydantic's findings."""
    place = _place(loc, values)
    if kind == "extra_forbidden":
        allowed = _allowed(loc, values, model)
        return place, errors.Invalid(
            N_("there is no key “%(key)s” here. Allowed: %(allowed)s."),
            key=str(loc[-1])[:60],
            allowed=", ".join(allowed),
        )
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return f"{place}.kind", errors.Invalid(
            N_("a block needs a kind, one of: %(allowed)s."), allowed=", ".join(KINDS)
        )
    if kind == "missing":
        return place, errors.Invalid(N_("this is missing."))
    if kind == "string_pattern_mismatch":
        is_line = "x00" in message
        return place, errors.Invalid(
            N_("This can't hold line breaks.")
            if is_line
            else N_("only small letters, digits and hyphens can stand here.")
        )
    return place, errors.Invalid("%(problem)s", problem=message.removeprefix("Value error, "))


def _place(loc: tuple[int | str, ...], values: Mapping[str, Any]) -> str:
    """`("blocks", 2, "event", "zone")` → `blocks[3].zone`; blocks are counted from 1."""
    words: list[str] = []
    for part in _real(loc, values):
        if isinstance(part, int):
            words[-1] += f"[{part + 1}]"
        else:
            words.append(part)
    return ".".join(words) or "document"


def _real(loc: tuple[int | str, ...], values: Mapping[str, Any]) -> list[int | str]:
    """The path without the kind that pydantic puts behind a block's number."""
    is_in_block = len(loc) > 2 and loc[0] == "blocks" and "blocks" in values
    path = [*loc[:2], *loc[3:]] if is_in_block else list(loc)
    return [part for part in path if part != "[key]" and not _is_branch(part)]


def _is_branch(part: int | str) -> bool:
    """Whether a part of a path is pydantic's name for one side of a union."""
    return isinstance(part, str) and bool(
        re.fullmatch(r"constrained-.*|literal\[.*|.*\(.*\)", part)
    )


def _allowed(loc: tuple[int | str, ...], values: Mapping[str, Any], model: Any) -> list[str]:
    """The keys of the model in which `loc` found one too many."""
    path = _real(loc, values)[:-1]
    for depth, part in enumerate(path):
        if isinstance(part, int) and depth == 1 and path[0] == "blocks":
            model = KINDS[str(values["blocks"][part].get("kind"))]
        elif isinstance(part, str) and _is_model(model) and part in model.model_fields:
            model = _inner(model.model_fields[part].annotation)
    return sorted(set(model.model_fields) - {"id"}) if _is_model(model) else []


def _is_model(thing: Any) -> bool:
    return isinstance(thing, type) and issubclass(thing, BaseModel)


def _inner(annotation: Any) -> Any:
    """The model inside `dict[Language, Model]`, `list[…]`, `Model | None` or `Model` itself."""
    if _is_model(annotation):
        return annotation
    arguments = typing.get_args(annotation)
    if isinstance(annotation, types.UnionType):
        return arguments[0] if arguments[1:] == (types.NoneType,) else annotation
    return arguments[-1] if arguments else annotation
