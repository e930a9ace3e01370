"""A plan's body is exactly its text and HTML for a recipient, whatever the values hold."""

import email
import email.policy
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from templates import plan, problems
from templates.plan import Place, Plan, Slot
from tests.templates import editions

HOSTILE = st.one_of(
    st.text(max_size=300),
    st.text(alphabet=".=\r\n <>&\"'{}%F r:é🙂\u2028\ud800", max_size=200),
    st.sampled_from(
        [
            "",
            ".",
            "..",
            "\r\n.\r\n",
            "From me",
            "=_handbill_part",
            "\r\n--=_handbill_part--\r\n",
            "<script>alert(1)</script>",
            "{{ subscriber.email }}",
            "%0d%0aBcc: x@example.org",
            "https://example.org/?a=1&b=2" + "x." * 200,
        ]
    ),
)
STATIC = st.text(
    alphabet=st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n."), max_size=120
)
NAMES = ("one", "two", "click:1")
SEGMENT = st.one_of(
    STATIC,
    st.builds(
        Slot,
        st.sampled_from(NAMES),
        st.sampled_from([Place.HTML, Place.ATTRIBUTE, Place.TEXT, Place.URL_PART, Place.PIXEL]),
        st.sampled_from(["", "friend", "<&.>"]),
    ),
)
SEGMENTS = st.lists(SEGMENT, max_size=8).map(tuple)
EVERYTHING = editions.compiled()


def parts(body: bytes, made: Plan) -> list[str]:
    """The text and HTML that a mail program reads."""
    head = f"MIME-Version: 1.0\r\nContent-Type: {made.content_type_header}\r\n\r\n"
    message = email.message_from_bytes(head.encode() + body, policy=email.policy.default)
    assert not message.defects
    found = []
    for part in message.iter_parts():
        assert not part.defects
        octets = part.get_payload(decode=True)
        assert isinstance(octets, bytes)
        found.append(octets.decode("utf-8").replace("\r\n", "\n"))
    return found


def assert_fit_for_smtp(body: bytes) -> None:
    body.decode("ascii")
    lines = body.split(b"\r\n")
    assert all(len(line) <= 76 for line in lines)
    assert not any(line.startswith((b".", b"From ")) for line in lines)
    assert b"\n" not in body.replace(b"\r\n", b"")
    assert b"\r" not in body.replace(b"\r\n", b"")
    assert body.count(plan.BOUNDARY.encode()) == 3


@given(text=SEGMENTS, html=SEGMENTS, values=st.fixed_dictionaries(dict.fromkeys(NAMES, HOSTILE)))
@settings(deadline=None, max_examples=300)
def test_body_reads_back_as_the_text_and_html_of_the_plan(
    text: plan.Segments, html: plan.Segments, values: dict[str, str]
) -> None:
    made = Plan(language="en", subject_segments=("x",), text_segments=text, html_segments=html)
    body = made.body(values)
    assert_fit_for_smtp(body)
    assert parts(body, made) == [made.text(values), made.html(values)]


@given(value=HOSTILE)
@settings(deadline=None, max_examples=60)
def test_compiled_edition_holds_hostile_values_harmlessly(value: str) -> None:
    values = editions.values_for(EVERYTHING, **{"subscriber.first_name": value})
    body = EVERYTHING.body(values)
    assert_fit_for_smtp(body)
    assert parts(body, EVERYTHING) == [EVERYTHING.text(values), EVERYTHING.html(values)]
    assert "<script>alert" not in EVERYTHING.html(values)
    subject = EVERYTHING.subject(values)
    assert subject.splitlines() == [subject]


def test_no_slot_is_left_as_a_hole() -> None:
    values = editions.values_for(EVERYTHING)
    body = parts(EVERYTHING.body(values), EVERYTHING)
    for part in (*body, EVERYTHING.subject(values)):
        assert "hbq" not in part
        assert "{{" not in part
    assert EVERYTHING.missing(values) == ()
    assert EVERYTHING.missing([]) == tuple(sorted(EVERYTHING.slot_names))
    with pytest.raises(KeyError):
        EVERYTHING.body({})


def test_blank_value_takes_the_default() -> None:
    values = editions.values_for(EVERYTHING, **{"subscriber.first_name": " \t"})
    assert "Dear friend," in EVERYTHING.text(values)
    assert "Dear friend," in EVERYTHING.html(values)


@pytest.mark.parametrize(
    ("place", "filled"),
    [
        (Place.HTML, "a&amp;b &lt;i&gt; &quot;x&quot;"),
        (Place.ATTRIBUTE, "a&amp;b &lt;i&gt; &quot;x&quot;"),
        (Place.TEXT, 'a&b <i> "x"'),
        (Place.HEADER, 'a&b <i> "x"'),
        (Place.URL_PART, "a%26b%20%3Ci%3E%20%22x%22"),
    ],
)
def test_value_is_escaped_for_the_place_where_it_stands(place: Place, filled: str) -> None:
    assert Slot("name", place).fill('a&b <i> "x"') == filled


@given(value=st.from_regex(r"[ -~]{0,400}", fullmatch=True))
@settings(deadline=None)
def test_the_short_way_of_encoding_comes_to_the_same(value: str) -> None:
    slot = Slot("name", Place.TEXT)
    message_plan = Plan(
        language="en", subject_segments=(), text_segments=(slot, "\n"), html_segments=(slot,)
    )
    _, text, html, _ = message_plan.body({"name": value}).split(f"--{plan.BOUNDARY}".encode())
    slow = slot.encode(value)
    for part in (text, html):
        octets = part.partition(b"\r\n\r\n")[2].replace(b"=\r\n", b"").removesuffix(b"\r\n")
        assert octets.removesuffix(b"\r\n") == slow.replace(b"=\r\n", b"") or b"=2E" in slow


def test_frozen_plan_thaws_to_the_same() -> None:
    thawed = Plan.thaw(EVERYTHING.freeze())
    values = editions.values_for(EVERYTHING)
    assert thawed == EVERYTHING
    assert thawed.body(values) == EVERYTHING.body(values)
    assert thawed.slot_names == EVERYTHING.slot_names


@pytest.mark.parametrize("frozen", [b"", b"junk", zlib.compress(b"[]"), zlib.compress(b"{}")])
def test_damaged_plan_is_refused(frozen: bytes) -> None:
    with pytest.raises(problems.PlanProblem, match="damaged"):
        Plan.thaw(frozen)


def test_plan_of_a_later_version_is_refused() -> None:
    with pytest.raises(problems.PlanProblem, match="format 99"):
        Plan.thaw(zlib.compress(b'{"format": 99}'))
