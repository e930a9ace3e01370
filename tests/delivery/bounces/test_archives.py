"""Messages are taken out of whatever people keep them in, one at a time."""

import gzip
import io
import tarfile
import tracemalloc
import zipfile
from pathlib import Path
from typing import Literal

import pytest

from delivery.bounces import archives, reading
from foundation import errors

ONE = b"From: a@example.org\nSubject: one\n\nOne.\n"
TWO = b"From: b@example.org\nSubject: two\n\nTwo.\n"
FROM = b"From MAILER-DAEMON Sun Mar  1 10:00:05 2026\n"
MBOX = FROM + ONE + b"\n" + FROM + TWO + FROM + b"\n>From here on it is quoted.\n"


def taken(path: Path, stream: io.BytesIO | None = None) -> dict[str, bytes]:
    """What is found, by names without the folder of the test."""
    found = archives.messages(path, problems=unexpected, stream=stream)
    return {name.removeprefix(f"{path.parent}/"): octets for name, octets in found}


def unexpected(problem: errors.Refused) -> None:
    raise problem


def test_a_file_that_is_a_message_goes_by_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(ONE)
    (tmp_path / "b.eml").write_bytes(FROM + ONE)
    (tmp_path / "empty.eml").write_bytes(b"")
    assert taken(tmp_path / "a.eml") == {"a.eml": ONE}
    assert taken(tmp_path / "b.eml") == {"b.eml": FROM + ONE}
    assert taken(tmp_path / "empty.eml") == {"empty.eml": b""}


def test_the_messages_of_an_mbox_are_numbered(tmp_path: Path) -> None:
    (tmp_path / "march.mbox").write_bytes(MBOX)
    (tmp_path / "march.mbox.gz").write_bytes(gzip.compress(MBOX))
    found = taken(tmp_path / "march.mbox")
    assert list(found) == ["march.mbox#1", "march.mbox#2"]
    assert found["march.mbox#2"].endswith(b"quoted.\n")
    assert list(taken(tmp_path / "march.mbox.gz")) == ["march.mbox.gz#1", "march.mbox.gz#2"]
    assert list(taken(Path("-"), io.BytesIO(MBOX))) == ["-#1", "-#2"]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_those_of_a_tar_archive_go_by_their_place_in_it(
    tmp_path: Path, mode: Literal["w", "w:gz", "w:bz2", "w:xz"]
) -> None:
    with tarfile.open(tmp_path / "back.tar", mode=mode) as archive:
        for name, octets in (("x/a.eml", ONE), ("x/b.mbox", MBOX)):
            member = tarfile.TarInfo(name)
            member.size = len(octets)
            archive.addfile(member, io.BytesIO(octets))
    assert list(taken(tmp_path / "back.tar")) == [
        "back.tar!x/a.eml",
        "back.tar!x/b.mbox#1",
        "back.tar!x/b.mbox#2",
    ]


def test_those_of_a_zip_archive_go_by_their_place_in_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "back.zip", "w") as archive:
        archive.mkdir("x")
        archive.writestr("x/a.eml", ONE)
        archive.writestr("x/b.eml", TWO)
    assert taken(tmp_path / "back.zip") == {"back.zip!x/a.eml": ONE, "back.zip!x/b.eml": TWO}


def test_a_maildir_gives_what_was_delivered_to_it_and_a_folder_all_that_is_below(
    tmp_path: Path,
) -> None:
    for place in ("box/cur", "box/new", "box/tmp", "more"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "box/cur/1:2,S").write_bytes(ONE)
    (tmp_path / "box/new/2").write_bytes(TWO)
    (tmp_path / "box/tmp/3").write_bytes(b"half of a mess")
    (tmp_path / "more/c.eml").write_bytes(ONE)
    assert set(taken(tmp_path / "box")) == {"box/cur/1:2,S", "box/new/2"}
    everything = archives.messages(tmp_path, problems=unexpected)
    assert len(list(everything)) == 3


def test_what_can_not_be_read_is_told_and_holds_up_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(ONE)
    (tmp_path / "b.zip").write_bytes(b"PK\x03\x04 and nothing more")
    (tmp_path / "c.gz").write_bytes(gzip.compress(MBOX)[:-20])
    (tmp_path / "d.eml").write_bytes(TWO)
    told: list[str] = []
    found = archives.messages(
        tmp_path, problems=lambda problem: told.append(str(problem.values["file"]))
    )
    assert {octets for _, octets in found} >= {ONE, TWO}
    assert sorted(told) == [str(tmp_path / "b.zip"), str(tmp_path / "c.gz")]


def test_memory_does_not_grow_with_the_messages_or_with_their_length(tmp_path: Path) -> None:
    long_line = b"x" * 1_000 + b"\n"
    with (tmp_path / "all.mbox").open("wb") as file:
        for _ in range(20):
            file.write(FROM + ONE + long_line * 3_000 + b"\n")
    tracemalloc.start()
    sizes = [len(octets) for _, octets in archives.messages(tmp_path, problems=unexpected)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(sizes) == 20
    assert max(sizes) < reading.MAX_OCTETS + 2_000
    assert peak < 10 * reading.MAX_OCTETS
