"""Marks the links of a mail with how often people followed each: where readers' interest went."""

import re
from collections.abc import Mapping, Sequence
from html import escape

from campaigns import archive
from campaigns.reports import LinkHits
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import Translator
from templates.plan import Plan

LEVELS = 4
_MARK = "https://link.invalid/"
"""Stands for a link while the mail is put together (RFC 2606: nobody has this name)."""
_ANCHOR = re.compile(
    r'(?P<head><a\b[^>]*?href=")' + re.escape(_MARK) + r'(?P<number>\d+)(?P<rest>"[^>]*>)'
    r"(?P<inside>.*?)</a>",
    re.DOTALL | re.IGNORECASE,
)
_STYLE = """<style>
a[data-heat] { position: relative; outline: 2px solid #8c2f1b; outline-offset: 2px; }
a[data-heat="0"] { outline: 1px dashed #6b6259; }
.heat { display: inline-block; margin: 0 4px; padding: 1px 7px; border-radius: 9px;
  border: 1px solid #8c2f1b; font: 700 13px/1.4 system-ui, sans-serif; text-decoration: none;
  white-space: nowrap; vertical-align: baseline; }
.heat-0 { background: #fff; color: #5c544b; border-color: #6b6259; }
.heat-1 { background: #fbe3dc; color: #5a1c0e; }
.heat-2 { background: #f0b3a2; color: #45140a; }
.heat-3 { background: #b9472d; color: #fff; }
.heat-4 { background: #7a2412; color: #fff; }
</style>"""


@frozen
class Warm:
    """A link with its clicks, and how warm that is beside the others."""

    link: LinkHits
    share: float
    """Of all clicks in this mail."""
    level: int
    """0: nobody; 1 to 4 by quarters of the most clicked."""


def warmed(links: Sequence[LinkHits]) -> list[Warm]:
    """The links of one mail, in its order."""
    most = max([link.clicks for link in links], default=0)
    together = sum(link.clicks for link in links)
    return [
        Warm(
            link=link,
            share=link.clicks / together if together else 0.0,
            level=-(-link.clicks * LEVELS // most) if most else 0,
        )
        for link in links
    ]


def over_mail(ground: Ground, plan: Plan, links: Mapping[int, Warm], speaks: Translator) -> str:
    """The mail as HTML with a mark at each of its links; sections for some readers are there, too.

    A link that stands twice in the mail is counted once, so each place shows the same figure.
    """
    values = archive.public_values(ground, plan, archive_url=ground.url("/archive"))
    values |= {f"click:{link.number}": f"{_MARK}{link.number}" for link in plan.links}
    urls = {link.number: link.url for link in plan.links}

    def marked(found: re.Match[str]) -> str:
        number = int(found["number"])
        warm = links.get(number)
        head, rest = found["head"] + escape(urls.get(number, "#")), found["rest"]
        if warm is None:
            return f"{head}{rest}{found['inside']}</a>"
        said = f"{speaks.number(warm.link.clicks)} · {speaks.percent(warm.share, digits=0)}"
        mark = f'<span class="heat heat-{warm.level}">{escape(said)}</span>'
        opened = rest[:-1] + f' data-heat="{warm.level}">'
        return f"{head}{opened}{found['inside']}{mark}</a>"

    html = archive.as_page(plan, values, None, target="_blank")
    html = _ANCHOR.sub(marked, html).replace(_MARK, "#")
    return html.replace("</head>", f"{_STYLE}</head>", 1)
