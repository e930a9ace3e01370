"""Whatever octets come back, the classifier answers: it never raises, and never guesses wildly."""

import functools

from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.bounces import classifier
from delivery.bounces.reasons import BounceReason
from delivery.bounces.returned import Returned
from delivery.models import BounceKind
from tests.delivery.bounces import labelled

SPICE = [
    b"\r", b"\n", b"\r\n\r\n", b"\0", b"\xff\xfe", b'"', b"<", b">", b"@", b"@[", b"(((", b";",
    b"=", b"=?x?b?", b"=?utf-8?q?=", b"--", b"\n--=_b1\n", b"Content-Type: multipart/report\n",
    b"Content-Type: message/rfc822\n\n", b"Content-Transfer-Encoding: base64\n", b"charset=utf-16",
    b"charset=idna", b"Action: failed\n", b"Status: 9.9.9\n", b"Final-Recipient: \n", b"\x1b$B",
    b"From ", b":", b" ", b"550 5.1.1", b"a@b.example",
]  # fmt: skip
"""What is put into messages: each means something to a part of the classifier."""


@functools.cache
def corpus() -> list[bytes]:
    return [sample.octets for sample in labelled.samples()]


def holds_together(found: Returned) -> None:
    """Whether what was said makes sense, whatever it was said of."""
    assert found.kind in BounceKind
    assert len(found.recipients) <= 1_000
    for each in found.recipients:
        assert "@" in each.address
        assert len(each.diagnostic) <= 500
        assert "\n" not in each.diagnostic
        is_failure = each.kind in (BounceKind.HARD, BounceKind.SOFT, BounceKind.BLOCK)
        assert bool(each.reason) == is_failure
        assert not each.reason or each.reason in set(BounceReason)
    assert found.reply_code is None or 400 <= found.reply_code < 600
    if found.kind in (BounceKind.NONE, BounceKind.AUTO_REPLY):
        assert not any(each.reason for each in found.recipients)


@given(octets=st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_any_octets_are_read(octets: bytes) -> None:
    holds_together(classifier.classify(octets))


@given(data=st.data())
@settings(max_examples=120, deadline=None)
def test_any_damage_to_a_message_is_survived(data: st.DataObject) -> None:
    octets = bytearray(data.draw(st.sampled_from(corpus())))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(octets)))
        cut = data.draw(st.integers(0, 40))
        octets[at : at + cut] = data.draw(st.sampled_from(SPICE) | st.binary(max_size=8))
    holds_together(classifier.classify(bytes(octets)))


@given(code=st.none() | st.integers(0, 999), text=st.text(max_size=300), status=st.text(max_size=9))
@settings(max_examples=80, deadline=None)
def test_any_reply_has_a_kind_and_a_reason(code: int | None, text: str, status: str) -> None:
    judged = classifier.classify_reply(code, text, status=status)
    assert judged.kind in (BounceKind.HARD, BounceKind.SOFT, BounceKind.BLOCK)
    assert judged.reason in BounceReason
