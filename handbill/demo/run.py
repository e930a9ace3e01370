"""Brings the demo up: a throw-away database, the catcher, the service, and a partner's page.

`handbill demo` calls `run`. Everything listens on loopback only, and is gone when the demo ends.
"""

import asyncio
import contextlib
import secrets
import socket
import tempfile
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import click

from delivery.worker import Worker
from foundation import logs, migrations
from foundation.accounts import team
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.config import Settings
from foundation.ground import Ground
from handbill import building, listening, serving
from handbill.demo import catcher as catching
from handbill.demo import (
    content,
    own_zone,
    partner_page,
    seed_campaigns,
    seed_partners,
    seed_site,
    story,
    zone,
)
from handbill.demo.catcher import Catcher
from handbill.demo.clock import DemoClock
from handbill.demo.content import Content
from handbill.demo.inbox import Inbox
from handbill.demo.partner_page import PartnerPage
from handbill.demo.scene import Scene, Timeline
from handbill.demo.seed import seed
from scheduler.scheduler import Scheduler
from subscribers import forms as signup_forms
from subscribers import snippets
from subscribers.models import Partner
from subscribers.snippets import Wish

_SEED = 2026
"""Chance is the same at every start, so that the demo looks the same."""
_RETURN_AFTER_S = 3.0


async def run(*, port: int, once: bool) -> int:
    """Show the demo until it is interrupted, or tell its story `once`; gives the exit status.

    Raises `errors.Refused` when the port is taken.
    """
    logs.configure(level="error" if once else "warning")
    port = _free_port() if once or port == 0 else port
    partner_port = _free_port() if once else _free_port(preferred=port + 1)
    clock = DemoClock()
    sample = content.load(clock.now().date())
    with tempfile.TemporaryDirectory(prefix="handbill-demo-") as name:
        folder = Path(name)
        async with catching.catching(clock) as catcher, contextlib.AsyncExitStack() as stack:
            settings = _settings(sample, folder, port=port, relay_port=catcher.port)
            dns_port = await stack.enter_async_context(zone.serving(own_zone.records(settings)))
            settings = own_zone.looked_up_at(settings, dns_port)
            async with _opened(settings, clock) as ground, _web(ground, catcher, port):
                click.echo("Making the sample coalition and its past six weeks …")
                scene = await _history(ground, clock, catcher, sample, folder, partner_port)
                partner = await seed_partners.by_key(scene, sample.coalition.partner_key)
                page = PartnerPage(
                    partner=sample.coalition.partner, forms=await _code(ground, partner)
                )
                async with partner_page.open_page(page, port=partner_port):
                    return await _live(scene, partner, partner_port=partner_port, once=once)


async def _live(scene: Scene, partner: Partner, *, partner_port: int, once: bool) -> int:
    """The service at work: scheduler, worker and returning mail beside the web."""
    stop = asyncio.Event() if once else serving.stop_on_signals()
    try:
        async with _running(scene, stop):
            if once:
                return await story.tell(scene, partner_url=f"http://127.0.0.1:{partner_port}")
            await _show(scene.ground, partner, partner_port)
            await stop.wait()
    except ExceptionGroup as problems:
        raise problems.exceptions[0] from problems
    click.echo("The demo is over; nothing of it is kept.")
    return 0


@contextlib.asynccontextmanager
async def _running(scene: Scene, stop: asyncio.Event) -> AsyncIterator[None]:
    """Scheduler, worker and returns for as long as the block lasts; they end in good order."""
    runs: list[Coroutine[Any, Any, None]] = [
        Scheduler(scene.ground).run(stop),
        Worker(scene.ground).run(stop),
        _return_mail(scene, stop),
    ]
    async with asyncio.TaskGroup() as group:
        for each in runs:
            group.create_task(each)
        try:
            yield
        finally:
            stop.set()


async def _return_mail(scene: Scene, stop: asyncio.Event) -> None:
    """Mail for people who moved comes back some seconds after it was sent."""
    while not stop.is_set():
        await seed_campaigns.take_returns(scene)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _RETURN_AFTER_S)


