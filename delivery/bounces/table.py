"""The ordered table of what servers say, and the search in it. The first row that fits decides.

A row has a name, the reason that it means, who says so, and phrases. A phrase is plain text in
lower case, with one space between words; it is found anywhere in what a server said, as whole
words. `…` in it stands for up to 80 characters, whatever they are, and `<@>` for an address. There
are no regular expressions to get wrong, so that the time a search takes grows with the text alone.

To teach Handbill a new phrase, add it to a row in `tables/`, as far up as it is unlike anything
else, and a message that holds it to `tests/delivery/bounces/corpus`.
"""

import functools
import re
from collections import defaultdict
from collections.abc import Iterator

from delivery.bounces.tables import (
    languages,
    proofs,
    providers,
    recipients,
    senders,
    servers,
    vague,
)
from delivery.bounces.tables.row import Row

_GAP = ".{0,80}?"
_MAX_TEXT = 4_000
_WORD = re.compile(r"[a-z0-9]+")
_ADDRESS = re.compile(r"<?[^\s<>()\[\]\"',;:@]{1,64}@[^\s<>()\[\]\"',;:@]{1,253}>?")
_CODE_AGAIN = re.compile(
    r"\s([45]\d\d-(?:[45]\.\d{1,3}\.\d{1,3})?|[45]\d\d [45]\.\d{1,3}\.\d{1,3}(?=\s))\s*"
)
"""The codes before each further line of a reply (RFC 5321 §4.2.1) stand in the midst of words."""
_CALM = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " ", "`": "'"})


def first(text: str) -> Row | None:
    """The first row of the table that fits a `plain` text."""
    words = set(_WORD.findall(text))
    by_word, wordless, ordered = _prepared()
    likely = {*wordless, *(number for word in words for number in by_word.get(word, ()))}
    for number in sorted(likely):
        row, pattern = ordered[number]
        if pattern.search(text):
            return row
    return None


def plain(text: str) -> str:
    """A text as phrases are compared with it: lower case, single spaces, no address in it."""
    calm = " ".join(text[:_MAX_TEXT].translate(_CALM).split())
    return _ADDRESS.sub("<@>", _CODE_AGAIN.sub(" ", calm)).lower()


def rows() -> Iterator[Row]:
    """The table, in its order."""
    for part in (providers, proofs, recipients, senders, languages, servers, vague):
        yield from part.ROWS


@functools.cache
def _prepared() -> tuple[dict[str, list[int]], list[int], list[tuple[Row, re.Pattern[str]]]]:
    """The phrases in order; which of them hold a word, and which hold none.

    A phrase is looked for only where its longest word is in the text.
    """
    ordered = [(row, _pattern(phrase), phrase) for row in rows() for phrase in row.says]
    by_word: dict[str, list[int]] = defaultdict(list)
    wordless: list[int] = []
    for number, (_, _, phrase) in enumerate(ordered):
        words = _WORD.findall(phrase)
        (by_word[max(words, key=len)] if words else wordless).append(number)
    return dict(by_word), wordless, [(row, pattern) for row, pattern, _ in ordered]


def _pattern(phrase: str) -> re.Pattern[str]:
    body = _GAP.join(re.escape(piece) for piece in phrase.split("…"))
    before = r"(?<![a-z0-9])" if re.match(r"[a-z0-9]", phrase) else ""
    after = r"(?![a-z0-9])" if re.search(r"[a-z0-9]\Z", phrase) else ""
    return re.compile(f"{before}{body}{after}")
