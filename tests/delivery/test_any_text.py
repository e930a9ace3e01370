"""Whatever people type, and staff write: it arrives as it was, and breaks no mail."""

import email
import email.header
import email.policy
import email.utils
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from delivery import message
from delivery.models import Dispatch
from delivery.splicing import Splicer
from foundation.ground import Ground
from subscribers.recipients import Recipient
from tests.world import grounds, mailing
from tests.world.clock import START, FakeClock

WORDS = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=300
).filter(str.strip)
"""What a careful person could type."""
ANYTHING = st.text(st.characters(exclude_categories=[]), max_size=200) | st.sampled_from(
    [
        "\r\nBcc: x@example.org\r\n\r\n",
        "\n.\n",
        ".\r\n.\r\n",
        "=\r\n",
        "=?utf-8?q?=0D=0A?=",
        "\ud800",
    ]
)
"""What a careless program could send."""


@pytest.fixture(scope="module")
def splicer_for(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """A ground whose database nobody opens."""
    folder: Path = tmp_path_factory.mktemp("any-text")
    wanted = grounds.settings(url=f"sqlite:///{folder}/unused.db", folder=folder, changes={})
    return grounds.make(wanted, FakeClock())


@pytest.fixture(scope="module")
def splicer(splicer_for: Ground) -> Splicer:
    """Makes mails with the first name in subject and body."""
    plan = mailing.plan(
        splicer_for,
        subject="News for {{ subscriber.first_name }}",
        html="<p>Dear {{ subscriber.first_name }}!</p><p>.</p><p>Bye, {{ subscriber.town }}</p>",
    )
    made = Dispatch(
        id=1,
        campaign_id=7,
        name="News",
        state="sending",
        from_name="Coalición",
        from_address="bulletin@coalition.example",
        default_language="en",
        topics=[1],
        started_at=START,
    )
    return Splicer(splicer_for, made, plan)


def octets_for(splicer: Splicer, *, first_name: str, town: str) -> bytes:
    person = Recipient(
        id=1,
        email="ana@example.org",
        first_name=first_name,
        last_name="",
        language="en",
        postal_code="",
        town=town,
        allows_tracking=True,
    )
    return b"".join(splicer.envelope(person, 1).pieces)


def parsed(octets: bytes) -> EmailMessage:
    return email.message_from_bytes(octets, policy=email.policy.SMTP)


def part(read: EmailMessage, kind: str) -> str:
    found = read.get_body((kind,))
    assert found is not None
    return str(found.get_content())


class Text(HTMLParser):
    """The text between tags."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.paragraphs: list[str] = [""]
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        """A paragraph begins."""
        if tag == "p":
            self.paragraphs.append("")

    def handle_data(self, data: str) -> None:
        """Text goes on."""
        self.paragraphs[-1] += data


fast = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(first_name=WORDS, town=WORDS)
@fast
def test_a_value_arrives_in_subject_text_and_html_as_it_was_typed(
    splicer: Splicer, first_name: str, town: str
) -> None:
    read = parsed(octets_for(splicer, first_name=first_name, town=town))
    first_name, town = first_name.strip(), town.strip()
    assert read["Subject"] == f"News for {first_name}"
    text = part(read, "plain")
    assert f"Dear {first_name}!" in text
    assert f"Bye, {town}" in text
    paragraphs = Text(part(read, "html")).paragraphs
    assert f"Dear {first_name}!" in paragraphs
    assert f"Bye, {town}" in paragraphs


@given(first_name=ANYTHING, town=ANYTHING)
@fast
def test_no_value_can_break_out_of_its_place(splicer: Splicer, first_name: str, town: str) -> None:
    octets = octets_for(splicer, first_name=first_name, town=town)
    assert octets.isascii()
    rest = octets.replace(b"\r\n", b"")
    assert b"\r" not in rest
    assert b"\n" not in rest
    head, _, body = octets.partition(b"\r\n\r\n")
    lines = body.split(b"\r\n")
    assert max(map(len, lines)) <= 76
    assert not any(line.startswith(b".") for line in octets.split(b"\r\n"))
    assert all(len(line) <= 998 and line.strip() for line in head.split(b"\r\n"))
    read = parsed(octets)
    assert len(read.keys()) == 14
    assert [each.get_content_type() for each in read.iter_parts()] == ["text/plain", "text/html"]
    assert not read.defects
    assert "\n" not in read["Subject"]


@given(name=WORDS)
@fast
def test_any_name_of_a_sender_can_be_read_back(name: str) -> None:
    raw = message.mailbox(name, "bulletin@coalition.example")
    assert all(len(line) <= 76 for line in f"From: {raw}".split("\r\n") if "=?" in line)
    shown, address = email.utils.parseaddr(raw.replace("\r\n", ""))
    assert address == "bulletin@coalition.example"
    assert str(email.header.make_header(email.header.decode_header(shown))) == name
