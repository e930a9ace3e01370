"""Documents that list what can go wrong, and what is promised, name tests that are there."""

import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
TESTS = HOUSE / "tests"


def listed() -> set[str]:
    """The tests that the table names, as path and function."""
    text = (HOUSE / "docs/contributors.md").read_text(encoding="utf-8")
    return named(text.partition("## What can go wrong")[2].partition("\n## ")[0])


def named(text: str) -> set[str]:
    """The tests that a text names, in the same form."""
    return set(re.findall(r"`([\w/]+\.py::\w+)`", text))


def written(folder: Path) -> set[str]:
    """The tests in a folder, in the same form."""
    return {
        f"{path.relative_to(TESTS)}::{name}"
        for path in folder.glob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
    }


def test_every_test_that_the_table_of_faults_names_is_there() -> None:
    assert len(listed()) > 40
    assert sorted(listed() - written(TESTS / "faults") - written(TESTS / "delivery")) == []


def test_every_test_about_a_fault_is_in_the_table() -> None:
    assert sorted(written(TESTS / "faults") - listed()) == []


@pytest.mark.parametrize(("document", "least"), [("sending", 50), ("sign-up", 25)])
def test_every_test_that_the_promises_name_is_there(document: str, least: int) -> None:
    promised = named((HOUSE / f"docs/{document}.md").read_text(encoding="utf-8"))
    assert len(promised) > least
    there = {each for folder in TESTS.iterdir() if folder.is_dir() for each in written(folder)}
    assert sorted(promised - there) == []
