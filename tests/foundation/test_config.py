"""Settings are checked at start; a mistake is named with its place and what is allowed."""

import sqlite3
from pathlib import Path

import pytest

from foundation import config, database, errors, rates
from foundation.rates import Rate


def write(folder: Path, text: str) -> Path:
    """A settings file."""
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[site]\nnaem = 'x'\n", ["line 2", "[site] naem", "name"]),
        ("[sight]\nname = 'x'\n", ["sight", "site"]),
        ("[server]\nhost = 'h'\nport = 70000\n", ["line 3", "[server] port", "65535"]),
        ("[site]\nzone = 'Boston'\n", ["line 2", "America/New_York"]),
        ("[site]\nlanguages = ['tlh']\n", ["tlh", "en"]),
        ("[[relay]]\ntls = 'yes'\n", ["line 2", "starttls"]),
        ("[[relay]]\nrates = ['20/s', '5 a day']\n", ["line 2", "[relay] rates", "500/min"]),
        ("[[relay]]\nrates = ['0/s']\n", ["line 2", "[relay] rates", "20/s"]),
        ("[[relay]]\nwarmup = [50, 0]\n", ["line 2", "[relay] warmup"]),
        ("[[relay]]\nname = 'a'\n[[relay]]\nname = 'a'\n", ["relay", "'a'", "its own"]),
        ("[[relay]]\nsender_domains = ['x.org']\n", ["[relay]", "sender_domains", "the rest"]),
        ("[[domain_limit]]\nname = 'a'\n", ["domain_limit", "domains"]),
        (
            "[[domain_limit]]\nname = 'a'\ndomains = ['x.org']\nrate = 1\n",
            ["line 4", "[domain_limit] rate", "rates", "connections"],
        ),
        (
            "domain_limit = [{name='a', domains=['x.org']}, {name='b', domains=['X.org']}]",
            ["x.org", "'a'", "'b'"],
        ),
        ("[site\n", ["TOML"]),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(errors.ConfigProblem) as caught:
        config.load(write(tmp_path, text), {})
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_rates_are_read_and_the_smaller_of_two_for_one_window_counts() -> None:
    found = rates.parse_all(["10000/h", "20 / s", "100/day", "500/min", "9000/hour"])
    assert found == (Rate(20, 1), Rate(500, 60), Rate(9000, 3600), Rate(100, 86_400))


def test_the_large_hosts_are_known_without_any_rate() -> None:
    limits = config.load(None, {}).domain_limit
    assert {"gmail.com", "outlook.com", "yahoo.com", "icloud.com"} <= {
        domain for limit in limits for domain in limit.domains
    }
    assert all(limit.back_off and not limit.rates for limit in limits)


def test_the_environment_overrules_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "[database]\nurl = 'sqlite:///a.db'\n[[relay]]\nport = 2525\n")
    environment = {
        "HANDBILL_DATABASE__URL": "sqlite:///b.db",
        "HANDBILL_RELAY__HOST": "mail.example.org",
        "HANDBILL_DELIVERY__RETRY_MINUTES": "1, 2",
        "HANDBILL_CONFIG": "elsewhere.toml",
    }
    found = config.load(path, environment)
    assert found.database.url == "sqlite:///b.db"
    assert (found.relay[0].host, found.relay[0].port) == ("mail.example.org", 2525)
    assert found.delivery.retry_minutes == [1, 2]


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigProblem, match="HANDBILL_SERVER__PORT"):
        config.load(write(tmp_path, ""), {"HANDBILL_SERVER__PORT": "many"})


def test_secrets_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hush\n")
    path = write(tmp_path, f"[[relay]]\npassword_file = '{tmp_path / 'password'}'\n")
    assert config.load(path, {}).relay[0].password == "hush"


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigProblem, match="nowhere"):
        config.load(tmp_path / "nowhere.toml", {})


def test_a_sqlite_that_is_too_old_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 37, 2))
    with pytest.raises(errors.ConfigProblem, match=r"3\.38 or newer"):
        database.connect(f"sqlite:///{tmp_path / 'old.db'}")
