"""Builds the ground that every verb is handed, from settings."""

import os
from pathlib import Path

from delivery import dkim
from delivery.hooks import fetching, providers
from delivery.outbox import Outbox
from foundation import config, database, i18n, outward, tokens
from foundation.clock import Clock, SystemClock
from foundation.config import Settings
from foundation.ground import Ground
from foundation.outward import Outward

DEFAULT_FILE = Path("config.toml")


def settings_from(path: Path | None) -> Settings:
    """Settings from `path`, else `$HANDBILL_CONFIG`, else `config.toml` here, else the defaults.

    Raises `errors.ConfigProblem` that says what to change.
    """
    named = path or (
        Path(os.environ["HANDBILL_CONFIG"]) if "HANDBILL_CONFIG" in os.environ else None
    )
    if named is None and DEFAULT_FILE.exists():
        named = DEFAULT_FILE
    return config.load(named)


def build(settings: Settings, *, clock: Clock | None = None) -> Ground:
    """The ground of a process.

    Raises `errors.ConfigProblem` for a database URL of another kind, or a DKIM key that can't be
    used: mail that should be signed must not go out without. So does a webhook's key or secret.
    """
    dkim.keys(settings)
    providers.build(settings, fetch=fetching.fetch)
    site = settings.site
    clock = clock or SystemClock()
    return Ground(
        db=database.connect(
            settings.database.url,
            busy_timeout_s=settings.database.busy_timeout_s,
            pool_size=settings.database.pool_size,
        ),
        clock=clock,
        settings=settings,
        tokens=tokens.Keyring(_keys(settings)),
        catalog=i18n.load(languages=site.languages, default=site.language, zone=site.zone),
        notices=Outbox(clock),
        outward=Outward(allows=outward.allowing(settings.outward.private_networks)),
    )


def _keys(settings: Settings) -> list[bytes]:
    if settings.security.secret_keys:
        return [key.encode() for key in settings.security.secret_keys]
    return [tokens.load_or_create_key(Path(settings.security.secret_key_file))]
