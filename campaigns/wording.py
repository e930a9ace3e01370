"""Texts that are kept in several languages: which one a reader gets, and how that is said.

A text is taken in the reader's language, else the base language, else the site's default, else in
any language that it has. Nobody sees a blank because a translation is missing.
"""

from collections.abc import Iterable, Mapping

from foundation import errors, i18n
from foundation.frozen import frozen
from foundation.i18n import N_, Translator

Texts = Mapping[str, Mapping[str, str]]
"""Language → field → text."""


@frozen
class Wording:
    """The texts of one thing in one language, and which language that turned out to be."""

    language: str
    texts: Mapping[str, str]
    note: str = ""
    """“(in English)”, where the reader's language has no text; blank otherwise."""

    def __getitem__(self, field: str) -> str:
        return self.texts.get(field, "")


def pick(texts: Texts, translator: Translator, *, need: str, default: str) -> Wording:
    """The wording for a reader; only languages count in which the field `need` is filled."""
    there = [code for code, fields in texts.items() if fields.get(need, "").strip()]
    if not there:
        return Wording(language=translator.language, texts={})
    code = choose(there, translator.language, default=default)
    return Wording(language=code, texts=texts[code], note=note(code, translator))


def choose(offered: Iterable[str], wish: str, *, default: str) -> str:
    """The language that fits a wish best: exact → base → `default` → the first by name."""
    return i18n.match(wish, sorted(offered, key=lambda code: (code != default, code)))


def note(language: str, translator: Translator) -> str:
    """Says that a text is in another language than the reader's; blank when it is not."""
    if _base(language) == _base(translator.language):
        return ""
    return translator.gettext(N_("(in %(language)s)")) % {
        "language": language_name(language, translator)
    }


def language_name(language: str, translator: Translator) -> str:
    """What a language is called in the reader's: `es` is “Spanish” in English, `es+en` both."""
    return translator.language_name(language)


def tidy(texts: Texts) -> dict[str, dict[str, str]]:
    """The texts trimmed, without languages that hold nothing."""
    trimmed = {
        code: {field: value.strip() for field, value in fields.items()}
        for code, fields in texts.items()
    }
    return {code: fields for code, fields in trimmed.items() if any(fields.values())}


def check_languages(texts: Texts, offered: Iterable[str]) -> None:
    """Refuse languages that the site does not have. Raises `errors.Invalid`."""
    choices = tuple(offered)
    for code in texts:
        if code not in choices:
            raise errors.Invalid(
                N_("This site has no texts in “%(language)s”; it has %(offered)s."),
                language=code[:20],
                offered=", ".join(choices),
            )


def _base(language: str) -> str:
    return language.partition("-")[0].lower()
