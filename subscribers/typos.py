"""Slips in the domain of an address: “gmail.con” is pointed out before a mail goes nowhere.

Only the text is looked at, never what is known of an address, so that nothing is given away.
Whoever sends the same address again is believed.
"""

import difflib
import functools
from typing import Any

from foundation import errors
from foundation.addresses import Address
from foundation.i18n import N_

_USUAL = (
    *("gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "aol.com", "live.com"),
    *("msn.com", "comcast.net", "verizon.net", "att.net", "sbcglobal.net", "charter.net"),
    *("bellsouth.net", "earthlink.net", "protonmail.com", "optonline.net", "cox.net", "me.com"),
    *("mac.com", "googlemail.com", "yahoo.es", "hotmail.es", "outlook.es", "yahoo.com.mx"),
)
"""Where most mailboxes are; what is nearly one of these is probably meant to be it."""
_OTHERS = frozenset(
    {
        *("mail.com", "email.com", "ymail.com", "rocketmail.com", "gmx.com", "gmx.net", "gmx.us"),
        *("proton.me", "fastmail.com", "hey.com", "tutanota.com", "zoho.com", "yandex.com"),
        *("live.com.mx", "hotmail.com.mx", "outlook.com.mx", "yahoo.ca", "hotmail.ca", "live.ca"),
    }
)
"""Domains that look like a slip and are none."""
_TYPED_FOR = {
    **dict.fromkeys(("con", "cmo", "ocm", "vom", "xom", "cpm", "cim", "comm", "coom"), "com"),
    **dict.fromkeys(("ogr", "orgg", "prg", "otg"), "org"),
    **dict.fromkeys(("ner", "nte", "ent", "nett"), "net"),
}
"""Endings that no domain has."""
_CUT_SHORT = ("co", "cm", "om")
"""Endings of countries; behind the name of a usual host they are half of “com”."""
_NEAR = 0.8
"""Of two names, by how much of both is the same (`difflib`): “gmial” and “gmail” have 0.8."""
_SHORTEST = 4
"""Shorter names are near to everything."""


def suggestion(address: Address) -> str | None:
    """The address that was probably meant; None where nothing looks like a slip."""
    domain = address.domain
    if domain in _USUAL or domain in _OTHERS:
        return None
    meant = _meant(domain)
    if meant is None or meant == domain:
        return None
    return f"{address.email.rpartition('@')[0]}@{meant}"


def known() -> dict[str, Any]:
    """What a page needs to point slips out by itself (`slips.js`)."""
    return {"usual": list(_USUAL), "others": sorted(_OTHERS), "typed_for": dict(_TYPED_FOR)}


def point_out(address: Address, *, sure: str) -> None:
    """Raise `errors.Mistyped` for a slip, unless the person is `sure` of that very address."""
    meant = suggestion(address)
    if meant is None or sure.strip().lower() == address.key:
        return
    said = N_("Did you mean %(address)s? If yours is right as it is, send it once more.")
    raise errors.Mistyped(
        N_("Something needs to be mended before this can be sent."),
        suggestion=meant,
        fields={"email": errors.Invalid(said, address=meant)},
    )


@functools.lru_cache(maxsize=4096)
def _meant(domain: str) -> str | None:
    name, _, ending = domain.partition(".")
    first, _, last = domain.rpartition(".")
    mended = f"{first}.{_TYPED_FOR.get(last, last)}"
    if mended in _USUAL:
        return mended
    if ending in _CUT_SHORT and f"{name}.com" in _USUAL:
        return f"{name}.com"
    near = _nearest(mended)
    return near if near is not None else mended


def _nearest(domain: str) -> str | None:
    """A usual domain of the same ending whose name is nearly the same."""
    name, _, ending = domain.partition(".")
    names = {each.partition(".")[0]: each for each in _USUAL if each.partition(".")[2] == ending}
    found = difflib.get_close_matches(name, names, n=1, cutoff=_NEAR)
    if not found or len(name) < _SHORTEST or len(found[0]) < _SHORTEST:
        return None
    return names[found[0]]
