"""The faces that mails can be set in: those that readers' machines have, each with a fallback.

No face is loaded from anywhere: that would tell another host who reads when. Names of several words
need no quotation marks (CSS Fonts 4 §3.1), which would be escaped each time.
"""

from collections.abc import Mapping

from foundation.frozen import frozen
from foundation.i18n import N_


@frozen
class Face:
    """A list of faces, of which a mail program takes the first that it has."""

    stack: str
    outlook: str
    """For Word, which shows mail in Outlook: it sets a list in Times when it lacks the first."""
    label: str


SERIF, SANS = "charter", "system"
FACES: Mapping[str, Face] = {
    SERIF: Face(
        stack="Charter,Bitstream Charter,Sitka Text,Cambria,Georgia,serif",
        outlook="Georgia, serif",
        label=N_("Charter: a sturdy book face"),
    ),
    "georgia": Face(
        stack="Georgia,Times New Roman,serif",
        outlook="Georgia, serif",
        label=N_("Georgia: round and friendly, with serifs"),
    ),
    "palatino": Face(
        stack="Palatino,Palatino Linotype,Book Antiqua,Georgia,serif",
        outlook="Palatino Linotype, serif",
        label=N_("Palatino: light and classical, with serifs"),
    ),
    SANS: Face(
        stack="system-ui,-apple-system,Segoe UI,Roboto,Helvetica Neue,Arial,sans-serif",
        outlook="Arial, sans-serif",
        label=N_("The reader's own: what their machine uses"),
    ),
    "helvetica": Face(
        stack="Helvetica Neue,Helvetica,Arial,sans-serif",
        outlook="Arial, sans-serif",
        label=N_("Helvetica: plain and even"),
    ),
    "verdana": Face(
        stack="Verdana,Geneva,DejaVu Sans,sans-serif",
        outlook="Verdana, sans-serif",
        label=N_("Verdana: wide, easy to read when small"),
    ),
    "trebuchet": Face(
        stack="Trebuchet MS,Lucida Grande,Lucida Sans Unicode,sans-serif",
        outlook="Trebuchet MS, sans-serif",
        label=N_("Trebuchet: lively, without serifs"),
    ),
}
"""Name → face, in the order in which they are offered."""


def face(name: str, *, usual: str) -> Face:
    """The face of a name; the usual one where there is none of that name (any more)."""
    return FACES.get(name) or FACES[usual]
