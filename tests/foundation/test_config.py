"""Settings are checked at start; a mistake is named with its place and what is allowed."""

import sqlite3
from pathlib import Path

import pytest

from foundation import config, database, errors


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
        ("[site\n", ["TOML"]),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(errors.ConfigProblem) as caught:
        config.load(write(tmp_path, text), {})
    assert all(word in str(caught.value) for word in words), str(caught.value)


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
