"""The web inbox at `/demo/inbox`, where a newcomer reads the mail that they caused."""

import html
import itertools
import re
from urllib.parse import urlencode, urlsplit

from aiohttp import web
from markupsafe import Markup, escape

from foundation import errors
from foundation.i18n import N_
from foundation.web import kit
from handbill.demo.mailbox import Mail, Mailbox

_PAGE = 50
_URL = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")
_FRAME_POLICY = (
    "default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline'; font-src https:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""A mail may style itself and show pictures, and nothing else; its links open in a new window."""


class Inbox:
    """The pages over a mailbox."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    def routes(self) -> list[web.RouteDef]:
        """What is here; `handbill/demo/run.py` adds it to the application."""
        return [
            web.get("/demo", self.enter),
            web.get("/demo/inbox", self.listed),
            web.get("/demo/inbox/{number}", self.show),
            web.get("/demo/inbox/{number}/html", self.as_html),
            web.get("/demo/inbox/{number}/raw", self.as_source),
        ]

    async def enter(self, request: web.Request) -> web.Response:
        """`GET /demo`."""
        return kit.redirect(request, "/demo/inbox")

    async def listed(self, request: web.Request) -> web.Response:
        """`GET /demo/inbox?to=&before=`: newest first."""
        to = request.query.get("to", "").strip()[:320]
        before = request.query.get("before", "")
        found = self._mailbox.newest(to=to)
        if before.isdigit():
            found = (mail for mail in found if mail.number < int(before[:12]))
        rows = list(itertools.islice(found, _PAGE + 1))
        older = ""
        if len(rows) > _PAGE:
            older = "/demo/inbox?" + urlencode({"to": to, "before": rows[_PAGE - 1].number})
        return kit.render(
            request,
            "demo/inbox.html",
            mails=rows[:_PAGE],
            to=to,
            total=len(self._mailbox),
            older_url=older,
        )

    async def show(self, request: web.Request) -> web.Response:
        """`GET /demo/inbox/{number}?view=html|text|source|headers`: one message."""
        mail = self._mail(request)
        view = request.query.get("view", "html" if mail.html else "text")
        return kit.render(
            request,
            "demo/mail.html",
            mail=mail,
            view=view if view in ("html", "text", "source", "headers") else "text",
            text=_with_links(mail.text),
            source=mail.data.decode("utf-8", "replace"),
            one_click_path=_own_path(request, mail.one_click_url),
        )

    async def as_html(self, request: web.Request) -> web.Response:
        """`GET /demo/inbox/{number}/html`: the HTML part, for the sandboxed frame."""
        shown = re.sub(
            r"(<head\b[^>]*>)",
            r'\1<base target="_blank">',
            self._mail(request).html,
            count=1,
            flags=re.IGNORECASE,
        )
        return web.Response(
            text=shown,
            content_type="text/html",
            charset="utf-8",
            headers={
                "Content-Security-Policy": _FRAME_POLICY,
                "X-Frame-Options": "SAMEORIGIN",
            },
        )

    async def as_source(self, request: web.Request) -> web.Response:
        """`GET /demo/inbox/{number}/raw`: the message as it came in, to be saved."""
        mail = self._mail(request)
        name = f"demo-{mail.number}.eml"
        return web.Response(
            body=mail.data,
            content_type="message/rfc822",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _mail(self, request: web.Request) -> Mail:
        mail = self._mailbox.get(kit.number_in_path(request, "number"))
        if mail is None:
            raise errors.NotFound(N_("There is no such mail in the demo's inbox any more."))
        return mail


def _with_links(text: str) -> Markup:
    """Plain text with its addresses made to work."""
    out: list[str] = []
    end = 0
    for found in _URL.finditer(text):
        out.append(html.escape(text[end : found.start()]))
        url = escape(found[0])
        out.append(f'<a href="{url}" target="_blank" rel="noopener">{url}</a>')
        end = found.end()
    out.append(html.escape(text[end:]))
    return Markup("".join(out))  # noqa: S704 - every piece was escaped above


def _own_path(request: web.Request, url: str) -> str:
    """The path of an address on this site; blank for any other site's."""
    site = kit.ground(request).settings.site.url
    return urlsplit(url).path if url.startswith(site + "/") else ""
