"""Names a browser as a person would, from what it says of itself, for the list of sessions."""

from foundation.i18n import N_

_BROWSERS = (
    # Most say that they are several: the first that fits is what the person calls it.
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)
ON = N_("%(browser)s on %(system)s")
UNKNOWN = N_("A browser that does not say its name")


def named(agent: str) -> tuple[str, str]:
    """Browser and system of a `User-Agent`; blank for what is not known."""
    return _first(_BROWSERS, agent), _first(_SYSTEMS, agent)


def _first(known: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((name for mark, name in known if mark in agent), "")
