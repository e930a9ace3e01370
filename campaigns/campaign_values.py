"""What staff and programs say of a campaign, checked before it is kept."""

from typing import Any

from campaigns import audience_rules
from campaigns.audiences import Audience
from foundation import addresses, errors
from foundation.ground import Ground
from foundation.i18n import N_


def checked(
    name: str, audience: Audience, from_name: str, from_address: str, reply_to: str
) -> dict[str, Any]:
    """A campaign's columns as typed, trimmed. Raises `errors.Invalid` that names every field."""
    problems: dict[str, errors.HandbillError] = {}
    for field, text in (("name", name), ("from_name", from_name)):
        if any(ord(character) < 32 for character in text) or len(text) > 200:
            problems[field] = errors.Invalid(N_("This has to be one line, not too long."))
    for field, text in (("from_address", from_address), ("reply_to", reply_to)):
        try:
            if text:
                addresses.parse(text)
        except errors.Invalid as problem:
            problems[field] = problem
    if problems:
        raise errors.Invalid(
            N_("Something needs to be mended before this can be kept."), fields=problems
        )
    return {
        "name": name.strip(),
        "audience": audience_rules.stored(audience),
        "from_name": from_name.strip(),
        "from_address": from_address.strip(),
        "reply_to": reply_to.strip(),
    }


def known_relay(ground: Ground, relay: str) -> str:
    """The name of a relay of the settings, or blank. Raises `errors.Invalid` for another."""
    names = [each.name for each in ground.settings.relay]
    if relay and relay not in names:
        unknown = errors.Invalid(
            N_("There is no relay “%(name)s”. There are: %(allowed)s."),
            name=relay[:60],
            allowed=", ".join(names),
        )
        raise errors.Invalid(unknown.msgid, fields={"relay": unknown}, **unknown.values)
    return relay
