"""`config.toml` lists every setting, with its default and a comment."""

import re
import tomllib
from pathlib import Path

from foundation.config import Settings

FILE = Path(__file__).parents[2] / "config.toml"


def test_the_file_holds_every_setting_with_its_default() -> None:
    written = tomllib.loads(FILE.read_text(encoding="utf-8"))
    assert written == Settings().model_dump(mode="json")


def test_every_setting_has_a_comment_line_of_its_own() -> None:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    settings = [number for number, line in enumerate(lines) if re.match(r"\w+ = ", line)]
    assert len(settings) > 50
    assert [lines[number] for number in settings if not lines[number - 1].startswith("# ")] == []
