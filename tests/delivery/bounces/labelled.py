"""Messages as mail systems write them, each with what a person who read it says that it is."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "corpus"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A message and its label."""

    name: str
    octets: bytes
    kind: str
    recipients: list[tuple[str, str, str, str]]
    """Address, kind, status and reason of each."""


def samples() -> Iterator[Sample]:
    """All of them, in the order of the labels."""
    labels = tomllib.loads((FOLDER / "labels.toml").read_text(encoding="utf-8"))
    for name, label in labels.items():
        yield Sample(
            name=name,
            octets=(FOLDER / name).read_bytes(),
            kind=label["kind"],
            recipients=[_row(each) for each in label["recipients"]],
        )


def _row(label: dict[str, Any]) -> tuple[str, str, str, str]:
    return label["address"], label["kind"], label["status"], label["reason"]
