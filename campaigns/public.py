"""What everybody sees of the content: front, issue pages, handouts, pictures, and the archive."""

from datetime import timedelta

from aiohttp import web

from campaigns import (
    archive,
    archive_pages,
    calendar_pages,
    handbill_pages,
    hits,
    issue_page,
    materials,
    pictures,
    tracking,
)
from campaigns.filekinds import FileKind
from campaigns.material_counts import Counter, Taken
from campaigns.material_models import Source
from campaigns.models import HitKind, MaterialFile
from foundation import errors
from foundation.i18n import N_
from foundation.web import kit

DOWNLOADS: web.AppKey[Counter] = web.AppKey("downloads", Counter)

_FOR_A_YEAR = "public, max-age=31536000, immutable"
_DIGEST = "[0-9a-f]{64}"


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.get("/", show_front),
        web.get("/issues", show_issues),
        web.get("/issues/{slug}", show_issue),
        web.get("/issues/{slug}/developments", show_developments),
        *archive_pages.routes(),
        *calendar_pages.routes(),
        *handbill_pages.routes(),
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


async def send_file(request: web.Request) -> web.StreamResponse:
    """`GET /files/{digest}/{name}`: a handout."""
    async with kit.ground(request).db.reading() as session:
        file = await materials.served(session, request.match_info["digest"])
    if file is None or file.content is None:
        raise errors.NotFound(N_("There is no such file."))
    await _count(request, file)
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


async def _count(request: web.Request, file: MaterialFile) -> None:
    """In totals alone; what a mail's link brought was counted by that link."""
    ground, source = kit.ground(request), materials.source_of(request.query)
    if source is Source.MAIL or not ground.settings.tracking.enabled:
        return
    machine = tracking.judge(
        hits.visit_of(request),
        kind=HitKind.CLICK,
        since_sent=timedelta.max,
        window=timedelta(0),
    )
    await request.app[DOWNLOADS].count(
        Taken(
            material_id=file.material_id,
            language=file.language,
            source=source,
            day=ground.clock.now().astimezone(ground.settings.site.tzinfo).date(),
            is_human=not machine,
        )
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
