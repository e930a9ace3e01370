"""Commands about mail to postmaster, abuse and feedback addresses that a person has to read."""

import sys

import click

from delivery.inbound import letters
from foundation.ground import Ground
from handbill.cli import kit
from handbill.cli.kit import Chosen


@click.group("letters")
def group() -> None:
    """Mail to postmaster, abuse and feedback addresses that nothing could be made of by itself."""


@group.command("list")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def list_(chosen: Chosen, as_json: bool) -> None:
    """Every letter, the newest first."""
    rows = [
        {
            "id": each.id,
            "received_at": each.received_at,
            "from": each.from_address,
            "to": each.to_address,
            "subject": each.subject,
        }
        for each in kit.run(chosen, letters.listed)
    ]
    columns = ("id", "received_at", "from", "to", "subject")
    kit.show(rows, as_json=as_json, columns=columns)


@group.command("show")
@click.argument("letter", type=int)
@click.pass_obj
def show(chosen: Chosen, letter: int) -> None:
    """Print a letter as it came; into a file it goes octet by octet."""

    async def act(ground: Ground) -> bytes:
        return await letters.one(ground, letter)

    octets = kit.run(chosen, act)
    if sys.stdout.isatty():
        text = octets.decode("utf-8", "replace").replace("\r\n", "\n")
        # A stranger's letter must not give orders to the terminal.
        click.echo("".join(each if each.isprintable() or each in "\n\t" else "·" for each in text))
    else:
        sys.stdout.buffer.write(octets)


COMMANDS = (group,)
