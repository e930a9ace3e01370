"""The language nearest to a wish is found: exact, base, then the site's own."""

import pytest

from foundation import i18n


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
