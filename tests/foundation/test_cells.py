"""What is taken along as CSV runs nothing in whoever's spreadsheet."""

import csv
import io

import pytest

from foundation import cells


@pytest.mark.parametrize("sign", list("=+-@\t\r\n＝＋－＠"))
def test_a_cell_that_begins_like_a_formula_is_shown_and_not_run(sign: str) -> None:
    made = cells.lines([["a", f"{sign}1+1"], [f"{sign}headers", "b=c"]])
    read = list(csv.reader(io.StringIO(made, newline="")))
    assert read == [["a", f"'{sign}1+1"], [f"'{sign}headers", "b=c"]]
