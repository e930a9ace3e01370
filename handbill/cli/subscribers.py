"""Commands about the people who get mail."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from campaigns import holdings as campaigns_holdings
from campaigns import segments
from delivery import holdings as delivery_holdings
from foundation import errors
from foundation.audit import COMMAND
from foundation.ground import Ground
from foundation.i18n import N_
from handbill.cli import kit
from handbill.cli.kit import Chosen
from subscribers import download, erasing, exporting, importing, people
from subscribers.importing import Asking, Counts, Options

_ELSEWHERE = (delivery_holdings, campaigns_holdings)


@click.group()
def subscribers() -> None:
    """People: bring them along, take them out, show one, erase one."""


@subscribers.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--topic", "topics", multiple=True, metavar="SLUG", help="Subscribe them to it.")
@click.option("--confirmed", is_flag=True, help="You vouch that they agreed.")
@click.option("--ask", is_flag=True, help="Ask each by mail to confirm.")
@click.option("--language", help="Of people whose row says none.")
@click.option("--map", "mapping", multiple=True, metavar="COLUMN=FIELD")
@click.option("--refused", type=click.Path(path_type=Path), help="Where refused rows go.")
@click.option("--dry-run", is_flag=True, help="Say what would happen; keep nothing.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def import_(
    chosen: Chosen,
    file: Path,
    topics: Sequence[str],
    confirmed: bool,
    ask: bool,
    language: str | None,
    mapping: Sequence[str],
    refused: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Bring the people of a CSV file, or a ZIP of another service, along."""
    if confirmed and ask:
        kit.fail(errors.Invalid(N_("Choose --confirmed or --ask, not both.")))
    options = Options(
        topics=topics,
        asking=Asking.VOUCHED if confirmed else Asking.ASK if ask else Asking.DETAILS_ONLY,
        language=language,
        mapping=dict(map(_mapped, mapping)),
        is_dry_run=dry_run,
    )
    refused_to = refused or file.with_name(f"{file.stem}-refused.csv")

    async def act(ground: Ground) -> Counts:
        with _bar() as bar:
            task = bar.add_task(file.name, total=1.0)
            return await importing.import_file(
                ground,
                actor=COMMAND,
                path=file,
                options=options,
                refused_to=None if dry_run else refused_to,
                progress=lambda _counts, share: bar.update(task, completed=share),
            )

    counts = kit.run(chosen, act).as_dict()
    if as_json:
        kit.show_json(counts)
    else:
        for name, count in counts.items():
            click.echo(f"{name}: {count}")
    if counts["refused"] and not dry_run:
        click.echo(f"refused rows and reasons: {refused_to}", err=True)


@subscribers.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--topic", "topics", multiple=True, metavar="SLUG")
@click.option("--segment", metavar="NAME", help="Only who is in it, and can be mailed.")
@click.pass_obj
def export(chosen: Chosen, file: Path, topics: Sequence[str], segment: str | None) -> None:
    """Write everybody, or who is confirmed on a topic or in a segment, to a CSV file."""

    async def act(ground: Ground) -> int:
        people = None
        if segment:
            async with ground.db.reading() as session:
                found = await segments.named(session, segment)
            people = await segments.people_of(ground, found)
        await exporting.note(ground, actor=COMMAND, topic_slugs=topics, segment=segment or "")
        part = file.with_name(file.name + ".part")
        try:
            count = await exporting.export_file(
                ground, path=part, topic_slugs=topics, chosen=people
            )
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
        return count

    click.echo(f"{file}: {kit.run(chosen, act)} people")


@subscribers.command("show")
@click.argument("email")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def show(chosen: Chosen, email: str, as_json: bool) -> None:
    """Everything that is held about one person."""

    async def act(ground: Ground) -> dict[str, Any]:
        number = await people.by_email(ground, email=email)
        return await download.of_person(ground, subscriber_id=number, elsewhere=_ELSEWHERE)

    found = kit.run(chosen, act)
    if as_json:
        kit.show_json(found)
        return
    person = found["person"]
    rows = [{"": name, "value": value} for name, value in person.items() if value not in ("", {})]
    kit.show(rows, as_json=False, columns=("", "value"))
    for topic in found["topics"]:
        click.echo("  ".join(str(value) for value in topic.values()))


@subscribers.command("erase")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def erase(chosen: Chosen, email: str, yes: bool) -> None:
    """Forget a person for good; only a keyed hash of the address stays."""
    if not yes:
        click.confirm(f"Erase everything about {email} for good?", abort=True)

    async def act(ground: Ground) -> None:
        number = await people.by_email(ground, email=email)
        await erasing.erase(
            ground,
            subscriber_id=number,
            via="staff",
            actor=COMMAND,
            elsewhere=_ELSEWHERE,
        )

    kit.run(chosen, act)
    click.echo("erased")


def _mapped(text: str) -> tuple[str, str]:
    column, separator, field = text.partition("=")
    if not separator or not column or not field:
        kit.fail(errors.Invalid(N_("--map takes COLUMN=FIELD, not “%(text)s”."), text=text))
    return column.strip(), field.strip()


def _bar() -> Progress:
    console = kit.console()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


COMMANDS = (subscribers,)
