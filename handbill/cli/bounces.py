"""Commands about mail that came back."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from delivery import returns
from delivery.bounces import archives, classifier
from delivery.bounces.returned import Returned
from foundation import errors
from foundation.ground import Ground
from handbill.cli import kit
from handbill.cli.kit import Chosen

_FILES = click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, exists=True, allow_dash=True),
)


@click.group()
def bounces() -> None:
    """Mail that came back: read it, act on it.

    A file holds a message, or many: an mbox, a ZIP or tar archive, a Maildir or another folder.
    `-` is standard input. Prints one JSON object a line for each message.
    """


@bounces.command("classify")
@_FILES
def classify(files: Sequence[Path]) -> None:
    """Say what messages are; nothing is changed."""
    with _reading() as problems:
        for name, octets in _messages(files, problems):
            _print(name, classifier.classify(octets))


@bounces.command("ingest")
@_FILES
@click.pass_obj
def ingest(chosen: Chosen, files: Sequence[Path]) -> None:
    """Act on messages: the ledger, the report, suppression. The same one twice counts once."""
    with _reading() as problems:

        async def act(ground: Ground) -> None:
            for name, octets in _messages(files, problems):
                done = await returns.ingest(ground, octets)
                _print(
                    name,
                    done.returned,
                    is_ours=done.is_ours,
                    is_new=done.is_new,
                    asks_to_leave=done.asks_to_leave,
                )

        kit.run(chosen, act)


@contextmanager
def _reading() -> Iterator[archives.Problems]:
    """Say what can't be read, go on with the rest, and end as failed."""
    has_failed = False

    def say(problem: errors.Refused) -> None:
        nonlocal has_failed
        has_failed = True
        kit.say(problem)

    yield say
    if has_failed:
        sys.exit(kit.FAILED)


def _messages(files: Sequence[Path], problems: archives.Problems) -> Iterator[tuple[str, bytes]]:
    for file in files:
        stream = sys.stdin.buffer if str(file) == "-" else None
        yield from archives.messages(file, problems=problems, stream=stream)


def _print(name: str, returned: Returned, **more: Any) -> None:
    said = {
        "file": name,
        "kind": returned.kind.value,
        "recipients": [
            {
                "address": each.address,
                "kind": each.kind.value,
                "status": each.status,
                "reason": each.reason,
            }
            for each in returned.recipients
        ],
        "reply_code": returned.reply_code,
        **more,
    }
    click.echo(json.dumps(said, ensure_ascii=False))


COMMANDS = (bounces,)
