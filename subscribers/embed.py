"""The code that a partner copies into its own page: a plain HTML form that posts to ours.

It needs no script and brings no style, so that it takes the look of the page it is put in. It shows
the same words of consent as our own page, because they are what the person agrees to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import consent, signup, topics
from subscribers.models import Form, Topic

_LABELS = {
    "first_name": (N_("First name"), "given-name"),
    "last_name": (N_("Last name"), "family-name"),
    "postal_code": (N_("Postal code"), "postal-code"),
}
_TRAP = (
    '  <p style="position:absolute;left:-9999px" aria-hidden="true"><label>{}'
    ' <input name="{}" tabindex="-1" autocomplete="off"></label></p>'
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Embed:
    """The code in one language."""

    language: str
    language_name: str
    code: str
    preview: Markup
    """The same without the trap for programs, whose inline style our own pages would refuse."""


def codes(ground: Ground, *, form: Form, offered: Sequence[Topic]) -> list[Embed]:
    """The form's code in every language of the site."""
    return [
        Embed(
            language=language,
            language_name=ground.translator(language).name,
            code="\n".join(_lines(ground, form, offered, language)),
            preview=Markup("\n").join(
                Markup(line)  # noqa: S704 - every value in a line is escaped by `_line`
                for line in _lines(ground, form, offered, language, has_trap=False)
            ),
        )
        for language in ground.catalog.languages
    ]


def _lines(
    ground: Ground,
    form: Form,
    offered: Sequence[Topic],
    language: str,
    *,
    has_trap: bool = True,
) -> list[str]:
    """The code line by line; every text in it is escaped."""
    say = ground.translator(language).gettext
    action = ground.url(f"/subscribe/{form.slug}")
    lines = [
        _line(
            '<form action="{}" method="post" accept-charset="utf-8" lang="{}">', action, language
        ),
        _line('  <input type="hidden" name="lang" value="{}">', language),
        _field(say(N_("E-mail address")), "email", "email", "email", is_required=True),
    ]
    for name in form.asks:
        msgid, autocomplete = _LABELS[name]
        lines.append(_field(say(msgid), name, "text", autocomplete))
    lines += _choices(say(N_("Send me news on")), offered, language)
    if has_trap:
        lines.append(_line(_TRAP, say(N_("Leave this empty")), signup.HONEYPOT))
    words = consent.words(ground, consent.SIGNUP, language=language)
    lines += [
        _line("  <p><small>{}</small></p>", words),
        _line('  <p><button type="submit">{}</button></p>', say(N_("Sign up"))),
        "</form>",
    ]
    return lines


def _field(
    label: str, name: str, kind: str, autocomplete: str, *, is_required: bool = False
) -> str:
    return _line(
        '  <p><label>{} <input type="{}" name="{}" autocomplete="{}"{}></label></p>',
        label,
        kind,
        name,
        autocomplete,
        Markup(" required") if is_required else "",
    )


def _choices(legend: str, offered: Sequence[Topic], language: str) -> list[str]:
    """One topic goes along silently; of several the first is ticked."""
    if len(offered) == 1:
        return [_line('  <input type="hidden" name="topic" value="{}">', offered[0].slug)]
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
        '  <input type="hidden" name="choice" value="1">',
        "  <fieldset>",
        _line("    <legend>{}</legend>", legend),
        *boxes,
        "  </fieldset>",
    ]


def _line(pattern: str, *values: object) -> str:
    return pattern.format(*(escape(value) for value in values))
