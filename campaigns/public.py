"""What everybody sees of the content: front, issue pages, archive, feed, handouts and pictures."""

from aiohttp import web

from campaigns import archive, issue_page, materials, pictures
from campaigns.filekinds import FileKind
from foundation import errors
from foundation.i18n import N_
from foundation.web import kit

_FOR_A_YEAR = "public, max-age=31536000, immutable"
_DIGEST = "[0-9a-f]{64}"


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.get("/", show_front),
        web.get("/issues", show_issues),
        web.get("/issues/{slug}", show_issue),
        web.get("/issues/{slug}/developments", show_developments),
        web.get("/archive", show_archive),
        web.get("/archive/feed.xml", show_feed),
        web.get("/archive/{slug}", show_bulletin),
        web.get("/archive/{slug}/mail", show_mail),
        web.get(f"/files/{{digest:{_DIGEST}}}/{{name}}", send_file),
        web.get(f"/pictures/{{digest:{_DIGEST}}}", send_picture),
    ]


async def show_front(request: web.Request) -> web.StreamResponse:
    """`GET /`: who we are, the issues, the doors."""
    ground, speaks = kit.ground(request), kit.translator(request)
    found = await issue_page.front(ground, translator=speaks)
    recent = await archive.listed(ground, translator=speaks, limit=3)
    return kit.render(request, "bulletins/front.html", front=found, recent=recent.items)


async def show_issues(request: web.Request) -> web.StreamResponse:
    """`GET /issues`: the published issues."""
    found = await issue_page.front(kit.ground(request), translator=kit.translator(request))
    return kit.render(request, "bulletins/issues.html", front=found)


async def show_issue(request: web.Request) -> web.StreamResponse:
    """`GET /issues/{slug}`: the page that it all hangs from."""
    page = await issue_page.show(
        kit.ground(request),
        slug=request.match_info["slug"],
        translator=kit.translator(request),
    )
    return kit.render(request, "bulletins/issue.html", page=page)


async def show_developments(request: web.Request) -> web.StreamResponse:
    """`GET /issues/{slug}/developments`: everything that happened, newest first."""
    slug = request.match_info["slug"]
    history = await issue_page.history(
        kit.ground(request),
        slug=slug,
        translator=kit.translator(request),
        after=request.query.get("after", ""),
    )
    more = str(request.rel_url.update_query(after=history.next_after)) if history.next_after else ""
    return kit.render(request, "bulletins/developments.html", history=history, next_url=more)


async def show_archive(request: web.Request) -> web.StreamResponse:
    """`GET /archive`: bulletins that went out."""
    after = request.query.get("after", "")
    page = await archive.listed(
        kit.ground(request),
        translator=kit.translator(request),
        after=int(after) if after.isascii() and after.isdigit() and len(after) < 18 else None,
    )
    more = str(request.rel_url.update_query(after=str(page.next_after))) if page.next_after else ""
    return kit.render(request, "bulletins/archive.html", page=page, next_url=more)


async def show_feed(request: web.Request) -> web.StreamResponse:
    """`GET /archive/feed.xml`: the same for feed readers (RFC 4287)."""
    ground, speaks = kit.ground(request), kit.translator(request)
    page = await archive.listed(ground, translator=speaks, limit=archive.FEED_ENTRIES)
    newest = max((each.sent_at for each in page.items), default=ground.clock.now())
    xml = request.app[kit.PAGES].render(
        "bulletins/feed.xml",
        translator=speaks,
        values={
            "site": ground.settings.site,
            "entries": page.items,
            "updated": newest,
            "url": ground.url,
        },
    )
    return web.Response(text=xml, content_type="application/atom+xml", charset="utf-8")


async def show_bulletin(request: web.Request) -> web.StreamResponse:
    """`GET /archive/{slug}`: one bulletin, framed by a page of ours."""
    ground, speaks = kit.ground(request), kit.translator(request)
    slug = request.match_info["slug"]
    shown = await archive.show(ground, slug=slug, translator=speaks)
    return kit.render(
        request,
        "bulletins/archived.html",
        shown=shown,
        canonical=ground.url(f"/archive/{slug}"),
        mail_url=f"/archive/{slug}/mail?lang={shown.entry.language}",
    )


async def show_mail(request: web.Request) -> web.StreamResponse:
    """`GET /archive/{slug}/mail`: the mail itself, for the frame in `/archive/{slug}`."""
    shown = await archive.show(
        kit.ground(request),
        slug=request.match_info["slug"],
        translator=kit.translator(request),
    )
    return framed_mail(shown.html)


def framed_mail(html: str) -> web.Response:
    """A mail as a document that a page of ours may frame; nothing in it can run."""
    policy = (
        "default-src 'none'; img-src * data:; style-src 'unsafe-inline'; font-src 'none'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
        "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox "
        "allow-top-navigation-by-user-activation"
    )
    return web.Response(
        text=html,
        content_type="text/html",
        charset="utf-8",
        headers={
            "Content-Security-Policy": policy,
            "X-Frame-Options": "SAMEORIGIN",
            "X-Robots-Tag": "noindex",
        },
    )


async def send_file(request: web.Request) -> web.StreamResponse:
    """`GET /files/{digest}/{name}`: a handout."""
    async with kit.ground(request).db.reading() as session:
        file = await materials.served(session, request.match_info["digest"])
    if file is None or file.content is None:
        raise errors.NotFound(N_("There is no such file."))
    is_pdf = file.media_type == FileKind.PDF
    # A browser's own PDF reader does not work in a sandbox; it runs no scripts of ours either way.
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; object-src 'self'"
    return web.Response(
        body=file.content,
        headers={
            "Content-Type": _content_type(file.media_type),
            "Content-Disposition": _inline(file.file_name),
            "Content-Security-Policy": policy if is_pdf else "default-src 'none'; sandbox",
            "Cache-Control": _FOR_A_YEAR,
            "Content-Language": file.language,
        },
    )


async def send_picture(request: web.Request) -> web.StreamResponse:
    """`GET /pictures/{digest}`: a picture, also for mail programs on other sites."""
    async with kit.ground(request).db.reading() as session:
        picture = await pictures.served(session, request.match_info["digest"])
    if picture is None:
        raise errors.NotFound(N_("There is no such picture."))
    return web.Response(
        body=picture.content,
        headers={
            "Content-Type": picture.media_type,
            "Content-Disposition": _inline(picture.file_name),
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Cache-Control": _FOR_A_YEAR,
        },
    )


def _content_type(media_type: str) -> str:
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type


def _inline(file_name: str) -> str:
    """A Content-Disposition; names hold letters, digits, `-`, `_` and one dot (RFC 6266 §4.1)."""
    plain = file_name.encode("ascii", "replace").decode().replace("?", "-")
    return f'inline; filename="{plain}"'
