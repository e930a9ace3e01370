"""Fixtures that every test can ask for; see `tests/world` for what they are made of."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser
from sqlalchemy import Engine, event
from xdist.scheduler import LoadScopeScheduling

from delivery import shift
from foundation import audit
from foundation.accounts import differences, log_fields, log_words, passwords
from foundation.config import Settings
from foundation.ground import Ground
from handbill import serving
from tests.world import browsers, databases, grounds, quickening
from tests.world import smtp as smtp_world
from tests.world import web as web_world
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher
from tests.world.web import Web

ENGINES = ("sqlite", "postgresql")
_TOGETHER = ("tests/browser/", "tests/faults/test_kill_postgres.py")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers that take arguments, and take away the order that nobody asked for."""
    event.listen(Engine, "connect", _reverse_unordered)
    config.addinivalue_line(
        "markers", "settings(**sections): settings that `ground` has for a test"
    )


def _reverse_unordered(connection: Any, _record: object) -> None:
    """Rows of a query that names no order come backwards from SQLite, and anyhow otherwise."""
    if "sqlite" in type(connection).__module__:
        cursor = connection.cursor()
        cursor.execute("PRAGMA reverse_unordered_selects = ON")
        cursor.close()


class _Together(LoadScopeScheduling):  # type: ignore[misc]
    """Tests that share what takes long to start run in one process: a demo serves all stories."""

    def _split_scope(self, nodeid: str) -> str:
        return next((each for each in _TOGETHER if nodeid.startswith(each)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """How tests are shared out among processes."""
    return _Together(config, log)


def pytest_collection_finish() -> None:
    """What was loaded stays: the collector need not look through it again and again."""
    serving.spare_the_collector()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests marked `storage` once on each engine."""
    if "engine" in metafunc.fixturenames:
        is_storage = metafunc.definition.get_closest_marker("storage") is not None
        metafunc.parametrize("engine", ENGINES if is_storage else ENGINES[:1])


@pytest.fixture(scope="session", autouse=True)
def _told() -> Iterator[None]:
    """Whatever any test does that goes into the log has to have words there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "record", told(audit.record))
        yield


@pytest.fixture(scope="session", autouse=True)
def _quick() -> Iterator[None]:
    """What takes time for its own sake: guessing passwords is easy, and workers look often."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", quickening.cheap_hasher)
        patch.setattr(shift, "LOOK_S", quickening.LOOK_S)
        yield


def told(record: Callable[..., None]) -> Callable[..., None]:
    """Refuses a change that the log has no words for, or a field of one."""

    def refuse(*args: Any, action: str, **kwargs: Any) -> None:
        assert log_words.has_words(action), f"{action} has no words in log_words.py"
        sides = (kwargs.get("before") or {}, kwargs.get("after") or {})
        names = {name for each in differences.between(*sides) for name in each.path}
        unknown = sorted(name for name in names if not log_fields.has_words(name))
        assert not unknown, f"{', '.join(unknown)} of {action}: no words in log_fields.py"
        record(*args, action=action, **kwargs)

    return refuse


@pytest.fixture(scope="session")
def sqlite_files(tmp_path_factory: pytest.TempPathFactory) -> databases.SqliteFiles:
    """Migrated SQLite files to copy."""
    return databases.SqliteFiles(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[databases.PostgresServer]:
    """A PostgreSQL server of the test run's own."""
    server = databases.PostgresServer(tmp_path_factory.mktemp("postgres"))
    yield server
    server.stop()


@pytest.fixture
def source(
    engine: str, request: pytest.FixtureRequest
) -> databases.SqliteFiles | databases.PostgresServer:
    """Where databases of the engine under test come from; PostgreSQL starts only when needed."""
    found: databases.SqliteFiles | databases.PostgresServer = request.getfixturevalue(
        "sqlite_files" if engine == "sqlite" else "postgres"
    )
    return found


@pytest.fixture
async def database_url(
    source: databases.SqliteFiles | databases.PostgresServer, tmp_path: Path
) -> AsyncIterator[str]:
    """A fresh migrated database of the engine under test."""
    if isinstance(source, databases.SqliteFiles):
        yield source.fresh(tmp_path)
        return
    url = await source.fresh()
    yield url
    await source.drop(url)


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands until the test moves it."""
    return FakeClock()


@pytest.fixture
async def smtp() -> AsyncIterator[Catcher]:
    """A real SMTP server that keeps what it gets."""
    async with smtp_world.running() as catcher:
        yield catcher


@pytest.fixture
def settings(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """Settings for the test, with what its `settings` marker changes."""
    marker = request.node.get_closest_marker("settings")
    changes: dict[str, Any] = dict(marker.kwargs) if marker else {}
    port = request.getfixturevalue("smtp").port if "smtp" in request.fixturenames else None
    return grounds.settings(url=database_url, folder=tmp_path, changes=changes, relay_port=port)


@pytest.fixture
async def ground(settings: Settings, clock: FakeClock) -> AsyncIterator[Ground]:
    """What verbs are handed: real parts over a fresh database."""
    async with grounds.standing(settings, clock) as made:
        yield made


@pytest.fixture
async def web(ground: Ground) -> AsyncIterator[Web]:
    """The assembled application and a browser without scripts."""
    async with web_world.browsing(ground) as client:
        yield client


@pytest.fixture
def deliver(ground: Ground) -> Callable[[], Awaitable[None]]:
    """Send everything that is due now."""

    async def run() -> None:
        from delivery import worker

        await worker.run_until_idle(ground)

    return run


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a real Chromium waits that all tests of this process use in turn."""
    with browsers.waiting(tmp_path_factory.mktemp("chromium")) as address:
        yield address


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """A real Chromium, without anything that an earlier test left."""
    async with browsers.reached(chromium) as opened:
        yield opened
