"""Which texts there are, read from the sources, and how many of them a language has.

English stands in code and page templates, so these are what a translation is measured by. Texts for
the public are told apart by where they stand: a file that says anything to readers is translated
whole. `handbill doctor`, `tools/language.py` and the tests of languages read from here.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from babel.messages import extract
from jinja2.ext import babel_extract

from foundation import i18n
from foundation.frozen import frozen

ROOT = Path(__file__).parents[1]
PACKAGES = (
    "foundation",
    "templates",
    "subscribers",
    "delivery",
    "campaigns",
    "scheduler",
    "handbill",
)
_PAGES = "templates/pages/"
_FOR_READERS = (
    "layouts/public.html",
    "layouts/plain.html",
    "kiosk/kiosk.html",
    "kiosk/_form.html",
    "people/sheet.html",
    "subscribers/widget.html",
)
"""Pages of these layouts, these pages, and whatever they are made of."""
_FOR_STAFF = ("accounts/", "api/", "demo/")
"""Pages of the same layouts that no reader comes to."""
_MODULES = (
    *(f"foundation/{name}.py" for name in ("addresses", "database", "tokens")),
    *(f"foundation/web/{name}.py" for name in ("forms", "kit", "middleware", "security")),
    *(
        f"templates/{name}.py"
        for name in ("broadside", "coalition_letters", "letters", "sheets", "text")
    ),
    *(
        f"subscribers/{name}.py"
        for name in (
            "applying",
            "belonging",
            "challenge",
            "consent",
            "contact_links",
            "contacts",
            "embed",
            "forms",
            "gathering_pages",
            "intake",
            "join",
            "kiosk_pages",
            "limits",
            "listing",
            "logos",
            "members",
            "membership_pages",
            "people",
            "plainly",
            "preferences",
            "public_api",
            "public_embeds",
            "public_links",
            "public_widget",
            "questions",
            "received",
            "sealing",
            "sharing",
            "signing",
            "signup",
            "snippets",
            "statements",
            "topics",
            "typos",
            "widget",
        )
    ),
    *(
        f"campaigns/{name}.py"
        for name in (
            "archive",
            "block_content",
            "calendars",
            "developments",
            "follow_ups",
            "handbills",
            "hits",
            "issue_page",
            "public",
            "syndication",
            "tracking",
            "welcome_documents",
            "wording",
        )
    ),
)
_MADE_OF = re.compile(r"{%-?\s*(?:extends|include|import|from)\s+\"([^\"]+)\"")
_KEYWORDS = {"N_": None, "gettext": None, "_": None, "ngettext": (1, 2), "NN_": (1, 2)}
_IN_PAGES = ["_", "gettext", "ngettext"]
_PAGE_SUFFIXES = (".html", ".mjml", ".txt", ".xml", ".j2")


@frozen
class Text:
    """An English text as it stands in a source."""

    msgid: str
    plural: str = ""
    """Its form for several things; blank where it does not count any."""
    place: str
    """The first file that uses it."""


@frozen
class Share:
    """How many of some texts a language has."""

    there: int
    wanted: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return self.there == self.wanted


@functools.cache
def every() -> dict[str, Text]:
    """Every text in code and page templates."""
    return _texts(
        path
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*"))
        if "vendor" not in path.parts and "content" not in path.parts
    )


@functools.cache
def public() -> dict[str, Text]:
    """Every text that readers may see."""
    mail = sorted((ROOT / "templates" / "mail").glob("*.mjml"))
    return _texts([*(ROOT / place for place in (*_public_pages(), *_MODULES)), *mail])


def share(wanted: Iterable[str], texts: Mapping[str, tuple[str, ...]]) -> Share:
    """How many of the `wanted` a catalogue has."""
    asked = set(wanted)
    return Share(there=sum(any(texts.get(msgid, ())) for msgid in asked), wanted=len(asked))


def in_language(language: str, folder: Path = i18n.LOCALES) -> Mapping[str, tuple[str, ...]]:
    """The texts that a language has."""
    return (
        i18n.load(languages=[language], default=language, zone="UTC", folder=folder)
        .translator(language)
        .texts
    )


def _public_pages() -> list[str]:
    sources = {
        str(path.relative_to(ROOT / _PAGES)): path.read_text(encoding="utf-8")
        for path in (ROOT / _PAGES).rglob("*")
        if path.suffix in _PAGE_SUFFIXES
    }
    made_of = {name: set(_MADE_OF.findall(source)) for name, source in sources.items()}
    found = {
        name
        for name, parts in made_of.items()
        if not name.startswith(_FOR_STAFF) and (name in _FOR_READERS or parts & {*_FOR_READERS})
    }
    while more := {part for name in found for part in made_of[name]} & set(sources) - found:
        found |= more
    return [f"{_PAGES}{name}" for name in sorted(found)]


def _texts(paths: Iterable[Path]) -> dict[str, Text]:
    found: dict[str, Text] = {}
    for path in paths:
        place = str(path.relative_to(ROOT))
        for message in _messages(path):
            first, *others = message if isinstance(message, (tuple, list)) else (message,)
            if isinstance(first, str) and first:
                plural = next((each for each in others if isinstance(each, str)), "")
                found.setdefault(first, Text(msgid=first, plural=plural, place=place))
    return found


def _messages(path: Path) -> Iterator[object]:
    if path.suffix == ".py":
        with path.open("rb") as file:
            for entry in extract.extract_python(file, dict.fromkeys(_KEYWORDS), [], {}):
                yield entry[2]
    elif path.suffix in _PAGE_SUFFIXES:
        options = {"trimmed": "true", "silent": "false", "extensions": "jinja2.ext.do"}
        with path.open("rb") as file:
            for _, _, message, _ in babel_extract(file, _IN_PAGES, [], options):
                yield message
