"""What the mail templates and the text part are handed: the same frame for every mail, and the
particulars of a bulletin. All texts are plain and may hold marks; nothing in here is HTML.
"""

from dataclasses import dataclass

from templates import colours, weaving
from templates.content import Brand

PAPER = "#fcfbf8"
PAPER_DARK = "#171614"


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """What stands around every mail: language, sender, colours, and what inboxes show."""

    language: str
    direction: str
    title: str
    """The document's title."""
    preheader: str
    brand: Brand

    @property
    def start(self) -> str:
        """The side on which lines begin."""
        return "right" if self.direction == "rtl" else "left"

    @property
    def end(self) -> str:
        """The side on which lines end."""
        return "left" if self.direction == "rtl" else "right"

    @property
    def accent(self) -> str:
        """The site's accent, readable on light paper."""
        return colours.readable(self.brand.accent, on=PAPER)

    @property
    def accent_dark(self) -> str:
        """The site's accent, readable on dark paper."""
        return colours.readable(self.brand.accent, on=PAPER_DARK, ratio=5.5)

    @property
    def bar(self) -> str:
        """The site's accent as a ground for white letters."""
        return colours.readable(self.brand.accent, on="#ffffff")


@dataclass(frozen=True, kw_only=True, slots=True)
class Bulletin:
    """A bulletin's own particulars."""

    title: str
    date_label: str
    issue_title: str
    parts: tuple[weaving.Woven, ...]
    unsubscribe_url: str
    preferences_url: str
    view_url: str
    pixel: str
    """The mark of the image that counts an opening."""
