"""Commands about the keys that sign our mail."""

from pathlib import Path

import click

from delivery import dkim, signing_keys
from foundation.clock import SystemClock
from handbill.cli import kit
from handbill.cli.kit import Chosen

_STRING_OCTETS = 255
"""A TXT record is made of strings of at most so many (RFC 1035 §3.3)."""


@click.group("dkim")
def group() -> None:
    """Keys that sign our mail, so that receivers know whose it is."""


@group.command("new")
@click.option(
    "--selector",
    metavar="NAME",
    help="Names the keys in the DNS (default: handbill and the month, such as handbill202611).",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var/dkim"),
    show_default=True,
    help="Where the private keys are kept.",
)
@click.pass_obj
def new(chosen: Chosen, selector: str | None, folder: Path) -> None:
    """Make an RSA and an Ed25519 key; print the DNS records and the setting that they need."""
    domain = dkim.domain(kit.settings(chosen))
    made = signing_keys.create(folder, selector or f"handbill{SystemClock().now():%Y%m}")
    speaks = kit.translator()
    click.echo(speaks.gettext("1. Publish these records:") + "\n")
    for key, _ in made:
        click.echo(f"{key.selector}._domainkey.{domain}. IN TXT {_strings(key.record)}\n")
    click.echo(speaks.gettext("2. Once they can be looked up, set in config.toml:") + "\n")
    named = ", ".join(f'"{key.selector}={path}"' for key, path in made)
    click.echo(f"[mail]\ndkim_keys = [{named}]")


def _strings(record: str) -> str:
    parts = [record[at : at + _STRING_OCTETS] for at in range(0, len(record), _STRING_OCTETS)]
    return " ".join(f'"{part}"' for part in parts)


COMMANDS = (group,)
