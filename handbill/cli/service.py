"""Commands that run the service or look after its database."""

from pathlib import Path

import click

from foundation import database, migrations
from foundation.ground import Ground
from handbill.cli import kit
from handbill.cli.kit import Chosen


@click.command()
@click.option("--host", help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="The port to listen on.")
@click.option("--no-worker", is_flag=True, help="Send nothing here; `handbill worker` does.")
@click.pass_obj
def serve(chosen: Chosen, host: str | None, port: int | None, no_worker: bool) -> None:
    """Web, scheduler and sending in one process, and more that send on machines of many cores."""
    from delivery.crew import NOBODY
    from handbill import serving

    # Before the crew, which ends first: nobody else may hold the line that the crew lives by.
    keeps = kit.keeper(chosen)
    crew = NOBODY if no_worker else kit.crew(chosen)

    async def act(ground: Ground) -> None:
        server = ground.settings.server
        await serving.serve(
            ground,
            host=host or server.host,
            port=server.port if port is None else port,
            with_worker=not no_worker,
            crew=crew,
            keeps=keeps,
        )

    kit.run(chosen, act)


@click.command()
@click.pass_obj
def worker(chosen: Chosen) -> None:
    """Sending only; start it on as many machines as are useful."""
    from handbill import serving

    crew = kit.crew(chosen)
    kit.run(chosen, lambda ground: serving.work(ground, crew=crew))


@click.command()
@click.pass_obj
def migrate(chosen: Chosen) -> None:
    """Bring the database to the newest schema."""

    async def act(ground: Ground) -> bool:
        return await migrations.migrate(ground.db)

    changed = kit.run(chosen, act, is_migrated=False)
    click.echo("The schema is the newest now." if changed else "The schema was the newest already.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def backup(chosen: Chosen, file: Path) -> None:
    """Write a consistent copy of the database to FILE while the service runs."""

    async def act(ground: Ground) -> None:
        await database.backup(ground.db, file)

    kit.run(chosen, act)
    click.echo(f"{file}: {file.stat().st_size:,} bytes")


@click.command()
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535))
@click.option("--once", is_flag=True, help="Run the whole story unattended, print it, and stop.")
def demo(port: int, once: bool) -> None:
    """The sample coalition on a throw-away database, with a mail catcher instead of a relay."""
    from handbill.demo import run as demo_run

    raise SystemExit(kit.run_loop(demo_run.run(port=port, once=once)))


COMMANDS = (serve, worker, migrate, backup, demo)
