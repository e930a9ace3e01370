"""Hundreds of messages of many mail systems, and what each of them is."""

import pytest

from delivery.bounces import classifier, table
from delivery.bounces.reasons import BounceReason
from delivery.bounces.tables.row import Row
from tests.delivery.bounces import labelled
from tests.delivery.bounces.labelled import Sample
from tools import bounce_tables


def read(sample: Sample) -> Sample:
    """The same sample with the label that the classifier gives it."""
    found = classifier.classify(sample.octets)
    return Sample(
        name=sample.name,
        octets=sample.octets,
        kind=found.kind.value,
        recipients=[
            (each.address, each.kind.value, each.status, str(each.reason))
            for each in found.recipients
        ],
    )


def test_every_message_is_what_it_is_labelled() -> None:
    wrong = [
        f"{sample.name}\n  is   {sample.kind} {sample.recipients}"
        f"\n  read {got.kind} {got.recipients}"
        for sample in labelled.samples()
        if (got := read(sample)) != sample
    ]
    assert not wrong, "\n".join([f"{len(wrong)} read wrongly:", *wrong])


def test_every_message_has_a_label_and_every_label_a_message() -> None:
    there = {str(path.relative_to(labelled.FOLDER)) for path in labelled.FOLDER.glob("*/*.eml")}
    named = {sample.name for sample in labelled.samples()}
    assert there == named
    assert all(sample.name.startswith(f"{sample.kind}/") for sample in labelled.samples())


def test_every_row_of_the_table_and_every_reason_is_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reached: set[str] = set()
    look_up = table.first

    def noting(text: str) -> Row | None:
        found = look_up(text)
        reached.update([found.name] if found else [])
        return found

    monkeypatch.setattr(table, "first", noting)
    reasons = {
        each.reason
        for sample in labelled.samples()
        for each in classifier.classify(sample.octets).recipients
    }
    assert sorted({row.name for row in table.rows()} - reached) == []
    assert sorted(set(BounceReason) - reasons) == []


def test_names_of_rows_and_their_phrases_are_written_as_they_are_compared() -> None:
    rows = list(table.rows())
    assert len({row.name for row in rows}) == len(rows)
    wrong = [
        (row.name, phrase)
        for row in rows
        for phrase in row.says
        if phrase != table.plain(phrase) or phrase.strip(" …") != phrase
    ]
    assert wrong == []


def test_no_phrase_is_written_where_an_earlier_row_takes_it() -> None:
    taken = [
        (row.name, phrase, found.name)
        for row in table.rows()
        for phrase in row.says
        if (found := table.first(table.plain(phrase.replace("…", " x ")))) is not None
        and found.name != row.name
    ]
    assert taken == []


def test_the_tables_of_the_document_are_those_of_the_code() -> None:
    text = bounce_tables.DOCUMENT.read_text(encoding="utf-8")
    assert bounce_tables.written(text) == text, "run `python -m tools.bounce_tables`"
    assert all(f"`{reason}`" in text for reason in BounceReason)
