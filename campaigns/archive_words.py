"""What an edition says, folded so that a search finds it however it is typed, and what sums it up.

Letters lose case and accents, everything that is no letter or digit is one blank, and every word
has a blank before it: a search for the beginning of words is then one LIKE, the same on both
engines, with nothing in it to escape (docs/decisions/0023-the-archive-is-searched-by-like.md).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from foundation import words
from templates import prose

MOST_WORDS = 8
LONGEST_WORD = 40
_SUMMARY = 200
_SAID = frozenset(
    {
        "title", "text", "html", "headline", "summary_html", "place", "source_name", "credit",
        "kind_label", "lead", "label", "when_label", "address", "body_html", "alt", "caption",
        "value", "by", "role", "line",
    }
)  # fmt: skip
"""The fields of blocks that readers see; the others are addresses and codes."""


def asked(search: str) -> list[str]:
    """The words that somebody looks for, folded; so many, and no longer than words are."""
    typed = (each[:LONGEST_WORD] for each in words.folded(search).split())
    return list(dict.fromkeys(typed))[:MOST_WORDS]


def of_edition(kept: Mapping[str, Any]) -> str:
    """Everything that an edition says, folded."""
    head = [kept["subject"], kept["title"], kept["preheader"]]
    return words.folded(" ".join([*head, *_texts(kept["blocks"])]))


def summary(kept: Mapping[str, Any]) -> str:
    """One or two sentences about an edition: what inboxes show, else how it begins."""
    said = kept["preheader"] or next(_openings(kept["blocks"]), "")
    return shortened(said)


def shortened(text: str, *, limit: int = _SUMMARY) -> str:
    """At most so many characters, cut between words."""
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    return text[:limit].rpartition(" ")[0].rstrip(" ,;:.–-") + "…"


def picture(kept: Mapping[str, Any]) -> tuple[str, str]:
    """The address of the first picture and what it shows; blank without one."""
    for block in kept["blocks"]:
        if block["kind"] == "image":
            return block["src"], block["alt"]
    return "", ""


def _openings(blocks: list[Mapping[str, Any]]) -> Iterator[str]:
    for block in blocks:
        if block["kind"] == "rich_text":
            yield prose.plain(block["html"])
        elif block["kind"] == "developments":
            yield "; ".join(item["headline"] for item in block["items"])


def _texts(value: Any, name: str = "") -> Iterator[str]:
    match value:
        case str() if name in _SAID:
            yield prose.plain(value) if name.endswith("html") else value
        case dict():
            for key, each in value.items():
                yield from _texts(each, key)
        case list():
            for each in value:
                yield from _texts(each)
