"""The command that looks whether everything around the service is well."""

import click

from delivery.arriving import names, questions
from delivery.arriving.names import Names
from foundation import errors
from foundation.clock import SystemClock
from foundation.config import Settings
from foundation.findings import Finding
from foundation.i18n import N_
from handbill import doctor as examination
from handbill.cli import kit
from handbill.cli.kit import Chosen
from handbill.doctor import Line

_MACHINE = N_("Can this machine do its work?")


@click.command()
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def doctor(chosen: Chosen, as_json: bool) -> None:
    """Configuration, database, relay, DNS, clock, disk, and whether mail arrives."""
    found = kit.run_loop(_examine(chosen, as_json=as_json))
    if as_json:
        kit.show_json([_plain(each) for each in found])
    if any(each.finding.is_bad for each in found):
        raise SystemExit(kit.FAILED)


async def _examine(chosen: Chosen, *, as_json: bool) -> list[Line]:
    """Look at everything; each line is shown as soon as it is known."""
    found: list[Line] = []
    try:
        settings = kit.settings(chosen)
    except errors.ConfigProblem as problem:
        found = [Line(question=None, finding=examination.config_problem(problem))]
        if not as_json:
            _show(found[0].finding)
        return found
    title = ""
    async for each in examination.examine(settings, clock=SystemClock(), names=_names(settings)):
        found.append(each)
        if as_json:
            continue
        if title != (title := questions.TITLES[each.question] if each.question else _MACHINE):
            click.echo()
            click.secho(kit.translator().gettext(title), bold=True)
        _show(each.finding)
    return found


def _names(settings: Settings) -> Names | None:
    resolver = names.resolver(settings.arriving)
    return Names(resolver) if resolver is not None else None


def _show(finding: Finding) -> None:
    speaks = kit.translator()
    click.echo(f"{kit.mark(finding.tone)} {finding.code}: {finding.say(speaks)}")
    if finding.advice:
        click.echo(f"    → {finding.advise(speaks)}")
    if finding.publish:
        publish = finding.publish
        click.echo(f"      {publish.name}  {publish.kind}  {publish.content}")


def _plain(line: Line) -> dict[str, object]:
    speaks = kit.translator()
    publish = line.finding.publish
    return {
        "question": line.question.value if line.question else "machine",
        "code": line.finding.code,
        "tone": line.finding.tone.value,
        "is_good": not line.finding.is_bad,
        "said": line.finding.say(speaks),
        "advice": line.finding.advise(speaks),
        "publish": publish
        and {"name": publish.name, "type": publish.kind, "content": publish.content},
    }


COMMANDS = (doctor,)
