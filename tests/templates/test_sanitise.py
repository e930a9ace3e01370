"""Rich text keeps what a mail needs and nothing that acts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates import prose, sanitise, text


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("<p>a <strong>b</strong> <em>c</em></p>", "<p>a <strong>b</strong> <em>c</em></p>"),
        ("<script>x()</script>a", "a"),
        ("<style>p{}</style>a", "a"),
        ('<p style="x" class="y" onclick="z()">a</p>', "<p>a</p>"),
        ('<a href="javascript:x()">a</a>', "<a>a</a>"),
        ('<a href="java\nscript:x()">a</a>', "<a>a</a>"),
        ('<a href="/relative">a</a>', "<a>a</a>"),
        ('<a href="https://a.example/?b=1&amp;c=2">a</a>', None),
        ('<a href="mailto:a@example.org">a</a>', None),
        ('<a href="{{ unsubscribe_url }}">a</a>', None),
        ('<a href="{{ subscriber.first_name }}">a</a>', "<a>a</a>"),
        ("<!-- note -->a", "a"),
        ("<img src=x onerror=y()>a", "a"),
    ],
)
def test_only_the_safe_part_is_kept(typed: str, kept: str | None) -> None:
    assert sanitise.rich_text(typed) == (typed if kept is None else kept)


@given(st.text(alphabet="<>/=\"' apbdivlscrthefoj:nu&;{}\x00\ud800", max_size=120))
def test_sanitising_is_stable_and_the_tree_survives(typed: str) -> None:
    once = sanitise.rich_text(typed)
    assert sanitise.rich_text(once) == once
    text.prose_text(prose.parse(typed))


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("loose <b>words</b>", "loose words"),
        ("<div>one<br>two</div><div>three</div>", "one\ntwo\n\nthree"),
        ("<ol><li>a</li><li>b<ul><li>c</li></ul></li></ol>", "1. a\n2. b\n   - c"),
        ("<blockquote>a<br>b</blockquote>", "> a\n> b"),
        ("<h1>Head</h1><p>x</p>", "Head\n----\n\nx"),
        ('<a href="https://a.example/">https://a.example/</a>', "https://a.example/"),
        ('<a href="https://a.example/">here</a>', "here <https://a.example/>"),
        ('<a href="mailto:a@example.org">a@example.org</a>', "a@example.org"),
        ("<p> </p><p></p>", ""),
        ("a &amp; b &lt;c&gt;", "a & b <c>"),
    ],
)
def test_text_part_of_rich_text_reads_naturally(html: str, expected: str) -> None:
    assert text.prose_text(prose.parse(html)) == expected


def test_long_paragraphs_are_wrapped_and_addresses_stay_whole() -> None:
    address = "https://a.example/" + "long/" * 30
    written = text.prose_text(prose.parse(f'<p>{"word " * 40}<a href="{address}">here</a></p>'))
    assert f"<{address}>" in written.split("\n")
    assert all(len(line) <= text.WIDTH for line in written.split("\n") if address not in line)


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("https://a.example/p.png", True),
        ("http://a.example/p.png?x=1", True),
        ("data:image/png;base64,x", False),
        ("https://a.example/{{ subscriber.email }}.png", False),
        ("//a.example/p.png", False),
        ("", False),
    ],
)
def test_pictures_come_from_the_web_and_name_no_reader(url: str, *, is_one: bool) -> None:
    assert sanitise.is_picture(url) is is_one
