"""The file in which a sending process writes down what it is about to do."""

import fcntl
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery import journal
from delivery.journal import Entry, Journal, Replay
from delivery.letter import Kind, Reply, Result, Verdict
from foundation import errors

AT = datetime(2026, 11, 2, 15, 0, tzinfo=UTC)


def result(number: int = 1, attempt: int = 1, verdict: Verdict = Verdict.SENT) -> Result:
    return Result(
        kind=Kind.DELIVERY,
        id=number,
        attempt=attempt,
        verdict=verdict,
        at=AT,
        reason="put-off" if verdict is Verdict.DEFERRED else "",
        reply=Reply(250, "2.0.0 «taken»\nas 4711", "relay"),
        due_at=AT + timedelta(minutes=5) if verdict is Verdict.DEFERRED else None,
    )


def replay_of(path: Path) -> Replay:
    abandoned = journal.take_over(path)
    assert abandoned is not None
    try:
        return abandoned.replay()
    finally:
        abandoned.close()


def test_what_was_written_is_read_back_to_the_last_detail(tmp_path: Path) -> None:
    mine = Journal.create(tmp_path / "not" / "there" / "yet")
    mine.intend((Kind.DELIVERY, 1, 1))
    mine.conclude(result(1))
    mine.intend((Kind.DELIVERY, 2, 3))
    mine.conclude(result(2, attempt=3, verdict=Verdict.DEFERRED))
    mine.intend((Kind.NOTICE, 1, 1))
    mine.probe()
    mine.close()
    assert replay_of(mine.path) == Replay(
        entries={
            (Kind.DELIVERY, 1): Entry(1, result(1)),
            (Kind.DELIVERY, 2): Entry(3, result(2, attempt=3, verdict=Verdict.DEFERRED)),
            (Kind.NOTICE, 1): Entry(1, None),
        },
        is_whole=True,
    )


def test_the_journal_of_a_living_process_can_not_be_taken_over(tmp_path: Path) -> None:
    mine = Journal.create(tmp_path)
    assert journal.take_over(mine.path) is None
    mine.rewrite(intents=[], results=[result()])
    assert journal.take_over(mine.path) is None, "the successor is locked as well"
    mine.close()
    assert journal.take_over(mine.path) is not None


def test_only_one_takes_over_a_journal(tmp_path: Path) -> None:
    mine = Journal.create(tmp_path)
    mine.close()
    first = journal.take_over(mine.path)
    assert first is not None
    assert journal.take_over(mine.path) is None
    first.retire()
    with pytest.raises(FileNotFoundError):
        journal.take_over(mine.path)


def test_a_journal_that_was_replaced_while_it_was_being_taken_over_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = Journal.create(tmp_path)
    mine.intend((Kind.DELIVERY, 1, 1))

    def replaced_before(file: int, how: int) -> None:
        monkeypatch.undo()
        mine.rewrite(intents=[(Kind.DELIVERY, 1, 1)], results=[])
        fcntl.flock(file, how)

    monkeypatch.setattr(fcntl, "flock", replaced_before)
    assert journal.take_over(mine.path) is None, "who wrote it lives, and holds another file"
    mine.close()
    assert replay_of(mine.path).entries


def test_a_cleared_journal_forgets_and_goes_on(tmp_path: Path) -> None:
    mine = Journal.create(tmp_path)
    empty = mine.size_bytes
    mine.intend((Kind.DELIVERY, 1, 1))
    mine.clear()
    assert mine.size_bytes == empty
    mine.intend((Kind.DELIVERY, 2, 1))
    mine.close()
    found = replay_of(mine.path)
    assert found.is_whole
    assert set(found.entries) == {(Kind.DELIVERY, 2)}


def test_a_rewritten_journal_keeps_what_the_ledger_does_not_have_yet(tmp_path: Path) -> None:
    mine = Journal.create(tmp_path)
    for number in range(1, 100):
        mine.intend((Kind.DELIVERY, number, 1))
        mine.conclude(result(number))
    before = mine.size_bytes
    mine.rewrite(intents=[(Kind.DELIVERY, 200, 1)], results=[result(99)])
    assert mine.size_bytes < before / 10
    mine.conclude(result(200))
    mine.sync()
    mine.close()
    assert set(replay_of(mine.path).entries) == {(Kind.DELIVERY, 99), (Kind.DELIVERY, 200)}
    assert [file.name for file in tmp_path.iterdir()] == [mine.path.name]


