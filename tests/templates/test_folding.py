"""Lines of HTML are broken so that mail can go out as it is, and readers see the same."""

import re
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates import folding
from tests.templates import editions

NOTHING = re.compile(r"(?!)")
WORD = re.compile(r"hbq\d+z")


def folded(html: str) -> str:
    return folding.fold(html, keep=NOTHING)


def seen(html: str) -> list[tuple[str, dict[str, str], str, str]]:
    """Elements with their attributes and words, white space drawn together as readers see it."""

    def words(text: str | None) -> str:
        return " ".join((text or "").split())

    def each(element: "Element[str]") -> tuple[str, dict[str, str], str, str]:
        return str(element.tag), dict(element.attrib), words(element.text), words(element.tail)

    return [each(element) for element in editions.tree(html).iter()]


ATTRIBUTE = st.builds(
    '{}="{}"'.format,
    st.sampled_from(["title", "style", "alt", "href", "data-x"]),
    st.text(alphabet="ab c='>.\n", max_size=120).filter(lambda text: '"' not in text),
)
TEXT = st.text(alphabet="ab .F-\n&", max_size=300)
PIECE = st.one_of(
    TEXT,
    st.builds("<p {}>{}</p>".format, st.lists(ATTRIBUTE, max_size=4).map(" ".join), TEXT),
    st.builds("<!--[if mso | IE]><p {}><![endif]-->{}".format, ATTRIBUTE, TEXT),
    st.sampled_from(
        ["<style>p { margin: 0 }\n.a, .b { color: red }</style>", "<br />", "<!-- -->"]
    ),
)


@given(st.lists(PIECE, max_size=12).map("".join))
def test_readers_see_the_same(body: str) -> None:
    page = f"<!doctype html><html><head></head><body><div>{body}</div></body></html>"
    once = folded(page)
    assert seen(once) == seen(page)
    assert "".join(once.split()) == "".join(page.split())
    assert folded(once) == once or len(once) >= len(page)


def test_long_lines_are_broken_in_tags_and_in_texts() -> None:
    html = '<td align="left" style="x">' * 100 + "word " * 1000
    assert max(map(len, folded(html).split("\n"))) <= 450


def test_what_stands_in_quotes_stays_as_it_is() -> None:
    html = f'<img alt="{"a = b " * 200}" title="{"it’s " * 100}">' * 3
    kept = [each.attrib for each in editions.tree(folded(html)).iter("img")]
    assert kept == [each.attrib for each in editions.tree(html).iter("img")]


@pytest.mark.parametrize("line", [".hb { margin: 0 }", "From here", "--=_handbill_part"])
def test_no_line_of_a_text_or_a_style_begins_with_what_servers_change(line: str) -> None:
    for html in (f"<style>p {{}}\n{line}</style>", f"<p>x\n{line}</p>"):
        assert f"\n {line}" in folded(html)


def test_no_line_is_made_to_begin_with_a_mark() -> None:
    html = "<p>" + " hbq1z" * 400 + "</p>"
    assert "\n" not in folding.fold(html, keep=WORD)


def test_every_part_of_a_compiled_edition_has_short_lines() -> None:
    everything = editions.compiled()
    html = everything.html(editions.values_for(everything))
    assert max(map(len, html.split("\n"))) < 900
