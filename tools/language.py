"""Begins a language, or brings it up to date: writes down the texts that it lacks.

`python -m tools.language pt` appends them, untranslated, to the files in `foundation/locales/pt/`,
each to the file of the same name that holds it in Spanish; `--all` takes those of the staff room
along. A text that is still empty is shown in English. `docs/languages.md` has the whole way.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages import plurals, pofile

from foundation import i18n
from handbill import texts
from handbill.texts import Text

_PATTERN = "es"
"""The language whose files others follow; it has every text."""
_NEW = "new"
"""The file for what even that one lacks."""


def main() -> None:
    """Parse the arguments, write, and say what there is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("language", help="a code such as pt, ht or zh-Hans")
    parser.add_argument("--all", action="store_true", help="the staff room's texts, too")
    arguments = parser.parse_args()
    wanted = texts.every() if arguments.all else texts.public()
    added = write(arguments.language, wanted)
    there = texts.share(wanted, texts.in_language(arguments.language))
    print(f"{arguments.language}: {added} added, {there.there} of {there.wanted} translated")


def write(language: str, wanted: Mapping[str, Text], folder: Path = i18n.LOCALES) -> int:
    """Append what a language's files lack; how many texts that were."""
    homes = {msgid: path.stem for path in _files(_PATTERN, i18n.LOCALES) for msgid in _ids(path)}
    known = {msgid for path in _files(language, folder) for msgid in _ids(path)}
    missing = [text for msgid, text in wanted.items() if msgid not in known]
    (folder / language).mkdir(exist_ok=True)
    for text in missing:
        path = folder / language / f"{homes.get(text.msgid, _NEW)}.po"
        if not path.exists():
            path.write_text(_head(language), encoding="utf-8")
        with path.open("a", encoding="utf-8") as file:
            file.write(_entry(text, forms=_plural(language)[0]))
    return len(missing)


def _files(language: str, folder: Path) -> list[Path]:
    return sorted((folder / language).glob("*.po"))


def _ids(path: Path) -> list[str]:
    with path.open("rb") as file:
        found = [message.id for message in pofile.read_po(file) if message.id]
    return [each if isinstance(each, str) else each[0] for each in found]


def _plural(language: str) -> tuple[int, str]:
    """How many forms a language counts in, and the rule that says which."""
    try:
        locale = Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        locale = Locale(i18n.SOURCE)
    return plurals.get_plural(locale)


def _head(language: str) -> str:
    forms, rule = _plural(language)
    lines = [
        "Content-Type: text/plain; charset=UTF-8",
        f"Language: {language}",
        f"Plural-Forms: nplurals={forms}; plural={rule};",
    ]
    return "\n".join(['msgid ""', 'msgstr ""', *(f'"{line}\\n"' for line in lines), ""])


def _entry(text: Text, *, forms: int) -> str:
    lines = ["", f"msgid {_quoted(text.msgid)}"]
    if text.plural:
        lines.append(f"msgid_plural {_quoted(text.plural)}")
        lines += [f'msgstr[{form}] ""' for form in range(forms)]
    else:
        lines.append('msgstr ""')
    return "\n".join([*lines, ""])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


if __name__ == "__main__":
    main()
