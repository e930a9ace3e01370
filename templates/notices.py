"""Mail to one person about one thing, from the same letterhead as the bulletins.

`delivery/outbox` renders a queued `foundation.notices.Notice` with `render_notice` when it is sent.
What a notice holds is written here once, and both its HTML and its text are made from that.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from foundation import errors, isolating
from foundation.frozen import frozen
from foundation.i18n import N_, Translator
from templates import (
    coalition_letters,
    letters,
    plan,
    problems,
    release_letters,
    sheets,
    slots,
    staff_letters,
    text,
    typesetting,
)
from templates.content import Brand


class Kind(StrEnum):
    """What can be written about, each with the context that it needs; all values are texts."""

    CONFIRM = "confirm"
    """Asks somebody who signed up whether it was them.

    `confirm_url`; `topics`: their names, joined by commas.
    """
    WELCOME = "welcome"
    """Says after confirming what comes next.

    `first_name` (may be blank); `topics`; `preferences_url`; `unsubscribe_url`.
    """
    SIGNIN = "signin"
    """A one-time link for staff. `signin_url`; `minutes` for which it works."""
    INVITE = "invite"
    """A first link for new staff. `signin_url`; `name` (may be blank); `inviter`."""
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a kind of notice
    """A link by which staff choose another password. `reset_url`; `minutes` for which it works."""
    ACCOUNT_CHANGED = "account_changed"
    """Tells staff that how they come in was changed. `change`, a sentence; `url` of the account."""
    JOIN_CONFIRM = "join_confirm"
    """Asks an organisation's contact to confirm its application. `organisation`; `confirm_url`."""
    CONTACT_CONFIRM = "contact_confirm"
    """Asks a further contact of an organisation. `organisation`; `confirm_url`."""
    JOIN_RECEIVED = "join_received"
    """Says that a confirmed application is being looked at. `organisation`."""
    JOIN_APPROVED = "join_approved"
    """Welcomes a member. `organisation`; `reason`, a word from staff (may be blank); `url` of its
    own page."""
    JOIN_DECLINED = "join_declined"
    """Says no to an applicant. `organisation`; `reason` (may be blank)."""
    JOIN_QUESTION = "join_question"
    """Asks an applicant something. `organisation`; `question`; `url` of the page for the answer."""
    RENEW = "renew"
    """Asks a member whether it stays. `organisation`; `url` of its own page."""
    RENEW_REMINDER = "renew_reminder"
    """The same once more. `organisation`; `url`."""
    MEMBER_LEFT = "member_left"
    """Says that a member is one no more. `organisation`."""
    SIGN_ON_CONFIRM = "sign_on_confirm"
    """Asks who signed the statement for an organisation. `confirm_url`."""
    CONFIRM_AT_TABLE = "confirm_at_table"
    """Asks who signed up at a table. `event`, as staff call it; `confirm_url`; `topics`."""
    PARTNER_PAGES = "partner_pages"
    """Tells a partner and staff what is wrong with its form. `organisation`; `reason`, one or
    several; `url` of its numbers."""
    CAMPAIGN_NEEDS_ATTENTION = "campaign_needs_attention"
    """Tells staff that a campaign stopped. `campaign`; `reason`; `url` of its page."""
    REVIEW_REQUESTED = "review_requested"
    """Asks an editor to read a campaign. `campaign`; `who` asks; `note` (may be blank); `url`."""
    REVIEW_RETURNED = "review_returned"
    """Tells an author that it came back. `campaign`; `who`; `reason` (may be blank); `open`, how
    many remarks are not settled; `url` of its review."""
    REVIEW_APPROVED = "review_approved"
    """Tells an author that it may go out. `campaign`; `who` approved it; `url`."""
    ALERT_RELEASE = "alert_release"
    """Asks a second person to release an alert. `campaign`; `who` was first; `until`; `url`."""
    CAMPAIGN_STARTED = "campaign_started"
    """Says that a campaign goes out. `campaign`; `subject`; `people`, how many; `who`; `url`."""
    CAMPAIGN_DONE = "campaign_done"
    """Says that it went out. `campaign`; `people`; `sent`; `failed`; `cancelled`; `url`."""
    SERIES_NEEDS_ATTENTION = "series_needs_attention"
    """Tells staff that an edition could not be drafted. `series`; `reason`; `url` of its page."""
    FEED_NEEDS_ATTENTION = "feed_needs_attention"
    """Tells staff that a feed is not read any more. `feed`; `reason`; `url` of its page."""


