"""Every text is there in Spanish, every text for readers in each language that we bring along."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from babel.messages import pofile

from foundation import i18n
from handbill import texts
from tools import language as writing

WHOLE = ("es",)
"""Languages of the staff room, too."""
_VALUE = re.compile(r"%\((\w+)\)[sd]")
_TRANSLATED = tuple(code for code in i18n.available() if code != i18n.SOURCE)
_FILES = sorted(path for code in _TRANSLATED for path in (i18n.LOCALES / code).glob("*.po"))


@pytest.mark.parametrize("language", _TRANSLATED)
def test_every_text_is_there_that_a_language_owes(language: str) -> None:
    there = texts.in_language(language)
    wanted = texts.every() if language in WHOLE else texts.public()
    missing = {msgid: text.place for msgid, text in wanted.items() if not any(there.get(msgid, ()))}
    assert missing == {}


@pytest.mark.parametrize("language", _TRANSLATED)
def test_no_text_is_left_that_nobody_uses(language: str) -> None:
    assert sorted(set(texts.in_language(language)) - set(texts.every())) == []


@pytest.mark.parametrize("language", _TRANSLATED)
def test_translations_hold_the_same_values(language: str) -> None:
    wrong = [
        msgid
        for msgid, strings in texts.in_language(language).items()
        for said in strings
        if not set(_VALUE.findall(said)) <= set(_VALUE.findall(msgid)) | {"count", "num"}
    ]
    assert wrong == []


@pytest.mark.parametrize("path", _FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_catalogues_are_readable(path: Path) -> None:
    with path.open("rb") as file:
        found = pofile.read_po(file, locale=path.parent.name, abort_invalid=True)
    assert len(found) > 0
    assert sum(not each.string for each in found if each.id) == 0
    assert f"Language: {path.parent.name}" in path.read_text(encoding="utf-8")


def test_a_language_is_begun_with_what_readers_may_see(tmp_path: Path) -> None:
    wanted = texts.public()
    assert writing.write("vi", wanted, tmp_path) == len(wanted)
    assert writing.write("vi", wanted, tmp_path) == 0
    path = tmp_path / "vi" / "signup.po"
    assert "nplurals=1; plural=0;" in path.read_text(encoding="utf-8")
    with path.open("rb") as file:
        assert "You unsubscribed." in {message.id for message in pofile.read_po(file)}
    assert texts.share(wanted, texts.in_language("vi", tmp_path)).there == 0
    path.write_text(
        path.read_text(encoding="utf-8").replace(
            'msgid "You unsubscribed."\nmsgstr ""',
            'msgid "You unsubscribed."\nmsgstr "Bạn đã hủy đăng ký."',
        ),
        encoding="utf-8",
    )
    there: Mapping[str, tuple[str, ...]] = texts.in_language("vi", tmp_path)
    assert texts.share(wanted, there) == texts.Share(there=1, wanted=len(wanted))
