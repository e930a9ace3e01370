"""The REST kit: an endpoint says its scope and models, and gets tokens, checks and paging for it.

A slice's `api.py` offers `endpoints()`; `routes()` here turns them into routes under `/api/v1`, and
`foundation/web/openapi.py` describes them. Errors are problem details (RFC 9457), made by the
middleware as for every other address.
"""

import base64
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import field
from typing import Any, Generic, TypeVar

import pydantic
from aiohttp import web
from pydantic import BaseModel, ConfigDict

from foundation import errors
from foundation.accounts import api_tokens, idempotency
from foundation.accounts.api_tokens import Caller, Scope
from foundation.audit import Actor, ActorKind
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.web import forms, kit

ROOT = "/api/v1"
MAX_LIMIT = 200
DEFAULT_LIMIT = 50

T = TypeVar("T")


class Body(BaseModel):
    """Base of what callers send: unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, defer_build=True)


class Page(BaseModel, Generic[T]):
    """A part of a list; `next` asks for the following one, or is null at the end."""

    items: list[T]
    next: str | None = None


@frozen
class Call:
    """A request whose token, body and query were checked."""

    ground: Ground
    caller: Caller
    request: web.Request
    body: Any = None
    limit: int = DEFAULT_LIMIT
    after: int | None = None
    """The last row number that the caller has, for lists."""

    @property
    def actor(self) -> Actor:
        """The program, for the audit log."""
        return Actor(kind=ActorKind.TOKEN, label=self.caller.name)

    def number(self, name: str = "id") -> int:
        """A row number in the address. Raises `errors.NotFound`."""
        return kit.number_in_path(self.request, name)

    def text(self, name: str) -> str:
        """A word in the address."""
        return self.request.match_info[name]

    def query(self, name: str) -> str | None:
        """A value of the query, or None."""
        return self.request.query.get(name)


Answer = BaseModel | None
Handler = Callable[[Call], Awaitable[Answer]]


@frozen
class Endpoint:
    """One address and method of the API."""

    method: str
    path: str
    """Under `/api/v1`, with `{name}` places."""
    handler: Handler
    scope: Scope
    summary: str
    tag: str
    body: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    query: Sequence[tuple[str, str]] = field(default_factory=tuple)
    """Further query parameters: name, what it does."""
    is_list: bool = False


def routes(endpoints: Iterable[Endpoint]) -> list[web.RouteDef]:
    """The endpoints as routes."""
    return [
        web.route(each.method, ROOT + each.path, _served(each), allow_head=False)
        if each.method == "GET"
        else web.route(each.method, ROOT + each.path, _served(each))
        for each in endpoints
    ]


def cursor(number: int) -> str:
    """The opaque form of a row number, for `next`."""
    return base64.urlsafe_b64encode(f"row {number}".encode()).rstrip(b"=").decode()


def page(items: Sequence[T], *, limit: int, number_of: Callable[[T], int]) -> str | None:
    """The `next` of a list that was asked for with `limit + 1` rows; None at its end."""
    return cursor(number_of(items[limit - 1])) if len(items) > limit else None


def _served(endpoint: Endpoint) -> kit.Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        call = await _call(request, endpoint)
        key = request.headers.get("Idempotency-Key")
        if endpoint.method == "GET" or not key:
            return _json(endpoint.status, await endpoint.handler(call))
        digest = hashlib.sha256(
            f"{request.method} {request.path}\n".encode() + await request.read()
        ).hexdigest()
        status, body = await idempotency.once(
            call.ground,
            token_id=call.caller.token_id,
            key=key,
            request_hash=digest,
            act=lambda: _encoded(endpoint, call),
        )
        return _text(status, body)

    return serve


async def _encoded(endpoint: Endpoint, call: Call) -> tuple[int, str]:
    answer = await endpoint.handler(call)
    return endpoint.status, answer.model_dump_json() if answer is not None else ""


async def _call(request: web.Request, endpoint: Endpoint) -> Call:
    ground = kit.ground(request)
    caller = await _caller(ground, request)
    if endpoint.scope not in caller.scopes:
        raise errors.Forbidden(
            N_("This token may not do that; it needs the scope “%(scope)s”."),
            scope=endpoint.scope.value,
        )
    body = None
    if endpoint.body is not None:
        # Without a body at all, what has a default takes it.
        sent = await forms.read_json(request) if request.can_read_body else {}
        body = _checked(endpoint.body, sent)
    limit, after = _paging(request) if endpoint.is_list else (DEFAULT_LIMIT, None)
    return Call(ground=ground, caller=caller, request=request, body=body, limit=limit, after=after)


async def _caller(ground: Ground, request: web.Request) -> Caller:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    caller = None
    if scheme.lower() == "bearer" and secret.strip():
        caller = await api_tokens.find(ground, secret=secret.strip())
    if caller is None:
        raise errors.SignInNeeded(
            N_("Send a valid API token: Authorization: Bearer TOKEN. Owners make them.")
        )
    return caller


def _checked(model: type[BaseModel], values: Any) -> BaseModel:
    try:
        return model.model_validate(values)
    except pydantic.ValidationError as problem:
        raise from_validation(problem) from problem


def from_validation(problem: pydantic.ValidationError) -> errors.Invalid:
    """Pydantic's findings as one of our errors, each under the path of its field."""
    fields: dict[str, errors.HandbillError] = {}
    for each in problem.errors():
        place = ".".join(str(part) for part in each["loc"]) or "body"
        words = each["msg"].removeprefix("Value error, ")
        fields.setdefault(place, errors.Invalid("%(problem)s", problem=words))
    return errors.Invalid(N_("Some fields are not right."), fields=fields)


def _paging(request: web.Request) -> tuple[int, int | None]:
    asked = request.query.get("limit", str(DEFAULT_LIMIT))
    if not (asked.isascii() and asked.isdigit() and 1 <= int(asked[:9]) <= MAX_LIMIT):
        raise errors.Invalid(N_("“limit” is a number from 1 to %(limit)s."), limit=MAX_LIMIT)
    after = request.query.get("after")
    return int(asked), _row(after) if after else None


def _row(text: str) -> int:
    try:
        plain = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)).decode()
        word, _, number = plain.partition(" ")
        if word == "row" and number.isascii() and number.isdigit() and len(number) < 19:
            return int(number)
    except ValueError:
        pass
    raise errors.Invalid(N_("“after” has to be the “next” of an earlier answer."))


def _json(status: int, answer: Answer) -> web.Response:
    return _text(status, answer.model_dump_json() if answer is not None else "")


def _text(status: int, body: str) -> web.Response:
    if not body:
        return web.Response(status=204)
    # Normalised, so that a replayed answer has the same octets.
    return web.Response(
        status=status,
        text=json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":")),
        content_type="application/json",
    )
