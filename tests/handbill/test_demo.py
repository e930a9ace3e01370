"""The demo as a newcomer starts it: as a program of its own, over real ports."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import aiohttp
import pytest

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(480)]


async def start(folder: Path, *options: str) -> Process:
    """`handbill demo` in an environment without settings; `folder` is where it keeps its files."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("HANDBILL_")
    }
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "handbill",
        "demo",
        *options,
        cwd=ROOT,
        env={**environment, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"},
        stdout=PIPE,
        stderr=PIPE,
    )


async def read_until(process: Process, words: str) -> str:
    """What is printed, up to the line that holds `words`."""
    assert process.stdout is not None
    said = ""
    while words not in said:
        line = await process.stdout.readline()
        assert line, f"it ended early: {said}"
        said += line.decode()
    return said


def left_behind(folder: Path) -> list[str]:
    """What is still in a folder."""
    return [entry.name for entry in folder.iterdir()]


async def test_the_whole_story_goes_well(tmp_path: Path) -> None:
    process = await start(tmp_path, "--once")
    out, err = await process.communicate()
    told = out.decode()
    assert process.returncode == 0, told + err.decode()
    assert f"All {told.count('✓')} steps went well" in told
    assert "✗" not in told
    assert left_behind(tmp_path) == []


async def test_the_demo_shows_where_to_look_and_leaves_nothing_behind(tmp_path: Path) -> None:
    process = await start(tmp_path, "--port", "0")
    told = await read_until(process, "Stop with Ctrl-C")
    urls = re.findall(r"http://\S+", told)
    async with aiohttp.ClientSession() as http:
        for url in urls:
            async with http.get(url) as answer:
                assert answer.status == 200, url
    process.send_signal(signal.SIGTERM)
    await process.communicate()
    assert process.returncode == 0
    assert left_behind(tmp_path) == []
