"""`campaigns correct` and `send-to-others`: drafts that follow up a campaign that was sent."""

import functools
from collections.abc import Awaitable, Callable

import click

from campaigns import follow_ups
from campaigns.follow_ups import Besides
from campaigns.models import Campaign
from foundation.audit import COMMAND
from foundation.ground import Ground
from handbill.cli import kit
from handbill.cli.kit import Chosen


@click.command("correct")
@kit.CAMPAIGN_ID
@click.pass_obj
def correct(chosen: Chosen, campaign_id: int) -> None:
    """Make a draft to everybody who has it, that says what was wrong; its id is printed last."""
    _follow(chosen, campaign_id, follow_ups.correct)


@click.command("send-to-others")
@kit.CAMPAIGN_ID
@click.pass_obj
def send_to_others(chosen: Chosen, campaign_id: int) -> None:
    """Make a draft of the same to those whom it did not reach; its id is printed last."""
    _follow(chosen, campaign_id, follow_ups.send_to_others)


@click.command("duplicate")
@kit.CAMPAIGN_ID
@click.option(
    "--besides",
    default=Besides.NOBODY.value,
    show_default=True,
    type=click.Choice([each.value for each in Besides]),
    help="Who is left out: whoever got it, or followed a link in it.",
)
@click.pass_obj
def duplicate(chosen: Chosen, campaign_id: int, besides: str) -> None:
    """Make a draft with a copy of its bulletin to the same people; its id is printed last."""
    left_out = Besides(besides)
    _follow(chosen, campaign_id, functools.partial(follow_ups.duplicate, besides=left_out))


def _follow(chosen: Chosen, campaign_id: int, verb: Callable[..., Awaitable[Campaign]]) -> None:
    async def act(ground: Ground) -> Campaign:
        return await verb(ground, actor=COMMAND, campaign_id=campaign_id)

    made = kit.run(chosen, act)
    click.echo(f"“{made.name}” is a draft:", err=True)
    click.echo(str(made.id))


COMMANDS = (correct, send_to_others, duplicate)
