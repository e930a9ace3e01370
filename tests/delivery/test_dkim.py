"""Signatures, verified by another implementation than the one that made them."""

import stat
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import dkim as other
import pytest

from delivery import dkim, signing_keys, worker
from foundation import errors
from foundation.config import Settings
from foundation.ground import Ground
from foundation.notices import Notice
from handbill import building
from tests.world import grounds, mailing, people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher

DOMAIN = "coalition.example"
ANA = "ana@example.org"
SIGNED = (
    *(b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Content-Type", b"List-Id"),
    *(b"List-Unsubscribe", b"List-Unsubscribe-Post", b"Reply-To", b"Cc", b"MIME-Version"),
    *(b"Auto-Submitted", b"List-Help", b"List-Archive", b"Feedback-ID"),
)


def with_keys(settings: Settings, folder: Path, **mail: object) -> Settings:
    """The settings, with a new key of each kind."""
    made = signing_keys.create(folder / "dkim", "autumn")
    named = [f"{key.selector}={path}" for key, path in made]
    changed = settings.mail.model_copy(update={"dkim_keys": named, **mail})
    return settings.model_copy(update={"mail": changed})


@pytest.fixture
async def signing(settings: Settings, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Ground]:
    """A ground whose mail is signed."""
    async with grounds.standing(with_keys(settings, tmp_path), clock) as ground:
        yield ground


def verified(ground: Ground, message: bytes) -> list[bool]:
    """What another implementation makes of each signature, by the records to be published."""
    records: Mapping[str, str] = dict(dkim.records(ground.settings))

    def look_up(name: bytes, **_: object) -> bytes:
        return records[name.decode().rstrip(".")].encode()

    def is_valid(number: int) -> bool:
        try:
            found: bool = other.DKIM(message, timeout=5).verify(idx=number, dnsfunc=look_up)
        except other.ValidationError:
            return False
        return found

    return [is_valid(number) for number in range(message.count(b"DKIM-Signature:"))]


async def bulletin(ground: Ground, smtp: Catcher, **started: object) -> bytes:
    """What the server gets of a dispatch to one person."""
    await people.subscribed(ground, ANA, first_name="Zoé Ñandú")
    topic = await people.topic(ground)
    await mailing.start(ground, topics=[topic.id], **started)  # type: ignore[arg-type]
    await worker.run_until_idle(ground)
    (received,) = smtp.messages
    return received.data


async def test_a_bulletin_is_signed_with_both_kinds_of_key(signing: Ground, smtp: Catcher) -> None:
    message = await bulletin(signing, smtp)
    assert verified(signing, message) == [True, True]
    assert b"a=rsa-sha256;" in message
    assert b"a=ed25519-sha256;" in message
    assert message.count(f"d={DOMAIN};".encode()) == 2
    assert b"l=" not in message.partition(b"From:")[0]
    assert max(map(len, message.split(b"\r\n"))) <= 998
    signatures = message.partition(b"\r\nFrom: ")[0].split(b"\r\n")
    assert max(map(len, signatures)) <= 78, "RFC 5322 §2.1.1"


async def test_headers_that_a_relay_adds_or_folds_anew_break_nothing(
    signing: Ground, smtp: Catcher
) -> None:
    message = await bulletin(signing, smtp)
    passed_on = (
        b"Received: from us by relay.example;\r\n Tue, 3 Nov 2026 10:00:00 +0000\r\n" + message
    )
    assert verified(signing, passed_on) == [True, True]
    folded = message.replace(b"List-Unsubscribe-Post: ", b"List-Unsubscribe-Post:\r\n\t ")
    assert folded != message
    assert verified(signing, folded) == [True, True]


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("From: a@coalition.example\r\nTo: b@example.org\r\nTo: c@example.org\r\n", "Hello\r\n"),
        ("From: a@coalition.example\r\nSubject: a long\r\n\tone\r\n", "Hello\r\n"),
        ("From: a@coalition.example\r\n", "Hello\r\n\r\n\r\n"),
        ("From: a@coalition.example\r\n", "Hello \r\n\r\n  two\r\n"),
    ],
    ids=["a-header-twice", "folded-by-a-tab", "blank-lines-at-the-end", "blanks-in-the-body"],
)
def test_whatever_a_mail_is_made_of_both_signatures_hold(
    signing: Ground, head: str, body: str
) -> None:
    signer = dkim.for_author(signing.settings, "a@coalition.example")
    pieces = signer.signed((head.encode(),), (body.encode(),), second=1_790_000_000)
    assert verified(signing, b"".join(pieces)) == [True, True]


OWN = (
    (b"ana@example.org", b"Hello Ana"),
    (b"bo@example.org", b"100 % of  it \r\n for \tBo"),
    (b'"c  y"@example.org', b"=?utf-8?b?w7E=?=\r\n =?utf-8?b?w7E=?="),
)


