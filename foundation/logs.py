"""Structured logs: text on a terminal, else JSON; no address or token in clear."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

_ADDRESS = re.compile(r"([\w.+'-])[\w.+'-]*@([\w-]+(?:\.[\w-]+)+)")
_TOKEN_PATH = re.compile(
    r"/(confirm|unsubscribe|preferences|come-back|view|r|o|signin|members/confirm|download)/[\w-]{8,}"
)
_SECRET_KEYS = re.compile(r"password|secret|token|authorization|cookie", re.IGNORECASE)


def configure(*, level: str = "info", style: Literal["auto", "text", "json"] = "auto") -> None:
    """Set up logging for the process, libraries' included. Called once, by the command line."""
    readable = style == "text" or (style == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_people,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if readable
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("aiosqlite", "apscheduler", "aiohttp.access", "asyncio", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # aiosmtpd's: it writes whose address connects, whatever the level.
    logging.getLogger("mail.log").setLevel(logging.ERROR)


def get(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger


def hide_people(
    _logger: object, _method: str, entry: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Mask addresses, tokens in paths and values of secret keys, wherever they stand."""
    for key, value in entry.items():
        if _SECRET_KEYS.search(key) and value:
            entry[key] = "…"
        elif isinstance(value, str):
            entry[key] = masked(value)
    return entry


def masked(text: str) -> str:
    """A text with addresses and link tokens made unreadable."""
    if "@" in text:
        text = _ADDRESS.sub(r"\1…@\2", text)
    return _TOKEN_PATH.sub(r"/\1/…", text) if "/" in text else text
