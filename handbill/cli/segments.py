"""Commands about segments: choices of people that have a name."""

from typing import Any

import click

from campaigns import audience_words, audiences, segments
from foundation.ground import Ground
from handbill.cli import kit
from handbill.cli.kit import Chosen


@click.group("segments")
def group() -> None:
    """Choices of people that have a name, for campaigns to go by."""


@group.command("list")
@kit.JSON
@click.pass_obj
def list_(chosen: Chosen, as_json: bool) -> None:
    """Every segment, with whom it takes in words."""

    async def act(ground: Ground) -> list[dict[str, Any]]:
        async with ground.db.reading() as session:
            offered = await segments.offered(session)
            rules = [segments.rules_of(each) for each in offered]
            names = await audience_words.names_of(session, *rules)
        return [
            {
                "id": each.id,
                "name": each.name,
                "people": audience_words.sentence(rule, names, kit.translator()),
            }
            for each, rule in zip(offered, rules, strict=True)
        ]

    kit.show(kit.run(chosen, act), as_json=as_json, columns=("id", "name", "people"))


@group.command("show")
@click.argument("name")
@kit.JSON
@click.pass_obj
def show(chosen: Chosen, name: str, as_json: bool) -> None:
    """One segment by name or number: how many people it has now, and its rule."""

    async def act(ground: Ground) -> dict[str, Any]:
        async with ground.db.reading() as session:
            segment = await segments.named(session, name)
            rules = segments.rules_of(segment)
            audience = await segments.audience_of(session, rules)
            counted = await audiences.count_in(
                ground, session, audience, languages=ground.catalog.languages
            )
            names = await audience_words.names_of(session, rules)
        return {
            "id": segment.id,
            "name": segment.name,
            "people": counted.included,
            "by_language": dict(counted.by_language),
            "in_words": audience_words.sentence(rules, names, kit.translator()),
            "rules": segment.rules,
        }

    said = kit.run(chosen, act)
    if as_json:
        kit.show_json(said)
        return
    rows = [{"": key, "value": value} for key, value in said.items()]
    kit.show(rows, as_json=False, columns=("", "value"))


COMMANDS = (group,)
