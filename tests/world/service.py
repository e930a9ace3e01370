"""`handbill serve` as an operator starts it: web, scheduler and sending in one process."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from foundation.config import Settings

ROOT = Path(__file__).parents[2]


class Service:
    """A process that serves."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
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
    settings: Settings, folder: Path, *, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Service]:
    """A service over these settings; it is gone after the block, however that ends."""
    file = folder / "config.toml"
    file.write_text(as_toml(settings.model_dump(mode="json", exclude_unset=True)), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "handbill", "--config", str(file), "serve", "--port", "0"),
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "ignore", **(environment or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
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
