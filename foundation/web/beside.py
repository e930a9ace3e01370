"""What a staff page shows at once or, where that takes seconds, asks for once more by itself.

A page begins to ask before it reads what else it shows, and takes the answers last: so it waits for
all of them together, and no longer than `[server] page_patience_s`. A page that came without its
numbers holds an element that loads the same page with `?whole=1`, or sends its form once more with
that; then they are waited for.
"""

import secrets
from collections.abc import Hashable
from typing import TypeVar

from aiohttp import web
from yarl import URL

from foundation.asides import Asides, Asked, Asking, Work
from foundation.web import kit
from foundation.web.forms import Form

ASIDES: web.AppKey[Asides] = web.AppKey("asides", Asides)
"""Set by `handbill/app.py`."""

Answer = TypeVar("Answer")


def begin(
    request: web.Request,
    what: str,
    about: Hashable,
    work: Work[Answer],
    *,
    page_id: str = "",
    is_again: bool = False,
) -> Asking[Answer]:
    """Begin to find what `work` finds, while the page reads what else it shows.

    Its answer is None where the page is to come without it, which is never so `is_again`. `what`
    names the kind of question, of which the newest counts on each page of somebody's; `page_id`
    tells pages apart that are open twice with other things typed.
    """
    asked = Asked(
        place=(kit.signed_in(request).session_id, _page(request), page_id, what),
        question=(what, about),
        is_again=is_again or wants_whole(request),
    )
    return request.app[ASIDES].begin(asked, work)


def page_id(form: Form | None) -> str:
    """What a form has in its field `page_id`, to be told from the same page in another window."""
    return (form.line("page_id", limit=40) if form is not None else "") or secrets.token_hex(8)


def wants_whole(request: web.Request) -> bool:
    """Whether somebody asks for a page with all that takes long."""
    return "whole" in request.query


def _page(request: web.Request) -> str:
    """The path of the page that somebody looks at, of which this may be a part."""
    try:
        return URL(request.headers.get("HX-Current-URL", "")).path or request.path
    except ValueError:
        return request.path
