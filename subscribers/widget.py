"""What a form on somebody else's page is made of: which form stands there, and all that it says.

`describe` is what `widget.js` builds its form from, in the reader's language. Nothing here is about
a person, so that the same description serves everybody for a while.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field
from urllib.parse import quote, urlencode, urlsplit

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import i18n
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import challenge, consent, forms, intake, languages, sharing, topics
from subscribers.forms import Offer
from subscribers.models import Form
from templates import palette

_SAYS = {
    "legend": N_("What would you like to hear about?"),
    "reads": N_("Other languages that you read"),
    "share": N_("Others who may write to you, if you tick them"),
    "required": N_("required"),
    "sending": N_("Sending …"),
    "working": N_("One moment: your browser has to do a little work first."),
    "mend": N_("Something needs to be mended before this can be sent."),
    "failed": N_("This could not be sent. Try again, or use our own page:"),
    "use": N_("Use %(address)s"),
    "thanks": N_("Now look into your mail"),
    "trap": N_("Leave this empty"),
}
"""What the form says besides its labels, by the name under which the script looks for it."""
_PRIVACY = N_(
    "We send you one mail to make sure that the address is yours. We give it to nobody, and count "
    "what you open or follow only if you allow it."
)
_PRIVACY_OF_SEVERAL = N_(
    "We send you one mail to make sure that the address is yours. We give it to nobody but those "
    "whom you tick, and count what you open or follow only if you allow it."
)


@frozen
class Field:
    """One line to fill in."""

    name: str
    label: str
    type: str = "text"
    autocomplete: str
    is_required: bool = False
    hint: str = ""


FIELDS = (
    Field(
        name="email",
        label=N_("E-mail address"),
        type="email",
        autocomplete="email",
        is_required=True,
    ),
    Field(name="first_name", label=N_("First name"), autocomplete="given-name"),
    Field(name="last_name", label=N_("Last name"), autocomplete="family-name"),
    Field(
        name="postal_code",
        label=N_("Postal code"),
        autocomplete="postal-code",
        hint=N_("So that we can tell you what happens near you."),
    ),
)
"""What forms ask for, in order, with English texts; the address always, the others by choice."""


@frozen
class Choice:
    """A topic that may be ticked."""

    slug: str
    name: str
    description: str


@frozen
class Organisation:
    """One whose own list may be joined, too."""

    key: str
    words: str


@frozen
class Paint:
    """The site's accent where it can be read, and letters on it, by day and at night."""

    light: str
    on_light: str
    dark: str
    on_dark: str


@frozen
class Description:
    """A form as a script shows it; the names are those of its JSON."""

    form: str
    """Its slug; blank for the site's own."""
    lang: str
    dir: str
    title: str
    lead: str
    button: str
    fields: Sequence[Field]
    topics: Sequence[Choice]
    languages: Sequence[Choice]
    """Others to be ticked by who reads several; empty where the form does not ask."""
    organisations: Sequence[Organisation]
    consent: consent.Shown
    privacy: str
    thanks: str
    """The form's own words; blank takes what the answer to a sign-up says."""
    thanks_url: str
    """Where to go instead; always on the site or on an origin of the form's."""
    link: str
    """The form's own page."""
    honeypot: str
    challenge: bool
    """Whether a sign-up has to bring a proof of work along just now."""
    paint: Paint
    says: dict[str, str]
    origins: Sequence[str] = field(default_factory=tuple)
    """Web origins whose pages may show it; not told to the script."""


async def chosen(session: AsyncSession, *, form: str, partner: str) -> Offer:
    """What a page shows that names a form, a partner or both: the form, the partner's, the site's.

    Raises `errors.NotFound` when the form is gone.
    """
    offer = await forms.offered(session, slug=form, partner_key=partner)
    if form or offer.partner is None:
        return offer
    own = await forms_of(session, partner_id=offer.partner.id or 0)
    return await forms.offered(session, slug=own[0][0], partner_key=partner) if own else offer


async def forms_of(session: AsyncSession, *, partner_id: int) -> list[tuple[str, str]]:
    """A partner's own forms that are in use, the first made first: slug and name."""
    found = await session.execute(
        sa.select(col(Form.slug), col(Form.name))
        .where(col(Form.partner_id) == partner_id, col(Form.is_active).is_(True))
        .order_by(col(Form.id))
    )
    return [(slug, name) for slug, name in found.all()]


