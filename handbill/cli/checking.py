"""`campaigns check` and `override`: the list before sending, and an owner's word on it."""

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from campaigns.preflight import checklist, items, looking, overriding
from campaigns.preflight.items import Item
from foundation.audit import COMMAND
from foundation.ground import Ground
from handbill.cli import kit
from handbill.cli.kit import Chosen


@click.command("check")
@kit.CAMPAIGN_ID
@click.option("--stored", is_flag=True, help="By what is known; follow no links, ask nobody.")
@click.option("--anew", is_flag=True, help="Follow links again that were followed lately.")
@kit.JSON
@click.pass_obj
def check(chosen: Chosen, campaign_id: int, stored: bool, anew: bool, as_json: bool) -> None:
    """Everything to look at before it goes out; status 1 if anything stops it."""

    async def act(ground: Ground) -> list[Item]:
        if not stored:
            await _look(ground, campaign_id, is_anew=anew)
        return await checklist.check(ground, campaign_id=campaign_id)

    found = kit.run(chosen, act)
    if as_json:
        kit.show_json([_values(each) for each in found])
    else:
        for each in found:
            _show(each)
    if not items.is_clear(found):
        raise SystemExit(kit.FAILED)


@click.command("override")
@kit.CAMPAIGN_ID
@click.option("--reason", required=True, help="Why; it stands in the log.")
@click.pass_obj
def override(chosen: Chosen, campaign_id: int, reason: str) -> None:
    """Let it go out in spite of what is red, for this version of the bulletin."""

    async def act(ground: Ground) -> None:
        await overriding.override(ground, actor=COMMAND, campaign_id=campaign_id, reason=reason)

    kit.run(chosen, act)
    click.echo("overridden")


async def _look(ground: Ground, campaign_id: int, *, is_anew: bool) -> None:
    """Follow links and ask SpamAssassin, with a bar on a terminal; not while somebody is at it."""
    work = await looking.begin(ground, campaign_id=campaign_id, is_anew=is_anew)
    if work is None:
        return
    console = kit.console()
    with Progress(
        TextColumn("looking"), BarColumn(), MofNCompleteColumn(),
        console=console, disable=not console.is_terminal, transient=True,
    ) as bar:  # fmt: skip
        task = bar.add_task("looking", total=work.total)

        async def told(done: int, _total: int) -> None:
            bar.update(task, completed=done)

        await looking.finish(ground, work, told)


def _show(item: Item) -> None:
    speaks = kit.translator()
    click.echo(f"{kit.mark(item.tone)} {item.say(speaks)}")
    if item.reason:
        click.echo(f"    ({item.reason})")
    elif item.place and item.tone in ("bad", "warn"):
        click.echo(f"    → {item.place.say(speaks)}: {item.place.path}")


def _values(item: Item) -> dict[str, object]:
    speaks = kit.translator()
    return {
        "code": item.code,
        "tone": item.tone.value,
        "said": item.say(speaks),
        "place": item.place.say(speaks) if item.place else "",
        "path": item.place.path if item.place else "",
        "can_override": item.tone == "bad" and not item.is_final,
        "reason": item.reason,
    }


COMMANDS = (check, override)
