"""Who sees a block: how staff choose it on its form, and how it is told in words."""

import re
from collections.abc import Mapping
from typing import Any

from campaigns import block_models
from campaigns.block_models import AnyBlock, Near
from foundation import errors
from foundation.errors import Speaks
from foundation.i18n import N_

EVERYBODY = "everybody"
CHOICES = (
    (EVERYBODY, N_("Everybody")),
    ("only_to", N_("Only the people named below")),
    ("all_but", N_("Everybody except the people named below")),
)
"""Value and words of each choice; but for the first, the values are keys of a block."""

_BETWEEN = re.compile(r"[\n,;]")


def chosen(
    choice: str, *, towns: str, postal_codes: str, members: bool
) -> Mapping[str, dict[str, Any]]:
    """The rule as a block's values; nothing for everybody.

    Raises `errors.Invalid` when people are named though everybody is chosen: a block for some must
    not go to all because of a choice that was forgotten.
    """
    named = {"towns": _names(towns), "postal_codes": _names(postal_codes), "members": members}
    if choice in ("only_to", "all_but"):
        if not any(named.values()):
            raise _wrong(N_("Name towns, postal codes or coalition members, or choose everybody."))
        return {choice: named}
    if any(named.values()):
        raise _wrong(N_("People are named below, but everybody is chosen. Which do you mean?"))
    return {}


def values_of(block: AnyBlock) -> dict[str, str]:
    """A block's rule as the values of its form."""
    named = block.only_to or block.all_but
    if named is None:
        return {"seen_by": EVERYBODY}
    return {
        "seen_by": "only_to" if block.only_to else "all_but",
        "towns": "\n".join(named.towns),
        "postal_codes": ", ".join(named.postal_codes),
        "members": "1" if named.members else "",
    }


def words(block: AnyBlock, speaks: Speaks) -> str:
    """Who sees a block, and what living near changes, in words; blank for everybody alike."""
    parts = (_seen_by(block, speaks), _near(block, speaks))
    return ". ".join(part for part in parts if part)


def _near(block: AnyBlock, speaks: Speaks) -> str:
    near = getattr(block, "near", Near.NO)
    if near is Near.NO:
        return ""
    if isinstance(block, block_models.Event):
        said = _EVENT_WORDS[near]
        return speaks.gettext(said) % {"miles": block.miles, "code": block.postal_code}
    return speaks.gettext(_LIST_WORDS[near])


_EVENT_WORDS = {
    Near.FIRST: N_("First for people within %(miles)s miles of %(code)s"),
    Near.ONLY: N_("Only for people within %(miles)s miles of %(code)s"),
}
_LIST_WORDS = {
    Near.FIRST: N_("Whoever lives near a place has what happened there first"),
    Near.ONLY: N_("What happened at a place is only for people near it"),
}


def _seen_by(block: AnyBlock, speaks: Speaks) -> str:
    named = block.only_to or block.all_but
    if named is None:
        return ""
    parts = list(named.towns)
    if named.postal_codes:
        codes = ", ".join(named.postal_codes)
        parts.append(speaks.gettext(N_("postal codes %(codes)s")) % {"codes": codes})
    if named.members:
        parts.append(speaks.gettext(N_("coalition members")))
    said = N_("Only for: %(people)s") if block.only_to else N_("For everybody except: %(people)s")
    return speaks.gettext(said) % {"people": ", ".join(parts)}


def _names(typed: str) -> list[str]:
    """Names that stand one to a line, or between commas."""
    found = (" ".join(name.split()) for name in _BETWEEN.split(typed))
    return list(dict.fromkeys(name for name in found if name))


def _wrong(msgid: str) -> errors.Invalid:
    return errors.Invalid(
        N_("Something needs to be mended before this can be kept."),
        fields={"seen_by": errors.Invalid(msgid)},
    )
