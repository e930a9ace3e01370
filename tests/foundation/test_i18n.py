"""The language nearest to a wish is found: exact, base, then the site's own."""

from datetime import date
from pathlib import Path

import pytest
from babel import core

from foundation import i18n
from foundation.i18n import Catalog

POLISH = """msgid ""
msgstr "Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 ? 1 : 2);\\n"

msgid "%(count)s block"
msgid_plural "%(count)s blocks"
msgstr[0] "%(count)s blok"
msgstr[1] "%(count)s bloki"
msgstr[2] ""

msgid "Save"
msgstr "Zapisz"

msgid "Kept."
msgstr ""
"""


def catalog(folder: Path, language: str, texts: str, manners: str = "") -> Catalog:
    """A site in English and a language of which there is no more than this."""
    (folder / language).mkdir()
    (folder / language / "some.po").write_text(texts, encoding="utf-8")
    if manners:
        (folder / language / "language.toml").write_text(manners, encoding="utf-8")
    return i18n.load(languages=[language], default="en", zone="America/New_York", folder=folder)


@pytest.mark.parametrize(
    ("wish", "found"),
    [("es-MX", "es"), ("ES_us", "es"), ("en-GB", "en"), ("fr", "en"), ("", "en"), (None, "en")],
)
def test_a_wish_finds_its_language(wish: str | None, found: str) -> None:
    assert i18n.match(wish, ["en", "es"]) == found


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("fr;q=1, es;q=0.5, en;q=0.7", "en"),
        ("en;q=0, es;q=0.1", "es"),
        ("*;q=broken,,,", "en"),
        (None, "en"),
    ],
)
def test_a_browsers_wishes_count_in_their_order(header: str | None, found: str) -> None:
    assert i18n.match_header(header, ["en", "es"]) == found


def test_numbers_of_things_are_in_the_right_form() -> None:
    catalog = i18n.load(languages=["en", "es"], default="en", zone="America/New_York")
    spanish = catalog.translator("es-MX")
    assert spanish.language == "es"
    assert spanish.gettext("Save") == "Guardar"
    assert spanish.gettext("a text that nobody translated") == "a text that nobody translated"


def test_what_a_language_lacks_is_shown_in_english_text_by_text(tmp_path: Path) -> None:
    polish = catalog(tmp_path, "pl", POLISH).translator("pl-PL")
    assert polish.gettext("Save") == "Zapisz"
    assert polish.gettext("Kept.") == "Kept."
    assert polish.gettext("Not there at all") == "Not there at all"
    forms = [polish.ngettext("%(count)s block", "%(count)s blocks", n) for n in (1, 3, 5)]
    assert forms == ["%(count)s blok", "%(count)s bloki", "%(count)s blocks"]
    assert polish.ngettext("one", "many", 2) == "many"


def test_fewer_forms_than_a_language_counts_in_are_no_stumbling_block(tmp_path: Path) -> None:
    short = POLISH.replace('msgstr[2] ""\n', "").replace("nplurals=3", "nplurals=2")
    polish = catalog(tmp_path, "pl", short).translator("pl")
    assert polish.ngettext("%(count)s block", "%(count)s blocks", 5) == "%(count)s blocks"


def test_a_language_that_nobody_heard_of_needs_a_name_and_a_direction(tmp_path: Path) -> None:
    said = 'name = "Rtlish"\ndirection = "rtl"\nformats = "fr"\n'
    found = catalog(tmp_path, "qaa", POLISH, said)
    rtlish = found.translator("qaa")
    assert (rtlish.name, rtlish.direction) == ("Rtlish", "rtl")
    assert rtlish.number(1234.5).endswith(",5")
    assert found.translator("en").direction == "ltr"


@pytest.mark.parametrize(
    ("code", "name", "direction"),
    [("pt", "português", "ltr"), ("ar", "العربية", "rtl"), ("ht", "Kreyòl Ayisyen", "ltr")],
)
def test_of_most_languages_nothing_has_to_be_said(code: str, name: str, direction: str) -> None:
    found = i18n.manners(code)
    assert (found.name, found.direction) == (name, direction)


def test_tables_of_the_whole_world_are_let_go_and_read_again_where_they_are_needed() -> None:
    both = i18n.load(languages=["en", "es"], default="en", zone="UTC")
    spanish = both.translator("es")
    assert spanish.date(date(2026, 11, 27)) == "27 de noviembre de 2026"
    assert (spanish.number(1234567.5), spanish.language_name("en")) == ("1.234.567,5", "inglés")
    assert core._global_data is None
    # By which place a language's script is known stands in them.
    assert both.translator("en").language_name("zh-TW") == "Chinese (Traditional, Taiwan)"
