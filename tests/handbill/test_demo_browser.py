"""The story's browser reads forms as real browsers do, and notices when a page is wrong."""

import pytest

from handbill.demo.browser import Page
from handbill.demo.checking import StoryError

PAGE = """
<form method="get" action="/search"><input name="q"></form>
<form method="post" action="/subscribe">
  <input type="hidden" name="shown" value="a&amp;b">
  <input type="email" name="email" value="">
  <input type="checkbox" name="topic" value="one" checked>
  <input type="checkbox" name="topic" value="two">
  <select name="lang"><option value="en">English</option>
    <option value="es" selected>Español</option>
  </select>
  <select name="town"><option value="">Any</option><option value="lynn">Lynn</option></select>
  <textarea name="note">
Two
lines</textarea>
  <button name="action" value="save">Save</button>
</form>
"""


def page(text: str = PAGE) -> Page:
    """A page as it came."""
    return Page(url="http://site.test/here", status=200, text=text)


def test_what_is_filled_in_is_sent_and_buttons_are_not() -> None:
    form = page().form("/subscribe")
    assert form.action == "http://site.test/subscribe"
    assert form.filled({}) == [
        ("shown", "a&b"),
        ("email", ""),
        ("topic", "one"),
        ("lang", "es"),
        ("town", ""),
        ("note", "Two\nlines"),
    ]


def test_changes_replace_every_value_of_a_field() -> None:
    filled = page().form("/subscribe").filled({"topic": ["two"], "email": "ana@example.org"})
    assert ("topic", "one") not in filled
    assert ("topic", "two") in filled
    assert ("email", "ana@example.org") in filled


def test_a_field_that_is_not_there_stops_the_story() -> None:
    with pytest.raises(StoryError, match="nickname"):
        page().form("/subscribe").filled({"nickname": "Ana"})


def test_a_page_without_the_form_stops_the_story() -> None:
    with pytest.raises(StoryError, match="/here has no form for /join"):
        page().form("/join")


def test_a_form_without_an_action_is_sent_to_its_own_page() -> None:
    assert page("<form method=POST><input name=a></form>").form().action == "http://site.test/here"
