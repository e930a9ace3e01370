"""Reads what a form, a link or a program sends to sign somebody up, under the names in use.

Names of our own forms, of forms that were made for Mailchimp, and of common campaign links are all
taken; what is not known is passed over. Called by `public.py` and `public_api.py`.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from multidict import MultiDict, MultiMapping

from foundation import errors
from foundation.frozen import frozen
from foundation.i18n import N_
from foundation.tokens import Purpose
from foundation.web import kit, security
from subscribers import challenge, intake, languages, page_path, sharing
from subscribers.intake import SignUpRequest

SHOWN = "shown"
"""The field that says, sealed, when our own page was shown."""
CHOICE = "choice"
"""The field that says that topics were there to be ticked."""
CHALLENGED = "challenged"
"""The field that says that the form was shown with a challenge."""
SURE = "sure"
"""The field with an address that looked like a slip when it was sent before."""
USE = "use"
"""The button that takes the suggested address instead."""
_NAMES: Mapping[str, tuple[str, ...]] = {
    "email": (USE, "email", "EMAIL"),
    "first_name": ("first_name", "FNAME"),
    "last_name": ("last_name", "LNAME"),
    "postal_code": ("postal_code", "zip", "ZIP"),
    "language": ("lang", "language"),
    "partner": ("partner",),
    "utm_source": ("utm_source",),
    "utm_medium": ("utm_medium",),
    "utm_campaign": ("utm_campaign",),
}
_WAYS = [(name, sent) for name, several in _NAMES.items() for sent in reversed(several)]
"""The same for each name under which it may be sent, the one that counts most last."""
_JSON_NAMES = {"topics": "topic", "tags": "tag"}
_FILLED_IN = ("email", "first_name", "last_name", "postal_code")
_CARRIED = ("partner", "page", "source", "referrer", "utm_source", "utm_medium", "utm_campaign")


@frozen
class _Referrer:
    """The page that somebody came from, without its query."""

    host: str = ""
    path: str = ""

    @property
    def url(self) -> str:
        return f"https://{self.host}{self.path}" if self.host else ""


_NOWHERE = _Referrer()


def request_of(
    request: web.Request, values: MultiMapping[str], *, form: str, via: str
) -> SignUpRequest:
    """What was sent in; `values` come first, the address's query fills in what they leave out."""
    several = _filled_up(values, request.query) if "?" in request.raw_path else values
    own = _first_of_each(values)
    both = _first_of_each(several) if several is not values else own
    came_from = _referrer(request, both)
    return SignUpRequest(
        **_by_field(both),
        is_from_public=True,
        proof=own.get(challenge.FIELD, ""),
        has_seen_challenge=CHALLENGED in values,
        sure=own.get(SURE, ""),
        topics=_all(several, "topic"),
        has_choice=CHOICE in values,
        further_languages=" ".join(_all(values, languages.FIELD)),
        form=form,
        tags=_all(several, "tag"),
        # Only what somebody ticked counts, never what stands in a link.
        shares=_all(values, sharing.FIELD),
        source=_source(both),
        referrer_host=came_from.host,
        page_path=_page(both, came_from),
        network=network(request),
        via=via,
        is_hasty=_is_hasty(request, own.get(SHOWN, "")),
    )


def is_trapped(values: MultiMapping[str]) -> bool:
    """Whether the field that people don't see was filled in."""
    return bool(_first(values, intake.HONEYPOT))


def filled_in(values: MultiMapping[str]) -> dict[str, str]:
    """What stands in the fields that people type into, to show it again or fill it in before."""
    typed = {name: _first(values, *_NAMES[name])[:320] for name in _FILLED_IN}
    return {**typed, languages.FIELD: " ".join(_all(values, languages.FIELD))}


def carried(request: web.Request, values: MultiMapping[str]) -> list[tuple[str, str]]:
    """Where the person came from, as hidden fields: known when the page is opened, kept with it."""
    found = {
        **{name: _first(values, name)[:300] for name in _CARRIED},
        "source": _source(values)[:300],
        "referrer": _referrer(request, values).url[:300],
    }
    pairs = [(name, value) for name, value in found.items() if value]
    return pairs + [("tag", tag[:60]) for tag in _all(values, "tag")[:20]]


