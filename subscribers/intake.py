"""What a form or program sends in to sign somebody up, and what is wrong with it.

Called by `signup.submit`, so that pages, the public JSON address and the command line are held to
the same rules, wherever a request came from.
"""

import operator
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from foundation import addresses, errors
from foundation.addresses import Address
from foundation.i18n import N_
from subscribers import topics
from subscribers.forms import Offer
from subscribers.models import Topic

HONEYPOT = "homepage"
"""A field that people don't see; whoever fills it in is a program."""

ABOUT_PERSON = {"first_name": 100, "last_name": 100, "postal_code": 20, "further_languages": 60}
"""What a person says of themselves, with how many characters it may have."""
ABOUT_ORIGIN = {
    "source": 120,
    "referrer_host": 255,
    "page_path": 300,
    "utm_source": 120,
    "utm_medium": 120,
    "utm_campaign": 120,
}
"""Where a sign-up came from, cut to so many characters: a visitor can't mend a long address."""
_PERSON_OF = operator.attrgetter(*ABOUT_PERSON)
_ORIGIN_OF = operator.attrgetter(*ABOUT_ORIGIN)
_MAX_TAGS = 20
_NO_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class SignUpRequest(NamedTuple):
    """What was sent in, and where it came from; made for each of very many, so a tuple."""

    email: str
    topics: Sequence[str] = ()
    """Slugs; none takes the first topic that the form offers, unless `has_choice`."""
    has_choice: bool = False
    """Topics were shown to choose from, so none means that none was chosen."""
    language: str = ""
    first_name: str = ""
    last_name: str = ""
    postal_code: str = ""
    further_languages: str = ""
    """Codes with blanks or commas between."""
    form: str = ""
    """The form's slug; blank for the one at `/subscribe`."""
    partner: str = ""
    """The key of the partner whose page it came from."""
    tags: Sequence[str] = ()
    shares: Sequence[str] = ()
    """Keys of organisations that are to have the address, too; see `sharing.py`."""
    source: str = ""
    referrer_host: str = ""
    page_path: str = ""
    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    network: str = ""
    """Truncated, as `foundation.web.security.client_network` gives it."""
    via: str = "form"
    is_hasty: bool = False
    """Sent faster than a person fills in a form."""
    is_from_public: bool = False
    """Sent by somebody of whom nothing is known, not by a program with a token."""
    proof: str = ""
    """A solved challenge, see `challenge.py`."""
    has_seen_challenge: bool = False
    """The form was shown with a challenge."""
    sure: str = ""
    """An address that looks like a slip, and of which the person is sure."""
    origin: str = ""
    """Another site whose script sent it, where that was not looked at yet."""

    def with_language(self, language: str) -> "SignUpRequest":
        """The same, in another language."""
        return self if language == self.language else self._replace(language=language)


def check(request: SignUpRequest) -> Address:
    """The address of a request. Raises `errors.Invalid` with every wrong field."""
    problems = problems_of_person(dict(zip(ABOUT_PERSON, _PERSON_OF(request), strict=True)))
    # One look at all of it; which one it is matters only when something is wrong.
    if not _is_line("".join((*_ORIGIN_OF(request), *request.tags))):
        for name in ABOUT_ORIGIN:
            if not _is_line(getattr(request, name)):
                problems[name] = _no_line()
        if not all(map(_is_line, request.tags)):
            problems["tag"] = _no_line()
    address: Address | None = None
    try:
        if request.email.strip():
            address = addresses.parse(request.email)
        else:
            problems["email"] = errors.Invalid(N_("Type your e-mail address."))
    except errors.Invalid as problem:
        problems["email"] = problem
    if problems or address is None:
        raise to_mend(problems)
    return address


def problems_of_person(said: Mapping[str, str]) -> dict[str, errors.HandbillError]:
    """What is wrong with the values of `ABOUT_PERSON`, by field."""
    problems: dict[str, errors.HandbillError] = {}
    if not any(said.values()):
        return problems
    for name, limit in ABOUT_PERSON.items():
        text = said[name].strip()
        if not _is_line(text):
            problems[name] = _no_line()
        elif len(text) > limit:
            problems[name] = errors.Invalid(
                N_("This is too long: at most %(limit)s characters."), limit=limit
            )
    return problems


def _no_line() -> errors.Invalid:
    return errors.Invalid(N_("This can't hold line breaks."))


def _is_line(text: str) -> bool:
    """No control characters, no line or paragraph separators, and nothing that UTF-8 can't hold."""
    return _NO_LINE.search(text) is None


def tidy(text: str) -> str:
    """A line without blanks around it and with single ones in it."""
    return " ".join(text.split())


def cut(request: SignUpRequest, name: str) -> str:
    """A value of `ABOUT_ORIGIN`, as long as it may be."""
    return tidy(str(getattr(request, name)))[: ABOUT_ORIGIN[name]]


def kept(request: SignUpRequest) -> list[str]:
    """The values of `ABOUT_PERSON` and `ABOUT_ORIGIN`, tidy, the latter as long as may be.

    Blanks at the end are left out.
    """
    said = [each and tidy(each) for each in _PERSON_OF(request)]
    origin = _ORIGIN_OF(request)
    if any(origin):
        limits = zip(origin, ABOUT_ORIGIN.values(), strict=True)
        said += [each and tidy(each)[:limit] for each, limit in limits]
    while said and not said[-1]:
        said.pop()
    return said


def clean_tags(tags: Sequence[str]) -> list[str]:
    """Tags in lower case, each once, not too many and not too long."""
    if not tags:
        return []
    cut = (tidy(tag).lower()[:60] for tag in tags)
    return list(dict.fromkeys(tag for tag in cut if tag))[:_MAX_TAGS]


def chosen(offer: Offer, request: SignUpRequest) -> list[Topic]:
    """The topics that a request asks for.

    Raises `errors.Invalid` for topics that the form does not offer, and when none was ticked.
    """
    by_slug = {topic.slug: topic for topic in offer.topics}
    slugs = list(dict.fromkeys(request.topics))
    unknown = [slug for slug in slugs if slug not in by_slug]
    if unknown:
        raise topics.unknown(unknown)
    if not slugs and len(by_slug) > 1 and request.has_choice:
        raise to_mend({"topic": errors.Invalid(N_("Choose at least one."))})
    if not by_slug:
        raise errors.Refused(N_("There is nothing to sign up for at the moment. Come back soon."))
    return [by_slug[slug] for slug in slugs] or [offer.topics[0]]


def to_mend(problems: dict[str, errors.HandbillError]) -> errors.Invalid:
    """The error that names each wrong field."""
    return errors.Invalid(
        N_("Something needs to be mended before this can be sent."), fields=problems
    )
