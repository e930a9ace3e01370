"""A service holds in memory what it works with, and nothing that only some commands and jobs need.

Each package here costs half a megabyte to seven, in every process that serves. Where one is needed
it is imported inside the function that needs it.
"""

from pathlib import Path

from foundation.clock import SystemClock
from handbill.demo.browser import Browser
from tests.world import grounds, mailing, service, sink

FOR_OTHERS = {
    "rich": "tables and progress bars on a terminal",
    "dns": "the doctor",
    "feedparser": "fetching a feed",
    "alembic": "a database that is not of the newest schema",
    "cryptography": "a site that signs its mail itself",
    "nacl": "a site that signs its mail with Ed25519",
    "asyncpg": "PostgreSQL",
    "sqlalchemy.dialects.postgresql": "PostgreSQL",
    "aiosmtpd": "a site that takes mail itself",
    "altcha": "a form that is under attack",
    "argon2": "staff with a password",
    "pyotp": "staff with an app that shows codes",
    "webauthn": "staff with a passkey",
    "nh3": "whoever writes a bulletin",
    "PIL": "a member that sends its logo",
    "prometheus_client": "a site that is watched by Prometheus",
    "dateutil": "a site with series, when a date is over",
    "zipcodes": "something near its readers",
    "segno": "whoever puts a link on paper",
    "flufl": "mail that comes back and is no report",
    "icalendar": "whoever puts an event into a calendar",
    "typst": "whoever prints a bulletin",
    "handbill.api": "programs",
}


async def test_a_service_that_answers_and_sends_has_not_loaded_what_only_others_need(
    database_url: str, tmp_path: Path
) -> None:
    async with sink.running() as server:
        settings = grounds.settings(
            url=database_url, folder=tmp_path, changes={}, relay_port=server.port
        )
        async with grounds.standing(settings, SystemClock()) as ground:
            topic = await mailing.crowd(ground, 3)
            await mailing.start(ground, topics=[topic])
        environment = {"PYTHONPROFILEIMPORTTIME": "1"}
        async with service.running(
            settings, tmp_path, environment=environment, is_forked=False
        ) as running:
            async with Browser(running.url) as browser:
                form = (await browser.open("/subscribe")).form("/subscribe")
                await browser.send(form, email="ana@example.org")
                await browser.open("/staff/signin")
            await server.reached(4)
            assert await running.stop() == 0
    loaded = {line.rpartition("|")[2].strip() for line in running.said}
    assert {"aiohttp", "sqlalchemy", "jinja2"} <= loaded
    assert loaded & FOR_OTHERS.keys() == set()
