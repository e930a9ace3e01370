"""Commands about mail that came back."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from delivery import returns
from delivery.bounces import classifier
from delivery.bounces.returned import Returned
from foundation import errors
from foundation.ground import Ground
from foundation.i18n import N_
from handbill.cli import kit
from handbill.cli.kit import Chosen

MAX_BYTES = 20_000_000
"""More than any server returns; a larger file is no message."""

_FILES = click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
)


@click.group()
def bounces() -> None:
    """Mail that came back: read it, act on it. Each file holds one message; `-` is standard input.

    Prints one JSON object a line for each.
    """


@bounces.command("classify")
@_FILES
def classify(files: Sequence[Path]) -> None:
    """Say what messages are; nothing is changed."""
    try:
        for file in files:
            _print(file, classifier.classify(_read(file)))
    except errors.HandbillError as problem:
        kit.fail(problem)


@bounces.command("ingest")
@_FILES
@click.pass_obj
def ingest(chosen: Chosen, files: Sequence[Path]) -> None:
    """Act on messages: the ledger, the report, suppression. The same one twice counts once."""

    async def act(ground: Ground) -> None:
        for file in files:
            done = await returns.ingest(ground, _read(file))
            _print(
                file,
                done.returned,
                is_ours=done.is_ours,
                is_new=done.is_new,
                asks_to_leave=done.asks_to_leave,
            )

    kit.run(chosen, act)


def _read(file: Path) -> bytes:
    try:
        with click.open_file(str(file), "rb") as stream:
            octets: bytes = stream.read(MAX_BYTES + 1)
    except OSError as problem:
        raise errors.Refused(
            N_("%(file)s can't be read: %(problem)s"), file=str(file), problem=str(problem)
        ) from problem
    if len(octets) > MAX_BYTES:
        raise errors.Invalid(N_("%(file)s is too large to be a message."), file=str(file))
    return octets


def _print(file: Path, returned: Returned, **more: Any) -> None:
    said = {
        "file": str(file),
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
