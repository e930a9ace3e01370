"""Cells of CSV files that no spreadsheet takes for a formula; for whatever is taken along."""

import csv
import io
from collections.abc import Sequence

_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe_cell(text: str) -> str:
    """A cell that a spreadsheet shows instead of running.

    Excel and its like take a leading `=`, `+`, `-`, `@`, tab or CR for a formula, some the wide
    forms of the first four, too (OWASP, “CSV Injection”).
    """
    return f"'{text}" if text.startswith(_BEGINS_FORMULA) else text


def lines(rows: Sequence[Sequence[str]]) -> str:
    """Rows of a CSV file, every cell a safe one."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([safe_cell(cell) for cell in row] for row in rows)
    return out.getvalue()
