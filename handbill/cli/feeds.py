"""Commands about feeds that are read again and again, and about the inbox that they fill."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import click

from campaigns import (
    feed_polling,
    feed_sources,
    inbox,
    inbox_csv,
    inbox_lists,
    inbox_rules,
    issues,
)
from campaigns.feed_polling import Reading
from campaigns.feed_sources import FeedDraft
from campaigns.inbox_csv import Imported
from campaigns.inbox_models import Feed, InboxRule, IncomingItem, ItemState
from foundation.audit import COMMAND
from foundation.ground import Ground
from handbill.cli import kit
from handbill.cli.kit import Chosen

_FEED = click.argument("feed_id", metavar="ID", type=click.IntRange(min=1))
_ITEMS = click.argument(
    "item_ids", metavar="ID…", nargs=-1, required=True, type=click.IntRange(min=1)
)


@click.group("feeds")
def feeds() -> None:
    """Feeds of issues; what is new in them comes into the inbox."""


@feeds.command("add")
@click.argument("url")
@click.option("--issue", required=True, metavar="SLUG", help="The issue that it is for.")
@click.option("--name", default="", help="What we call it.")
@click.option("--language", default="", help="Of its stories, where it does not say.")
@click.option("--every", "every_minutes", type=int, metavar="MINUTES", help="How often to read it.")
@click.option("--only", "include", multiple=True, metavar="WORD", help="Only stories with this.")
@click.option("--without", "exclude", multiple=True, metavar="WORD", help="No stories with this.")
@click.pass_obj
def add(
    chosen: Chosen,
    url: str,
    issue: str,
    name: str,
    language: str,
    every_minutes: int | None,
    include: Sequence[str],
    exclude: Sequence[str],
) -> None:
    """Add a feed (RSS, Atom or JSON Feed); its number is printed."""

    async def act(ground: Ground) -> Feed:
        async with ground.db.reading() as session:
            found = await issues.by_slug(session, issue)
        draft = FeedDraft(
            issue_id=found.id,
            url=url,
            name=name,
            language=language,
            every_minutes=every_minutes,
            include=include,
            exclude=exclude,
        )
        return await feed_sources.add(ground, actor=COMMAND, draft=draft)

    click.echo(kit.run(chosen, act).id)


@feeds.command("list")
@kit.JSON
@click.pass_obj
def list_(chosen: Chosen, as_json: bool) -> None:
    """Every feed, how it does, and when it is read next."""

    async def act(ground: Ground) -> list[dict[str, Any]]:
        async with ground.db.reading() as session:
            return [_row(each) for each in await feed_sources.listed(session)]

    columns = ("id", "feed", "state", "next_at", "stories", "problem")
    kit.show(kit.run(chosen, act), as_json=as_json, columns=columns)


@feeds.command("change")
@_FEED
@click.option("--url", help="Where it is.")
@click.option("--name", help="What we call it.")
@click.option("--language", help="Of its stories, where it does not say.")
@click.option("--every", "every_minutes", type=int, metavar="MINUTES", help="How often to read it.")
@click.option("--only", "include", multiple=True, metavar="WORD", help="Only stories with this.")
@click.option("--without", "exclude", multiple=True, metavar="WORD", help="No stories with this.")
@click.pass_obj
def change(chosen: Chosen, /, feed_id: int, **said: Any) -> None:
    """Change what is said; what is not stays. Words that are given take the place of all others."""

    async def act(ground: Ground) -> Feed:
        async with ground.db.reading() as session:
            feed = await feed_sources.get(session, feed_id)
        names = (each.name for each in dataclasses.fields(FeedDraft))
        values = {name: getattr(feed, name) for name in names}
        values |= {name: value for name, value in said.items() if value}
        return await feed_sources.update(
            ground,
            actor=COMMAND,
            feed_id=feed_id,
            version=feed.version,
            draft=FeedDraft(**values),
        )

    kit.run(chosen, act)


@feeds.command("pause")
@_FEED
@click.pass_obj
def pause(chosen: Chosen, feed_id: int) -> None:
    """Read it no more until it is resumed."""
    _do(chosen, feed_id, feed_sources.pause)


@feeds.command("resume")
@_FEED
@click.pass_obj
def resume(chosen: Chosen, feed_id: int) -> None:
    """Read it again."""
    _do(chosen, feed_id, feed_sources.resume)


@feeds.command("remove")
@_FEED
@click.pass_obj
def remove(chosen: Chosen, feed_id: int) -> None:
    """Take it away; what came in by it stays."""
    _do(chosen, feed_id, feed_sources.remove)


@feeds.command("read")
@click.argument("feed_id", metavar="[ID]", required=False, type=click.IntRange(min=1))
@kit.JSON
@click.pass_obj
def read(chosen: Chosen, feed_id: int | None, as_json: bool) -> None:
    """Read one feed now, or every one that is due."""

    async def act(ground: Ground) -> list[Reading]:
        if feed_id is None:
            return await feed_polling.poll_due(ground)
        return [await feed_polling.poll_now(ground, feed_id=feed_id)]

    found = kit.run(chosen, act)
    speaks = kit.translator()
    rows = [
        {
            "id": each.feed_id,
            "feed": each.title,
            "added": len(each.taken.added),
            "known": len(each.taken.known),
            "same": len(each.taken.same),
            "left_out": each.left_out,
            "said": each.say(speaks),
        }
        for each in found
    ]
    kit.show(rows, as_json=as_json, columns=("id", "feed", "said"))
    if feed_id is not None and found[0].problem is not None:
        kit.fail(found[0].problem)


@click.group("inbox")
def items() -> None:
    """What came in for bulletins, and waits for somebody to decide."""


@items.command("list")
@click.option(
    "--state",
    type=click.Choice([*(each.value for each in ItemState), "all"]),
    default=ItemState.NEW.value,
    show_default=True,
)
@click.option("--find", default="", metavar="WORDS", help="Only those with these words.")
@click.option("--limit", default=30, show_default=True, type=click.IntRange(1, 1000))
@kit.JSON
@click.pass_obj
def list_items(chosen: Chosen, state: str, find: str, limit: int, as_json: bool) -> None:
    """What came in, the last first."""
    query = inbox_lists.Query(state=None if state == "all" else ItemState(state), text=find)

    async def act(ground: Ground) -> list[dict[str, Any]]:
        async with ground.db.reading() as session:
            page = await inbox_lists.listed(ground, session, query, limit=limit)
        return [_item(ground, each) for each in page.items]

    columns = ("id", "day", "state", "headline", "source")
    kit.show(kit.run(chosen, act), as_json=as_json, columns=columns)


@items.command("keep")
@_ITEMS
@click.option("--publish", is_flag=True, help="Show them to everybody at once.")
@click.pass_obj
def keep(chosen: Chosen, item_ids: Sequence[int], publish: bool) -> None:
    """Make developments of them; their numbers are printed."""

    async def act(ground: Ground) -> list[int]:
        made = []
        for number in item_ids:
            kept = await inbox.keep(
                ground,
                actor=COMMAND,
                item_id=number,
                version=await _item_version(ground, number),
                is_published=publish,
            )
            made.append(kept.id)
        return made

    for number in kit.run(chosen, act):
        click.echo(number)


@items.command("drop")
@_ITEMS
@click.option("--reason", required=True, help="Why they are not for us.")
@click.pass_obj
def drop(chosen: Chosen, item_ids: Sequence[int], reason: str) -> None:
    """Say that they are not for us."""

    async def act(ground: Ground) -> None:
        for number in item_ids:
            version = await _item_version(ground, number)
            await inbox.drop(ground, actor=COMMAND, item_id=number, version=version, reason=reason)

    kit.run(chosen, act)


@items.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--issue", required=True, metavar="SLUG", help="The issue that they are for.")
@kit.JSON
@click.pass_obj
def import_(chosen: Chosen, file: Path, issue: str, as_json: bool) -> None:
    """Put the stories of a CSV file into the inbox."""

    async def act(ground: Ground) -> Imported:
        async with ground.db.reading() as session:
            found = await issues.by_slug(session, issue)
        return await inbox_csv.import_table(
            ground,
            actor=COMMAND,
            issue_id=found.id,
            octets=await asyncio.to_thread(file.read_bytes),
        )

    done = kit.run(chosen, act)
    speaks = kit.translator()
    refused = [{"line": each.line, "why": each.problem.say(speaks)} for each in done.refused]
    counts = {
        name: len(getattr(done.taken, name)) for name in ("added", "known", "same", "dropped")
    }
    if as_json:
        kit.show_json({**counts, "refused": refused})
        return
    click.echo(", ".join(f"{count} {name}" for name, count in counts.items()))
    for each in refused:
        click.echo(f"line {each['line']}: {each['why']}", err=True)


@items.command("rules")
@click.option("--try", "text", default="", metavar="TEXT", help="What they would make of it.")
@kit.JSON
@click.pass_obj
def rules(chosen: Chosen, text: str, as_json: bool) -> None:
    """The rules of the inbox in their order, or what they make of a text."""

    async def act(ground: Ground) -> Sequence[InboxRule]:
        async with ground.db.reading() as session:
            return await inbox_rules.everything(session)

    found = kit.run(chosen, act)
    if text:
        verdict = inbox_rules.judge(found, headline=text, summary="", issue_id=None)
        words = {each.rule.id: each.word for each in verdict.matches}
        found = [each.rule for each in verdict.matches]
    else:
        words = {each.id: ", ".join(each.words) for each in found}
    rows = [
        {
            "id": each.id,
            "words": words[each.id],
            "kind": each.kind,
            "place": each.place,
            "to_issue_id": each.to_issue_id,
            "drops": "yes" if each.is_drop else "",
        }
        for each in found
    ]
    columns = ("id", "words", "kind", "place", "to_issue_id", "drops")
    kit.show(rows, as_json=as_json, columns=columns)


def _do(chosen: Chosen, feed_id: int, verb: Callable[..., Awaitable[object]]) -> None:
    """Do something with a feed as it stands now."""

    async def act(ground: Ground) -> None:
        async with ground.db.reading() as session:
            version = (await feed_sources.get(session, feed_id)).version
        await verb(ground, actor=COMMAND, feed_id=feed_id, version=version)

    kit.run(chosen, act)


async def _item_version(ground: Ground, item_id: int) -> int:
    async with ground.db.reading() as session:
        return (await inbox_lists.get(session, item_id)).version


def _row(feed: Feed) -> dict[str, Any]:
    return {
        "id": feed.id,
        "issue_id": feed.issue_id,
        "feed": feed_sources.title(feed),
        "url": feed.url,
        "state": feed.state,
        "next_at": feed.next_at,
        "read_at": feed.read_at,
        "stories": feed.added,
        "failures": feed.failures,
        "problem": feed.problem_texts.get(kit.translator().language)
        or feed.problem_texts.get("en", ""),
    }


def _item(ground: Ground, item: IncomingItem) -> dict[str, Any]:
    return {
        "id": item.id,
        "day": item.happened_on.isoformat(),
        "state": inbox_lists.state_now(ground, item).value,
        "origin": item.origin,
        "kind": item.kind,
        "headline": item.headline,
        "source": item.source_name,
        "url": item.source_url,
        "reason": item.reason,
        "development_id": item.development_id,
    }


COMMANDS = (feeds, items)
