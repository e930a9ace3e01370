"""What the log calls values that are names in the data: `in-review` is “in review”, `es` Spanish.

Values of this floor have their words here. Those of the floors above come from whoever assembles
the application, as `Words`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from foundation.accounts.entering import Way
from foundation.accounts.models import Role
from foundation.accounts.roles import ROLE_WORDS
from foundation.i18n import N_, Translator

Words = Mapping[str, Mapping[str, Mapping[Any, str]]]
"""Kind of object → name of a field → value → its msgid."""

_LANGUAGES = ("default_language", "further_languages", "language", "languages", "on")
_WEEKDAY = "weekday"
WORDS: Words = {
    "staff": {
        "role": {role: words for role, (words, _) in ROLE_WORDS.items()}
        | {Role.PARTNER: N_("Partner")},
        "way": {
            Way.LINK: N_("Link by mail"),
            Way.PASSWORD: N_("Password"),
            Way.PASSKEY: N_("Passkey"),
        },
        "second_step": {"app": N_("Code of an app"), "recovery code": N_("Recovery code")},
    },
}


def said(value: Any, path: Sequence[str], *, kind: str, words: Words, speaks: Translator) -> Any:
    """A value of an object of a `kind` in words; one that has none stays as it is."""
    name = path[-1]
    if isinstance(value, list):
        return [said(each, path, kind=kind, words=words, speaks=speaks) for each in value]
    if name == _WEEKDAY and isinstance(value, int):
        return speaks.locale.days["stand-alone"]["wide"].get(value, value)
    if not isinstance(value, str):
        return value
    if name in _LANGUAGES:
        called = [speaks.locale.languages.get(code, "") for code in value.split()]
        return ", ".join(called) if all(called) else value
    msgid = words.get(kind, {}).get(name, {}).get(value)
    return speaks.gettext(msgid) if msgid else value
