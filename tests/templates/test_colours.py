"""Whatever accent a site chooses, it can be read wherever it stands, by day and at night."""

from hypothesis import example, given
from hypothesis import strategies as st

from templates import colours, palette

READABLE = 4.5


def test_contrast_is_that_of_the_guidelines() -> None:
    assert round(colours.contrast("#000000", "#ffffff"), 1) == 21.0
    assert round(colours.contrast("#777777", "#ffffff"), 2) == 4.48


@given(st.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
@example("#ffffff")
@example("#000000")
@example("#777777")
def test_with_any_accent_every_letter_of_a_mail_stands_out_from_its_ground(accent: str) -> None:
    for scheme in (palette.light(accent), palette.dark(accent)):
        for letters, ground in scheme.pairs:
            assert colours.contrast(letters, ground) >= READABLE, (letters, ground)
        assert scheme.contrast >= READABLE


def test_accent_that_can_be_read_is_left_alone() -> None:
    assert palette.light("#8c2f1b").accent == "#8c2f1b"
    assert palette.light("#8c2f1b").bar == "#8c2f1b"
