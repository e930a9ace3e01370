"""Languages: texts by gettext, dates and numbers by CLDR, and which language a reader gets.

English msgids stand in the code; every other language is a folder `foundation/locales/<code>/` with
`*.po` files, which are all read and joined. A text that a language lacks is shown in English. What
CLDR does not know of a language stands in its `language.toml` (`Manners`). Adding a folder adds a
language: `docs/languages.md`.
"""

import functools
import gettext as std_gettext
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, core, dates, lists, numbers
from babel.messages import pofile

from foundation.frozen import frozen

LOCALES = Path(__file__).parent / "locales"
SOURCE = "en"
_LONGEST_TAG = 35
"""Of a language tag so much is looked at (RFC 5646 §4.4.1)."""

DateStyle = Literal["short", "medium", "long", "full"]
"""How much of a date is written out, as CLDR names it."""


def N_(msgid: str) -> str:  # noqa: N802 - the customary name for marking a text for translation
    """Mark a text for translation where it stands, to be translated where it is shown."""
    return msgid


def NN_(singular: str, plural: str) -> tuple[str, str]:  # noqa: N802 - as `N_`
    """The same for a text that depends on a count."""
    return singular, plural


@frozen
class Manners:
    """What a language is called, where it begins to be read, and how it writes days and numbers.

    CLDR knows this of a few hundred languages; `language.toml` in a language's folder may say it
    otherwise, and has to for the others.
    """

    name: str
    """The language's own for itself, such as “español”."""
    direction: str
    """`ltr` or `rtl`."""
    formats: str
    """The CLDR locale whose dates and numbers are written."""


@functools.cache
def _formats(name: str) -> Locale:
    """Asked for with every number and date of a page; parsing it takes as long as writing one."""
    return Locale.parse(name)


# No two that say the same are made, and so it can be a key.
@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Translator:
    """One language: its texts, and how it writes dates and numbers in the site's zone."""

    language: str
    zone: ZoneInfo
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    plural_expression: str = "(n != 1)"
    manners: Manners | None = None
    """None takes what the language's folder and CLDR say."""

    @property
    def locale(self) -> Locale:
        """The CLDR locale behind the language's dates and numbers."""
        return _formats(self._manners.formats)

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return self._manners.direction

    @property
    def name(self) -> str:
        """The language's name for itself, such as “español”."""
        return self._manners.name

    @property
    def _manners(self) -> Manners:
        return self.manners or manners(self.language)

    def language_name(self, language: str) -> str:
        """What a language is called in this one; of `es+en`, which stand in one mail, both."""
        return " + ".join(named(code, self.locale) for code in language.split("+"))

    def language_title(self, language: str) -> str:
        """The same where a line begins, all but its first letter as it is: “Haitian Creole”."""
        name = self.language_name(language)
        return name[:1].upper() + name[1:]

    def gettext(self, msgid: str) -> str:
        """The text in this language, or the English one where there is none."""
        found = self.texts.get(msgid)
        return found[0] if found and found[0] else msgid

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """The form of the text that fits `count`."""
        forms = self.texts.get(singular, ())
        index = _plural_index(self.plural_expression, count)
        if len(forms) > 1 and index < len(forms) and forms[index]:
            return forms[index]
        return singular if count == 1 else plural

    def date(self, value: date | datetime, style: DateStyle = "long") -> str:
        """A date in words, in the site's zone."""
        if isinstance(value, datetime):
            value = value.astimezone(self.zone).date()
        return dates.format_date(value, style, locale=self.locale)

    def moment(
        self, value: datetime, style: DateStyle = "medium", zone: ZoneInfo | None = None
    ) -> str:
        """A date in a `style` with its time of day to the minute, in `zone` or the site's."""
        local = value.astimezone(zone or self.zone)
        time = dates.format_time(local, "short", tzinfo=local.tzinfo, locale=self.locale)
        day = dates.format_date(local, style, locale=self.locale)
        joint = str(dates.get_datetime_format(style, locale=self.locale)).replace("'", "")
        return joint.replace("{0}", time).replace("{1}", day).replace("\u202f", " ")

    def time(self, value: datetime) -> str:
        """A time of day to the minute, in the site's zone."""
        return dates.format_time(value, "short", tzinfo=self.zone, locale=self.locale)

    def hour(self, value: datetime) -> str:
        """A day without its year and a time of day, in the site's zone: where room is short."""
        local = value.astimezone(self.zone)
        day = dates.format_skeleton("MMMd", local, tzinfo=local.tzinfo, locale=self.locale)
        return f"{day}, {self.time(value)}".replace("\u202f", " ")

    def number(self, value: float) -> str:
        """A number with this language's separators."""
        return numbers.format_decimal(value, locale=self.locale)

    def all_of(self, items: Iterable[str]) -> str:
        """Items as one text: “a, b, and c”."""
        return lists.format_list(list(items), "standard", locale=self.locale)

    def one_of(self, items: Iterable[str]) -> str:
        """Items of which any is meant: “a, b, or c”."""
        return lists.format_list(list(items), "or", locale=self.locale)

    def duration(self, seconds: float) -> str:
        """A span of time in its largest fitting unit, such as “3 minutes”."""
        return dates.format_timedelta(timedelta(seconds=seconds), locale=self.locale)

    def percent(self, share: float, digits: int = 1) -> str:
        """A share from 0 to 1 as a percentage."""
        return numbers.format_percent(share, "#,##0." + "#" * digits + "%", locale=self.locale)


