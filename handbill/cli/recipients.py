"""Commands about recipients to whom a campaign did not simply go out."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from campaigns import recipients, retrying
from delivery import listing
from delivery.listing import Choice
from delivery.models import DeliveryState, WhenUncertain
from delivery.retrying import REASONS, Retried
from foundation.audit import COMMAND
from foundation.ground import Ground
from handbill.cli import kit
from handbill.cli.kit import Chosen

_COLUMNS = ("delivery", "email", "reason", "reply_code", "reply_text", "attempts", "due_at")


def _meant(command: Callable[..., None]) -> Callable[..., None]:
    """The options that narrow a state to some of its recipients."""
    for option in (
        click.option("--reply-code", type=click.IntRange(0, 999), help="0: there was no reply."),
        click.option("--reason", help="Such as refused or put-off; the report counts them."),
    ):
        command = option(command)
    return command


_DELIVERIES = click.option(
    "--delivery", "deliveries", multiple=True, type=int, help="Only this one; may be repeated."
)


@click.command("recipients")
@kit.CAMPAIGN_ID
@click.option(
    "--state",
    default=DeliveryState.FAILED.value,
    show_default=True,
    type=click.Choice([state.value for state in listing.ODD]),
)
@_meant
@click.option("--limit", default=1000, show_default=True, type=click.IntRange(1, 100_000))
@kit.JSON
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write all of them into this CSV file.",
)
@click.pass_obj
def list_recipients(
    chosen: Chosen,
    campaign_id: int,
    state: str,
    reason: str | None,
    reply_code: int | None,
    limit: int,
    as_json: bool,
    out: Path | None,
) -> None:
    """Who had trouble getting it: who failed, was put off, is uncertain or was left out."""
    choice = Choice(state=DeliveryState(state), reason=reason, reply_code=reply_code)
    if out is not None:
        _write(chosen, campaign_id, choice, out)
        return

    async def act(ground: Ground) -> recipients.Page:
        return await recipients.page(ground, campaign_id=campaign_id, choice=choice, limit=limit)

    found = kit.run(chosen, act)
    kit.show([_row(each) for each in found.items], as_json=as_json, columns=_COLUMNS)
    if found.next_after is not None:
        click.echo(f"{limit} of {found.count(choice)}; --out FILE writes all", err=True)


@click.command("retry")
@kit.CAMPAIGN_ID
@click.option("--state", required=True, type=click.Choice([state.value for state in REASONS]))
@_meant
@_DELIVERIES
@click.pass_obj
def retry(
    chosen: Chosen,
    campaign_id: int,
    state: str,
    reason: str | None,
    reply_code: int | None,
    deliveries: Sequence[int],
) -> None:
    """Try those again now who failed, were put off or are uncertain; a sent one is sending again.

    Whoever unsubscribed, bounced or is suppressed is left alone.
    """

    async def act(ground: Ground) -> Retried:
        return await retrying.retry(
            ground,
            actor=COMMAND,
            campaign_id=campaign_id,
            choice=_choice(state, reason, reply_code, deliveries),
        )

    done = kit.run(chosen, act)
    click.echo(f"queued again: {done.queued}")
    if done.withheld:
        click.echo(f"left alone, as they may not be mailed any more: {done.withheld}", err=True)


@click.command("give-up")
@kit.CAMPAIGN_ID
@_meant
@_DELIVERIES
@click.pass_obj
def give_up(
    chosen: Chosen,
    campaign_id: int,
    reason: str | None,
    reply_code: int | None,
    deliveries: Sequence[int],
) -> None:
    """Try those no more who were put off; they count as failed."""

    async def act(ground: Ground) -> int:
        return await retrying.give_up(
            ground,
            actor=COMMAND,
            campaign_id=campaign_id,
            choice=_choice(DeliveryState.DEFERRED, reason, reply_code, deliveries),
        )

    click.echo(f"given up: {kit.run(chosen, act)}")


@click.command("decide-uncertain")
@kit.CAMPAIGN_ID
@click.argument("what", type=click.Choice([each.value for each in WhenUncertain]))
@click.pass_obj
def decide_uncertain(chosen: Chosen, campaign_id: int, what: str) -> None:
    """Hold those of whom it turns out uncertain whether they got it, or send to them again."""

    async def act(ground: Ground) -> None:
        await retrying.decide_uncertain(
            ground, actor=COMMAND, campaign_id=campaign_id, when_uncertain=WhenUncertain(what)
        )

    kit.run(chosen, act)
    click.echo(what)


def _choice(
    state: str, reason: str | None, reply_code: int | None, deliveries: Sequence[int]
) -> Choice:
    return Choice(
        state=DeliveryState(state),
        reason=reason,
        reply_code=reply_code,
        ids=list(deliveries) or None,
    )


def _write(chosen: Chosen, campaign_id: int, choice: Choice, out: Path) -> None:
    """Write the CSV file, and say how many are in it."""

    async def act(ground: Ground) -> int:
        pieces = recipients.chunks(ground, campaign_id=campaign_id, choice=choice)
        first = await anext(pieces)
        await recipients.note_export(ground, actor=COMMAND, campaign_id=campaign_id, choice=choice)
        ends = 0
        with out.open("wb") as file:
            file.write(first)
            async for piece in pieces:
                file.write(piece)
                ends += piece.count(b"\r\n")
        return ends

    click.echo(f"{out}: {kit.run(chosen, act)}")


def _row(each: listing.Listed) -> dict[str, Any]:
    return {
        "delivery": each.id,
        **{name: getattr(each, name) for name in recipients.COLUMNS if name != "delivery"},
    }


COMMANDS = (list_recipients, retry, give_up, decide_uncertain)
"""For the group `campaigns`."""
