"""What a staff page shows at once or, where that takes seconds, asks for once more by itself.

A page that came without its numbers holds an element that loads the same page with `?whole=1`, or
sends its form once more with that; then they are waited for.
"""

from collections.abc import Hashable
from typing import TypeVar

from aiohttp import web
from yarl import URL

from foundation.asides import Asides, Asked, Work
from foundation.web import kit

ASIDES: web.AppKey[Asides] = web.AppKey("asides", Asides)
"""Set by `handbill/app.py`."""

Answer = TypeVar("Answer")


async def ask(
    request: web.Request, what: str, about: Hashable, work: Work[Answer], *, is_again: bool = False
) -> Answer | None:
    """What `work` finds; None where the page is to come without it, which is never so `is_again`.

    `what` names the kind of question, of which the newest counts on each page of somebody's.
    Raises `asides.GivenUp`.
    """
    asked = Asked(
        place=(kit.signed_in(request).session_id, _page(request), what),
        question=(what, about),
        is_again=is_again or wants_whole(request),
    )
    return await request.app[ASIDES].ask(asked, work)


def wants_whole(request: web.Request) -> bool:
    """Whether somebody asks for a page with all that takes long."""
    return "whole" in request.query


def _page(request: web.Request) -> str:
    """The path of the page that somebody looks at, of which this may be a part."""
    try:
        return URL(request.headers.get("HX-Current-URL", "")).path or request.path
    except ValueError:
        return request.path
