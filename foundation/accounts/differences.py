"""What differs between before and after, field by field, in a form that people can read."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from foundation.frozen import frozen

_WORDS = 400
"""Longer texts are not compared word by word."""
_CHARACTERS = 400


@frozen
class Piece:
    """A stretch of a text; of what is gone and new, only one is set."""

    text: str
    is_gone: bool = False
    is_new: bool = False


@frozen
class Difference:
    """One field."""

    path: Sequence[str]
    """Its name, after those of what it stands in."""
    pieces: Sequence[Piece]


def between(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    told: Callable[[Any, Sequence[str]], Any] | None = None,
) -> Sequence[Difference]:
    """Of what is the same, nothing; a field that holds fields is told field by field.

    `told` puts a value into words, which it gets along with its field's path.
    """
    old, new = dict(_flat(before)), dict(_flat(after))
    found: list[Difference] = []
    for path in sorted({*old, *new}):
        was, now = old.get(path), new.get(path)
        if was != now:
            words = (told(was, path), told(now, path)) if told else (was, now)
            found.append(Difference(path=path, pieces=_pieces(*words)))
    return found


def _flat(values: Mapping[Any, Any], path: tuple[str, ...] = ()) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    for name, value in values.items():
        here = (*path, str(name))
        is_many = isinstance(value, list) and any(isinstance(each, Mapping) for each in value)
        fields = dict(enumerate(value, 1)) if is_many else value
        if isinstance(fields, Mapping) and fields:
            found += _flat(fields, here)
        else:
            found.append((here, value))
    return found


def _pieces(was: Any, now: Any) -> Sequence[Piece]:
    if isinstance(was, list) and isinstance(now, list):
        gone = [Piece(text=_said(each), is_gone=True) for each in was if each not in now]
        come = [Piece(text=_said(each), is_new=True) for each in now if each not in was]
        if gone or come:
            return [*gone, *come]
    if isinstance(was, str) and isinstance(now, str) and " " in was and " " in now:
        return _by_words(was.split(), now.split())
    pieces = (Piece(text=_said(was), is_gone=True), Piece(text=_said(now), is_new=True))
    return [piece for piece in pieces if piece.text]


def _by_words(was: list[str], now: list[str]) -> Sequence[Piece]:
    if max(len(was), len(now)) > _WORDS:
        gone, come = _short(" ".join(was)), _short(" ".join(now))
        return [Piece(text=gone, is_gone=True), Piece(text=come, is_new=True)]
    found: list[Piece] = []
    for kind, i, j, k, m in difflib.SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(Piece(text=_middle(was[i:j])))
            continue
        if j > i:
            found.append(Piece(text=_short(" ".join(was[i:j])), is_gone=True))
        if m > k:
            found.append(Piece(text=_short(" ".join(now[k:m])), is_new=True))
    return found


def _middle(words: list[str]) -> str:
    """A few words around the changes are enough."""
    return " ".join(words if len(words) <= 12 else [*words[:5], "…", *words[-5:]])


def _said(value: object) -> str:
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, list):
        return _short(", ".join(_said(each) for each in value))
    return _short(str(value))


def _short(text: str) -> str:
    return text if len(text) <= _CHARACTERS else text[: _CHARACTERS - 1] + "…"
