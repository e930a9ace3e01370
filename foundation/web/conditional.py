"""Answers that whoever asks may have already: they are told so, without the octets (RFC 9110 §13).

For what feed readers, calendars and caches fetch again and again. The tag is weak, as the octets on
the wire may be squeezed on the way.
"""

import hashlib
from datetime import datetime

from aiohttp import hdrs, web


def answer(
    request: web.Request,
    body: bytes,
    *,
    media_type: str,
    changed_at: datetime | None,
    keep_s: int,
    headers: dict[str, str] | None = None,
) -> web.Response:
    """The octets, or 304; caches may keep them for `keep_s` seconds without asking.

    A tag that was sent along counts alone, as RFC 9110 §13.2.2 says.
    """
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:20]}"'
    common = {hdrs.ETAG: tag, hdrs.CACHE_CONTROL: f"public, max-age={keep_s}", **(headers or {})}
    if _is_known(request, tag, changed_at):
        response = web.Response(status=304, headers=common)
    else:
        response = web.Response(body=body, headers={**common, hdrs.CONTENT_TYPE: media_type})
    response.last_modified = changed_at
    return response


def _is_known(request: web.Request, tag: str, changed_at: datetime | None) -> bool:
    if sent := request.headers.get(hdrs.IF_NONE_MATCH):
        return "*" in sent or tag.removeprefix("W/") in sent
    since = request.if_modified_since
    return (
        since is not None and changed_at is not None and changed_at.replace(microsecond=0) <= since
    )
