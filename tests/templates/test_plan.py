"""A plan's body is exactly its text and HTML for a recipient, whatever the values hold."""

import email
import email.policy
import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from templates import problems, runs, wire
from templates.conditions import Answers, Condition
from templates.plan import Plan
from templates.slots import Place, Section, Segments, Slot
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
SECTION = st.builds(Section, st.sampled_from([0, 1]), st.lists(SEGMENT, max_size=4).map(tuple))
SEGMENTS = st.lists(st.one_of(SEGMENT, SECTION), max_size=8).map(tuple)
ANSWERS = st.one_of(st.none(), st.tuples(st.booleans(), st.booleans()))
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


def assert_fit_for_smtp(body: bytes, *, is_8bit: bool = False) -> None:
    if not is_8bit:
        body.decode("ascii")
    lines = body.split(b"\r\n")
    assert all(len(line) <= (998 if is_8bit else 76) for line in lines)
    assert b"\x00" not in body
    assert not any(line.startswith((b".", b"From ")) for line in lines)
    assert b"\n" not in body.replace(b"\r\n", b"")
    assert b"\r" not in body.replace(b"\r\n", b"")
    assert sum(line.startswith(b"--" + wire.BOUNDARY.encode()) for line in lines) == 3


@given(
    text=SEGMENTS,
    html=SEGMENTS,
    values=st.fixed_dictionaries(dict.fromkeys(NAMES, HOSTILE)),
    answers=ANSWERS,
    is_8bit=st.booleans(),
)
@settings(deadline=None, max_examples=200)
def test_body_reads_back_as_the_text_and_html_of_the_plan(
    text: Segments,
    html: Segments,
    values: dict[str, str],
    answers: Answers | None,
    is_8bit: bool,
) -> None:
    made = Plan(
        language="en",
        subject_segments=("x",),
        text_segments=text,
        html_segments=html,
        conditions=(Condition(members=True), Condition(members=True, is_copy=True)),
    )
    body = made.body(values, answers, is_8bit=is_8bit)
    assert_fit_for_smtp(body, is_8bit=is_8bit)
    assert parts(body, made) == [made.text(values, answers), made.html(values, answers)]
    assert is_declared_8bit(body) is not body.isascii()


def is_declared_8bit(body: bytes) -> bool:
    return b"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" in body


@given(value=HOSTILE, is_8bit=st.booleans())
@settings(deadline=None, max_examples=60)
def test_every_part_of_a_compiled_edition_can_go_out_unchanged(value: str, is_8bit: bool) -> None:
    values = editions.values_for(EVERYTHING, **{"subscriber.first_name": value})
    body = EVERYTHING.body(values, is_8bit=is_8bit)
    assert_fit_for_smtp(body, is_8bit=is_8bit)
    assert parts(body, EVERYTHING) == [EVERYTHING.text(values), EVERYTHING.html(values)]
    if is_8bit and value.isalpha():
        assert b"quoted-printable" not in body


def spliced(*text: str | Slot, name: str = "") -> bytes:
    """The text part of a body that may be 8bit, as it goes over the wire."""
    made = Plan(language="en", subject_segments=("x",), text_segments=text, html_segments=("x",))
    return made.body({"name": name}, is_8bit=True).split(b"--" + wire.BOUNDARY.encode())[1]


NAME = Slot("name", Place.TEXT)


@pytest.mark.parametrize(
    ("text", "name", "encoding"),
    [
        (("Dear ", NAME, "\n"), "Ana", b"7bit"),
        (("Querída ", NAME, "\n"), "Ñandú", b"8bit"),
        (("Dear ", NAME, "\n"), "Ñandú", b"quoted-printable"),
        ((NAME, "\n"), "Ana", b"7bit"),
        ((NAME, "\n"), ".profile", b"quoted-printable"),
        ((NAME, "\n"), "From here", b"quoted-printable"),
        (("Dear ", NAME, "\n"), ".profile", b"7bit"),
        ((NAME, ".end\n"), "Ana", b"quoted-printable"),
        ((".profile\n",), "", b"quoted-printable"),
        (("x\n.\ny\n",), "", b"quoted-printable"),
        (("From me\n",), "", b"quoted-printable"),
        (("Fr", NAME, "\n"), "om me", b"quoted-printable"),
        (("--=_handbill_part--\n",), "", b"quoted-printable"),
        (("--", NAME, "\n"), "=_handbill_part", b"quoted-printable"),
        (("x" * 998 + "\n",), "", b"7bit"),
        (("x" * 999 + "\n",), "", b"quoted-printable"),
        (("é" * 499 + "\n",), "", b"8bit"),
        (("é" * 500 + "\n",), "", b"quoted-printable"),
        (("x" * 800, NAME, "\n"), "y" * 198, b"7bit"),
        (("x" * 800, NAME, "\n"), "y" * 199, b"quoted-printable"),
        (("x" * 800, NAME, NAME, "\n"), "y", b"quoted-printable"),
        (("a\x00b\n",), "", b"quoted-printable"),
    ],
)
def test_text_goes_out_unchanged_only_where_no_server_has_to_change_it(
    text: tuple[str | Slot, ...], name: str, encoding: bytes
) -> None:
    assert b"Content-Transfer-Encoding: " + encoding + b"\r\n" in spliced(*text, name=name)


def test_a_part_that_can_not_go_out_unchanged_keeps_the_other_from_nothing() -> None:
    made = Plan(
        language="es",
        subject_segments=("x",),
        text_segments=("Año ", NAME, "\n"),
        html_segments=("<p>" + "ñ" * 2000 + "</p>", Slot("name", Place.HTML)),
    )
    values = {"name": "José"}
    body = made.body(values, is_8bit=True)
    assert "\r\n\r\nAño José\r\n".encode() in body
    assert b"Content-Transfer-Encoding: quoted-printable" in body
    assert parts(body, made) == [made.text(values), made.html(values)]


