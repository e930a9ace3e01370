"""Words as they are compared when somebody looks for them, however they are typed."""

import re
import unicodedata

_WORD = re.compile(r"[a-z0-9]+")


def folded(text: str) -> str:
    """The words of a text, each with a blank before it, without case and accents."""
    if text.isascii():
        return "".join(f" {word}" for word in _WORD.findall(text.lower()))
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = (" " if not each.isalnum() else each for each in plain if not _is_mark(each))
    return "".join(f" {word}" for word in "".join(letters).split())


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) == "Mn"
