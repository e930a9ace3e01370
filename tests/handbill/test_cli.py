"""The command line: what it prints, and its exit statuses."""

import importlib
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from handbill.cli import program
from tests.world import forking


def handbill(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a folder of its own."""
    return forking.done(
        *arguments,
        folder=folder,
        environment={
            "PATH": os.environ["PATH"],
            "HANDBILL_LOG__LEVEL": "error",
            **environment,
        },
        timeout_s=110,
    )


def one_line(done: subprocess.CompletedProcess[str], status: int) -> str:
    """What was said on standard error: no traceback, and the status."""
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


def test_migrating_twice_is_harmless(tmp_path: Path) -> None:
    assert "newest now" in handbill(tmp_path, "migrate").stdout
    assert "already" in handbill(tmp_path, "migrate").stdout


def test_a_backup_is_a_whole_database(tmp_path: Path) -> None:
    handbill(tmp_path, "staff", "add", "ana@example.org", "--role", "owner")
    assert handbill(tmp_path, "backup", "copy.db").returncode == 0
    listed = handbill(
        tmp_path, "staff", "list", "--json", HANDBILL_DATABASE__URL="sqlite:///copy.db"
    )
    assert [each["email"] for each in json.loads(listed.stdout)] == ["ana@example.org"]
    assert "exists already" in one_line(handbill(tmp_path, "backup", "copy.db"), 1)


def test_a_tokens_secret_stands_alone_on_the_last_line(tmp_path: Path) -> None:
    done = handbill(tmp_path, "token", "create", "reports", "--scope", "read")
    secret = done.stdout.splitlines()[-1]
    assert secret.startswith("hb_")
    listed = handbill(tmp_path, "token", "list", "--json").stdout
    assert secret not in listed
    assert json.loads(listed)[0]["scopes"] == ["read"]
    assert handbill(tmp_path, "token", "revoke", "reports").returncode == 0
    assert "reports" in one_line(handbill(tmp_path, "token", "revoke", "reports"), 2)


@pytest.mark.parametrize(
    "arguments",
    [
        ["staff", "add", "nobody", "--role", "owner"],
        ["staff", "add", "a@example.org", "--role", "king"],
        ["token", "create", "x", "--scope", "everything"],
        ["subscribers", "show", "nobody@example.org"],
        ["subscribers", "import", "missing.csv"],
        ["serve", "--port", "many"],
        ["--config", "missing.toml", "migrate"],
        ["nonsense"],
    ],
)
def test_a_wrong_request_ends_with_status_2_and_a_word(
    tmp_path: Path, arguments: list[str]
) -> None:
    assert one_line(handbill(tmp_path, *arguments), 2)


def test_a_wrong_setting_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[server]\nprot = 1\n")
    said = one_line(handbill(tmp_path, "migrate"), 2)
    assert "config.toml, line 2" in said
    assert "port" in said
    assert "\n" not in said


def test_new_keys_come_with_what_has_to_be_published_and_set(tmp_path: Path) -> None:
    environment = {"HANDBILL_MAIL__FROM_ADDRESS": "news@coalition.example"}
    done = handbill(tmp_path, "dkim", "new", "--selector", "autumn", **environment)
    assert done.returncode == 0, done.stderr
    assert 'autumn-rsa._domainkey.coalition.example. IN TXT "v=DKIM1; k=rsa; p=' in done.stdout
    assert 'autumn-ed25519._domainkey.coalition.example. IN TXT "v=DKIM1; k=ed' in done.stdout
    assert all(len(part) <= 255 for part in re.findall(r'"([^"]*)"', done.stdout))
    (tmp_path / "config.toml").write_text(
        "[mail]\n" + done.stdout.rpartition("[mail]\n")[2], encoding="utf-8"
    )
    assert handbill(tmp_path, "migrate", **environment).returncode == 0
    again = handbill(tmp_path, "dkim", "new", "--selector", "autumn", **environment)
    assert "autumn-rsa.pem" in one_line(again, 1)


def test_people_come_in_and_go_out_by_file(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("email,first_name\nana@example.org,Ana\nnot-one,X\n")
    done = handbill(tmp_path, "subscribers", "import", "people.csv", "--json")
    assert json.loads(done.stdout)["added"] == 1
    assert json.loads(done.stdout)["refused"] == 1
    assert "not-one" in (tmp_path / "people-refused.csv").read_text()
    assert handbill(tmp_path, "subscribers", "export", "out.csv").returncode == 0
    assert "ana@example.org" in (tmp_path / "out.csv").read_text()
    shown = json.loads(
        handbill(tmp_path, "subscribers", "show", "ana@example.org", "--json").stdout
    )
    assert shown["person"]["first_name"] == "Ana"
    assert handbill(tmp_path, "subscribers", "erase", "ana@example.org", "--yes").returncode == 0
    one_line(handbill(tmp_path, "subscribers", "show", "ana@example.org"), 2)


def test_what_nobody_foresaw_is_one_line_too_and_a_log_entry_for_who_wants_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "no.db").write_bytes(b"this is no database\n" * 400)
    url = "sqlite:///no.db"
    said = one_line(handbill(tmp_path, "migrate", HANDBILL_DATABASE__URL=url), 1)
    assert said.startswith("handbill: ")
    assert "not a database" in said
    assert "\n" not in said
    done = handbill(tmp_path, "migrate", HANDBILL_DATABASE__URL=url, HANDBILL_LOG__LEVEL="debug")
    assert "a command broke down" in done.stderr


def test_every_command_of_a_module_is_known_by_its_name() -> None:
    for module, names in program.MODULES.items():
        commands = importlib.import_module(f"handbill.cli.{module}").COMMANDS
        assert {command.name for command in commands} == set(names)
