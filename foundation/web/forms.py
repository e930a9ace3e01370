"""Reads what a form sent, field by field, and gathers what is wrong with it.

A single-line field never holds a line break or control character, whatever was sent: that is where
header injection starts.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

from aiohttp import hdrs, http_exceptions, web
from multidict import MultiDict

from foundation import errors
from foundation.i18n import N_
from foundation.web import kit

FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_UNREADABLE = (
    UnicodeError,
    ValueError,
    LookupError,
    http_exceptions.BadHttpMessage,
    # The body is not what its Content-Encoding or length says.
    web.RequestPayloadError,
)
FILES: web.RequestKey[tuple[web.FileField, ...]] = web.RequestKey("files", tuple)
"""The files that came with a form, once `read` has read it."""
_BODY: web.RequestKey[bytes] = web.RequestKey("body", bytes)
"""A urlencoded form that was read at the door."""
_URLENCODED = "application/x-www-form-urlencoded"
_JSON = "application/json"
_USUAL_BYTES = 16_384


class Form:
    """The fields of a form; `problems` fills as fields are read, `check()` raises them together."""

    def __init__(self, values: MultiDict[str]) -> None:
        self.values = values
        self.problems: dict[str, errors.HandbillError] = {}

    def line(self, *names: str, limit: int = 200, required: bool = False) -> str:
        """A single line: the first of `names` that was sent, trimmed."""
        raw = next((self.values[name] for name in names if name in self.values), "")
        if any(ord(character) < 32 or ord(character) == 127 for character in raw.strip()):
            self.problems[names[0]] = errors.Invalid(N_("This can't hold line breaks."))
            return ""
        return self._checked(names[0], " ".join(raw.split()), limit, required=required)

    def text(self, name: str, *, limit: int = 20_000, required: bool = False) -> str:
        """Several lines, with LF line ends and no other control characters."""
        raw = self.values.get(name, "").replace("\r\n", "\n").replace("\r", "\n")
        kept = "".join(c for c in raw if (ord(c) >= 32 and ord(c) != 127) or c in "\n\t")
        return self._checked(name, kept.strip(), limit, required=required)

    def lines(self, name: str, *, limit: int = 50) -> list[str]:
        """Every value of a repeated field, without blanks and repeats."""
        found = [value.strip() for value in self.values.getall(name, [])][:limit]
        return list(dict.fromkeys(value for value in found if value and value.isprintable()))

    def flag(self, name: str) -> bool:
        """Whether a box was ticked."""
        return self.values.get(name, "") not in ("", "0", "false", "off")

    def number(self, name: str, *, default: int | None = None) -> int | None:
        """A whole number, or `default` when blank."""
        raw = self.values.get(name, "").strip()
        if not raw:
            return default
        if not raw.isascii() or not raw.isdigit() or len(raw) > 15:
            self.problems[name] = errors.Invalid(N_("Type a whole number."))
            return default
        return int(raw)

    def check(self) -> None:
        """Raise `errors.Invalid` with every problem found so far."""
        if self.problems:
            raise errors.Invalid(
                N_("Something needs to be mended before this can be kept."), fields=self.problems
            )

    def _checked(self, name: str, value: str, limit: int, *, required: bool) -> str:
        if required and not value:
            self.problems[name] = errors.Invalid(N_("Fill this in."))
        elif len(value) > limit:
            self.problems[name] = errors.Invalid(
                N_("This is too long: at most %(limit)s characters."), limit=limit
            )
        return value


async def read(request: web.Request) -> Form:
    """The form in a request's body, urlencoded or multipart; files are put aside (`FILES`).

    Raises `errors.Invalid` for another content type or bytes that are not UTF-8, `errors.TooLarge`
    for a body over `[server] max_body_bytes`, or `max_upload_bytes` where files are taken.
    """
    if request.content_type not in FORM_TYPES:
        raise errors.Invalid(N_("Send this as a form."))
    if _BODY in request:
        return _form(request, _decoded(request))
    try:
        posted = await request.post()
    except web.HTTPRequestEntityTooLarge as problem:
        raise _over_limit(request) from problem
    except _UNREADABLE as problem:
        raise _not_readable() from problem
    fields = list(posted.items())
    request[FILES] = tuple(each for _, each in fields if isinstance(each, web.FileField))
    texts = [(name, each) for name, each in fields if isinstance(each, str)]
    # aiohttp replaces what is not UTF-8 with U+FFFD.
    if any("\ufffd" in name or "\ufffd" in value for name, value in texts):
        raise _not_readable()
    return _form(request, MultiDict(texts))


def _form(request: web.Request, values: MultiDict[str]) -> Form:
    kit.context(request).typed = values
    return Form(values)


async def read_at_once(request: web.Request) -> MultiDict[str] | None:
    """At the door: the fields of a form as browsers send most of them; None for any other.

    Whoever goes on inside finds the same by `read`, or what is wrong with it.
    """
    if not _is_usual(request, _URLENCODED):
        return None
    content = request.content
    try:
        request[_BODY] = content.read_nowait() if content.is_eof() else await request.read()
        return _decoded(request)
    except (errors.HandbillError, *_UNREADABLE):
        return None


async def read_json_at_once(request: web.Request) -> Mapping[str, Any] | None:
    """The same for a JSON object, and `read_json`."""
    if not _is_usual(request, _JSON):
        return None
    try:
        return await read_json(request)
    except (errors.HandbillError, *_UNREADABLE):
        return None


def _is_usual(request: web.Request, kind: str) -> bool:
    headers = request.headers
    length = headers.get(hdrs.CONTENT_LENGTH, "")
    return (
        headers.get(hdrs.CONTENT_TYPE) == kind
        and length.isdecimal()
        and int(length) <= min(_USUAL_BYTES, request.client_max_size)
        and hdrs.CONTENT_ENCODING not in headers
        and hdrs.EXPECT not in headers
    )


def _decoded(request: web.Request) -> MultiDict[str]:
    """The fields of a urlencoded form (WHATWG URL §5.1). Raises as `read`."""
    try:
        fields = request[_BODY].rstrip().decode().replace("+", " ").split("&")
        if len(fields) > request.client_max_fields:
            raise _over_limit(request)
        values: MultiDict[str] = MultiDict()
        for name, _, value in (each.partition("=") for each in fields if each):
            values.add(
                unquote_to_bytes(name).decode() if "%" in name else name,
                unquote_to_bytes(value).decode() if "%" in value else value,
            )
    except UnicodeError as problem:
        raise _not_readable() from problem
    return values


async def read_json(request: web.Request, *, kinds: Sequence[str] = (_JSON,)) -> Mapping[str, Any]:
    """The JSON object in a request's body of one of `kinds`. Raises as `read` does."""
    if request.content_type not in kinds:
        raise errors.Invalid(N_("Send this as JSON, with Content-Type: application/json."))
    try:
        found = json.loads((await request.read()).decode("utf-8"))
    except web.HTTPRequestEntityTooLarge as problem:
        raise _over_limit(request) from problem
    except (*_UNREADABLE, RecursionError) as problem:
        raise errors.Invalid(N_("The body is not valid JSON in UTF-8.")) from problem
    if not isinstance(found, dict):
        raise errors.Invalid(N_("The body has to be a JSON object."))
    return found


def too_large(limit: int, *, is_file: bool = False) -> errors.TooLarge:
    """What is said of a body over `limit` bytes."""
    size = f"{limit / 1_048_576:.3g} MB" if limit >= 1_048_576 else f"{limit / 1024:.0f} KB"
    if is_file:
        return errors.TooLarge(
            N_("Files here can have %(size)s at most. Go back and choose a smaller one."), size=size
        )
    return errors.TooLarge(
        N_("This is more than can be taken at once: at most %(size)s. Make it smaller."), size=size
    )


def _over_limit(request: web.Request) -> errors.TooLarge:
    return too_large(kit.body_limit(request), is_file=kit.takes_files_at(request))


def _not_readable() -> errors.Invalid:
    return errors.Invalid(N_("The text could not be read. Send it as UTF-8."))
