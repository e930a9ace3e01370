"""What a handler needs: ground, the reader's language, who is signed in, a page to answer with.

Handlers are thin: read a form (`forms.read`), call one verb, `render` or `redirect`.
"""

import functools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from aiohttp import web
from multidict import MultiDict, istr
from yarl import URL

from foundation import errors
from foundation.accounts.models import Role
from foundation.accounts.sessions import SignedIn
from foundation.audit import Actor, ActorKind
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_, Translator
from foundation.web.pages import Pages

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

GROUND: web.AppKey[Ground] = web.AppKey("ground", Ground)
AT: web.RequestKey[Ground] = web.RequestKey("at", Ground)
"""The same on a request: put there at the door, where it has no route yet."""
PAGES: web.AppKey[Pages] = web.AppKey("pages", Pages)
STAFF_NAVIGATION: web.AppKey[tuple["NavigationItem", ...]] = web.AppKey("staff_navigation", tuple)

_HTMX = istr("HX-Request")
FLASH_COOKIE = "handbill_flash"
_STILL_OPEN = ("/staff/account", "/staff/signout")
"""Where whoever has to set a second step up can go before that."""
TEXT_SIZES = ("normal", "large", "larger")


@frozen
class NavigationItem:
    """A door in the staff room's header."""

    path: str
    msgid: str
    role: Role = Role.VIEWER
    group: str = ""
    """The words over the doors that it stands with; blank for one that stands alone."""
    key: str = ""
    """The letter that leads there by keyboard: behind `g` to a room, behind `n` to an action."""
    is_action: bool = False
    """Something to begin, not a room: found by words and keys, and not in the menu."""
    also: tuple[str, ...] = ()
    """Addresses of further pages that belong to it, and stand in no menu themselves."""
    is_partners: bool = False
    """For people of a partner instead of the office; `{partner}` in the path is its number."""


@dataclass(kw_only=True, slots=True)
class RequestContext:
    """What the middlewares found out about a request."""

    translator: Translator
    text_size: str = "normal"
    signed_in: SignedIn | None = None
    flashes: list[str] = field(default_factory=list)
    cookies: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Cookies to set with the answer: name → value, seconds (0 deletes)."""
    typed: MultiDict[str] | None = None
    """The fields of the form that was sent, once it was read."""
    used_nonce: str = ""
    """`nonce`, once somebody asked for it."""

    @property
    def nonce(self) -> str:
        """What the scripts and styles of this answer's page carry (CSP Level 3 §8.2)."""
        self.used_nonce = self.used_nonce or secrets.token_urlsafe(16)
        return self.used_nonce


CONTEXT: web.RequestKey[RequestContext] = web.RequestKey("context", RequestContext)
_DOORS: web.RequestKey[list[dict[str, Any]]] = web.RequestKey("doors", list)


def ground(request: web.Request) -> Ground:
    """What verbs are handed."""
    try:
        return request[AT]
    except KeyError:
        return request.app[GROUND]


def context(request: web.Request) -> RequestContext:
    """What the middlewares found out."""
    return request[CONTEXT]


def translator(request: web.Request) -> Translator:
    """The reader's language."""
    return context(request).translator


def asked_language(request: web.Request) -> str:
    """What `?lang=` asks for, blank if nothing: a part of a page speaks as the page around it."""
    asked: str = request.query.get("lang", "")
    if asked or not is_htmx(request):
        return asked
    try:
        return URL(request.headers.get("HX-Current-URL", "")).query.get("lang", "")
    except ValueError:
        return ""


def speak(request: web.Request, language: str | None) -> None:
    """Switch to a person's own language, unless `?lang=` asked for another (CONTRACT.md)."""
    if language and not asked_language(request):
        context(request).translator = ground(request).translator(language)


