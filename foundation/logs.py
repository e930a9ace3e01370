"""Structured logs: text on a terminal, else JSON; no address or token in clear.

`_log = logs.get("worker")`, then `_log.info("what happened", name=value)`. It stands on `logging`
alone, so that what libraries say takes the same way.
"""

import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

_ADDRESS = re.compile(r"([\w.+'-])[\w.+'-]*@([\w-]+(?:\.[\w-]+)+)")
_TOKEN_PATH = re.compile(
    r"/(confirm|unsubscribe|preferences|come-back|view|r|o|signin/password|signin|join/answer"
    r"|member|events)/[\w-]{8,}"
)
_SECRET_KEYS = re.compile(r"password|secret|token|authorization|cookie", re.IGNORECASE)
_COLOURS = {"debug": 32, "info": 32, "warning": 33, "error": 31, "critical": 31}
"""By ECMA-48, as terminals take them."""


class Logger:
    """Says what happened in one part of the program, and what belongs to it by name."""

    def __init__(self, name: str) -> None:
        self._log = logging.getLogger(name)

    def debug(self, event: str, *, exc_info: BaseException | None = None, **values: object) -> None:
        """What is of use to whoever looks for a fault."""
        self._say(logging.DEBUG, event, exc_info, values)

    def info(self, event: str, **values: object) -> None:
        """What happens as a rule."""
        self._say(logging.INFO, event, None, values)

    def warning(self, event: str, **values: object) -> None:
        """What may pass by itself."""
        self._say(logging.WARNING, event, None, values)

    def error(self, event: str, *, exc_info: BaseException | None = None, **values: object) -> None:
        """What somebody should look at."""
        self._say(logging.ERROR, event, exc_info, values)

    def exception(self, event: str, **values: object) -> None:
        """The same, with the exception that is being handled."""
        self._say(logging.ERROR, event, sys.exception(), values)

    def _say(
        self,
        level: int,
        event: str,
        problem: BaseException | None,
        values: Mapping[str, object],
    ) -> None:
        # `%` in an event is no place for a value: there are no arguments.
        self._log.log(level, event, exc_info=problem, extra={"values": values})


class _Formatter(logging.Formatter):
    """A record as one entry, in words or as JSON."""

    def __init__(self, *, is_readable: bool, is_coloured: bool) -> None:
        super().__init__()
        self._is_readable = is_readable
        self._is_coloured = is_coloured

    def format(self, record: logging.LogRecord) -> str:
        """As `logging` asks for it."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")
        entry = {
            **getattr(record, "values", {}),
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "timestamp": at.replace("+00:00", "Z"),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        hidden = hide_people(entry)
        if self._is_readable:
            return self._in_words(hidden)
        return json.dumps(hidden, default=repr)

    def _in_words(self, entry: dict[str, Any]) -> str:
        at, level, event = (entry.pop(name) for name in ("timestamp", "level", "event"))
        trace = entry.pop("exception", None)
        mark = f"{level:<9}"
        if self._is_coloured:
            mark = f"\x1b[{_COLOURS.get(level, 0)}m{mark}\x1b[0m"
        values = " ".join(f"{name}={_shown(value)}" for name, value in sorted(entry.items()))
        line = f"{at} [{mark}] {event:<30} {values}".rstrip()
        return f"{line}\n{trace}" if trace else line


def configure(*, level: str = "info", style: Literal["auto", "text", "json"] = "auto") -> None:
    """Set up logging for the process, libraries' included. Called once, by the command line."""
    is_terminal = sys.stderr.isatty()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Formatter(
            is_readable=style == "text" or (style == "auto" and is_terminal),
            is_coloured=is_terminal,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("aiosqlite", "apscheduler", "aiohttp.access", "asyncio", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # aiosmtpd's: it writes whose address connects, whatever the level.
    logging.getLogger("mail.log").setLevel(logging.ERROR)


def get(name: str) -> Logger:
    """The logger of a module."""
    return Logger(name)


def hide_people(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Mask addresses, tokens in paths and values of secret keys, wherever they stand."""
    return {name: _hidden(name, value) for name, value in entry.items()}


def masked(text: str) -> str:
    """A text with addresses and link tokens made unreadable."""
    if "@" in text:
        text = _ADDRESS.sub(r"\1…@\2", text)
    return _TOKEN_PATH.sub(r"/\1/…", text) if "/" in text else text


def _hidden(name: str, value: Any) -> Any:
    if _SECRET_KEYS.search(name) and value:
        return "…"
    return masked(value) if isinstance(value, str) else value


def _shown(value: object) -> str:
    """Quoted where it could not be told from what follows."""
    text = value if isinstance(value, str) else repr(value)
    return repr(text) if " " in text and isinstance(value, str) else text
