"""`campaigns trial` and `choose`: two forms of a bulletin, and which of them all others get."""

from pathlib import Path
from typing import Any

import click

from campaigns import documents, trial_plans, trials
from delivery.models import Variant
from foundation import errors
from foundation.audit import COMMAND
from foundation.ground import Ground
from foundation.i18n import N_
from handbill.cli import kit
from handbill.cli.kit import Chosen


@click.command("trial")
@kit.CAMPAIGN_ID
@click.option(
    "--plan",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    help="Try what a TOML or JSON file says (`-`: standard input).",
)
@click.option("--drop", is_flag=True, help="Send it in one form after all.")
@kit.JSON
@click.pass_obj
def trial(chosen: Chosen, campaign_id: int, file: Path | None, drop: bool, as_json: bool) -> None:
    """How trying two forms stands; with --plan, try two when the campaign starts."""

    async def act(ground: Ground) -> dict[str, Any] | None:
        if drop:
            await trials.drop(ground, actor=COMMAND, campaign_id=campaign_id)
            return None
        if file is not None:
            with click.open_file(str(file), "r", encoding="utf-8") as stream:
                values = documents.read(str(stream.read()), str(file))
            wanted = trial_plans.parse(values)
            await trials.plan(ground, actor=COMMAND, campaign_id=campaign_id, wanted=wanted)
        found = await trials.show(ground, campaign_id=campaign_id)
        if found is None:
            raise errors.NotFound(N_("This campaign tries nothing."))
        return found.as_dict()

    told = kit.run(chosen, act)
    if told is None:
        click.echo("It goes out in one form.")
    elif as_json:
        kit.show_json(told)
    else:
        _show(told)


@click.command("choose")
@kit.CAMPAIGN_ID
@click.argument("form", type=click.Choice(["a", "b"]))
@click.pass_obj
def choose(chosen: Chosen, campaign_id: int, form: str) -> None:
    """Choose the form that all others get; nothing undoes it."""

    async def act(ground: Ground) -> int:
        return await trials.decide(
            ground, actor=COMMAND, campaign_id=campaign_id, winner=Variant(form)
        )

    click.echo(f"{kit.run(chosen, act)} people get form {form.upper()}.")


def _show(told: dict[str, Any]) -> None:
    rows = [
        {
            "form": form.upper(),
            **{name: each[name] for name in _COLUMNS},
            "share": _percent(each["share"]),
        }
        for form, each in told["forms"].items()
    ]
    kit.show(rows, as_json=False, columns=("form", *_COLUMNS, "share"))
    click.echo(f"state: {told['state']}; {told['waiting']} wait for the choice")
    if told["difference"]:
        leader = told["leader"].upper() or "no clear winner"
        click.echo(f"A is ahead by {_percent(told['difference'])}: {leader}")


_COLUMNS = ("people", "sent", "clicked", "machine_clicks", "unsubscribed", "complaints")


def _percent(interval: dict[str, float]) -> str:
    """`2.5 % (1.0 to 4.9)`."""
    value, low, high = (interval[name] * 100 for name in ("value", "low", "high"))
    return f"{value:.1f} % ({low:.1f} to {high:.1f})"


COMMANDS = (trial, choose)
