"""No level of headline is skipped in a mail, whoever sees which blocks, whatever staff choose."""

import itertools
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from templates import plan
from templates.conditions import Condition
from templates.content import Block, Event, Figure, Figures, Heading, RichText
from tests.templates import editions

NEAR = Condition(towns=("Lynn",))
MEMBERS = Condition(members=True)
WHO = st.sampled_from([None, None, NEAR, MEMBERS])


def levels(made: plan.Plan, answers: tuple[bool, ...] | None = None) -> list[int]:
    html = made.html(editions.values_for(made), answers)
    return [int(found) for found in re.findall(r"<h(\d)\b", html)]


def test_a_heading_is_as_large_as_chosen_and_as_deep_as_its_place() -> None:
    made = editions.compiled(
        Heading(text="Small", level=4),
        Event(title="An event", when_label="Today", body_html="<h2>Bring</h2><p>a friend</p>"),
        Heading(text="Large", level=2),
        RichText(html="<h4>Smaller</h4><blockquote><h2>Large</h2></blockquote>"),
    )
    assert levels(made) == [1, 2, 3, 4, 2, 3, 2]
    assert "font-size:18px" in made.html(editions.values_for(made))


def test_what_only_some_see_never_leaves_a_gap_for_others() -> None:
    made = editions.compiled(
        Heading(text="For some", level=2, shown_to=NEAR),
        Event(title="For them", when_label="Today", shown_to=NEAR),
        Event(title="For all", when_label="Today"),
    )
    assert levels(made, (True,)) == [1, 2, 3, 2]
    assert levels(made, (False,)) == [1, 2]


BLOCKS: st.SearchStrategy[Block] = st.one_of(
    st.builds(Heading, text=st.just("A heading"), level=st.integers(2, 4), shown_to=WHO),
    st.builds(Event, title=st.just("E"), when_label=st.just("Today"), shown_to=WHO),
    st.builds(
        Figures,
        items=st.just((Figure(value="1", label="one"),)),
        title=st.sampled_from(["", "In figures"]),
        shown_to=WHO,
    ),
    st.builds(
        RichText,
        html=st.lists(
            st.sampled_from(["<h2>a</h2>", "<h3>b</h3>", "<h4>c</h4>", "<p>d</p>"]), min_size=1
        ).map("".join),
        shown_to=WHO,
    ),
)


@settings(max_examples=60, deadline=None)
@given(blocks=st.lists(BLOCKS, max_size=7))
def test_no_level_is_skipped_for_anybody(blocks: list[Block]) -> None:
    made = editions.compiled(*blocks, Heading(text="The end", level=4))
    for answers in itertools.product((True, False), repeat=len(made.conditions)):
        found = levels(made, answers)
        assert found[0] == 1
        for one, following in itertools.pairwise(found):
            assert following <= one + 1, found
