"""Commands about series: bulletins that draft themselves again and again."""

from collections.abc import Sequence
from typing import Any

import click

from campaigns import series as verbs
from campaigns import series_plans, series_rules, series_words
from campaigns.models import Campaign
from campaigns.series import Ahead
from campaigns.series_models import Series, SeriesRun
from foundation.audit import COMMAND
from foundation.ground import Ground
from handbill.cli import kit
from handbill.cli.kit import Chosen

_ID = click.argument("series_id", metavar="ID", type=click.IntRange(min=1))


@click.group("series")
def group() -> None:
    """Bulletins that draft themselves again and again."""


@group.command("list")
@kit.JSON
@click.pass_obj
def list_(chosen: Chosen, as_json: bool) -> None:
    """Every series, how often it comes out, and when next."""

    async def act(ground: Ground) -> list[dict[str, Any]]:
        page = await verbs.listed(ground, limit=1000)
        return [_row(ground, each) for each in page.items]

    kit.show(
        kit.run(chosen, act), as_json=as_json, columns=("id", "name", "state", "rule", "next_on")
    )


@group.command("next")
@_ID
@click.option("--count", default=series_rules.AHEAD, show_default=True, type=click.IntRange(1, 60))
@kit.JSON
@click.pass_obj
def next_(chosen: Chosen, series_id: int, count: int, as_json: bool) -> None:
    """A dry run: the next dates, and what the first would hold if its content closed now."""

    async def act(ground: Ground) -> Ahead:
        found = await verbs.show(ground, series_id=series_id)
        return await verbs.ahead(ground, found, count=count)

    ahead = kit.run(chosen, act)
    dates = [
        {"day": each.day, "content_closes": each.closes_at, "sent": each.sends_at}
        for each in ahead.dates
    ]
    items = _items(ahead)
    if as_json:
        kit.show_json({"dates": dates, "items": items})
        return
    kit.show(dates, as_json=False, columns=("day", "content_closes", "sent"))
    if ahead.problem is not None:
        kit.say(ahead.problem)
    click.echo("")
    kit.show(items, as_json=False, columns=("in", "title", "why"))


@group.command("runs")
@_ID
@click.option("--limit", default=30, show_default=True, type=click.IntRange(1, 1000))
@kit.JSON
@click.pass_obj
def runs(chosen: Chosen, series_id: int, limit: int, as_json: bool) -> None:
    """What became of its dates, the last first."""

    async def act(ground: Ground) -> Sequence[SeriesRun]:
        return (await verbs.runs(ground, series_id=series_id, limit=limit)).items

    speaks = kit.translator()
    rows = [
        {
            "day": each.day,
            "outcome": each.outcome,
            "edition": f"{each.volume}/{each.number}" if each.number else "",
            "campaign_id": each.campaign_id,
            "reason": each.reason,
            "why": series_words.of_run(each, speaks),
        }
        for each in kit.run(chosen, act)
    ]
    kit.show(rows, as_json=as_json, columns=("day", "outcome", "edition", "campaign_id", "why"))


@group.command("delete")
@_ID
@click.option("--reason", required=True, help="Why it ends; it stays with the series.")
@click.pass_obj
def delete(chosen: Chosen, series_id: int, reason: str) -> None:
    """End a series for good. What it drafted stays as it is."""

    async def act(ground: Ground) -> Sequence[Campaign]:
        seen = await verbs.show(ground, series_id=series_id)
        await verbs.delete(
            ground, actor=COMMAND, series_id=series_id, version=seen.version, reason=reason
        )
        return await verbs.on_the_way(ground, series_id=series_id)

    for each in kit.run(chosen, act):
        click.echo(f"still on the way: {each.name} (campaign {each.id}, {each.state})")


def _row(ground: Ground, each: Series) -> dict[str, Any]:
    rule = series_plans.parse(each.document).rule
    return {
        "id": each.id,
        "name": each.name,
        "state": each.state,
        "rule": series_rules.in_words(rule, kit.translator(), zone=ground.settings.site.zone),
        "next_on": each.next_on,
        "closes_at": each.closes_at,
        "sends_at": each.sends_at,
    }


def _items(ahead: Ahead) -> list[dict[str, Any]]:
    speaks = kit.translator()
    return [
        {
            "in": "yes" if each.is_in else "no",
            "title": series_words.title(each.item.titles, speaks, default="en"),
            "why": series_words.of_item(each, speaks),
            "reason": each.reason.value,
        }
        for each in (ahead.selection.choices if ahead.selection else ())
    ]


COMMANDS = (group,)