@frozen
class Rendered:
    """A notice as it goes out."""

    subject: str
    html: str
    text: str
    body: bytes
    """Both parts, encoded, ready for SMTP DATA."""
    content_type_header: str


def letter(
    kind: Kind | str, *, translator: Translator, context: Mapping[str, str], site_name: str
) -> letters.Letter:
    """What a notice of `kind` says, without its form; raises as `render_notice`."""
    known = _kind(kind)
    writer = _WRITERS[known]
    _check(known, writer.keys, context)
    values = {key: _tidy(value) for key, value in context.items()}
    return writer.write(letters.Scribe(translator=translator, site=site_name, values=values))


def render_notice(
    kind: Kind | str, *, translator: Translator, context: Mapping[str, str], brand: Brand
) -> Rendered:
    """A notice of `kind` in the translator's language.

    Raises `NoticeProblem` when `kind` does not exist, when a key of `context` is missing or
    unknown, or when an address is not one.
    """
    said = letter(kind, translator=translator, context=context, site_name=brand.site_name)
    frame = sheets.Frame(
        language=translator.language,
        direction=translator.direction,
        title=said.subject,
        preheader=said.preheader,
        brand=brand,
    )
    values = {"frame": frame, "letter": said, "translator": translator}
    html = isolating.in_html(typesetting.typeset("notice", values=values))
    written = plan.Plan(
        language=translator.language,
        subject_segments=(said.subject,),
        text_segments=(_text(said, brand, translator),),
        html_segments=(html,),
    )
    return Rendered(
        subject=written.subject({}),
        html=html,
        text=written.text({}),
        body=written.body({}),
        content_type_header=written.content_type_header,
    )


@dataclass(frozen=True, slots=True)
class _Writer:
    keys: frozenset[str]
    write: Callable[[letters.Scribe], letters.Letter]


def _writer(keys: str, write: Callable[[letters.Scribe], letters.Letter]) -> _Writer:
    return _Writer(frozenset(keys.split()), write)


