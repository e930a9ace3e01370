"""The program itself: its options, and every group of commands."""

import sys
from pathlib import Path

import click

from foundation import errors
from handbill import api
from handbill.cli import (
    bounces,
    campaigns,
    developments,
    dkim,
    doctor,
    kit,
    letters,
    recipients,
    service,
    staff,
    subscribers,
)
from handbill.cli.kit import Chosen


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(api.version(), prog_name="handbill")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The settings file (default: $HANDBILL_CONFIG, else config.toml here).",
)
@click.pass_context
def program(context: click.Context, config: Path | None) -> None:
    """Email bulletins and campaigns for coalitions."""
    context.obj = Chosen(config=config)


def _with_config(command: click.Command) -> click.Command:
    """The same command, and every one below it, with `--config` behind its name too."""
    if isinstance(command, click.Group):
        for each in command.commands.values():
            _with_config(each)
    else:
        command.params.append(
            click.Option(
                ["--config"],
                type=click.Path(path_type=Path),
                expose_value=False,
                callback=_choose_config,
                help="The settings file.",
            )
        )
    return command


def _choose_config(context: click.Context, _parameter: click.Parameter, path: Path | None) -> None:
    chosen = context.find_object(Chosen)
    if path is not None and chosen is not None:
        chosen.config = path


for command in recipients.COMMANDS:
    campaigns.campaigns.add_command(command)
for module in (
    service,
    staff,
    subscribers,
    campaigns,
    developments,
    bounces,
    letters,
    dkim,
    doctor,
):
    for command in module.COMMANDS:
        program.add_command(_with_config(command))


def main() -> None:
    """Run the command line; no traceback reaches whoever called it."""
    try:
        program(prog_name="handbill")
    except errors.HandbillError as problem:
        kit.fail(problem)
    except BrokenPipeError:
        sys.exit(kit.FAILED)
    except Exception as problem:  # noqa: BLE001 - the last line before a person at a terminal
        kit.fail_unexpectedly(problem)
