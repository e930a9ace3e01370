"""No address, token or secret is in clear in a log, whoever says it and in whichever form."""

import json
import logging
from collections.abc import Iterator

import pytest

from foundation import logs
from foundation.ground import Ground
from handbill import app


@pytest.fixture
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_addresses_and_tokens_are_masked_wherever_they_stand() -> None:
    entry = logs.hide_people(
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


async def test_what_opens_a_door_is_masked_in_every_address_of_ours(ground: Ground) -> None:
    secret, checked = "secret-of-32-letters", 0
    for route in app.build(ground).router.routes():
        assert route.resource is not None
        pattern = route.resource.canonical
        path = pattern.replace("{token}", secret).replace("{secret}", secret)
        assert secret not in logs.masked(f"{route.method} {path}"), pattern
        checked += path != pattern
    assert checked > 20


@pytest.mark.usefixtures("_as_before")
def test_each_entry_is_a_line_of_json_where_nobody_watches(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure(style="json")
    try:
        int("maria@example.org")
    except ValueError:
        logs.get("test").exception("100% broken", number=3, to="maria@example.org")
    logging.getLogger("a library").error("refused %s", "maria@example.org")
    ours, theirs = map(json.loads, capsys.readouterr().err.splitlines())
    assert (ours["event"], ours["number"], ours["level"]) == ("100% broken", 3, "error")
    assert "m…@example.org" in ours["exception"]
    assert ours["to"] == "m…@example.org"
    assert theirs["event"] == "refused m…@example.org"
    assert theirs["timestamp"].endswith("Z")


@pytest.mark.usefixtures("_as_before")
def test_in_words_an_entry_is_a_line_with_its_values_and_the_trace_below(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure(level="warning", style="text")
    log = logs.get("test")
    log.info("is not said")
    log.error("sending stops", exc_info=ValueError("full"), said="no space left", number=3)
    first, last = capsys.readouterr().err.splitlines()
    assert "[error    ] sending stops" in first
    assert first.endswith("number=3 said='no space left'")
    assert last == "ValueError: full"
