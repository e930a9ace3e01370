"""The program itself: its options, and every group of commands."""

import importlib
import sys
from pathlib import Path

import click

from foundation import errors
from handbill import memory, release
from handbill.cli import kit
from handbill.cli.kit import Chosen

MODULES = {
    "service": ("serve", "worker", "migrate", "backup", "demo"),
    "staff": ("staff", "token"),
    "subscribers": ("subscribers",),
    "campaigns": ("campaigns",),
    "developments": ("developments",),
    "segments": ("segments",),
    "series": ("series",),
    "feeds": ("feeds", "inbox"),
    "welcome": ("welcome",),
    "bounces": ("bounces",),
    "letters": ("letters",),
    "dkim": ("dkim",),
    "doctor": ("doctor",),
}
"""Modules of this package, and the commands that each has in `COMMANDS`."""


class _Program(click.Group):
    """Loads a module when a command of it is asked for: a service needs none of the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's to pass
        """Every command's name."""
        return sorted(name for names in MODULES.values() for name in names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by its name, or None."""
        for module, names in MODULES.items():
            if cmd_name in names and cmd_name not in self.commands:
                for command in importlib.import_module(f"handbill.cli.{module}").COMMANDS:
                    self.add_command(_with_config(command))
        return super().get_command(ctx, cmd_name)


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(release.version(), prog_name="handbill")
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


def main() -> None:
    """Run the command line; no traceback reaches whoever called it."""
    memory.share_one_heap()
    try:
        program(prog_name="handbill")
    except errors.HandbillError as problem:
        kit.fail(problem)
    except BrokenPipeError:
        sys.exit(kit.FAILED)
    except Exception as problem:  # noqa: BLE001 - the last line before a person at a terminal
        kit.fail_unexpectedly(problem)