class Catalog:
    """Every language that the site offers."""

    def __init__(self, translators: Mapping[str, Translator], *, default: str) -> None:
        self._translators = dict(translators)
        self.default = default
        self.languages = (default, *(code for code in self._translators if code != default))
        """Codes, the site's default first."""

    def translator(self, language: str | None) -> Translator:
        """The translator for a wish, matched exact → base → site default."""
        return self._translators[match(language, self.languages)]


def match(wish: str | None, offered: Iterable[str]) -> str:
    """The offered language nearest to a wish (`es-MX` → `es` → the first offered).

    Matching follows RFC 4647 §3.4 (lookup).
    """
    choices = tuple(offered)
    found = _lookup((wish or "")[:_LONGEST_TAG], choices)
    return found if found is not None else choices[0]


def match_header(header: str | None, offered: Iterable[str]) -> str:
    """The offered language that an `Accept-Language` header likes best (RFC 9110 §12.5.4)."""
    choices = tuple(offered)
    if not header:
        return choices[0]
    wishes: list[tuple[float, int, str]] = []
    for place, part in enumerate(header.split(",")[:20]):
        tag, _, parameters = part.strip().partition(";")
        wishes.append((-_quality(parameters), place, tag.strip()))
    for quality, _, tag in sorted(wishes):
        found = _lookup(tag[:_LONGEST_TAG], choices) if quality < 0 else None
        if found is not None:
            return found
    return choices[0]


@functools.lru_cache(maxsize=512)
def _lookup(wish: str, choices: tuple[str, ...]) -> str | None:
    by_key = {choice.lower(): choice for choice in choices}
    tag = wish.lower().replace("_", "-")
    while tag:
        if tag in by_key:
            return by_key[tag]
        tag = tag.rpartition("-")[0]
    return None


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0


def _plural_index(expression: str, count: int) -> int:
    return _plural_rule(expression)(count)


@functools.lru_cache(maxsize=64)
def _plural_rule(expression: str) -> Callable[[int], int]:
    return std_gettext.c2py(expression)


def load(*, languages: Iterable[str], default: str, zone: str, folder: Path = LOCALES) -> Catalog:
    """Read the texts of `languages`; `default` comes first among them.

    Raises `KeyError` when a language has no folder (configuration checks this before).
    """
    tzinfo = ZoneInfo(zone)
    wanted = [default, *(code for code in languages if code != default)]
    found = {code: _read(code, tzinfo, folder) for code in wanted}
    # Tables of all languages, places and currencies, by which a language is found. Two megabytes
    # that are hardly needed again: Babel then reads them again.
    core._global_data = None  # noqa: SLF001 - Babel keeps them for good
    return Catalog(found, default=default)


def available(folder: Path = LOCALES) -> tuple[str, ...]:
    """Every language that has texts."""
    found = sorted(entry.name for entry in folder.iterdir() if any(entry.glob("*.po")))
    return (SOURCE, *(code for code in found if code != SOURCE))


@functools.lru_cache(maxsize=64)
def manners(language: str, folder: Path = LOCALES) -> Manners:
    """A language's name, direction and formats; what nobody says is taken from its code."""
    path = folder / language / "language.toml"
    said = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    known = _locale(language)
    formats = str(said.get("formats", "")) or (str(known) if known else SOURCE)
    return Manners(
        name=str(said.get("name", "")) or (known and known.get_display_name(known)) or language,
        direction=str(said.get("direction", "")) or (known.text_direction if known else "ltr"),
        formats=formats,
    )


def named(language: str, locale: Locale) -> str:
    """What a language is called in another: `es` is “Spanish” in English."""
    known = _locale(language)
    return (known.get_display_name(locale) if known else "") or manners(language).name


def _locale(language: str) -> Locale | None:
    """What CLDR knows of a language; None where it knows nothing."""
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return None


def _read(language: str, zone: ZoneInfo, folder: Path) -> Translator:
    if language == SOURCE:
        return Translator(language=language, zone=zone)
    # Those that come with the program are read once a process.
    texts, expression = (_known_texts if folder == LOCALES else _texts)(folder / language)
    return Translator(
        language=language,
        zone=zone,
        texts=texts,
        plural_expression=expression,
        manners=manners(language, folder),
    )


def _texts(folder: Path) -> tuple[Mapping[str, tuple[str, ...]], str]:
    """The texts in a language's folder, and how its plurals are told apart."""
    texts: dict[str, tuple[str, ...]] = {}
    expression = "(n != 1)"
    files = sorted(folder.glob("*.po"))
    if not files:
        raise KeyError(folder.name)
    for path in files:
        with path.open("rb") as file:
            catalog = pofile.read_po(file, locale=_locale(folder.name))
        expression = catalog.plural_expr
        for message in catalog:
            if not message.id or message.fuzzy:
                continue
            if isinstance(message.id, (list, tuple)):
                texts[message.id[0]] = tuple(message.string or ())
            elif message.string:
                texts[message.id] = (str(message.string),)
    return texts, expression


_known_texts = functools.cache(_texts)
