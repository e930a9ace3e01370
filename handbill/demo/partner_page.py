"""A partner organisation's own web page, on another origin, with our form in it as a part.

It stands for any page that a partner has: it knows nothing of Handbill but the code it was given.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping
from string import Template

from aiohttp import web
from markupsafe import escape

from foundation import i18n
from foundation.frozen import frozen
from handbill.demo.content import LANGUAGES, Partner

ACCENT = "#12496b"
_PAGE = Template("""<!doctype html>
<html lang="$language">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="icon" href="data:,">
<style>
body { margin: 0; font: 18px/1.6 system-ui, sans-serif; color: #14202b; background: #eef3f6; }
header, main { max-width: 39rem; margin: auto; padding: 1.5rem; }
header { background: #12496b; color: #fff; max-width: none; }
header a { color: #fff; }
header > * { max-width: 39rem; margin-inline: auto; }
section { background: #fff; padding: 1.5rem; border-top: 4px solid #12496b; }
input { font: inherit; padding: .4rem; border: 1px solid #54646f; display: block; width: 95%; }
input[type=checkbox] { display: inline; width: auto; }
handbill-signup { --handbill-padding: 0; --handbill-border: 0; --handbill-paper: #fff; }
button { font: inherit; padding: .6rem 1.2rem; background: #12496b; color: #fff; border: 0; }
</style>
</head>
<body>
<header>
<p><a href="/?lang=$other" hreflang="$other" lang="$other">$other_name</a></p>
<h1>$title</h1>
<p>$lead</p>
</header>
<main>
<p>$body</p>
<section>
<h2>$form_title</h2>
<p>$form_lead</p>
$form
</section>
</main>
</body>
</html>
""")


@frozen
class PartnerPage:
    """The page: the partner's words, and the form's code by language."""

    partner: Partner
    forms: Mapping[str, str]

    async def show(self, request: web.Request) -> web.Response:
        """`GET /?lang=`: the page in the reader's language."""
        language = request.query.get("lang") or i18n.match_header(
            request.headers.get("Accept-Language"), LANGUAGES
        )
        language = i18n.match(language, LANGUAGES)
        other = next(code for code in LANGUAGES if code != language)
        words = {name: str(escape(text)) for name, text in self.partner.texts[language].items()}
        html = _PAGE.substitute(
            words,
            language=language,
            other=other,
            other_name=i18n.manners(other).name.capitalize(),
            form=self.forms[language],
        )
        return web.Response(text=html, content_type="text/html", charset="utf-8")


@contextlib.asynccontextmanager
async def open_page(page: PartnerPage, *, port: int) -> AsyncIterator[int]:
    """The partner's web server on loopback, for as long as the block lasts; gives its port."""
    app = web.Application()
    app.router.add_get("/", page.show)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
