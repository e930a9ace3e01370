"""Answers that are the same for everybody: squeezed once, then served from memory.

What other sites load from us again and again (the widget's script, its forms) is made once, kept on
a `Shelf` for a while, and handed out at the door (`door.py`).
"""

import gzip
import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from aiohttp import hdrs, web
from multidict import CIMultiDict

from foundation.frozen import frozen
from foundation.web import security
from foundation.web.ready import Ready, Written

Key = tuple[str, ...]
T = TypeVar("T")
_PLAIN = ""
_BEST_GZIP = 9


@frozen
class _Shape:
    """The octets in one coding."""

    etag: str
    whole: Ready
    known: Ready
    """What is said to a browser that has these octets (304)."""


@frozen
class Prepared:
    """One answer, in every coding that browsers take."""

    shapes: Mapping[str, _Shape]
    """`br`, `gzip` and the octets as they are."""

    def at_once(self, request: web.BaseRequest, *, allow_origin: str = "") -> Written:
        """The octets in the best coding that the browser takes, or that it has them (304).

        `allow_origin` is the site whose scripts may read this one answer.
        """
        ready = self._of(request)
        return ready.to({hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: allow_origin} if allow_origin else {})

    def answer(self, request: web.BaseRequest, *, allow_origin: str = "") -> web.Response:
        """The same by a handler."""
        ready = self._of(request)
        response = web.Response(status=ready.status, headers=ready.headers, body=ready.body or None)
        if allow_origin:
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = allow_origin
        return response

    def _of(self, request: web.BaseRequest) -> Ready:
        shape = self.shapes[_coding(request.headers.get(hdrs.ACCEPT_ENCODING, ""))]
        is_known = _is_known(request.headers.get(hdrs.IF_NONE_MATCH), shape.etag)
        return shape.known if is_known else shape.whole


def prepare(
    body: bytes,
    *,
    media_type: str,
    keep: str,
    is_https: bool,
    policy: str = "default-src 'none'",
    headers: Mapping[str, str] | None = None,
) -> Prepared:
    """An answer of these octets, with the safe headers; `keep` is its `Cache-Control`.

    Takes some milliseconds for a script: call it in a thread. Slow coding is worth it here, as it
    is done once.
    """
    import brotli  # half a megabyte that only sites with widgets need

    tag = hashlib.sha256(body).hexdigest()[:16]
    coded = {
        _PLAIN: body,
        "gzip": gzip.compress(body, _BEST_GZIP, mtime=0),
        "br": brotli.compress(body, mode=brotli.MODE_TEXT),
    }
    safe = web.Response(headers={"Content-Security-Policy": policy, **(headers or {})})
    security.add_headers(safe, nonce="", is_https=is_https)
    shapes = {}
    for coding, octets in coded.items():
        etag = f'"{tag}{coding}"'
        found: CIMultiDict[str] = CIMultiDict(safe.headers)
        found.update(
            {
                hdrs.CONTENT_TYPE: media_type,
                hdrs.CACHE_CONTROL: keep,
                hdrs.ETAG: etag,
                hdrs.VARY: found.get(hdrs.VARY, hdrs.ACCEPT_ENCODING),
            }
        )
        # RFC 9110 §15.4.5: what says how to keep it goes along, what describes octets does not.
        known = {name: value for name, value in found.items() if name != hdrs.CONTENT_TYPE}
        if coding:
            found[hdrs.CONTENT_ENCODING] = coding
        shapes[coding] = _Shape(
            etag=etag,
            whole=Ready(status=200, headers=found, body=octets),
            known=Ready(status=304, headers=known),
        )
    return Prepared(shapes=shapes)


class Shelf(Generic[T]):
    """What was made once, by what was asked for, each for so long; the oldest makes room."""

    def __init__(self, *, keep: timedelta, most: int = 500) -> None:
        self._keep = keep
        self._most = most
        self._kept: dict[Key, tuple[datetime, T]] = {}

    def find(self, key: Key, *, now: datetime, within: timedelta | None = None) -> T | None:
        """What was put there under `key`, unless that was too long ago, or not `within` a time."""
        found = self._kept.get(key)
        if found is None or not timedelta(0) <= now - found[0] < (within or self._keep):
            return None
        return found[1]

    def put(self, key: Key, made: T, *, now: datetime) -> None:
        """Keep something under `key`."""
        self._keep_under(key, (now, made))

    def also(self, key: Key, *, known: Key) -> None:
        """Find under `key`, too, what is kept under `known`, and for no longer."""
        self._keep_under(key, self._kept[known])

    def _keep_under(self, key: Key, kept: tuple[datetime, T]) -> None:
        self._kept.pop(key, None)
        while len(self._kept) >= self._most:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = kept


def _coding(accepted: str) -> str:
    """The best coding that a browser takes (RFC 9110 §12.5.3)."""
    if not accepted:
        return _PLAIN
    taken = {
        name.strip()
        for name, _, weight in (each.partition(";") for each in accepted.lower().split(","))
        if weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    }
    return next((coding for coding in ("br", "gzip") if coding in taken), _PLAIN)


def _is_known(sent: str | None, etag: str) -> bool:
    """Whether the browser has these octets (RFC 9110 §13.1.2, by weak comparison)."""
    if not sent:
        return False
    known = [each.strip().removeprefix("W/") for each in sent.split(",")]
    return etag in known or known == ["*"]
