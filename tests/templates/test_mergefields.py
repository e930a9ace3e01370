"""Two forms of merge field and nothing else; other systems' tags become ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates import content, mergefields, problems
from templates.mergefields import Field
from tests.templates import editions


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("no field", ("no field",)),
        ("Hi {{ subscriber.first_name }}!", ("Hi ", Field("subscriber.first_name"), "!")),
        ("{{subscriber.fields.Shoe_Size}}", (Field("subscriber.fields.Shoe_Size"),)),
        (
            '{{ subscriber.first_name | default_if_blank("dear friend") }}',
            (Field("subscriber.first_name", "dear friend"),),
        ),
        (
            "{{ subscriber.town|default_if_blank('town') }}",
            (Field("subscriber.town", "town"),),
        ),
        (
            "{{ subscriber.town | default_if_blank(“la ciudad”) }}",
            (Field("subscriber.town", "la ciudad"),),
        ),
        ("a { b } {c} }} d", ("a { b } {c} }} d",)),
        ("", ()),
    ],
)
def test_fields_are_told_from_text(typed: str, parts: tuple[mergefields.Part, ...]) -> None:
    assert mergefields.parse(typed, place="here") == parts


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ('Hi {{ subscriber.first_name | default_if_blank("neighbor") }}!', "Hi [neighbor]!"),
        ("In {{ subscriber.town }}", "In [subscriber.town]"),
        ("no field", "no field"),
    ],
)
def test_at_a_glance_a_field_reads_as_what_stands_in_for_it(typed: str, shown: str) -> None:
    assert mergefields.at_a_glance(typed) == shown


@pytest.mark.parametrize(
    "typed",
    [
        "{{ subscriber.nickname }}",
        "{{ first_name }}",
        "{{ subscriber }}",
        "{{ subscriber.fields. }}",
        "{{ subscriber.first_name | upper }}",
        "{{ subscriber.first_name",
        "{{ }}",
        "{{ 1 + 1 }}",
        "{{ subscriber.first_name | default_if_blank(secret) }}",
        "{% if 1 %}",
        "{# x #}",
    ],
)
def test_anything_else_in_braces_is_refused_with_what_can_be_used(typed: str) -> None:
    with pytest.raises(problems.MergeFieldProblem, match=r"subscriber\.first_name"):
        mergefields.parse(typed, place="here")


@given(typed=st.text(alphabet="{}% #|subcrie._firtnam()\"'d", max_size=60))
def test_parsing_loses_nothing_and_never_breaks(typed: str) -> None:
    try:
        parts = mergefields.parse(typed, place="here")
    except problems.MergeFieldProblem:
        return
    texts = [part for part in parts if isinstance(part, str)]
    assert all(text in typed for text in texts)
    assert not any("{{" in text or "{%" in text for text in texts)


@pytest.mark.parametrize(
    ("pasted", "ours"),
    [
        ("Hi *|FNAME|* *|LNAME|*", "Hi {{ subscriber.first_name }} {{ subscriber.last_name }}"),
        ('<a href="*|UNSUB|*">x</a>', '<a href="{{ unsubscribe_url }}">x</a>'),
        ("[UNSUBSCRIBEURL]", "{{ unsubscribe_url }}"),
        ("{unsubscribe_url}", "{{ unsubscribe_url }}"),
        ("{{UnsubscribeURL}}", "{{ unsubscribe_url }}"),
        ("[[first name]]", "{{ subscriber.first_name }}"),
        (
            "[firstname,fallback=friend]",
            '{{ subscriber.first_name | default_if_blank("friend") }}',
        ),
        ("{{ contact.FIRSTNAME }}", "{{ subscriber.first_name }}"),
        ("{{ .Subscriber.FirstName }}", "{{ subscriber.first_name }}"),
        ("%FIRSTNAME%", "{{ subscriber.first_name }}"),
        ("*|LIST:ADDRESS|* *|ARCHIVE|*", "{{ site.postal_address }} {{ view_url }}"),
    ],
)
def test_tags_of_other_systems_become_ours(pasted: str, ours: str) -> None:
    conversion = mergefields.convert_foreign(pasted)
    assert (conversion.text, conversion.unknown) == (ours, ())
    assert mergefields.convert_foreign(conversion.text).text == ours
    mergefields.parse(conversion.text, place="here")


@pytest.mark.parametrize("text", ["[sic]", "{a}", "50% OFF%", "f(x) = {1, 2}", "*|", "[1]"])
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert mergefields.convert_foreign(text) == mergefields.Conversion(text=text)


def test_unknown_tags_are_named_once_each_and_kept() -> None:
    pasted = "*|IF:VIP|*x*|END:IF|* *|IF:VIP|* [SURVEYURL]"
    conversion = mergefields.convert_foreign(pasted)
    assert conversion.text == pasted
    assert conversion.unknown == ("*|IF:VIP|*", "*|END:IF|*", "[SURVEYURL]")


def test_pasted_tags_work_in_an_edition_and_unknown_ones_are_a_concern() -> None:
    made = editions.compiled(
        content.RichText(html='<p>Hi *|FNAME|*, *|SHOE|* <a href="*|UNSUB|*">stop</a></p>'),
        content.Action(label="Stop", url="[UNSUBSCRIBEURL]"),
        subject="For *|FNAME|*",
    )
    values = editions.values_for(made, **{"subscriber.first_name": "Ana"})
    assert made.subject(values) == "For Ana"
    assert "Hi Ana, *|SHOE|* stop <https://go.example/unsubscribe_url>" in made.text(values)
    assert [concern.values["tag"] for concern in made.concerns] == ["*|SHOE|*"]
    assert made.links == ()
