"""The command that looks whether everything around the service is well."""

import click
import dns.resolver
from dns.asyncresolver import Resolver

from foundation import errors
from foundation.clock import SystemClock
from foundation.findings import Finding
from handbill import doctor as examination
from handbill import doctor_dns
from handbill.cli import kit
from handbill.cli.kit import Chosen


@click.command()
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def doctor(chosen: Chosen, as_json: bool) -> None:
    """Configuration, database, relay, DNS, clock, disk: green or red, with what to do."""
    found = kit.run_loop(_examine(chosen, as_json=as_json))
    if as_json:
        speaks = kit.translator()
        kit.show_json(
            [
                {
                    "code": each.code,
                    "is_good": each.is_good,
                    "said": each.say(speaks),
                    "advice": each.advise(speaks),
                }
                for each in found
            ]
        )
    if not all(each.is_good for each in found):
        raise SystemExit(kit.FAILED)


async def _examine(chosen: Chosen, *, as_json: bool) -> list[Finding]:
    """Look at everything; each line is shown as soon as it is known."""
    found: list[Finding] = []
    try:
        settings = kit.settings(chosen)
    except errors.ConfigProblem as problem:
        found = [examination.config_problem(problem)]
        if not as_json:
            _show(found[0])
        return found
    async for each in examination.examine(settings, clock=SystemClock(), resolver=_resolver()):
        found.append(each)
        if not as_json:
            _show(each)
    return found


def _resolver() -> Resolver | None:
    try:
        return doctor_dns.system_resolver()
    except dns.resolver.NoResolverConfiguration:
        return None


def _show(finding: Finding) -> None:
    speaks = kit.translator()
    click.echo(f"{kit.mark(finding.tone)} {finding.code}: {finding.say(speaks)}")
    if finding.advice:
        click.echo(f"    → {finding.advise(speaks)}")


COMMANDS = (doctor,)
