import pytest

from campaigns import likeness


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("https://www.paper.example/a/", "http://paper.example/a?utm_source=x&fbclid=1#top"),
        ("https://amp.paper.example/a/index.html", "https://paper.example/a"),
        ("https://m.paper.example/a?b=2&a=1", "https://paper.example/a?a=1&b=2"),
        ("https://paper.example/a;jsessionid=1F", "https://paper.example/a"),
    ],
)
def test_links_that_lead_to_one_page_are_one(first: str, second: str) -> None:
    assert likeness.link_key(first) == likeness.link_key(second) != ""


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("https://paper.example/a?id=1", "https://paper.example/a?id=2"),
        ("https://paper.example/a", "https://other.example/a"),
        ("https://paper.example/a", "https://paper.example:8080/a"),
    ],
)
def test_links_to_other_pages_are_others(first: str, second: str) -> None:
    assert likeness.link_key(first) != likeness.link_key(second)


def test_what_is_no_link_has_no_key() -> None:
    assert [likeness.link_key(each) for each in ("", "nothing", "http://[::1", "//")] == [""] * 4


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        (
            "Boston council votes to limit police role in deportations",
            "Boston City Council votes to limit police’s role in deportations",
            True,
        ),
        (
            "El alcalde firma la ordenanza de protección",
            "Alcalde firma ordenanza de proteccion",
            True,
        ),
        (
            "Day 3 of the federal court hearing on detainers in Boston",
            "Day 4 of the federal court hearing on detainers in Boston",
            False,
        ),
        ("A hearing in Chelsea", "A hearing in Chelsea", False),  # too short to be sure
        (
            "Sheriff of Bristol county ends the agreement with immigration",
            "Sheriff of Plymouth county renews the agreement with immigration",
            False,
        ),
        ("", "", False),
    ],
)
def test_headlines_are_one_story_when_they_say_nearly_the_same(
    first: str, second: str, is_one: bool
) -> None:
    assert likeness.are_alike(first, second) is is_one
