"""The page that a form stands on, as its path: kept with sign-ups and with counts of steps.

Called for what scripts and forms send as `page`, and for the page that a browser says it came from.
"""

from urllib.parse import unquote, urlsplit

LIMIT = 300
"""Characters; what is longer is cut."""


def clean(text: str) -> str:
    """A path without query and fragment; blank for anything else.

    A path with an address in it, such as `/me/ana@example.org`, would name somebody: blank, too.
    """
    if not text:
        return ""
    try:
        path = urlsplit(text.strip()).path if text.strip()[:2] != "//" else ""
    except ValueError:
        return ""
    is_path = text.strip().startswith("/") and path.isprintable() and "@" not in unquote(path)
    return path[:LIMIT] if is_path else ""
