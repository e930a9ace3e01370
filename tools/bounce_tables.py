"""`python -m tools.bounce_tables` writes the tables of `docs/bounces.md` anew, from the code."""

import enum
import inspect
import re
from pathlib import Path

from delivery.bounces import statuses, table
from delivery.bounces.reasons import KINDS, BounceReason
from delivery.models import BounceKind

DOCUMENT = Path(__file__).parents[1] / "docs/bounces.md"


def written(text: str) -> str:
    """The document with its tables as the code has them."""
    for name, lines in _tables().items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        after = rest.partition(end)[2]
        text = "\n".join([before + begin, "", *lines, "", end + after])
    return text


def main() -> None:
    """Write them."""
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    print(DOCUMENT)


def _tables() -> dict[str, list[str]]:
    return {
        "kinds": [
            "| kind | what it means |",
            "| --- | --- |",
            *(f"| `{kind}` | {said} |" for kind, said in _meanings(BounceKind).items()),
        ],
        "reasons": [
            "| reason | kind | what it means | enhanced codes that mean it |",
            "| --- | --- | --- | --- |",
            *(
                f"| `{reason}` | {KINDS[BounceReason(reason)]} | {said} | {_codes(reason)} |"
                for reason, said in _meanings(BounceReason).items()
            ),
        ],
        "phrases": [
            f"{number}. **{row.name}**: `{row.reason}`{' unless the code says more' * row.is_vague}"
            f" ({row.who}). {'; '.join(row.says)}"
            for number, row in enumerate(table.rows(), start=1)
        ],
    }


def _meanings(values: type[enum.StrEnum]) -> dict[str, str]:
    """Each value of an enumeration with the line below it."""
    source = inspect.getsource(values)
    found = re.findall(r'^    [A-Z_]+ = "([\w-]+)"\n    """(.+?)"""', source, re.MULTILINE)
    return dict(found)


def _codes(reason: str) -> str:
    details = [f"x.{code}" for code, meant in statuses.MEANINGS.items() if meant == reason]
    subjects = [f"other x.{code}.x" for code, meant in statuses.SUBJECTS.items() if meant == reason]
    return ", ".join([*details, *subjects])


if __name__ == "__main__":
    main()
