"""The code that puts a form on somebody else's page, in each of the ways there are.

The builder (`builder_pages.py`, `public_builder.py`) shows it beside a preview; whoever copies it
needs to know nothing of how it works.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from markupsafe import Markup

from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import embed, widget
from subscribers.forms import Offer

SCRIPT_PATH = "/widget.js"
THEMES = ("", "light", "dark")
_ACCENT = re.compile(r"#[0-9a-fA-F]{6}")
_SOURCE_LIMIT = 60
_FRAME_HEIGHT = 640
"""For browsers that run no script; where one runs, the frame says how tall it is."""
_TELLS_PAGE = "no-referrer-when-downgrade"
"""Browsers tell us the page that the form or link stands on, whose query we drop."""


@frozen
class Wish:
    """How the form is to look and what it is to remember."""

    partner: str = ""
    language: str = ""
    """Blank follows the page that it stands on."""
    theme: str = ""
    """`light`, `dark`, or blank, which follows the page as well."""
    accent: str = ""
    source: str = ""
    """A word that its sign-ups carry."""
    has_heading: bool = True

    @classmethod
    def of(cls, values: Mapping[str, str], *, partner: str, languages: tuple[str, ...]) -> "Wish":
        """What was chosen; what can't be is left out."""
        accent, theme = values.get("accent", "").strip(), values.get("theme", "")
        language = values.get("language", "")
        return cls(
            partner=partner,
            language=language if language in languages else "",
            theme=theme if theme in THEMES else "",
            accent=accent if _ACCENT.fullmatch(accent) else "",
            source=" ".join(values.get("source", "").split())[:_SOURCE_LIMIT],
            has_heading=values.get("heading") != "none",
        )


@frozen
class Snippets:
    """The code of each way, and what shows it here."""

    element: str
    """One script and one element, with a link inside until the form is there."""
    early: str
    """The same with the plain form inside, usable before the script has loaded."""
    element_preview: Markup
    frame: str
    frame_preview: str
    """The frame's address."""
    plain: str
    strict: str
    """The same for sites whose policy refuses styles in the code."""
    plain_preview: Markup
    link: str
    anchor: str
    codes: Mapping[str, str]
    """Pictures of the link for paper: kind → path."""


def made(ground: Ground, offer: Offer, wish: Wish, *, reader: str) -> Snippets:
    """Every way to put `offer` on a page; `reader` is the language where none was chosen."""
    language = wish.language or reader
    say = ground.translator(language).gettext
    title = offer.text("title", language) or say(N_("Sign up for the bulletin"))
    link = widget.link(
        ground, offer, partner=wish.partner, language=wish.language, source=wish.source
    )
    script = Markup('<script type="module" src="{}"></script>').format(ground.url(SCRIPT_PATH))
    fallback = Markup('<a href="{}">{}</a>').format(link, title)
    anchor = Markup('<a href="{}" referrerpolicy="{}">{}</a>').format(link, _TELLS_PAGE, title)
    carried = [("source", wish.source)] if wish.source else []
    plain = embed.plain(ground, offer, language, partner=wish.partner, carried=carried)
    hidden = embed.plain(
        ground, offer, language, partner=wish.partner, carried=carried, trap=embed.Trap.HIDDEN
    )
    frame_url = widget.frame_url(ground, offer, partner=wish.partner, carried=_frame_query(wish))
    frame = Markup(
        '<iframe src="{}" title="{}" width="100%" height="{}" frameborder="0" loading="lazy"'
        ' referrerpolicy="{}"></iframe>'
    ).format(frame_url, title, _FRAME_HEIGHT, _TELLS_PAGE)
    query = {"form": offer.slug, "partner": wish.partner, "lang": wish.language}
    drawn = urlencode({name: each for name, each in query.items() if each} | dict(carried))
    return Snippets(
        element=f"{script}\n{_element(offer, wish, fallback)}",
        early=f"{script}\n{_element(offer, wish, hidden)}",
        element_preview=_element(offer, wish, Markup(""), is_preview=True),
        frame=f"{frame}\n{script}",
        frame_preview=_preview(frame_url.removeprefix(ground.url(""))),
        plain=str(plain),
        strict=str(hidden),
        plain_preview=embed.plain(ground, offer, language, trap=embed.Trap.NONE),
        link=link,
        anchor=str(anchor),
        codes={kind: f"/qr.{kind}?{drawn}" for kind in ("svg", "png", "pdf")},
    )


def _element(offer: Offer, wish: Wish, inside: Markup, *, is_preview: bool = False) -> Markup:
    said = {
        "partner": wish.partner,
        "form": offer.slug,
        "lang": wish.language,
        "theme": wish.theme,
        "accent": wish.accent,
        "source": wish.source,
        "heading": "" if wish.has_heading else "none",
    }
    attributes = Markup("").join(
        Markup(' {}="{}"').format(name, value) for name, value in said.items() if value
    )
    if is_preview:
        attributes += Markup(' preview heading-level="4"')
    within = Markup("\n  {}\n").format(inside.replace("\n", "\n  ")) if inside else inside
    return Markup("<handbill-signup{}>{}</handbill-signup>").format(attributes, within)


def _frame_query(wish: Wish) -> dict[str, str]:
    said = {
        "lang": wish.language,
        "theme": wish.theme,
        "accent": wish.accent,
        "source": wish.source,
    }
    return {name: value for name, value in said.items() if value}


def _preview(url: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}preview=1"
