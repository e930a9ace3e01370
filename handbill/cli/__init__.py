"""The command line: `handbill …` and `python -m handbill …`."""

from handbill.cli.program import main

__all__ = ["main"]
