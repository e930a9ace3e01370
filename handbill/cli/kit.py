"""What commands share: the configuration, a ground for one run, tables and JSON, and exit statuses.

Exit status 0: done; 1: the thing asked for failed; 2: the request was wrong. Problems are one line
on standard error, never a traceback.
"""

import asyncio
import contextlib
import dataclasses
import json
import os
import socket
import sys
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from foundation import changing, errors, i18n, logs, migrations
from foundation.config import Settings
from foundation.findings import Tone
from foundation.ground import Ground
from foundation.i18n import N_, Translator
from handbill import building

if TYPE_CHECKING:
    from rich.console import Console

    from delivery.crew import Crew
    from foundation.helper import Helper

T = TypeVar("T")

FAILED = 1
WRONG = 2

_MARKS = {
    Tone.GOOD: ("✓", "green"),
    Tone.NEUTRAL: ("·", "blue"),
    Tone.WARN: ("!", "yellow"),
    Tone.BAD: ("✗", "red"),
}
CAMPAIGN_ID = click.argument("campaign_id", metavar="ID", type=click.IntRange(min=1))
JSON = click.option("--json", "as_json", is_flag=True)

# What a person asked for was wrong, as against: it was right, but could not be done.
_WRONG = (errors.Invalid, errors.NotFound, errors.ConfigProblem, errors.BadToken)


@dataclass(kw_only=True)
class Chosen:
    """What was said before the command's name."""

    config: Path | None = None


def settings(chosen: Chosen) -> Settings:
    """The settings; also sets up logging by them."""
    found = building.settings_from(chosen.config)
    logs.configure(level=found.log.level, style=found.log.format)
    return found


def run(chosen: Chosen, act: Callable[[Ground], Awaitable[T]], *, is_migrated: bool = True) -> T:
    """Do `act` with a ground, its schema brought to the newest, and say problems in one line."""

    async def within() -> T:
        async with opened(chosen, is_migrated=is_migrated) as ground:
            return await act(ground)

    return run_loop(within())


@contextlib.asynccontextmanager
async def opened(chosen: Chosen, *, is_migrated: bool = True) -> AsyncIterator[Ground]:
    """A ground for one command."""
    ground = building.build(settings(chosen))
    try:
        if is_migrated:
            await migrations.migrate(ground.db)
            await changing.refresh(ground)
        yield ground
    finally:
        await ground.db.close()


def crew(chosen: Chosen) -> "Crew":
    """The processes that are to send beside this one; before there is an event loop."""
    from delivery import crew as crews
    from handbill import serving

    try:
        number = crews.size(settings(chosen))
    except errors.HandbillError as problem:
        fail(problem)

    def send(place: int, ends: int) -> None:
        async def act(ground: Ground) -> None:
            await serving.lend_a_hand(ground, share=crews.Share(place, number), ends=ends)

        run(chosen, act, is_migrated=False)

    serving.spare_the_collector()
    return crews.Crew.forked(number - 1, send)


def keeper(chosen: Chosen) -> "Helper | None":
    """The process that is to keep sign-ups, if one is wanted; before there is an event loop."""
    from foundation.helper import Helper
    from handbill import keeper as keepers
    from handbill import serving

    try:
        is_wanted = settings(chosen).signup.own_process
    except errors.HandbillError as problem:
        fail(problem)
    if not is_wanted:
        return None

    def life(line: socket.socket) -> None:
        run(chosen, lambda ground: keepers.keep(ground, line), is_migrated=False)

    serving.spare_the_collector()
    return Helper.forked(life)


def run_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run on uvloop where there is one; `errors.HandbillError` ends the program with its status."""
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(work)
    except errors.HandbillError as problem:
        fail(problem)


def fail(problem: errors.HandbillError) -> NoReturn:
    """Say what is wrong on standard error and end with the status that fits."""
    say(problem)
    sys.exit(WRONG if isinstance(problem, _WRONG) else FAILED)


def say(problem: errors.HandbillError) -> None:
    """Say what is wrong on standard error, and go on."""
    speaks = translator()
    lines = [problem.say(speaks)]
    if isinstance(problem, errors.Invalid):
        lines += [
            f"  {name}: {each.say(speaks)}"
            for name, each in problem.fields.items()
            if each.say(speaks) != lines[0]
        ]
    click.echo("handbill: " + "\n".join(lines), err=True)


def fail_unexpectedly(problem: Exception) -> NoReturn:
    """Say in one line that the program itself is at fault, and how to see where."""
    text = translator().gettext(
        N_(
            "Something went wrong that should not have: %(problem)s. "
            "Run it again with HANDBILL_LOG__LEVEL=debug to see where."
        )
    )
    logs.get("cli").debug("a command broke down", exc_info=problem)
    said = logs.masked(f"{type(problem).__name__}: {problem}".partition("\n")[0])
    click.echo(f"handbill: {text % {'problem': said}}", err=True)
    sys.exit(FAILED)


def translator() -> Translator:
    """The reader's language, from the environment as usual (POSIX `LANG`)."""
    wished = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG", "")
    languages = i18n.available()
    found = i18n.match(wished.partition(".")[0], languages)
    return i18n.load(languages=languages, default=found, zone="UTC").translator(found)


def show(rows: Sequence[Mapping[str, Any]], *, as_json: bool, columns: Iterable[str]) -> None:
    """A list as a table, or as JSON with everything in it."""
    if as_json:
        show_json(list(rows))
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    names = list(columns)
    for name in names:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*[_shown(row.get(name)) for name in names])
    console().print(table)


def show_json(value: Any) -> None:
    """Anything as indented JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def mark(tone: Tone) -> str:
    """What stands before a line of a list that is looked through."""
    sign, colour = _MARKS[tone]
    return click.style(sign, fg=colour)


def console() -> "Console":
    """Where tables and progress bars go."""
    # Rich brings seven megabytes, and a service draws nothing.
    from rich.console import Console

    return Console(soft_wrap=not sys.stdout.isatty())


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
