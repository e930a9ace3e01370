"""Whatever accent a site chooses, it can be read on light and on dark paper."""

from hypothesis import given
from hypothesis import strategies as st

from templates import colours, sheets


def test_contrast_is_that_of_the_guidelines() -> None:
    assert round(colours.contrast("#000000", "#ffffff"), 1) == 21.0
    assert round(colours.contrast("#777777", "#ffffff"), 2) == 4.48


@given(st.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
def test_any_accent_becomes_readable_on_either_paper(accent: str) -> None:
    for paper in (sheets.PAPER, sheets.PAPER_DARK, "#ffffff"):
        shown = colours.readable(accent, on=paper)
        assert colours.contrast(shown, paper) >= 4.5


def test_accent_that_can_be_read_is_left_alone() -> None:
    assert colours.readable("#8c2f1b", on=sheets.PAPER) == "#8c2f1b"
