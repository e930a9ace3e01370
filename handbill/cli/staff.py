"""Commands about who works here, and which programs may use the API."""

import click

from foundation.accounts import api_tokens, second_step, team
from foundation.accounts.models import OFFICE, Role
from foundation.audit import COMMAND
from foundation.ground import Ground
from handbill.cli import kit
from handbill.cli.kit import Chosen


@click.group()
def staff() -> None:
    """People of the coalition's office."""


@staff.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice([role.value for role in OFFICE]), required=True)
@click.option("--name", default="", help="As colleagues see it.")
@click.pass_obj
def staff_add(chosen: Chosen, email: str, role: str, name: str) -> None:
    """Add a person and print a one-time sign-in link."""

    async def act(ground: Ground) -> str:
        return await team.add(ground, actor=COMMAND, email=email, role=Role(role), name=name)

    click.echo(kit.run(chosen, act))


@staff.command("list")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def staff_list(chosen: Chosen, as_json: bool) -> None:
    """Everybody, with roles."""
    people = kit.run(chosen, team.everybody)
    rows = [
        {"email": each.email, "name": each.name, "role": each.role, "is_active": each.is_active}
        for each in people
    ]
    kit.show(rows, as_json=as_json, columns=("email", "name", "role", "is_active"))


@staff.command("reset-second-step")
@click.argument("email")
@click.pass_obj
def staff_reset(chosen: Chosen, email: str) -> None:
    """Help an owner who lost telephone, passkeys and recovery codes; signs them out everywhere."""

    async def act(ground: Ground) -> None:
        await second_step.reset_of(ground, actor=COMMAND, email=email)

    kit.run(chosen, act)
    click.echo("They sign in without a second step now, and were told by mail.")


@click.group()
def token() -> None:
    """API tokens of other programs."""


@token.command("create")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, help="read, subscribers, content or campaigns.")
@click.pass_obj
def token_create(chosen: Chosen, name: str, scopes: tuple[str, ...]) -> None:
    """Make a token; its secret is printed once, alone on the last line."""
    wanted = api_tokens.scopes_from(scopes)

    async def act(ground: Ground) -> str:
        return await api_tokens.create(ground, actor=COMMAND, name=name, scopes=wanted)

    secret = kit.run(chosen, act)
    click.echo("Keep this; it can't be shown again:", err=True)
    click.echo(secret)


@token.command("list")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def token_list(chosen: Chosen, as_json: bool) -> None:
    """All tokens, newest first; never their secrets."""
    rows = [
        {
            "name": each.name,
            "scopes": each.scopes,
            "created_at": each.created_at.isoformat(),
            "last_used_at": each.last_used_at and each.last_used_at.isoformat(),
            "revoked_at": each.revoked_at and each.revoked_at.isoformat(),
        }
        for each in kit.run(chosen, api_tokens.everything)
    ]
    kit.show(rows, as_json=as_json, columns=("name", "scopes", "last_used_at", "revoked_at"))


@token.command("revoke")
@click.argument("name")
@click.pass_obj
def token_revoke(chosen: Chosen, name: str) -> None:
    """End a token at once."""

    async def act(ground: Ground) -> int:
        return await api_tokens.revoke(ground, actor=COMMAND, name=name)

    click.echo(f"revoked: {kit.run(chosen, act)}")


COMMANDS = (staff, token)