def page(request: web.Request, values: MultiMapping[str]) -> str:
    """The path of the page that the form stands on, as far as it is known."""
    return _page(values, _referrer(request, values))


def values_of_json(body: Mapping[str, Any]) -> MultiDict[str]:
    """A JSON object as form values. Raises `errors.Invalid` for values that no form could hold."""
    values: MultiDict[str] = MultiDict()
    problems: dict[str, errors.HandbillError] = {}
    for name, value in body.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str) and is_text(each):
                values.add(_JSON_NAMES.get(name, name), each)
            elif isinstance(each, int):
                values.add(name, str(int(each)))
            elif each is not None:
                problems[name] = errors.Invalid(N_("This has to be a text, or a list of texts."))
    if problems:
        raise errors.Invalid(
            N_("Something needs to be mended before this can be sent."), fields=problems
        )
    return values


def values_at_once(body: Mapping[str, Any]) -> MultiDict[str] | None:
    """The same at the door; None for what is told inside."""
    try:
        return values_of_json(body)
    except errors.Invalid:
        return None


def network(request: web.Request) -> str:
    """The truncated network of a request."""
    return security.client_network(request, kit.ground(request).settings.server.trusted_proxies)


def is_text(text: str) -> bool:
    """Whether UTF-8 can hold it, unlike half of a surrogate pair, which JSON can."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _filled_up(values: MultiMapping[str], query: MultiMapping[str]) -> MultiMapping[str]:
    if not query:
        return values
    both: MultiDict[str] = MultiDict(values)
    for name, value in query.items():
        if name not in values:
            both.add(name, value)
    return both


def _first_of_each(values: MultiMapping[str]) -> dict[str, str]:
    """For looking many up: the first value of each name, if only blanks none at all."""
    found: dict[str, str] = {}
    for name, value in values.items():
        if name not in found:
            found[name] = "" if value.isspace() else value
    return found


def _by_field(values: Mapping[str, str]) -> dict[str, str]:
    """What was sent under any of `_NAMES`, by the name that it has here."""
    found = {"email": ""}
    for name, sent in _WAYS:
        if value := values.get(sent):
            found[name] = value
    return found


def _first(values: Mapping[str, str], *names: str) -> str:
    for name in names:
        found = values.get(name)
        if found and not found.isspace():
            return found
    return ""


def _all(values: MultiMapping[str], name: str) -> list[str]:
    if name not in values:
        return []
    return list(dict.fromkeys(each for each in values.getall(name, []) if each.strip()))[:50]


def _source(values: Mapping[str, str]) -> str:
    """`source` or `ref`; `referrer` too where it is a word and not an address."""
    found = _first(values, "source", "ref")
    referrer = _first(values, "referrer")
    return found or ("" if _split(referrer).host else referrer)


def _page(values: Mapping[str, str], came_from: _Referrer) -> str:
    """What a script or form names as `page`, else the page that led here.

    Of most pages browsers tell another site the origin alone, with `/` for its path (Referrer
    Policy §3.7): that says nothing of the page.
    """
    told = came_from.path if came_from.path != "/" else ""
    return page_path.clean(_first(values, "page")) or page_path.clean(told)


def _referrer(request: web.Request, values: Mapping[str, str]) -> _Referrer:
    """The page that led here: named by the form, else by the browser, never one of our own."""
    told = [_first(values, "referrer"), request.headers.get("Referer", "")]
    if not any(told):
        return _NOWHERE
    own = _split(kit.ground(request).settings.site.url).host
    for text in told:
        found = _split(text)
        if found.host and found.host not in (own, (request.host or "").partition(":")[0]):
            return found
    return _NOWHERE


def _split(text: str) -> _Referrer:
    if ":" not in text:
        return _NOWHERE
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return _NOWHERE
    if parts.scheme not in ("http", "https") or not host:
        return _NOWHERE
    return _Referrer(host=host, path=parts.path)


def _is_hasty(request: web.Request, shown: str) -> bool:
    """Sent faster than a person types. A form on somebody else's page tells no time: not hasty."""
    if not shown:
        return False
    ground = kit.ground(request)
    try:
        (second,) = ground.tokens.open(Purpose.FORM_TIME, shown)
    except (errors.BadToken, ValueError):
        return True
    needed = ground.settings.signup.min_seconds_on_form
    return ground.clock.now().timestamp() - second < needed