def test_what_mails_have_in_common_is_kept_and_each_is_signed_with_what_is_its_own(
    signing: Ground,
) -> None:
    signer = dkim.for_author(signing.settings, "a@coalition.example")
    own = dkim.Own(1, 3, count=5)
    for second in (1_790_000_000, 1_790_000_001):
        for address, subject in OWN:
            date = f"\r\nDate: {second}\r\n".encode()
            head = (b"From: 5 %b <a@coalition.example>\r\nTo: ", address, b"\r\nSubject: ", subject)
            pieces, body = (*head, date), (b"Hello\r\n",)
            drafts, rest = signer.drafted(pieces, body, second=second, own=own)
            signed = (*(each.header(each.key.sign(each.content)) for each in drafts), *rest)
            assert verified(signing, b"".join(signed)) == [True, True]
            assert signed == signer.signed(pieces, body, second=second)


async def test_blanks_that_stand_together_in_a_header_are_one_to_the_signature(
    signing: Ground, smtp: Catcher
) -> None:
    message = await bulletin(signing, smtp, from_name="Bay State  Coalition")
    assert b'"Bay State  Coalition"' in message
    assert verified(signing, message) == [True, True]
    passed_on = message.replace(b"State  Coalition", b"State Coalition")
    assert verified(signing, passed_on) == [True, True]


@pytest.mark.parametrize("name", SIGNED)
async def test_a_header_put_in_front_breaks_both_signatures(
    signing: Ground, smtp: Catcher, name: bytes
) -> None:
    message = await bulletin(signing, smtp)
    assert verified(signing, name + b": <https://evil.example>\r\n" + message) == [False, False]


async def test_a_changed_body_breaks_both_signatures(signing: Ground, smtp: Catcher) -> None:
    message = await bulletin(signing, smtp)
    changed = message.replace(b"Dear", b"Deer", 1)
    assert changed != message
    assert verified(signing, changed) == [False, False]


async def test_notices_and_headers_beyond_ascii_are_signed(
    settings: Settings, tmp_path: Path, clock: FakeClock, smtp: Catcher
) -> None:
    wanted = with_keys(settings, tmp_path, from_name="Coalición por la Dignidad — Ñuñoa y más")
    async with grounds.standing(wanted, clock) as ground:
        async with ground.db.transaction() as session:
            await ground.notices.queue(
                session,
                Notice(kind="signin", to="иван@example.org", language="es",
                       context={"signin_url": "https://x.example/y", "minutes": "60"}),
            )  # fmt: skip
        await worker.run_until_idle(ground)
        (received,) = smtp.messages
        assert verified(ground, received.data) == [True, True]


@pytest.mark.parametrize(
    ("author", "signatures"),
    [
        ("news@mail.coalition.example", 2),
        ("news@COALITION.example", 2),
        ("news@partner.example", 0),
        ("news@notcoalition.example", 0),
    ],
)
async def test_only_what_comes_from_the_domain_or_below_is_signed(
    signing: Ground, smtp: Catcher, author: str, signatures: int
) -> None:
    message = await bulletin(signing, smtp, from_address=author)
    assert verified(signing, message) == [True] * signatures


async def test_without_keys_nothing_is_signed(ground: Ground, smtp: Catcher) -> None:
    assert b"DKIM-Signature" not in await bulletin(ground, smtp)


def test_private_keys_are_their_owners_alone_and_are_never_written_over(tmp_path: Path) -> None:
    made = signing_keys.create(tmp_path / "keys", "autumn")
    before = [path.read_bytes() for _, path in made]
    assert [stat.S_IMODE(path.stat().st_mode) for _, path in made] == [0o600, 0o600]
    with pytest.raises(errors.Refused, match="autumn-rsa"):
        signing_keys.create(tmp_path / "keys", "autumn")
    assert [path.read_bytes() for _, path in made] == before


@pytest.mark.parametrize("selector", ["", "a b", "../up", "a=b", "Ä", "-x"])
def test_what_can_not_name_a_key_is_refused(tmp_path: Path, selector: str) -> None:
    with pytest.raises(errors.Invalid, match="name a key"):
        signing_keys.create(tmp_path, selector)


@pytest.mark.parametrize("content", [None, b"", b"no key", b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_key_that_can_not_be_used_is_said_before_anything_is_sent(
    settings: Settings, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "autumn.pem"
    if content is not None:
        path.write_bytes(content)
    mail = settings.mail.model_copy(update={"dkim_keys": [f"autumn={path}"]})
    with pytest.raises(errors.ConfigProblem, match=r"autumn\.pem"):
        building.build(settings.model_copy(update={"mail": mail}))


async def test_a_signature_holds_over_octets_that_go_out_as_they_are(
    signing: Ground, smtp: Catcher
) -> None:
    plan = mailing.plan(signing, html="<p>Mañana, {{ subscriber.first_name }}.</p><p>.fin</p>")
    message = await bulletin(signing, smtp, plans={"en": plan})
    assert "Mañana, Zoé Ñandú.".encode() in message
    assert verified(signing, message) == [True, True]
    passed_on = b"Received: from us by relay.example; Tue, 3 Nov 2026 10:00:00 +0000\r\n" + message
    assert verified(signing, passed_on) == [True, True]
    assert verified(signing, message.replace("Zoé".encode(), b"Zoe")) == [False, False]
