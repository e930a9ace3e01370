"""Quoted-printable that can be cut and spliced anywhere, and that no server has to change."""

import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates import wire

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=400)
TRICKY = st.text(alphabet=".=F rom\t\n\ré🙂x", max_size=300)


def unbroken(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@given(st.lists(st.one_of(TEXT, TRICKY), min_size=1, max_size=6))
def test_pieces_join_to_one_text(texts: list[str]) -> None:
    *before, last = texts
    octets = b"".join([*(wire.piece(text) for text in before), wire.last_piece(last)])
    read = quopri.decodestring(octets).decode("utf-8").replace("\r\n", "\n")
    assert read == "".join(unbroken(text) for text in texts)
    lines = octets.split(b"\r\n")
    assert all(len(line) <= 76 for line in lines)
    assert not any(line.startswith((b".", b"From ")) for line in lines)
    assert not any(line.endswith((b" ", b"\t")) for line in lines)


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("", b""),
        (".", b"=2E=\r\n"),
        ("From me", b"=46rom me=\r\n"),
        ("a=b", b"a=3Db=\r\n"),
        ("é", b"=C3=A9=\r\n"),
        ("end ", b"end=20=\r\n"),
        ("a\nb", b"a\r\nb=\r\n"),
        ("a\n", b"a\r\n"),
        ("x" * 75, b"x" * 75 + b"=\r\n"),
        ("x" * 74 + "é", b"x" * 74 + b"=\r\n=C3=A9=\r\n"),
    ],
)
def test_known_texts_are_encoded_as_the_standard_says(text: str, octets: bytes) -> None:
    assert wire.piece(text) == octets
