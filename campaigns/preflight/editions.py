"""Whether the editions still say the same: one may have been left behind when another changed.

`campaigns/translating.py` notes it when a bulletin is saved; here it becomes lines of the list.
"""

from campaigns import translating
from campaigns.compiling import Looked
from campaigns.models import Bulletin
from campaigns.preflight import items, places
from campaigns.preflight.items import Item, Place
from campaigns.translating import Side, State
from foundation.i18n import N_


def look(bulletin: Bulletin, looked: Looked) -> list[Item]:
    """A line for each language, and place in the bulletin, that was left behind."""
    source = next(iter(looked.document.languages), "")
    behind: dict[tuple[str, str], Side] = {}
    for language in looked.document.languages[1:]:
        for side in translating.sides(looked.document, language):
            if side.was and side.state is not State.DONE:
                behind.setdefault((side.block, language), side)
    found = [
        items.warn(
            "stale-edition",
            N_(
                "Here %(other)s was changed, but %(language)s was not: "
                "look whether both say the same."
            ),
            place=_place(bulletin, looked, side),
            about=f"{block}:{language}",
            language=language,
            other=source,
        )
        for (block, language), side in behind.items()
    ]
    if found or not source:
        return found
    return [items.good("editions", N_("No edition was left behind by another."))]


def _place(bulletin: Bulletin, looked: Looked, side: Side) -> Place:
    if not side.block:
        field = side.place.partition(".")[2]
        return places.head(bulletin.id, field, side.language)
    return places.block(bulletin.id, looked, looked.document.place(side.block) + 1)
