"""Commands about the welcome: what comes to people who are new to a topic."""

from collections.abc import Sequence
from typing import Any

import click

from campaigns import welcome as verbs
from campaigns import welcome_reports, welcome_words
from campaigns.welcome_models import StepKind
from foundation.audit import COMMAND
from foundation.ground import Ground
from handbill.cli import kit
from handbill.cli.kit import Chosen

_TOPIC = click.argument("topic", metavar="TOPIC")


@click.group("welcome")
def group() -> None:
    """What comes to people who are new to a topic."""


@group.command("list")
@kit.JSON
@click.pass_obj
def list_(chosen: Chosen, as_json: bool) -> None:
    """Every topic, and in which languages its welcome is on."""
    rows = [
        {
            "topic": each.topic.slug,
            "on": sorted(each.welcome.on_since) if each.welcome else [],
            "steps": each.steps,
            "in_the_middle": each.going,
        }
        for each in kit.run(chosen, verbs.listed)
    ]
    kit.show(rows, as_json=as_json, columns=("topic", "on", "steps", "in_the_middle"))


@group.command("show")
@_TOPIC
@kit.JSON
@click.pass_obj
def show(chosen: Chosen, topic: str, as_json: bool) -> None:
    """Its steps, and what came of each."""
    speaks = kit.translator()

    async def act(ground: Ground) -> tuple[verbs.View, welcome_reports.Figures]:
        view = await verbs.show(ground, topic=topic)
        return view, await welcome_reports.figures(ground, topic=topic)

    view, figures = kit.run(chosen, act)
    told = welcome_reports.as_dict(figures)
    rows: list[dict[str, Any]] = [
        {
            "step": each.id,
            "kind": speaks.gettext(welcome_words.KIND_WORDS[StepKind(each.kind)]),
            "name": each.name,
            "when": welcome_words.when(each, speaks),
            "problem": made.problem.say(speaks) if made.problem else "",
            **told["steps"][each.id],
        }
        for each in view.steps
        for made in (view.content[each.id],)
    ]
    if as_json:
        kit.show_json({**told, "topic": topic, "on_since": dict(view.on_since), "steps": rows})
        return
    kit.show(
        rows, as_json=False, columns=("step", "name", "when", "sent", "human_clicks", "problem")
    )


@group.command("switch")
@_TOPIC
@click.option("--language", "languages", multiple=True, help="On in this one; none: off.")
@click.pass_obj
def switch(chosen: Chosen, topic: str, languages: Sequence[str]) -> None:
    """Switch it on in the languages given, and off in all others."""

    async def act(ground: Ground) -> None:
        view = await verbs.show(ground, topic=topic)
        await verbs.switch(
            ground, actor=COMMAND, topic=topic, version=view.version, languages=languages
        )

    kit.run(chosen, act)


COMMANDS = (group,)
