"""Editions to compile: one with every kind of block, and a short way to make others."""

from typing import Any
from xml.etree.ElementTree import Element

import html5lib

from foundation import i18n
from templates import compiler, plan
from templates.content import (
    Action,
    Block,
    Brand,
    Column,
    Columns,
    DevelopmentItem,
    Developments,
    Divider,
    Edition,
    Event,
    Figure,
    Figures,
    Heading,
    Image,
    LinkItem,
    Links,
    Material,
    Quote,
    RichText,
    Social,
)

CATALOG = i18n.load(languages=["en", "es"], default="en", zone="America/New_York")
BRAND = Brand(
    site_name="Coalition for Trust & Safety",
    site_url="https://coalition.example",
    postal_address="12 Summer Street, Boston, MA 02110",
)
ARCHIVE_URL = "https://coalition.example/archive/november"

EVERY_BLOCK: tuple[Block, ...] = (
    RichText(
        html='<p>Dear {{ subscriber.first_name | default_if_blank("friend") }},</p>'
        '<p>Read <a href="https://news.example/report?a=1&amp;b=2">the <em>report</em></a>.</p>'
        "<ul><li>One<ul><li>inner</li></ul></li><li>Two</li></ul>"
        "<blockquote><p>It was my cousin.</p></blockquote>"
    ),
    Heading(text="What happened"),
    Developments(
        title="Developments",
        items=(
            DevelopmentItem(
                kind="ruling",
                kind_label="Ruling",
                date_label="November 3, 2026",
                headline="Court sides with towns",
                place="Boston",
                summary_html="<p>A request is a request.</p>",
                url="https://news.example/ruling",
                source_name="The Globe",
            ),
            DevelopmentItem(
                kind="news",
                kind_label="News",
                date_label="November 1, 2026",
                headline="Reunión en Chelsea",
                language_note="In Spanish",
            ),
        ),
    ),
    Figures(
        title="In numbers",
        items=(
            Figure(value="54 %", label="had no conviction", source_name="DHS"),
            Figure(value="39", label="towns", url="https://coalition.example/towns"),
        ),
    ),
    Image(
        src="https://coalition.example/p.png?a=1&b=2", alt='The "big" meeting', caption="Chelsea"
    ),
    Event(
        title="Know your rights",
        when_label="December 1, 6:30 pm",
        body_html="<p>Bring a friend.</p>",
        place="St. Rose",
        address="600 Broadway",
        url="https://coalition.example/e/1",
    ),
    Material(
        title="A card", url="https://coalition.example/card.pdf", label="Open", lead="Fold it."
    ),
    Divider(),
    Action(label="Write now", url="https://act.example/write", lead="The vote is near."),
    Quote(
        html="<p>I told them everything.</p><p>Nobody <em>asked</em>.</p>",
        by="Marta {{ subscriber.last_name }}",
        role="a teacher in Lynn",
    ),
    Columns(
        items=(
            Column(
                html='<h3>Come</h3><p>Read <a href="https://col.example/one">one</a>.</p>',
                image=Image(src="https://coalition.example/c.png", alt="A hall", width=900),
                label="Sign up",
                url="https://col.example/sign?a=1&b=2",
            ),
            Column(html="<p>Two &amp; three</p>", label="Give", url="https://col.example/give"),
        )
    ),
    Links(
        title="Read on",
        items=(
            LinkItem(title="Our report", url="https://coalition.example/r", line="Twelve pages."),
            LinkItem(title="A map", url="https://coalition.example/map"),
        ),
    ),
    Social(
        title="Follow us",
        items=(
            LinkItem(title="Instagram", url="https://instagram.com/c"),
            LinkItem(title="Mail", url="mailto:us@there.example"),
        ),
    ),
)


def tree(html: str) -> "Element[str]":
    """A document as a browser reads it."""
    return html5lib.parse(html, namespaceHTMLElements=False)


def body_of(html: str) -> "Element[str]":
    """Its body."""
    body = tree(html).find("body")
    assert body is not None
    return body


def edition(*blocks: Block, **changes: Any) -> Edition:
    """An edition in English with `blocks`, or with one of every kind."""
    values: dict[str, Any] = {
        "language": "en",
        "subject": "News for {{ subscriber.first_name }}",
        "title": "Courts and figures",
        "preheader": "A court sides with towns.",
        "date_label": "November 23, 2026",
        "issue_title": "Secure Communities",
        "campaign_name": "November",
        "blocks": blocks or EVERY_BLOCK,
    }
    return Edition(**{**values, **changes})


def compiled(*blocks: Block, brand: Brand = BRAND, **changes: Any) -> plan.Plan:
    """The plan of such an edition."""
    made = edition(*blocks, **changes)
    return compiler.compile_edition(
        made, brand, archive_url=ARCHIVE_URL, translator=CATALOG.translator(made.language)
    )


def values_for(made: plan.Plan, **changes: str) -> dict[str, str]:
    """A value for every slot: addresses for links, and the slot's name for others."""
    return {
        name: f"https://go.example/{name}" if name.startswith("click:") or "url" in name else name
        for name in made.slot_names
    } | changes