SECTIONS = Plan(
    language="en",
    subject_segments=("News",),
    text_segments=("All\n", Section(0, ("Near ", Slot("one", Place.TEXT), "\n")), "End\n"),
    html_segments=(
        "<p>All</p>",
        Section(0, ("<p>Near ", Slot("one", Place.HTML), "</p>")),
        Section(1, (Slot("click:1", Place.ATTRIBUTE),)),
    ),
    conditions=(Condition(towns=("Lynn",)), Condition(members=True, is_reversed=True)),
)


def test_a_section_is_in_both_parts_or_in_neither() -> None:
    values = {"one": "Lynn", "click:1": "https://x.example/"}
    shown, hidden = SECTIONS.body(values, (True, False)), SECTIONS.body(values, (False, False))
    assert parts(shown, SECTIONS) == ["All\nNear Lynn\nEnd\n", "<p>All</p><p>Near Lynn</p>"]
    assert parts(hidden, SECTIONS) == ["All\nEnd\n", "<p>All</p>"]
    assert SECTIONS.nobody == (False, False)


def test_what_only_a_section_needs_is_named_among_the_values() -> None:
    assert SECTIONS.slot_names == {"one", "click:1"}


def test_sections_stay_when_values_are_filled_in_for_all() -> None:
    filled = SECTIONS.filled({"click:1": "https://x.example/"})
    assert filled.slot_names == {"one"}
    assert filled.conditions == SECTIONS.conditions
    assert filled.html({"one": "x"}, (False, True)) == "<p>All</p>https://x.example/"


def test_frozen_sections_thaw_to_the_same() -> None:
    thawed = Plan.thaw(SECTIONS.freeze())
    assert thawed == SECTIONS
    values = {"one": "Lynn", "click:1": "https://x.example/"}
    assert thawed.body(values, (True, True)) == SECTIONS.body(values, (True, True))


def test_a_plan_that_was_frozen_before_there_were_sections_still_thaws() -> None:
    record = {
        "format": 1,
        "language": "en",
        "subject": ["News for ", ["one", "header", "you"]],
        "text": ["Dear ", ["one", "text", "friend"], "\n"],
        "html": ["<p>", ["one", "html", "friend"], "</p>"],
        "links": [[1, "https://x.example/", "x"]],
        "concerns": [["no-preheader", "There is no preheader.", {}]],
    }
    thawed = Plan.thaw(zlib.compress(json.dumps(record).encode()))
    assert thawed.conditions == ()
    assert thawed.subject({"one": ""}) == "News for you"
    assert parts(thawed.body({"one": "Ana"}), thawed) == ["Dear Ana\n", "<p>Ana</p>"]


def test_a_plan_that_was_frozen_before_anything_could_be_near_still_thaws() -> None:
    rule = {"towns": ["Lynn"], "postal_codes": [], "members": False, "is_reversed": True}
    record = {
        "format": 2,
        "language": "en",
        "subject": ["News"],
        "text": [{"if": 0, "then": ["Far\n"]}],
        "html": ["<p>All</p>"],
        "conditions": [rule],
        "links": [],
        "concerns": [],
    }
    thawed = Plan.thaw(zlib.compress(json.dumps(record).encode()))
    assert thawed.conditions == (Condition(towns=("Lynn",), is_reversed=True),)
    assert thawed.text({}) == "Far\n"


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
    _, text, html, _ = message_plan.body({"name": value}).split(f"--{wire.BOUNDARY}".encode())
    slow = wire.piece(slot.fill(value))
    for part in (text, html):
        octets = part.partition(b"\r\n\r\n")[2].replace(b"=\r\n", b"").removesuffix(b"\r\n")
        assert octets.removesuffix(b"\r\n") == slow.replace(b"=\r\n", b"") or b"=2E" in slow


@pytest.mark.parametrize("length", [20, 75, 76, 160, 2000])
@pytest.mark.parametrize("is_8bit", [False, True])
def test_an_address_in_octets_comes_to_the_same_as_in_text(length: int, is_8bit: bool) -> None:
    address = "https://x.example/".ljust(length, "a")
    assert runs.is_plain(address)
    segments = ("Begin here: ", Slot("url", Place.TEXT), "\n")
    message_plan = Plan(
        language="en", subject_segments=(), text_segments=segments, html_segments=segments
    )
    body = message_plan.body({"url": address.encode()}, is_8bit=is_8bit)
    assert body == message_plan.body({"url": address}, is_8bit=is_8bit)
    assert all(len(line) <= wire.LONGEST_LINE for line in body.split(b"\r\n"))


@pytest.mark.parametrize("at", [wire.LINE_CHARACTERS, 2 * wire.LINE_CHARACTERS])
def test_a_dot_in_a_long_address_begins_no_line_of_the_mail(at: int) -> None:
    address = "https://x.example/".ljust(at, "a") + ".html"
    segments = ("Begin here: ", Slot("url", Place.TEXT), "\n")
    made = Plan(language="en", subject_segments=(), text_segments=segments, html_segments=segments)
    body = made.body({"url": address})
    assert_fit_for_smtp(body)
    assert parts(body, made) == [f"Begin here: {address}\n"] * 2


@pytest.mark.parametrize("address", ["", "/r/x", "https://x.example/?a=b", "https://ñ.example/"])
def test_an_address_that_stands_nowhere_unchanged_is_no_plain_one(address: str) -> None:
    assert not runs.is_plain(address)


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
