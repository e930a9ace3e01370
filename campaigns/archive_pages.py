"""The archive as everybody sees it (`/archive`): its list, one bulletin, the mail itself, feeds."""

from aiohttp import web
from yarl import URL

from campaigns import archive, issues, syndication, wording
from campaigns.archive import Wanted
from campaigns.syndication import Format
from foundation.web import conditional, kit
from subscribers import public_short

_LONGEST_SEARCH = 200
_FEED_KEPT_S = 300


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.get("/archive", show_archive),
        web.get("/archive/feed.{kind:xml|rss|json}", show_feed),
        web.get("/archive/{slug}", show_bulletin),
        web.get("/archive/{slug}/mail", show_mail),
    ]


async def show_archive(request: web.Request) -> web.StreamResponse:
    """`GET /archive?q=&issue=&language=`: bulletins that went out, newest first."""
    ground, speaks = kit.ground(request), kit.translator(request)
    wanted = wanted_of(request)
    after = request.query.get("after", "")
    page = await archive.listed(
        ground,
        translator=speaks,
        wanted=wanted,
        after=int(after) if after.isascii() and after.isdigit() and len(after) < 18 else None,
    )
    choices = await archive.choices(ground)
    more = str(request.rel_url.update_query(after=str(page.next_after))) if page.next_after else ""
    return kit.render(
        request,
        "bulletins/archive.html",
        page=page,
        next_url=more,
        wanted=wanted,
        feed_query=_feed_query(wanted),
        issues=[
            (each.slug, issues.title(ground, each, speaks.language)) for each in choices.issues
        ],
        archived_languages=[
            (code, wording.language_name(code, speaks).capitalize()) for code in choices.languages
        ],
    )


async def show_feed(request: web.Request) -> web.StreamResponse:
    """`GET /archive/feed.{xml,rss,json}?issue=&language=`: the same for feed readers."""
    ground, wanted = kit.ground(request), wanted_of(request)
    kit.speak(request, wanted.language)
    speaks = kit.translator(request)
    kind = Format(request.match_info["kind"])
    asked = request.query.get("lang", "") and speaks.language
    wanted = Wanted(issue=wanted.issue, language=wanted.language)
    feed = await syndication.gather(
        ground, wanted=wanted, kind=kind, asked=asked, translator=speaks
    )
    text = (
        syndication.as_json(feed)
        if kind is Format.JSON
        else request.app[kit.PAGES].render(
            f"bulletins/feed.{kind.value}", translator=speaks, values={"feed": feed}
        )
    )
    return conditional.answer(
        request,
        text.encode(),
        media_type=kind.media_type,
        changed_at=feed.changed_at,
        keep_s=_FEED_KEPT_S,
        # Readers on other sites, which are pages themselves, may fetch what everybody may read.
        headers={"Vary": "Accept-Language, Cookie", "Access-Control-Allow-Origin": "*"},
    )


async def show_bulletin(request: web.Request) -> web.StreamResponse:
    """`GET /archive/{slug}`: one bulletin, framed by a page of ours, with a way to sign up."""
    ground, speaks = kit.ground(request), kit.translator(request)
    slug = request.match_info["slug"]
    shown = await archive.show(ground, slug=slug, translator=speaks)
    short = await public_short.prepare(
        request, topic=shown.entry.issue_slug, source="archive", page=f"/archive/{slug}"
    )
    response = kit.render(
        request,
        "bulletins/archived.html",
        shown=shown,
        short=short,
        canonical=ground.url(f"/archive/{slug}"),
        mail_url=f"/archive/{slug}/mail?lang={shown.entry.language}",
    )
    response.headers["Content-Security-Policy"] = public_short.policy(request, short)
    return response


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


def wanted_of(request: web.Request) -> Wanted:
    """Which bulletins an address asks for."""
    query = request.query
    return Wanted(
        issue=query.get("issue", "")[:80],
        language=query.get("language", "")[:20],
        search=query.get("q", "")[:_LONGEST_SEARCH],
    )


def _feed_query(wanted: Wanted) -> str:
    """What a feed of the same bulletins asks for; feeds are not searched."""
    named = {"issue": wanted.issue, "language": wanted.language}
    pairs = {name: value for name, value in named.items() if value}
    return str(URL.build(query=pairs)) if pairs else ""
