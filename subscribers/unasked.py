"""What nobody is ever asked here, and nobody is chosen by: immigration status, and what tells it.

An own field or tag of such a name is refused wherever people are sorted by it: a list that does not
exist can't be demanded, lost or misread.
"""

import re
import unicodedata

_BEGINNINGS = (
    *("immigra", "inmigra", "migrat", "migrator", "citizen", "ciudadan", "undocument"),
    *("indocument", "deport", "asyl", "asil", "refug", "national", "nacional", "passport"),
    *("pasaport", "imigra", "cidada", "extranjer", "foreign"),
)
"""A word that begins like this tells it."""
_WORDS = frozenset(
    {"visa", "alien", "daca", "tps", "ssn", "itin", "papers", "papeles", "i94", "greencard"}
)
_PHRASES = ("legal status", "estatus legal", "green card", "social security", "seguro social")


def is_unasked(name: str) -> bool:
    """Whether a field or tag of this name would tell somebody's immigration status."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    words = re.findall(r"[a-z0-9]+", plain)
    return any(word in _WORDS or word.startswith(_BEGINNINGS) for word in words) or any(
        phrase in " ".join(words) for phrase in _PHRASES
    )
