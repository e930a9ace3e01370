"""Which translations were left behind: their source was changed, and they were not.

A side that its source moved away from is noted with what the source said when the side was right,
until somebody changes the side or says that it is still right. `translating.py` does so for
bulletins; developments, handouts and snippets keep the same note in a column of their own.
"""

from collections.abc import Iterable, Mapping

from campaigns import word_changes, wording
from foundation.frozen import frozen

Fields = Mapping[str, str]
"""The texts of a side by name, such as `title` or `items.0.title`; blank ones are not there."""
Key = tuple[str, str]
"""A place and a language."""
Places = Mapping[str, Mapping[str, Fields]]
"""Everything that is translated: place → language → texts."""
Behind = dict[str, dict[str, dict[str, str]]]
"""Language → place → what its source said when it was right."""
WORDS = "words"
"""The place of what is said of a thing that has its texts in one place only."""


@frozen
class Change:
    """What is about to be kept in place of something."""

    before: Places
    after: Places
    noted: Behind
    """What was behind before."""
    seen: Mapping[Key, Fields]
    """For some sides, what their source said when they were written or called right."""


def followed(change: Change, *, source: str, languages: Iterable[str]) -> Behind:
    """What is behind after a change, in each language but the source.

    A side that was changed, and is not among those `seen`, is right; one that was not changed stays
    as right as it was.
    """
    behind: Behind = {}
    for place, texts in change.after.items():
        was, now = change.before.get(place, {}), texts.get(source, {})
        for language in languages:
            target = texts.get(language, {})
            if language == source or not target:
                continue
            if (place, language) in change.seen:
                made_from = change.seen[place, language]
            elif target == was.get(language, {}):
                kept = change.noted.get(language, {}).get(place, {})
                made_from = kept or was.get(source, {})
            else:
                made_from = {}
            if made_from and not _reads_the_same(made_from, now):
                behind.setdefault(language, {})[place] = dict(made_from)
    return behind


def of_thing(change: Change, *, default: str) -> Behind:
    """The same for a thing whose source is whichever language its words are in (`source_of`)."""
    source = source_of(change.after.get(WORDS, {}), default=default)
    if source_of(change.before.get(WORDS, {}), default=default) != source:
        return {}  # what was translated from something else is not behind this
    written = {code for texts in change.after.values() for code in texts}
    return followed(change, source=source, languages=sorted(written))


def source_of(written: Iterable[str], *, default: str) -> str:
    """Which of the languages a thing is translated from: `default`, or another where it lacks."""
    found = list(written)
    return wording.choose(found, default, default=default) if found else default


def filled(fields: Fields) -> dict[str, str]:
    """Some texts without those that are blank."""
    return {name: text for name, text in fields.items() if text}


def _reads_the_same(before: Fields, now: Fields) -> bool:
    return all(
        word_changes.says_the_same(
            word_changes.readable(name, before.get(name, "")),
            word_changes.readable(name, now.get(name, "")),
        )
        for name in {*before, *now}
    )