async def describe(ground: Ground, *, form: str, partner: str, language: str) -> Description:
    """A form in one language of the site. Raises `errors.NotFound` when it is gone."""
    speaks = ground.translator(language)
    say = speaks.gettext
    async with ground.db.reading() as session:
        offer = await chosen(session, form=form, partner=partner)
        words = await consent.shown(ground, session, consent.SIGNUP, language=language)
        is_asked_for = await challenge.is_asked_for(ground, session)
    default = ground.catalog.default
    return Description(
        form=offer.slug,
        lang=language,
        dir=speaks.direction,
        title=offer.text("title", language) or say(N_("Sign up for the bulletin")),
        lead=offer.text("lead", language),
        button=offer.text("button", language) or say(N_("Sign up")),
        fields=fields(ground, offer, language),
        topics=[
            Choice(
                slug=topic.slug,
                name=topics.name(topic, language, default=default),
                description=topics.description(topic, language, default=default),
            )
            for topic in offer.topics
        ],
        languages=further(ground, offer, language),
        organisations=[
            Organisation(key=each.key, words=each.words)
            for each in sharing.said(ground, offer.organisations, language)
        ],
        consent=words,
        privacy=say(_PRIVACY_OF_SEVERAL if offer.organisations else _PRIVACY),
        thanks=offer.text("thanks", language),
        thanks_url=thanks_url(ground, offer),
        link=link(ground, offer, partner=partner, language=language),
        honeypot=intake.HONEYPOT,
        challenge=is_asked_for,
        paint=_paint(ground.settings.site.accent),
        says={name: say(msgid) for name, msgid in _SAYS.items()},
        origins=offer.origins,
    )


def fields(ground: Ground, offer: Offer, language: str) -> list[Field]:
    """The lines that a form asks for, with their texts in a language."""
    say = ground.translator(language).gettext
    return [
        Field(
            name=each.name,
            label=say(each.label),
            type=each.type,
            autocomplete=each.autocomplete,
            is_required=each.is_required,
            hint=say(each.hint) if each.hint else "",
        )
        for each in FIELDS
        if each.is_required or each.name in offer.asks
    ]


def further(ground: Ground, offer: Offer, language: str) -> list[Choice]:
    """Languages to be ticked besides the form's own, by their own names."""
    if languages.FIELD not in offer.asks:
        return []
    return [
        Choice(slug=code, name=name, description=hint)
        for code, name, hint in languages.choices(ground, besides=language)
    ]


def link(
    ground: Ground, offer: Offer, *, partner: str = "", language: str = "", source: str = ""
) -> str:
    """The address of a form's own page, as it stands in links, on paper and behind a widget."""
    path = f"/subscribe/{offer.slug}" if offer.slug else "/subscribe"
    said = {"partner": partner, "lang": language, "source": source}
    query = urlencode({name: value for name, value in said.items() if value})
    return ground.url(f"{path}?{query}" if query else path)


def frame_url(
    ground: Ground, offer: Offer, *, partner: str = "", carried: Mapping[str, str] | None = None
) -> str:
    """The address of a form for a frame; `carried` is what it says besides, such as `lang`."""
    path = f"/widget/{quote(partner, safe='')}" if partner else "/widget"
    query = urlencode({**({"form": offer.slug} if offer.slug else {}), **(carried or {})})
    return ground.url(f"{path}?{query}" if query else path)


def thanks_url(ground: Ground, offer: Offer) -> str:
    """Where a form sends people after it was sent; blank unless that is the site's or its own."""
    url = offer.form.thanks_url if offer.form else ""
    return url if url and forms.is_own(ground, url, offer.origins) else ""


def form_targets(url: str) -> str:
    """Where a form of ours may lead, as `form-action` says it: to us, and to its page of thanks.

    Browsers hold the redirect after a form to that directive too (CSP Level 3 §6.4).
    """
    parts = urlsplit(url)
    return f"'self' {parts.scheme}://{parts.netloc}" if url else "'self'"


def language_of(ground: Ground, wishes: str) -> str:
    """The site's language that comes first among wishes such as `fr,es-MX`."""
    return i18n.match_header(wishes, ground.catalog.languages)


def _paint(accent: str) -> Paint:
    light, dark = palette.light(accent), palette.dark(accent)
    return Paint(light=light.accent, on_light=light.paper, dark=dark.accent, on_dark=dark.paper)
