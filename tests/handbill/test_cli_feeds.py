"""The desk by the command line: feeds, a table, what came in, and what is decided about it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from foundation import migrations
from foundation.clock import SystemClock
from handbill import building
from handbill.cli.program import program
from tests.campaigns import newsroom


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site with one issue, which commands find by the environment."""
    monkeypatch.setenv("HANDBILL_DATABASE__URL", f"sqlite:///{tmp_path}/handbill.db")
    monkeypatch.setenv("HANDBILL_SECURITY__SECRET_KEY_FILE", str(tmp_path / "secret.key"))
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.chdir(tmp_path)

    async def prepare() -> None:
        ground = building.build(building.settings_from(None), clock=SystemClock())
        await migrations.migrate(ground.db)
        await newsroom.issue(ground)
        await ground.db.close()

    asyncio.run(prepare())
    return tmp_path


def run(*arguments: str, status: int = 0) -> str:
    """What a command printed."""
    done = CliRunner().invoke(program, list(arguments))
    assert done.exit_code == status, done.output
    return done.output


def listed(*arguments: str) -> list[dict[str, Any]]:
    """What a command printed as JSON."""
    found: list[dict[str, Any]] = json.loads(run(*arguments, "--json"))
    return found


def test_feeds_and_stories_are_looked_after(folder: Path) -> None:
    url = "http://127.0.0.1:8080/feed"
    issue = ("--issue", "secure-communities")
    assert run("feeds", "add", url, *issue, "--only", "vote", "--every", "30").strip() == "1"
    run("feeds", "add", url, *issue, status=2)
    run("feeds", "change", "1", "--name", "The paper", "--without", "sports")
    assert "private network" in run("feeds", "read", "1", status=1)
    run("feeds", "pause", "1")
    (feed,) = listed("feeds", "list")
    assert (feed["feed"], feed["state"], feed["failures"]) == ("The paper", "paused", 1)
    run("feeds", "resume", "1")
    run("feeds", "remove", "1")
    assert listed("feeds", "list") == []
    table = folder / "stories.csv"
    table.write_text("headline,link\nA vote,https://a.example/1\nA hearing,nonsense\n,\n")
    said = run("inbox", "import", str(table), *issue)
    assert "1 added" in said
    assert "line 3: Its link is no address of the web." in said
    assert [each["headline"] for each in listed("inbox", "list")] == ["A vote"]
    assert run("inbox", "keep", "1", "--publish").strip() == "1"
    run("inbox", "drop", "1", "--reason", "Late", status=1)
    assert listed("inbox", "list", "--state", "kept")[0]["development_id"] == 1
    assert listed("inbox", "rules", "--try", "a judge") == []
