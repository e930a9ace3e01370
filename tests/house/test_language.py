"""Every text that a person sees is there in Spanish, with the same values in it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages import extract, pofile
from jinja2.ext import babel_extract

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "foundation",
    "templates",
    "subscribers",
    "delivery",
    "campaigns",
    "scheduler",
    "handbill",
)
SPANISH = ROOT / "foundation" / "locales" / "es"
_VALUE = re.compile(r"%\((\w+)\)[sd]")
_KEYWORDS = {"N_": None, "gettext": None, "_": None, "ngettext": (1, 2), "NN_": (1, 2)}


def wanted() -> dict[str, str]:
    """Every msgid in code and page templates, with a file that uses it."""
    found: dict[str, str] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            place = str(path.relative_to(ROOT))
            if "vendor" in path.parts or "content" in path.parts:
                continue
            for msgid in _messages(path):
                found.setdefault(msgid, place)
    return found


def _messages(path: Path) -> Iterator[str]:
    if path.suffix == ".py":
        with path.open("rb") as file:
            found = extract.extract_python(file, dict.fromkeys(_KEYWORDS), [], {})
            messages: list[object] = [entry[2] for entry in found]
    elif path.suffix in (".html", ".mjml", ".txt", ".xml", ".j2"):
        with path.open("rb") as file:
            options = {"trimmed": "true", "silent": "false", "extensions": "jinja2.ext.do"}
            extracted = babel_extract(file, ["_", "gettext", "ngettext"], [], options)
            messages = [entry[2] for entry in extracted]
    else:
        return
    for message in messages:
        first = message[0] if isinstance(message, (tuple, list)) else message
        if first and isinstance(first, str):
            yield first


def translated() -> dict[str, tuple[str, ...]]:
    """Every msgid that has a Spanish text."""
    texts: dict[str, tuple[str, ...]] = {}
    for path in sorted(SPANISH.glob("*.po")):
        with path.open("rb") as file:
            for message in pofile.read_po(file, locale="es"):
                if message.id and message.string and not message.fuzzy:
                    msgid = message.id if isinstance(message.id, str) else message.id[0]
                    string = message.string
                    texts[msgid] = (string,) if isinstance(string, str) else tuple(string)
    return texts


def test_every_text_is_there_in_spanish() -> None:
    texts = translated()
    missing = {msgid: place for msgid, place in wanted().items() if not any(texts.get(msgid, ()))}
    assert missing == {}


def test_translations_hold_the_same_values() -> None:
    wrong = [
        msgid
        for msgid, strings in translated().items()
        for string in strings
        if not set(_VALUE.findall(string)) <= set(_VALUE.findall(msgid)) | {"count", "num"}
    ]
    assert wrong == []


def test_no_spanish_text_is_left_that_nobody_uses() -> None:
    assert sorted(set(translated()) - set(wanted())) == []


@pytest.mark.parametrize("path", sorted(SPANISH.glob("*.po")), ids=lambda path: path.stem)
def test_catalogues_are_readable(path: Path) -> None:
    with path.open("rb") as file:
        assert len(pofile.read_po(file, locale="es", abort_invalid=True)) > 0