async def _history(
    ground: Ground,
    clock: DemoClock,
    catcher: Catcher,
    sample: Content,
    folder: Path,
    partner_port: int,
) -> Scene:
    """The sample coalition with its past; the clock runs on from the present."""
    now = clock.now()
    async with aiohttp.ClientSession(ground.settings.site.url) as web:
        scene = Scene(
            ground=ground,
            clock=clock,
            timeline=Timeline(clock),
            catcher=catcher,
            sample=sample,
            random=Random(_SEED),  # noqa: S311 - made-up people, not secrets
            folder=folder,
            now=now,
            web=web,
        )
        await seed(scene, partner_origin=f"http://127.0.0.1:{partner_port}")
    clock.run()
    return scene


@contextlib.asynccontextmanager
async def _opened(settings: Settings, clock: DemoClock) -> AsyncIterator[Ground]:
    ground = building.build(settings, clock=clock)
    try:
        await migrations.migrate(ground.db)
        yield ground
    finally:
        await ground.db.close()


def _web(
    ground: Ground, catcher: Catcher, port: int
) -> contextlib.AbstractAsyncContextManager[int]:
    routes = Inbox(catcher.mailbox).routes()
    return listening.open_web(ground, host="127.0.0.1", port=port, extra_routes=routes)


def _settings(sample: Content, folder: Path, *, port: int, relay_port: int) -> Settings:
    site = sample.coalition.site
    return Settings.model_validate(
        {
            "site": {
                "name": site.name,
                "url": f"http://localhost:{port}",
                "postal_address": site.postal_address,
                "contact_email": site.contact_email,
            },
            "server": {"port": port},
            "database": {"url": f"sqlite:///{folder / 'handbill.db'}"},
            "security": {"secret_keys": [secrets.token_urlsafe(32)]},
            "mail": {
                "from_address": site.from_address,
                "reply_to": site.contact_email,
                **own_zone.mail_settings(folder),
            },
            "relay": [{"name": "catcher", "port": relay_port, "hello_name": "demo.localhost"}],
            "delivery": {"journal_dir": str(folder / "journal"), "record_interval_s": 0.1},
            "scheduler": {"tick_s": 1.0},
            "release": {"undo_s": 8},
        }
    )


async def _code(ground: Ground, partner: Partner) -> dict[str, str]:
    """What the partner copied into its page: the form as part of it, by language."""
    async with ground.db.reading() as session:
        offer = await signup_forms.offered(session, slug=partner.key, partner_key=partner.key)
    return {
        language: snippets.made(
            ground,
            offer,
            Wish(
                partner=partner.key,
                language=language,
                theme="light",
                accent=partner_page.ACCENT,
                has_heading=False,
            ),
            reader=language,
        ).early
        for language in ground.catalog.languages
    }


async def _show(ground: Ground, partner: Partner, partner_port: int) -> None:
    """Where to look."""
    link = await team.add(ground, actor=COMMAND, email=seed_site.OWNER_EMAIL, role=Role.OWNER)
    of_partner = await team.add(
        ground,
        actor=COMMAND,
        email=partner.contact_email,
        role=Role.PARTNER,
        name=partner.contact_name,
        partner_id=partner.id,
    )
    places = (
        ("The issue's page", ground.url("/issues/secure-communities")),
        ("In Spanish", ground.url("/issues/secure-communities?lang=es")),
        ("Sign up", ground.url("/subscribe")),
        ("Join the coalition", ground.url("/join")),
        ("Past bulletins", ground.url("/archive")),
        ("A partner's page", f"http://127.0.0.1:{partner_port}/"),
        ("Its codes to copy", ground.url(f"/widget/{partner.key}/code")),
        ("Its numbers, one-time link", of_partner),
        ("The demo's inbox", ground.url("/demo/inbox")),
        ("Staff, one-time link", link),
    )
    width = max(len(label) for label, _ in places)
    click.echo()
    for label, url in places:
        click.echo(f"  {label:<{width}}  {url}")
    click.echo(
        "\nMade up: the coalition, its people and its DNS. Stop with Ctrl-C; nothing is kept."
    )


def _free_port(*, preferred: int = 0) -> int:
    """A port that nobody listens on; `preferred` if that is one."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", preferred))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found
