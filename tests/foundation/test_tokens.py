"""Links can't be forged, cut short or used for another purpose; keys can be changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation import errors, tokens
from foundation.tokens import Keyring, Purpose

OLD, NEW = b"an old key of many characters", b"a new key of many characters"


@given(st.lists(st.integers(min_value=0, max_value=2**63 - 1), max_size=5))
def test_a_token_gives_its_numbers_back(numbers: list[int]) -> None:
    keys = Keyring([OLD])
    assert keys.open(Purpose.CLICK, keys.seal(Purpose.CLICK, *numbers)) == tuple(numbers)
    local_part = keys.seal_for_address(Purpose.RETURN_PATH, *numbers)
    assert keys.open_from_address(Purpose.RETURN_PATH, local_part.upper()) == tuple(numbers)
    octets = b"".join(map(tokens.number_octets, numbers))
    assert keys.sealer(Purpose.CLICK)(octets).decode() == keys.seal(Purpose.CLICK, *numbers)
    assert keys.sealer_for_address(Purpose.RETURN_PATH)(octets) == local_part


def test_a_number_below_nought_is_sealed_by_nobody() -> None:
    with pytest.raises(ValueError, match="range"):
        Keyring([OLD]).seal(Purpose.CLICK, -1)


def test_a_token_opens_nothing_else() -> None:
    keys = Keyring([OLD])
    token = keys.seal(Purpose.VIEW, 7, 0, 0)
    with pytest.raises(errors.BadToken):
        keys.open(Purpose.UNSUBSCRIBE, token)


@pytest.mark.parametrize("change", ["cut", "longer", "flipped", "spelled otherwise", "not ASCII"])
def test_a_changed_token_is_refused(change: str) -> None:
    keys = Keyring([OLD])
    token = keys.seal(Purpose.UNSUBSCRIBE, 12345, 678, 0)
    spoilt = {
        "cut": token[:-4],
        "longer": token + "AAAA",
        "flipped": ("B" if token[3] == "A" else "A").join((token[:3], token[4:])),
        "spelled otherwise": token + "=",
        "not ASCII": "é" + token,
    }[change]
    with pytest.raises(errors.BadToken):
        keys.open(Purpose.UNSUBSCRIBE, spoilt)


def test_another_key_opens_nothing() -> None:
    with pytest.raises(errors.BadToken):
        Keyring([NEW]).open(Purpose.OPEN, Keyring([OLD]).seal(Purpose.OPEN, 1))


def test_mail_sealed_before_a_change_of_keys_still_works() -> None:
    token = Keyring([OLD]).seal(Purpose.UNSUBSCRIBE, 5, 0, 0)
    rotated = Keyring([NEW, OLD])
    assert rotated.open(Purpose.UNSUBSCRIBE, token) == (5, 0, 0)
    assert rotated.derive("suppression") == Keyring([OLD]).derive("suppression")


def test_a_token_holds_no_address() -> None:
    token = Keyring([OLD]).seal(Purpose.PREFERENCES, 1)
    assert len(token) < 40
    assert "@" not in token
