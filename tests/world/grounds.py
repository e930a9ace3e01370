"""A ground for tests: real parts, a clock that tests move, settings that they change."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.pool import QueuePool

from foundation.clock import Clock
from foundation.config import Settings
from foundation.ground import Ground
from handbill import building
from tests.world import quickening

KEY = "a key for tests only, made of many characters"


def settings(
    *,
    url: str,
    folder: Path,
    changes: Mapping[str, Any],
    relay_port: int | None = None,
) -> Settings:
    """Settings for a test: a sample coalition, folders under `folder`, `changes` by section.

    `second_relay` among them adds another relay, like the first but for what it says;
    `domain_limit` and `webhook_source` are whole lists of such tables.
    """
    values: dict[str, Any] = {
        "site": {
            "name": "Bay State Coalition",
            "url": "http://handbill.test",
            "postal_address": "1 Example Street, Boston, MA 02108",
            "contact_email": "office@coalition.example",
        },
        # Tests about pages that come before their numbers say so.
        "server": {"page_patience_s": 60.0},
        "database": {"url": url},
        "security": {"secret_keys": [KEY], "secret_key_file": str(folder / "secret.key")},
        "mail": {"from_address": "bulletin@coalition.example"},
        "delivery": {"journal_dir": str(folder / "journal"), "record_interval_s": 0.02},
        "signup": {"min_seconds_on_form": 0, "answer_after_s": 0},
        # Tests that follow links or ask SpamAssassin say so; a busy machine answers late.
        "preflight": {"links": False, "spamassassin": False, "link_timeout_s": 60.0},
        "scheduler": {"tick_s": 0.05},
        # Tests about undoing a start say so; all others would wait for nothing.
        "release": {"undo_s": 0},
        # Nobody answers there: no test asks a name server in the world outside.
        "arriving": {"name_servers": ["127.0.0.1:9"], "look_timeout_s": 5},
    }
    relay: dict[str, Any] = {"hello_name": "sender.test", "timeout_s": 10}
    # Port 9 (discard) refuses connections on machines of today.
    relay["port"] = relay_port or 9
    second: dict[str, Any] = {}
    for section, entries in changes.items():
        if section in ("domain_limit", "webhook_source"):
            values[section] = entries
        elif section in ("relay", "second_relay"):
            (relay if section == "relay" else second).update(entries)
        else:
            values.setdefault(section, {}).update(entries)
    values["relay"] = [relay, {**relay, "name": "second", **second}] if second else [relay]
    return Settings.model_validate(values)


def make(wanted: Settings, clock: Clock) -> Ground:
    """A ground over `wanted`; close its database when done."""
    ground = building.build(wanted, clock=clock)
    quickening.quicken(ground.db)
    return ground


@asynccontextmanager
async def standing(wanted: Settings, clock: Clock) -> AsyncIterator[Ground]:
    """A ground over `wanted` whose database is closed after the block, however that ends.

    Nobody may use it any more then: a connection that is given back later is never closed.
    """
    ground = make(wanted, clock)
    try:
        yield ground
        for pool in (ground.db.engine.pool, ground.db._apart.pool):
            assert not isinstance(pool, QueuePool) or pool.checkedout() == 0
    finally:
        await ground.db.close()
