"""The demo tells its whole story unattended: as a program of its own, over real ports."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(480)]


def left_behind(folder: Path) -> list[str]:
    """What is still in a folder."""
    return [entry.name for entry in folder.iterdir()]


async def test_the_whole_story_goes_well(tmp_path: Path) -> None:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("HANDBILL_")
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "handbill", "demo", "--once"),
        cwd=ROOT,
        env={**environment, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        stdout=PIPE,
        stderr=PIPE,
    )
    out, err = await process.communicate()
    told = out.decode()
    assert process.returncode == 0, told + err.decode()
    assert f"All {told.count('✓')} steps went well" in told
    assert "✗" not in told
    assert left_behind(tmp_path) == []
