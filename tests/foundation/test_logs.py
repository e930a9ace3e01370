"""No address, token or secret is in clear in a log."""

from foundation import logs


def test_addresses_and_tokens_are_masked_wherever_they_stand() -> None:
    entry = logs.hide_people(
        None,
        "info",
        {
            "event": "mail for maria.perez@example.org",
            "path": "/unsubscribe/AQIDBAUGBwgJCgsMDQ4P",
            "password": "hush",
            "exception": "… File: x\nValueError: maria.perez@example.org",
        },
    )
    assert "maria" not in str(entry)
    assert "AQIDBAUG" not in str(entry)
    assert "hush" not in str(entry)
    assert "m…@example.org" in entry["event"]


def test_staff_sign_in_links_are_masked() -> None:
    assert "secret-of-32" not in logs.masked("GET /staff/signin/secret-of-32-letters")
