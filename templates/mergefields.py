"""The merge fields that staff may write in a bulletin, and other systems' tags turned into them.

This is a language of its own with exactly two forms, `{{ name }}` and
`{{ name | default_if_blank("text") }}`. It is never evaluated: a field becomes a value that is
known when the edition is compiled, or a slot of the plan.
"""

import difflib
import html as std_html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from foundation.frozen import frozen
from foundation.i18n import N_
from templates import problems

RECIPIENT_FIELDS = frozenset(
    {
        "subscriber.first_name",
        "subscriber.last_name",
        "subscriber.email",
        "subscriber.language",
        "subscriber.postal_code",
        "subscriber.town",
        "unsubscribe_url",
        "preferences_url",
        "view_url",
    }
)
"""Fields whose value differs from reader to reader; so do all of `subscriber.fields.NAME`."""

STATIC_FIELDS = frozenset(
    {"archive_url", "site.name", "site.postal_address", "campaign.name", "issue.title"}
)
"""Fields that are the same for everybody in a dispatch."""

URL_FIELDS = frozenset({"unsubscribe_url", "preferences_url", "view_url", "archive_url"})
"""Fields that stand for a whole address."""

FIELDS = RECIPIENT_FIELDS | STATIC_FIELDS

_CUSTOM = re.compile(r"subscriber\.fields\.[A-Za-z][A-Za-z0-9_]{0,63}")
_OPENING = re.compile(r"\{\{|\{%|\{#")
_FIELD = re.compile(
    r"""\{\{ \s* (?P<name> [A-Za-z_][A-Za-z0-9_.]* ) \s*
    (?: \| \s* default_if_blank \s* \( \s*
        (?: "(?P<straight>[^"{}]*)" | '(?P<single>[^'{}]*)' | [“”„](?P<curly>[^“”{}]*)[“”] )
    \s* \) \s* )? \}\}""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Field:
    """One merge field, with what stands in when the reader's value is blank."""

    name: str
    default: str = ""

    @property
    def is_static(self) -> bool:
        """Whether everybody in a dispatch gets the same value."""
        return self.name in STATIC_FIELDS

    @property
    def is_url(self) -> bool:
        """Whether the field stands for a whole address."""
        return self.name in URL_FIELDS


Part = str | Field


def parse(text: str, *, place: problems.Spot) -> tuple[Part, ...]:
    """Split what staff typed into texts and fields, in order.

    `place` tells a person where the text stands. Raises `MergeFieldProblem` for anything in double
    braces that is not one of the fields, and for any other template code.
    """
    parts: list[Part] = []
    at = 0
    while opening := _OPENING.search(text, at):
        if opening.start() > at:
            parts.append(text[at : opening.start()])
        found = _FIELD.match(text, opening.start())
        if found is None:
            raise _not_a_field(text, opening.start(), place)
        parts.append(_known(found, place))
        at = found.end()
    if at < len(text):
        parts.append(text[at:])
    return tuple(parts)


def parse_markup(text: str, *, place: problems.Spot) -> tuple[Part, ...]:
    """The same for text of an HTML document, where quotes and blanks may be entities.

    The texts come back unescaped.
    """
    return parse(std_html.unescape(text), place=place)


def is_url_field(text: str) -> bool:
    """Whether `text` is nothing but one field that stands for an address."""
    found = _FIELD.fullmatch(text.strip())
    return found is not None and found["name"] in URL_FIELDS


def without_fields(text: str) -> str:
    """The text with each merge field replaced by one letter, to look at what is around them."""
    return _FIELD.sub("x", text)


def at_a_glance(text: str) -> str:
    """The text with each merge field as `[what stands in for it]`, else `[its name]`."""
    return _FIELD.sub(lambda found: f"[{_default(found) or found['name']}]", text)


def settled(text: str, values: Mapping[str, str]) -> str:
    """The text with each merge field as its value, else as what stands in for it, else nothing."""
    return _FIELD.sub(lambda found: values.get(found["name"]) or _default(found), text)


def _default(found: re.Match[str]) -> str:
    return (found["straight"] or found["single"] or found["curly"] or "").strip()


def _known(found: re.Match[str], place: problems.Spot) -> Field:
    name = found["name"]
    if name not in FIELDS and not _CUSTOM.fullmatch(name):
        raise _unknown(name, place)
    return Field(name=name, default=_default(found))


def _unknown(name: str, place: problems.Spot) -> problems.MergeFieldProblem:
    near = difflib.get_close_matches(name, sorted(FIELDS), n=1, cutoff=0.6)
    if near:
        return problems.MergeFieldProblem(
            N_(
                "In %(place)s: there is no merge field “%(name)s”. Did you mean “%(near)s”? "
                "These can be used: %(valid)s."
            ),
            place=place,
            name=name,
            near=near[0],
            valid=valid_fields(),
        )
    return problems.MergeFieldProblem(
        N_("In %(place)s: there is no merge field “%(name)s”. These can be used: %(valid)s."),
        place=place,
        name=name,
        valid=valid_fields(),
    )


def _not_a_field(text: str, start: int, place: problems.Spot) -> problems.MergeFieldProblem:
    line_end = re.search(r"\}\}|%\}|#\}|\n", text[start:])
    found = text[start : start + (line_end.end() if line_end else 40)].strip()[:80]
    return problems.MergeFieldProblem(
        N_(
            "In %(place)s: “%(found)s” can't be read. A merge field is written "
            "{{ subscriber.first_name }} or "
            '{{ subscriber.first_name | default_if_blank("friend") }}; '
            "these can be used: %(valid)s."
        ),
        place=place,
        found=found,
        valid=valid_fields(),
    )


def valid_fields() -> str:
    """All fields, for a message to a person."""
    return ", ".join([*sorted(FIELDS), "subscriber.fields.NAME"])


@frozen
class Conversion:
    """A text with other systems' merge tags replaced, and the tags that nobody knew."""

    text: str
    unknown: tuple[str, ...] = ()


# What the tags of Mailchimp, phpList, Sendy, Campaign Monitor, MailerLite, MailPoet, CiviCRM,
# ActiveCampaign, Action Network and listmonk stand for, without their brackets, in lower case and
# without blanks, underscores and hyphens.
_FOREIGN = {
    "fname": "subscriber.first_name",
    "firstname": "subscriber.first_name",
    "merge1": "subscriber.first_name",
    "subscriber:firstname": "subscriber.first_name",
    "contact.firstname": "subscriber.first_name",
    ".subscriber.firstname": "subscriber.first_name",
    "lname": "subscriber.last_name",
    "lastname": "subscriber.last_name",
    "merge2": "subscriber.last_name",
    "subscriber:lastname": "subscriber.last_name",
    "contact.lastname": "subscriber.last_name",
    ".subscriber.lastname": "subscriber.last_name",
    "email": "subscriber.email",
    "merge0": "subscriber.email",
    "emailaddress": "subscriber.email",
    "subscriber:email": "subscriber.email",
    "contact.email": "subscriber.email",
    ".subscriber.email": "subscriber.email",
    "zip": "subscriber.postal_code",
    "zipcode": "subscriber.postal_code",
    "postalcode": "subscriber.postal_code",
    "city": "subscriber.town",
    "unsub": "unsubscribe_url",
    "unsubscribe": "unsubscribe_url",
    "unsubscribeurl": "unsubscribe_url",
    "unsubscribelink": "unsubscribe_url",
    "unsubscriberawurl": "unsubscribe_url",
    "action.unsubscribeurl": "unsubscribe_url",
    "link:subscriptionunsubscribeurl": "unsubscribe_url",
    "updateprofile": "preferences_url",
    "preferences": "preferences_url",
    "preferencesurl": "preferences_url",
    "manageurl": "preferences_url",
    "link:subscriptionmanageurl": "preferences_url",
    "archive": "view_url",
    "webversion": "view_url",
    "webview": "view_url",
    "messageurl": "view_url",
    "mailing.viewurl": "view_url",
    "link:newsletterviewinbrowserurl": "view_url",
    "listarchiveurl": "archive_url",
    "list:name": "site.name",
    "list:company": "site.name",
    "domain.name": "site.name",
    "list:address": "site.postal_address",
    "list:addressline": "site.postal_address",
    "domain.address": "site.postal_address",
    "physicaladdress": "site.postal_address",
    "campaign:name": "campaign.name",
}


def _always(_name: str) -> bool:
    return True


# Each bracket style, and whether a tag of that style that nobody knows is surely a merge tag
# (`*|…|*` is; `[sic]` and `{a}` may be ordinary text, so those must look the part).
_STYLES: tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...] = (
    (re.compile(r"\*\|\s*([^|*\n]{1,80}?)\s*\|\*"), _always),
    (re.compile(r"\[\[\s*([A-Za-z_ ]{1,40}?)\s*\]\]"), _always),
    (
        re.compile(r"\[\s*([A-Za-z_: ]{1,60}?(?:,\s*fallback=[^\]\n]{0,60})?)\s*\]"),
        lambda name: bool(
            re.fullmatch(r"[A-Z_]*URL|subscriber:\w+|link:\w+|.*,\s*fallback=.*", name)
        ),
    ),
    (
        re.compile(r"\{\{\s*(\.?[A-Za-z][A-Za-z0-9_.]{1,60})\s*\}\}"),
        lambda name: name.startswith("."),
    ),
    (
        re.compile(r"(?<!\{)\{\$?([A-Za-z][A-Za-z0-9_.]{1,60})\}(?!\})"),
        lambda name: "_" in name or "." in name,
    ),
    (re.compile(r"%([A-Z_]{4,40})%"), _always),
)


def convert_foreign(text: str) -> Conversion:
    """Turn other systems' merge tags in pasted text into ours, and name those unknown."""
    unknown: list[str] = []
    for pattern, is_surely_a_tag in _STYLES:

        def replace(
            found: re.Match[str], is_surely_a_tag: Callable[[str], bool] = is_surely_a_tag
        ) -> str:
            name, _, fallback = found[1].partition(",")
            ours = _FOREIGN.get(re.sub(r"[\s_-]", "", name).lower())
            if ours is None:
                if is_surely_a_tag(found[1]) and found[0] not in unknown:
                    unknown.append(found[0])
                return found[0]
            default = re.sub(r'["{}]', "", fallback.partition("=")[2]).strip()
            return (
                f'{{{{ {ours} | default_if_blank("{default}") }}}}'
                if default
                else f"{{{{ {ours} }}}}"
            )

        text = pattern.sub(replace, text)
    return Conversion(text=text, unknown=tuple(unknown))
