"""`handbill serve` as an operator starts it: web, scheduler and sending in one process."""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from foundation.config import Settings
from tests.world import forking
from tests.world.forking import Process


class Service:
    """A process that serves."""

    def __init__(self, process: Process, url: str) -> None:
        self.process = process
        self.url = url
        """Where its pages are."""
        self.said: list[str] = []
        """Its output, line by line, as far as it was read."""

    async def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        self.process.terminate()
        return await self.process.wait()


@asynccontextmanager
async def running(
    settings: Settings,
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
    is_forked: bool = True,
) -> AsyncIterator[Service]:
    """A service over these settings; it is gone after the block, however that ends.

    Where it matters what a process of its own loads and takes, it is not forked.
    """
    file = folder / "config.toml"
    file.write_text(as_toml(settings.model_dump(mode="json", exclude_unset=True)), encoding="utf-8")
    start = forking.started if is_forked else forking.by_itself
    process = await start(
        *("--config", str(file), "serve", "--port", "0", *options),
        environment={**os.environ, "PYTHONWARNINGS": "ignore", **(environment or {})},
    )
    assert process.stdout is not None
    found = Service(process, "")
    try:
        async with asyncio.timeout(90):
            while not (address := re.search(r"http://127\.0\.0\.1:\d+", "".join(found.said[-1:]))):
                line = (await process.stdout.readline()).decode()
                assert line, "".join(found.said)
                found.said.append(line)
        found.url = address.group()
        reading = asyncio.create_task(_listen(process.stdout, found.said))
        yield found
        reading.cancel()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _listen(stream: asyncio.StreamReader, said: list[str]) -> None:
    while line := await stream.readline():
        said.append(line.decode())


def as_toml(values: Mapping[str, Any]) -> str:
    """Tables of plain values, and lists of such tables; JSON writes those values as TOML does."""
    lines: list[str] = []
    for name, found in values.items():
        for table in found if isinstance(found, list) else [found]:
            lines.append(f"[[{name}]]" if isinstance(found, list) else f"[{name}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    return "\n".join(lines)