def render(
    request: web.Request, template: str, *, status: int = 200, **values: Any
) -> web.Response:
    """A page from `templates/pages/`, in the reader's language."""
    ctx = context(request)
    site = ground(request).settings.site
    html = request.app[PAGES].render(
        template,
        translator=ctx.translator,
        values={
            "request_path": request.path,
            "path": request.path,
            "site": site,
            "nonce": ctx.nonce,
            "is_exchange": is_htmx(request),
            "csrf_token": ctx.signed_in.csrf_secret if ctx.signed_in else "",
            "staff": ctx.signed_in,
            "flashes": ctx.flashes,
            "text_size": ctx.text_size,
            "text_sizes": _text_size_links(request),
            "languages": _language_links(request),
            "nav": _navigation(request),
            "actions": actions(request),
            **values,
        },
    )
    response = web.Response(text=html, status=status, content_type="text/html", charset="utf-8")
    if ctx.signed_in is not None:
        response.headers["Cache-Control"] = "no-store"
    return response


def redirect(request: web.Request, path: str, *, flash: str | None = None) -> web.Response:
    """Go to a page of ours with GET (303), with a word to show there."""
    if not path.startswith("/") or path.startswith("//"):
        raise ValueError("redirects lead to pages of ours only")
    if flash:
        context(request).cookies[FLASH_COOKIE] = (quote(flash), 60)
    return web.Response(status=303, headers={"Location": path})


def file(text: str, *, name: str, media_type: str) -> web.Response:
    """A text to take along as a file."""
    return web.Response(
        text=text, content_type=media_type, charset="utf-8", headers=_to_take_along(name)
    )


async def csv_file(
    request: web.Request, first: bytes, pieces: AsyncIterator[bytes], *, name: str
) -> web.StreamResponse:
    """A CSV file that is sent piece by piece."""
    return await file_in_pieces(request, first, pieces, name=name, media_type="text/csv")


async def file_in_pieces(
    request: web.Request,
    first: bytes,
    pieces: AsyncIterator[bytes],
    *,
    name: str,
    media_type: str,
) -> web.StreamResponse:
    """A file that is sent as it is made; the first piece was made already, so what fails shows."""
    response = web.StreamResponse(
        headers={
            "Content-Type": f"{media_type}; charset=utf-8",
            **_to_take_along(name),
        }
    )
    await response.prepare(request)
    if request.method == "HEAD":
        return response  # RFC 9110 §9.3.2: no content
    await response.write(first)
    async for piece in pieces:
        await response.write(piece)
    await response.write_eof()
    return response


def _to_take_along(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }


def actor(request: web.Request) -> Actor:
    """Who is signed in, for the audit log."""
    person = signed_in(request)
    return Actor(kind=ActorKind.STAFF, label=person.name or person.email, staff_id=person.staff_id)


def signed_in(request: web.Request) -> SignedIn:
    """The member of staff. Raises `errors.SignInNeeded` when nobody is signed in."""
    person = context(request).signed_in
    if person is None:
        raise errors.SignInNeeded(N_("Sign in first."))
    return person


def staff(role: Role) -> Callable[[Handler], Handler]:
    """Lets only staff with `role` or more in. Every handler under `/staff` carries it."""

    def wrap(handler: Handler) -> Handler:
        @functools.wraps(handler)
        async def guarded(request: web.Request) -> web.StreamResponse:
            person = signed_in(request)
            if person.partner_id is not None and request.path == "/staff":
                return redirect(request, f"/staff/partners/{person.partner_id}/numbers")
            if person.owes_second_step and not request.path.startswith(_STILL_OPEN):
                return redirect(request, "/staff/account")
            if not person.role.may(role):
                raise _not_allowed()
            return await handler(request)

        return guarded

    return wrap


def partner_or_staff(handler: Handler) -> Handler:
    """Lets in the office, and people of the partner whose number `{id}` in the address is."""

    @functools.wraps(handler)
    async def guarded(request: web.Request) -> web.StreamResponse:
        person = signed_in(request)
        if person.owes_second_step:
            return redirect(request, "/staff/account")
        is_own = person.role is Role.PARTNER and person.partner_id == number_in_path(request)
        if not is_own and not person.role.may(Role.VIEWER):
            raise _not_allowed()
        return await handler(request)

    return guarded


