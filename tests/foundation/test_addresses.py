"""Addresses are checked, and compared by one normal form."""

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from foundation import addresses, errors


@pytest.mark.parametrize(
    ("typed", "email", "key"),
    [
        (" Ana.Lopez@Example.ORG ", "Ana.Lopez@example.org", "ana.lopez@example.org"),
        ("josé@example.org", "josé@example.org", "josé@example.org"),
        ("ana@bücher.example", "ana@xn--bcher-kva.example", "ana@xn--bcher-kva.example"),
    ],
)
def test_the_local_part_is_kept_and_the_domain_normalised(typed: str, email: str, key: str) -> None:
    assert addresses.parse(typed) == addresses.Address(email=email, key=key)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ana",
        "ana@",
        "@example.org",
        "ana@@example.org",
        "ana@example.org\r\nBcc: all@example.org",
        "ana@exa\x00mple.org",
        "ana lopez@example.org",
        "a" * 65 + "@example.org",
        "ana@" + "a" * 250 + ".org",
    ],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(errors.Invalid):
        addresses.parse(typed)


def test_a_hash_needs_the_key() -> None:
    one = addresses.keyed_hash("ana@example.org", secret=b"one")
    assert one == addresses.keyed_hash("ana@example.org", secret=b"one")
    assert one != addresses.keyed_hash("ana@example.org", secret=b"two")


@given(
    st.from_regex(r"[a-zA-Z0-9_+.-]{1,70}", fullmatch=True),
    st.from_regex(r"[a-zA-Z0-9.-]{1,40}(\.(org|com|test|invalid))?", fullmatch=True),
)
def test_what_is_taken_at_a_glance_is_what_a_close_look_finds(local: str, domain: str) -> None:
    typed = f"{local}@{domain}"
    try:
        found = validate_email(
            typed, check_deliverability=False, strict=True, test_environment=True
        )
    except EmailNotValidError:
        with pytest.raises(errors.Invalid):
            addresses.parse(typed)
        return
    address = addresses.parse(typed)
    assert address.email == f"{found.local_part}@{found.ascii_domain}"
    assert address.key == address.email.lower()
