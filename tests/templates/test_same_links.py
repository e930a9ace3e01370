"""The HTML and the text of a mail lead to the same places, in the same order."""

import re

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from templates import notices, plan
from templates.content import (
    Action,
    Block,
    DevelopmentItem,
    Developments,
    Divider,
    Event,
    Figure,
    Figures,
    Heading,
    Image,
    Material,
    RichText,
    Template,
)
from tests.templates import editions, letters_to_write

ADDRESS = re.compile(r"https://go\.example/[a-z_]+(?::\d+)?|[a-z]+@there\.example")


def links(made: plan.Plan) -> tuple[list[str], list[str]]:
    """The addresses that the HTML and the text lead to, in order; of mail, without `mailto:`."""
    values = editions.values_for(made)
    anchors = editions.body_of(made.html(values)).iter("a")
    html = [str(each.get("href")).removeprefix("mailto:") for each in anchors]
    return html, ADDRESS.findall(made.text(values))


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("template", list(Template))
def test_a_mail_with_every_block_has_the_same_links_in_both_parts(
    language: str, template: Template
) -> None:
    html, text = links(editions.compiled(language=language, template=template))
    assert len(html) == 16
    assert html == text


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kind", list(notices.Kind))
def test_a_notice_leads_to_the_same_places_in_both_parts(kind: notices.Kind, language: str) -> None:
    made = notices.render_notice(
        kind,
        translator=editions.CATALOG.translator(language),
        context=letters_to_write.context(kind),
        brand=editions.BRAND,
    )
    html = [each.get("href") for each in editions.body_of(made.html).iter("a")]
    # The button's address stands once more under it, for whom it does not work.
    assert list(dict.fromkeys(html)) == re.findall(r"https://c\.example/\S+", made.text)


def test_a_link_without_words_shows_where_it_leads() -> None:
    made = editions.compiled(RichText(html='<p>See <a href="https://a.example/x"></a>.</p>'))
    anchors = list(editions.body_of(made.html(editions.values_for(made))).iter("a"))
    assert "".join(anchors[0].itertext()) == "https://a.example/x"


WORDS = st.text(alphabet="abc é<&>\"' ", min_size=1, max_size=20).map(
    lambda words: words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
)
ADDRESSES = st.one_of(
    st.integers(0, 40).map(lambda number: f"https://news.example/{number}"),
    st.sampled_from(["mailto:ana@there.example", "{{ view_url }}", "{{ preferences_url }}"]),
)
ANCHORS = st.builds(
    lambda url, words: f'<a href="{url}">{words}</a>', ADDRESSES, st.just("") | WORDS
)
INLINE = st.recursive(
    st.one_of(WORDS, ANCHORS, st.just("<br>"), st.just("{{ view_url }}")),
    lambda inner: st.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag}>",
        st.sampled_from(["strong", "em", "b"]),
        st.lists(inner, max_size=3),
    ),
    max_leaves=4,
)


def wrapped(tags: list[str], inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag}>",
        st.sampled_from(tags),
        st.lists(inner, min_size=1, max_size=3),
    )


RICH = st.lists(
    st.recursive(
        st.one_of(INLINE, wrapped(["p", "h2", "h4", "div", "li"], INLINE)),
        lambda inner: st.one_of(
            wrapped(["blockquote", "div"], inner),
            wrapped(["ul", "ol"], wrapped(["li"], inner)),
        ),
        max_leaves=6,
    ),
    min_size=1,
    max_size=4,
).map("".join)
WEB = ADDRESSES.filter(lambda url: url.startswith("http"))
LINE = st.text(alphabet="abc é<&>", min_size=1, max_size=12).filter(str.strip)
BLOCKS: st.SearchStrategy[Block] = st.one_of(
    st.builds(RichText, html=RICH),
    st.builds(Heading, text=LINE, level=st.integers(2, 4)),
    st.builds(
        Developments,
        title=st.just("") | LINE,
        items=st.lists(
            st.builds(
                DevelopmentItem,
                kind=st.just("news"),
                kind_label=LINE,
                date_label=LINE,
                headline=LINE,
                summary_html=st.just("") | RICH,
                url=st.just("") | WEB,
                source_name=st.just("") | LINE,
                language_note=st.just("") | LINE,
            ),
            min_size=1,
            max_size=3,
        ).map(tuple),
    ),
    st.builds(
        Figures,
        items=st.lists(
            st.builds(
                Figure,
                value=LINE,
                label=LINE,
                source_name=st.just("") | LINE,
                url=st.just("") | WEB,
            ),
            min_size=1,
            max_size=3,
        ).map(tuple),
        title=st.just("") | LINE,
    ),
    st.builds(Material, title=LINE, url=ADDRESSES, label=LINE, lead=st.just("") | LINE),
    st.builds(
        Event,
        title=LINE,
        when_label=LINE,
        body_html=st.just("") | RICH,
        place=st.just("") | LINE,
        url=st.just("") | ADDRESSES,
    ),
    st.builds(Action, label=LINE, url=ADDRESSES, lead=st.just("") | LINE),
    st.builds(
        Image,
        src=st.just("https://coalition.example/p.png"),
        alt=st.just("") | LINE,
        caption=st.just("") | LINE,
        url=st.just("") | WEB,
    ),
    st.builds(Divider),
)


@settings(max_examples=30, deadline=None, phases=set(Phase) - {Phase.explain})
@given(blocks=st.lists(BLOCKS, min_size=1, max_size=5), language=st.sampled_from(["en", "es"]))
def test_whatever_staff_write_both_parts_lead_to_the_same_places(
    blocks: list[Block], language: str
) -> None:
    html, text = links(editions.compiled(*blocks, language=language))
    assert html == text
