"""Commands about what happens on issues."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click

from campaigns import developments as verbs
from campaigns import feeds, issues, zips
from campaigns import schedule as schedules
from campaigns.development_drafts import Draft
from campaigns.feeds import Fetched
from campaigns.models import Development, DevelopmentKind
from foundation import errors
from foundation.audit import COMMAND
from foundation.ground import Ground
from foundation.i18n import N_
from handbill.cli import kit
from handbill.cli.kit import Chosen

_ISSUE = click.option("--issue", required=True, metavar="SLUG", help="The issue it belongs to.")
_JSON = click.option("--json", "as_json", is_flag=True)


@click.group()
def developments() -> None:
    """What happened on an issue; readers see what is published."""


@developments.command("add")
@_ISSUE
@click.option("--kind", type=click.Choice([k.value for k in DevelopmentKind]), default="news")
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="The day (default: today).")
@click.option("--headline", "headlines", multiple=True, required=True, metavar="[LANGUAGE=]TEXT")
@click.option("--summary", "summaries", multiple=True, metavar="[LANGUAGE=]HTML")
@click.option("--place", default="")
@click.option("--near", default="", metavar="ZIP", help="Its ZIP code, or “Worcester, MA”.")
@click.option("--miles", default=zips.USUAL_MILES, help="How far around there is near.",
              show_default=True, type=click.IntRange(1, zips.MOST_MILES))  # fmt: skip
@click.option("--source", default="", help="Who reported it.")
@click.option("--url", default="", help="Where it can be read.")
@click.option("--key", default="", help="A name for bulletin documents.")
@click.option("--publish", is_flag=True, help="Show it to everybody at once.")
@click.option(
    "--hold-until", "held", default="", metavar="TIME", help="Local, as 2026-12-01T09:00."
)
@click.pass_obj
def add(
    chosen: Chosen,
    *,
    issue: str,
    kind: str,
    day: datetime | None,
    headlines: Sequence[str],
    summaries: Sequence[str],
    place: str,
    near: str,
    miles: int,
    source: str,
    url: str,
    key: str,
    publish: bool,
    held: str,
) -> None:
    """Write one down; its number is printed. Say the language as `es=…` (default: the site's)."""

    async def act(ground: Ground) -> int:
        async with ground.db.reading() as session:
            found = await issues.by_slug(session, issue)
        texts = {code: {"headline": text} for code, text in _worded(ground, headlines).items()}
        for code, text in _worded(ground, summaries).items():
            texts.setdefault(code, {})["summary"] = text
        today = ground.clock.now().astimezone(ground.settings.site.tzinfo).date()
        draft = Draft(
            kind=DevelopmentKind(kind),
            happened_on=day.date() if day else today,
            texts=texts,
            place=place,
            postal_code=near,
            miles=miles,
            source_name=source,
            source_url=url,
            key=key,
            is_published=publish,
            not_before=schedules.resolve(held, ground.settings.site.zone) if held else None,
        )
        return (await verbs.add(ground, actor=COMMAND, issue_id=found.id, draft=draft)).id

    click.echo(str(kit.run(chosen, act)))


@developments.command("list")
@_ISSUE
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
@_JSON
@click.pass_obj
def list_(chosen: Chosen, issue: str, limit: int, as_json: bool) -> None:
    """Those of an issue, newest first; unpublished ones too."""

    async def act(ground: Ground) -> list[dict[str, Any]]:
        async with ground.db.reading() as session:
            found = await issues.by_slug(session, issue)
            page = await verbs.listed(session, issue_id=found.id, limit=limit)
        return [_row(ground, each) for each in page.items]

    kit.show(
        kit.run(chosen, act),
        as_json=as_json,
        columns=("id", "day", "kind", "published", "headline"),
    )


@developments.command("fetch")
@_ISSUE
@click.option("--feed", "url", required=True, metavar="URL", help="An RSS or Atom feed.")
@click.option("--language", default="", help="Of the feed, where it does not say.")
@_JSON
@click.pass_obj
def fetch(chosen: Chosen, issue: str, url: str, language: str, as_json: bool) -> None:
    """Keep what is new in a feed as drafts; each entry is added once, and staff publish it."""

    async def act(ground: Ground) -> Fetched:
        return await feeds.fetch(
            ground, actor=COMMAND, issue_slug=issue, url=url, language=language
        )

    done = kit.run(chosen, act)
    if as_json:
        kit.show_json(done)
        return
    click.echo(f"{done.title}: {done.added} added, {done.known} known, {done.skipped} skipped")


def _worded(ground: Ground, words: Sequence[str]) -> dict[str, str]:
    """Texts by language; without one, the site's."""
    found: dict[str, str] = {}
    for each in words:
        code, separator, text = each.partition("=")
        is_tagged = bool(separator) and code in ground.catalog.languages
        language = code if is_tagged else ground.settings.site.language
        if language in found:
            raise errors.Invalid(
                N_("There are two texts in “%(language)s”; give one for each language."),
                language=language,
            )
        found[language] = text if is_tagged else each
    return found


def _row(ground: Ground, each: Development) -> dict[str, Any]:
    told = verbs.tell(ground, each, ground.translator(None))
    return {
        "id": each.id,
        "key": each.key,
        "day": each.happened_on.isoformat(),
        "kind": each.kind,
        "published": each.is_published,
        "headline": told.headline,
        "place": each.place,
        "postal_code": each.postal_code,
        "miles": each.miles,
        "source_url": each.source_url,
        "version": each.version,
        "texts": each.texts,
    }


COMMANDS = (developments,)