_WRITERS: Mapping[Kind, _Writer] = {
    Kind.CONFIRM: _writer("confirm_url topics", letters.confirm),
    Kind.WELCOME: _writer("first_name topics preferences_url unsubscribe_url", letters.welcome),
    Kind.SIGNIN: _writer("signin_url minutes", letters.signin),
    Kind.INVITE: _writer("signin_url name inviter", letters.invite),
    Kind.PASSWORD_RESET: _writer("reset_url minutes", staff_letters.password_reset),
    Kind.ACCOUNT_CHANGED: _writer("change url", staff_letters.account_changed),
    Kind.JOIN_CONFIRM: _writer("organisation confirm_url", letters.join_confirm),
    Kind.CONTACT_CONFIRM: _writer("organisation confirm_url", letters.contact_confirm),
    Kind.JOIN_RECEIVED: _writer("organisation", letters.join_received),
    Kind.JOIN_APPROVED: _writer("organisation reason url", letters.join_approved),
    Kind.JOIN_DECLINED: _writer("organisation reason", letters.join_declined),
    Kind.JOIN_QUESTION: _writer("organisation question url", coalition_letters.join_question),
    Kind.RENEW: _writer("organisation url", coalition_letters.renew),
    Kind.RENEW_REMINDER: _writer("organisation url", coalition_letters.renew_reminder),
    Kind.MEMBER_LEFT: _writer("organisation", coalition_letters.member_left),
    Kind.SIGN_ON_CONFIRM: _writer("confirm_url", coalition_letters.sign_on_confirm),
    Kind.CONFIRM_AT_TABLE: _writer("event confirm_url topics", coalition_letters.confirm_at_table),
    Kind.PARTNER_PAGES: _writer("organisation reason url", letters.partner_pages),
    Kind.CAMPAIGN_NEEDS_ATTENTION: _writer("campaign reason url", letters.campaign_needs_attention),
    Kind.REVIEW_REQUESTED: _writer("campaign who note url", release_letters.review_requested),
    Kind.REVIEW_RETURNED: _writer("campaign who reason open url", release_letters.review_returned),
    Kind.REVIEW_APPROVED: _writer("campaign who url", release_letters.review_approved),
    Kind.ALERT_RELEASE: _writer("campaign who until url", release_letters.alert_release),
    Kind.CAMPAIGN_STARTED: _writer(
        "campaign subject people who url", release_letters.campaign_started
    ),
    Kind.CAMPAIGN_DONE: _writer(
        "campaign people sent failed cancelled url", release_letters.campaign_done
    ),
    Kind.SERIES_NEEDS_ATTENTION: _writer("series reason url", letters.series_needs_attention),
    Kind.FEED_NEEDS_ATTENTION: _writer("feed reason url", letters.feed_needs_attention),
}


def keys(kind: Kind | str) -> frozenset[str]:
    """The context keys that a notice of `kind` needs."""
    return _WRITERS[_kind(kind)].keys


def _kind(name: Kind | str) -> Kind:
    try:
        return Kind(name)
    except ValueError as problem:
        raise problems.NoticeProblem(
            N_("There is no notice “%(kind)s”. There are: %(valid)s."),
            kind=name,
            valid=", ".join(each.value for each in Kind),
        ) from problem


def _check(kind: Kind, needed: frozenset[str], context: Mapping[str, str]) -> None:
    missing, unknown = sorted(needed - context.keys()), sorted(context.keys() - needed)
    if missing:
        raise problems.NoticeProblem(
            N_("The notice “%(kind)s” needs %(keys)s."), kind=kind.value, keys=", ".join(missing)
        )
    if unknown:
        raise problems.NoticeProblem(
            N_("The notice “%(kind)s” does not know %(keys)s."),
            kind=kind.value,
            keys=", ".join(unknown),
        )
    for key in sorted(needed):
        is_wrong_url = key.endswith("url") and not re.fullmatch(r"https?://[^\s]+", context[key])
        is_wrong_number = key == "minutes" and not re.fullmatch(r"[0-9]{1,6}", context[key])
        if is_wrong_url or is_wrong_number:
            raise problems.NoticeProblem(
                N_("The notice “%(kind)s” can't use “%(value)s” for %(key)s."),
                kind=kind.value,
                key=key,
                value=context[key][:200],
            )


def _tidy(value: str) -> str:
    """A value without control characters; line breaks stay."""
    return "\n".join(slots.clean(line) for line in value.splitlines()).strip()


def _text(said: letters.Letter, brand: Brand, translator: errors.Speaks) -> str:
    pieces = [
        brand.site_name,
        text.underlined(said.title, "="),
        *(text.wrapped(each) for each in said.paragraphs),
        *(text.wrapped(line, first="> ") for line in said.quotation.splitlines()),
        f"{said.label}:\n{said.url}" if said.url else "",
        *(text.wrapped(each) for each in said.after),
        "-" * text.WIDTH,
        text.wrapped(said.why),
        f"{translator.gettext(N_('Unsubscribe'))}:\n{said.unsubscribe_url}"
        if said.unsubscribe_url
        else "",
        "\n".join(each for each in (brand.site_name, brand.postal_address) if each),
    ]
    return "\n\n".join(piece for piece in pieces if piece) + "\n"
