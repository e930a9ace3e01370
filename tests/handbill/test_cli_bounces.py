"""`handbill bounces classify` reads whatever holds messages, and prints a line for each."""

import json
import zipfile
from pathlib import Path

from click.testing import CliRunner

from handbill.cli import bounces
from tests.delivery.bounces import labelled

FROM = "From MAILER-DAEMON Sun Mar  1 10:00:05 2026\n"


def test_a_line_is_printed_for_each_message_wherever_it_is_kept(tmp_path: Path) -> None:
    dead = (labelled.FOLDER / "hard/postfix-user-unknown.eml").read_text()
    away = (labelled.FOLDER / "auto-reply/away-german-no-header.eml").read_text()
    (tmp_path / "a.mbox").write_text(f"{FROM}{dead}\n{FROM}{away}")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("dead.eml", dead)
    done = CliRunner().invoke(bounces.classify, [str(tmp_path / "a.mbox"), str(tmp_path / "b.zip")])
    assert done.exit_code == 0
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(Path(each["file"]).name, each["kind"]) for each in found] == [
        ("a.mbox#1", "hard"),
        ("a.mbox#2", "auto-reply"),
        ("b.zip!dead.eml", "hard"),
    ]
    assert list(found[0]) == ["file", "kind", "recipients", "reply_code"]


def test_a_file_that_can_not_be_read_holds_up_no_other_and_ends_as_failed(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 and nothing more")
    (tmp_path / "b.eml").write_text("Subject: Hello\n\nHello!\n")
    done = CliRunner().invoke(bounces.classify, [str(tmp_path / "a.zip"), str(tmp_path / "b.eml")])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["kind"] == "none"
    assert done.stderr.startswith(f"handbill: {tmp_path / 'a.zip'}")
