"""Whether a mail can be read: by eye, by ear, by day and at night, and without its HTML."""

import itertools
import re

from campaigns.compiling import Compiled, Looked
from campaigns.models import Bulletin
from campaigns.preflight import items, places
from campaigns.preflight.items import Item
from foundation.ground import Ground
from foundation.i18n import N_, NN_
from templates import colours, content, palette, prose, slots

LONG_WORDS = 250
"""A mail of so many words wants headings."""
POOR_WORDS = 10
"""With fewer words of its own, a text part says nothing, and filters take it for a picture ad."""


def look(ground: Ground, bulletin: Bulletin, looked: Looked) -> list[Item]:
    """Contrast, headings, and the text part of every edition."""
    found = [_contrast(ground, looked)]
    if not looked.editions:
        return found
    headings = [
        item for each in looked.editions.values() for item in _headings(bulletin, looked, each)
    ]
    texts = [item for each in looked.editions.values() for item in _text(bulletin, each)]
    return [
        *found,
        *(headings or [items.good("headings", N_("Headings stand in order."))]),
        *(texts or [items.good("text-part", N_("The text part says what the HTML says."))]),
    ]


def _contrast(ground: Ground, looked: Looked) -> Item:
    """The lowest contrast in either scheme, with the colours that the site chose."""
    usual = content.Brand.from_site(ground.settings.site)
    brand = next((each.brand for each in looked.editions.values()), usual)
    by_day = palette.light(brand.accent, paper=brand.paper, ink=brand.ink)
    lowest = min(by_day.contrast, palette.dark(brand.accent).contrast)
    if lowest >= colours.READABLE:
        return items.good(
            "contrast",
            N_("Every word stands out from its ground, in light and dark (at least %(ratio)s:1)."),
            ratio=f"{lowest:.1f}",
        )
    return items.bad(
        "contrast",
        N_("With this accent, some words can hardly be read (%(ratio)s:1; 4.5:1 is needed)."),
        place=places.setting("site", "accent"),
        ratio=f"{lowest:.1f}",
    )


_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LEVEL = re.compile(r"<h([1-6])[\s>]", re.IGNORECASE)
"""A heading begins: the compiler leaves no `<` in a value."""


def _headings(bulletin: Bulletin, looked: Looked, compiled: Compiled) -> list[Item]:
    html = _COMMENT.sub("", "".join(_static(compiled.plan.html_segments)))
    levels = [int(each[1]) for each in _LEVEL.finditer(html)]
    language, found = compiled.language, []
    if levels[:1] != [1] or any(after > before + 1 for before, after in itertools.pairwise(levels)):
        words = N_("In %(language)s, headings do not follow one another: who listens is lost.")
        found.append(
            items.warn("headings", words, place=places.bulletin(bulletin.id), about=language,
                       language=language)
        )  # fmt: skip
    blocks = compiled.blocks
    for place, (number, block) in enumerate(blocks):
        following = blocks[place + 1][1] if place + 1 < len(blocks) else None
        if isinstance(block, content.Heading) and (
            following is None
            or (isinstance(following, content.Heading) and following.level <= block.level)
        ):
            found.append(
                items.warn(
                    "heading-alone",
                    N_("Nothing stands under the heading in block %(number)s in %(language)s."),
                    place=places.block(bulletin.id, looked, number),
                    about=f"{language}:{number}",
                    number=number,
                    language=language,
                )
            )
    if len(levels) < 2 and _own_words(compiled) > LONG_WORDS:
        words = N_("The mail in %(language)s is long and has no heading: few will find their way.")
        found.append(
            items.warn("no-headings", words, place=places.bulletin(bulletin.id), about=language,
                       language=language)
        )  # fmt: skip
    return found


def _text(bulletin: Bulletin, compiled: Compiled) -> list[Item]:
    """A text part that is missing, or that says next to nothing."""
    language, place = compiled.language, places.bulletin(bulletin.id)
    if not "".join(_static(compiled.plan.text_segments)).strip():
        return [
            items.bad("text-part", N_("There is no text part in %(language)s."), place=place,
                      about=language, language=language)
        ]  # fmt: skip
    count = _own_words(compiled)
    if count >= POOR_WORDS:
        return []
    return [
        items.warn(
            "text-part",
            NN_(
                "Without pictures, the mail in %(language)s has %(count)s word of its own.",
                "Without pictures, the mail in %(language)s has %(count)s words of its own.",
            ),
            place=place, about=language, language=language, count=count,
        )
    ]  # fmt: skip


def _own_words(compiled: Compiled) -> int:
    """The words of an edition's blocks, without addresses and what surrounds them."""
    return sum(
        len(re.findall(r"\w+", prose.plain(text) if "<" in text else text))
        for _, block in compiled.blocks
        for text in places.texts(block)
        if not re.match(r"(?:https?:|mailto:)\S*$", text)
    )


def _static(segments: slots.Segments) -> list[str]:
    return [part for part in slots.shown(segments, None) if isinstance(part, str)]