def test_a_result_is_written_along_with_the_next_intent_or_when_it_is_to_be_kept(
    tmp_path: Path,
) -> None:
    mine = Journal.create(tmp_path / "mine")

    def on_disk() -> dict[tuple[Kind, int], Entry]:
        copy = tmp_path / "copy.journal"
        copy.write_bytes(mine.path.read_bytes())
        return dict(replay_of(copy).entries)

    mine.intend((Kind.DELIVERY, 1, 1))
    mine.conclude(result(1))
    assert on_disk() == {(Kind.DELIVERY, 1): Entry(1, None)}
    mine.intend((Kind.DELIVERY, 2, 1))
    first = {(Kind.DELIVERY, 1): Entry(1, result(1))}
    assert on_disk() == {**first, (Kind.DELIVERY, 2): Entry(1, None)}
    mine.conclude(result(2))
    mine.keep()
    assert on_disk() == {**first, (Kind.DELIVERY, 2): Entry(1, result(2))}
    assert not mine.is_behind
    mine.close()


def test_damage_before_the_end_is_noticed_and_the_rest_is_still_read(tmp_path: Path) -> None:
    mine = Journal.create(tmp_path)
    for number in (1, 2, 3):
        mine.conclude(result(number))
    mine.close()
    octets = bytearray(mine.path.read_bytes())
    lines = octets.split(b"\n")
    at = octets.index(lines[2]) + 15
    octets[at] ^= 1
    mine.path.write_bytes(octets)
    found = replay_of(mine.path)
    assert not found.is_whole
    assert set(found.entries) == {(Kind.DELIVERY, 1), (Kind.DELIVERY, 3)}


@pytest.mark.parametrize("is_synced", [False, True])
def test_after_a_loss_of_power_only_a_journal_synced_at_each_record_is_whole(
    tmp_path: Path, is_synced: bool
) -> None:
    mine = Journal.create(tmp_path, is_synced=is_synced)
    mine.conclude(result())
    mine.close()
    header, rest = mine.path.read_bytes().split(b"\n", 1)
    boot = Path("/proc/sys/kernel/random/boot_id").read_bytes().strip()
    text = header[9:].replace(boot, b"another-run-of-the-machine")
    mine.path.write_bytes(b"%08x %s\n%s" % (zlib.crc32(text), text, rest))
    found = replay_of(mine.path)
    assert found.is_whole is is_synced
    assert set(found.entries) == {(Kind.DELIVERY, 1)}


@pytest.mark.parametrize("octets", [b"", b"\n", b"garbage", b"\x00" * 5000, b"\xff\n\xfe\n[]\n"])
def test_a_file_that_is_no_journal_says_nothing_and_is_not_relied_on(
    tmp_path: Path, octets: bytes
) -> None:
    path = tmp_path / "odd.journal"
    path.write_bytes(octets)
    assert replay_of(path) == Replay(entries={}, is_whole=False)


def test_a_folder_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(errors.Busy, match="journal can't be written"):
        Journal.create(tmp_path / "file")


@given(
    records=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3), st.booleans()), max_size=20),
    cut=st.integers(0, 10_000),
)
@settings(max_examples=60, deadline=None)
def test_wherever_the_last_write_was_torn_what_stands_before_it_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[tuple[int, int, bool]],
    cut: int,
) -> None:
    mine = Journal.create(tmp_path_factory.mktemp("torn"))
    states: list[tuple[int, dict[tuple[Kind, int], Entry]]] = [(mine.size_bytes, {})]
    for number, attempt, is_result in records:
        if is_result:
            mine.conclude(result(number, attempt))
            mine.keep()
        else:
            mine.intend((Kind.DELIVERY, number, attempt))
        entry = Entry(attempt, result(number, attempt) if is_result else None)
        states.append((mine.size_bytes, {**states[-1][1], (Kind.DELIVERY, number): entry}))
    mine.close()
    octets = mine.path.read_bytes()
    kept = min(cut, len(octets))
    mine.path.write_bytes(octets[:kept])
    wanted = [entries for size, entries in states if size <= kept]
    assert replay_of(mine.path) == Replay(
        entries=wanted[-1] if wanted else {}, is_whole=bool(wanted)
    )
