"""The code of a plain HTML form that posts to ours, to be copied into any web page.

It needs no script and brings no style, so that it takes the look of the page it is put in. It shows
the same words of consent as our own page, because they are what the person agrees to.
"""

import enum
from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import consent, languages, sharing, signup, topics, widget
from subscribers.forms import Offer
from subscribers.models import Form, Partner, Topic


class Trap(enum.StrEnum):
    """How the field is put out of sight that only programs fill in."""

    OFF_SCREEN = "off-screen"
    """By a style in the code, which pages with a strict Content-Security-Policy refuse."""
    HIDDEN = "hidden"
    """By an attribute, which holds everywhere and is easier for a program to see."""
    NONE = "none"
    """Not there, for a preview."""


_TRAPS = {
    Trap.OFF_SCREEN: Markup('style="position:absolute;left:-9999px"'),
    Trap.HIDDEN: Markup("hidden"),
}


@frozen
class Embed:
    """The code in one language."""

    language: str
    code: str
    preview: Markup
    """The same without the trap for programs, whose inline style our own pages would refuse."""


def codes(
    ground: Ground,
    *,
    form: Form,
    offered: Sequence[Topic],
    organisations: Sequence[Partner] = (),
) -> list[Embed]:
    """The form's code in every language of the site."""
    offer = Offer(form=form, topics=offered, asks=form.asks, organisations=organisations)
    return [
        Embed(
            language=language,
            code=str(plain(ground, offer, language)),
            preview=plain(ground, offer, language, trap=Trap.NONE),
        )
        for language in ground.catalog.languages
    ]


def plain(
    ground: Ground,
    offer: Offer,
    language: str,
    *,
    partner: str = "",
    trap: Trap = Trap.OFF_SCREEN,
    target: str = "",
    values: Mapping[str, str] | None = None,
    carried: Sequence[tuple[str, str]] = (),
) -> Markup:
    """The form's code in a language.

    `partner` is the key that its sign-ups are attributed to; `values` stand in its fields before,
    `carried` are further hidden ones, `target` says in which window the answer opens.
    """
    say = ground.translator(language).gettext
    action = ground.url(f"/subscribe/{offer.slug}" if offer.slug else "/subscribe")
    hidden = [("lang", language), *([("partner", partner)] if partner else []), *carried]
    words = consent.words(ground, consent.SIGNUP, language=language)
    lines = [
        _line(
            '<form action="{}" method="post" accept-charset="utf-8" lang="{}"{}>',
            action,
            language,
            Markup(' target="{}"').format(target) if target else "",
        ),
        *(_hidden(name, value) for name, value in hidden),
        *(
            _field(field, (values or {}).get(field.name, ""))
            for field in widget.fields(ground, offer, language)
        ),
        *_choices(say(N_("Send me news on")), offer.topics, language),
        *_further(say(N_("Other languages that you read")), ground, offer, language),
        *(_box(each) for each in sharing.said(ground, offer.organisations, language)),
        *_trap(say(N_("Leave this empty")), trap),
        _line("  <p><small>{}</small></p>", words),
        _line(
            '  <p><button type="submit">{}</button></p>',
            offer.text("button", language) or say(N_("Sign up")),
        ),
        Markup("</form>"),
    ]
    return Markup("\n").join(lines)


def _hidden(name: str, value: str) -> Markup:
    return _line('  <input type="hidden" name="{}" value="{}">', name, value)


def _field(field: widget.Field, value: str) -> Markup:
    return _line(
        '  <p><label>{} <input type="{}" name="{}" autocomplete="{}"{}{}></label></p>',
        field.label,
        field.type,
        field.name,
        field.autocomplete,
        Markup(' value="{}"').format(value) if value else "",
        Markup(" required") if field.is_required else "",
    )


def _choices(legend: str, offered: Sequence[Topic], language: str) -> list[Markup]:
    """One topic goes along silently; of several the first is ticked."""
    if len(offered) == 1:
        return [_hidden("topic", offered[0].slug)]
    boxes = [
        _line(
            '    <p><label><input type="checkbox" name="topic" value="{}"{}> {}</label></p>',
            topic.slug,
            Markup(" checked") if place == 0 else "",
            topics.name(topic, language),
        )
        for place, topic in enumerate(offered)
    ]
    return [
        # Says that there was something to tick, so that ticking nothing can be pointed out.
        _hidden("choice", "1"),
        Markup("  <fieldset>"),
        _line("    <legend>{}</legend>", legend),
        *boxes,
        Markup("  </fieldset>"),
    ]


def _further(legend: str, ground: Ground, offer: Offer, language: str) -> list[Markup]:
    boxes = [
        _line(
            '    <p><label lang="{}"><input type="checkbox" name="{}" value="{}"> {}</label></p>',
            each.slug,
            languages.FIELD,
            each.slug,
            each.name,
        )
        for each in widget.further(ground, offer, language)
    ]
    if not boxes:
        return []
    start = [Markup("  <fieldset>"), _line("    <legend>{}</legend>", legend)]
    return [*start, *boxes, Markup("  </fieldset>")]


def _trap(label: str, trap: Trap) -> list[Markup]:
    if trap is Trap.NONE:
        return []
    return [
        _line(
            '  <p {} aria-hidden="true"><label>{}'
            ' <input name="{}" tabindex="-1" autocomplete="off"></label></p>',
            _TRAPS[trap],
            label,
            signup.HONEYPOT,
        )
    ]


def _box(organisation: sharing.Offer) -> Markup:
    """An organisation's own list; nobody is on it who did not tick the box."""
    return _line(
        '  <p><label><input type="checkbox" name="{}" value="{}"> {}</label></p>',
        sharing.FIELD,
        organisation.key,
        organisation.words,
    )


def _line(pattern: str, *values: object) -> Markup:
    """A line of code; every value in it is escaped."""
    return Markup(pattern).format(*(escape(value) for value in values))  # noqa: S704
