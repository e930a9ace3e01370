"""What the mail templates and the text part are handed: the same frame for every mail, and the
particulars of a bulletin. All texts are plain and may hold marks; nothing in here is HTML.
"""

from foundation.frozen import frozen
from foundation.i18n import N_
from templates import faces, palette, prose, weaving
from templates.content import Brand
from templates.palette import Palette

BELOW = N_("In %(language)s further down")
"""Said in that language, above an edition in another."""


@frozen
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
    def light(self) -> Palette:
        """The colours by day."""
        return palette.light(self.brand.accent, paper=self.brand.paper, ink=self.brand.ink)

    @property
    def dark(self) -> Palette:
        """The colours at night."""
        return palette.dark(self.brand.accent)

    @property
    def headline_face(self) -> faces.Face:
        """Of headlines, large numbers and the name."""
        return faces.face(self.brand.headline_face, usual=faces.SERIF)

    @property
    def text_face(self) -> faces.Face:
        """Of everything else."""
        return faces.face(self.brand.text_face, usual=faces.SANS)


@frozen
class Below:
    """Another edition further down in the same mail."""

    language: str
    direction: str
    words: str
    """Says so, in that language."""


@frozen
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
    """The mark of the image that counts an opening; blank where it stands elsewhere."""
    footer: prose.Element | None = None
    """What the site says at the foot of every bulletin."""
    below: tuple[Below, ...] = ()