def _not_allowed() -> errors.Forbidden:
    return errors.Forbidden(N_("Your role does not allow this. Ask an owner of this site."))


def takes_files(handler: Handler) -> Handler:
    """Marks a handler whose form may bring files, up to `[server] max_upload_bytes`."""
    handler.takes_files = True  # type: ignore[attr-defined]
    return handler


def takes_files_at(request: web.Request) -> bool:
    """Whether the request's handler is marked by `takes_files`."""
    return getattr(request.match_info.handler, "takes_files", False)


def takes_events(handler: Handler) -> Handler:
    """Marks a handler to which programs send many events at once, up to `max_webhook_bytes`."""
    handler.takes_events = True  # type: ignore[attr-defined]
    return handler


def body_limit(request: web.Request) -> int:
    """The largest body that the request's handler takes, in bytes."""
    server = ground(request).settings.server
    if takes_files_at(request):
        return server.max_upload_bytes
    is_wide = getattr(request.match_info.handler, "takes_events", False)
    return server.max_webhook_bytes if is_wide else server.max_body_bytes


def number_in_path(request: web.Request, name: str = "id") -> int:
    """A row number in the address. Raises `errors.NotFound` when it is not one."""
    text = request.match_info[name]
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise errors.NotFound(N_("There is no such page."))
    return int(text)


def is_htmx(request: web.Request) -> bool:
    """Whether htmx asks for a part of a page."""
    return request.headers.get(_HTMX) == "true"


def _language_links(request: web.Request) -> list[dict[str, Any]]:
    catalog = ground(request).catalog
    present = translator(request).language
    links = []
    for code in catalog.languages:
        query = MultiDict(request.query)
        query["lang"] = code
        url = request.rel_url.with_query(query)
        links.append(
            {
                "code": code,
                "name": catalog.translator(code).name,
                "url": str(url),
                "is_current": code == present,
            }
        )
    return links


def _text_size_links(request: web.Request) -> list[dict[str, Any]]:
    links = []
    for code in TEXT_SIZES:
        query = MultiDict(request.query)
        query["text"] = code
        links.append(
            {
                "code": code,
                "url": str(request.rel_url.with_query(query)),
                "is_current": code == context(request).text_size,
            }
        )
    return links


def rooms(request: web.Request) -> list[dict[str, Any]]:
    """The rooms that are open to whoever asks, in the order of the menu."""
    return [each for each in _doors(request) if not each["is_action"]]


def actions(request: web.Request) -> list[dict[str, Any]]:
    """What whoever asks may begin."""
    return [each for each in _doors(request) if each["is_action"]]


def _doors(request: web.Request) -> list[dict[str, Any]]:
    """Made once for a page, which has them in its menu and among what can be begun."""
    if _DOORS not in request:
        request[_DOORS] = _open_doors(request)
    return request[_DOORS]


def _open_doors(request: web.Request) -> list[dict[str, Any]]:
    ctx = context(request)
    if ctx.signed_in is None or STAFF_NAVIGATION not in request.app:
        return []
    person = ctx.signed_in
    found: list[dict[str, Any]] = []
    for item in request.app[STAFF_NAVIGATION]:
        if not person.role.may(item.role) or item.is_partners != (person.partner_id is not None):
            continue
        path = item.path.format(partner=person.partner_id)
        places = (path, *item.also)
        is_within = any(request.path.startswith(each + "/") for each in places if each != "/staff")
        found.append(
            {
                "url": path,
                "label": ctx.translator.gettext(item.msgid),
                "group": ctx.translator.gettext(item.group) if item.group else "",
                "state": "",
                "key": item.key,
                "is_action": item.is_action,
                "is_current": request.path in places or is_within,
            }
        )
    return found


def _navigation(request: web.Request) -> list[dict[str, Any]]:
    """The menu: rooms in their groups."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for each in rooms(request):
        grouped.setdefault(each["group"], []).append(each)
    return [
        {
            "label": group,
            "is_current": any(each["is_current"] for each in found),
            "rooms": found,
        }
        for group, found in grouped.items()
    ]
