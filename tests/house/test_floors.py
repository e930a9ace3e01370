"""Imports go down the floors; verbs know nothing of the web; scripts import one way as well."""

import ast
import graphlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SLICES = ("templates", "subscribers", "delivery", "campaigns", "scheduler")
HANDLERS = re.compile(r"(.*pages|public.*|.*api|hits|join|received|(.*_)?staff_forms)\.py")
"""Modules that answer requests; every other one is a verb or helps one."""


def lint_imports(folder: Path, config: str) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the packages in `folder`."""
    path = folder / "contracts.toml"
    path.write_text(config)
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--config", str(path), "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_imports_only_go_down_the_floors() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--config", str(ROOT / "pyproject.toml"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "KEPT" in done.stdout


def test_verbs_know_nothing_of_the_web() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for package in SLICES
        for path in sorted((ROOT / package).rglob("*.py"))
        if not HANDLERS.fullmatch(path.name) and "foundation.web" in _imports(path)
    ]
    assert wrong == []


def _imports(path: Path) -> set[str]:
    """The packages that a module imports from, down to two names."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return {".".join(name.split(".")[:2]) for name in names}


def test_scripts_of_pages_import_one_another_one_way() -> None:
    imported = re.compile(r"""(?:from|import\() ?"\./([^"]+)""")
    scripts = {
        path.name: imported.findall(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "templates" / "static").glob("*.js"))
    }
    assert "composer-writing.js" in scripts["composer.js"]
    graphlib.TopologicalSorter(scripts).prepare()


def test_an_import_that_goes_up_is_found(tmp_path: Path) -> None:
    for name, text in {"ground_floor": "import roof\n", "roof": ""}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(text)
    done = lint_imports(
        tmp_path,
        "[tool.importlinter]\n"
        'root_packages = ["roof", "ground_floor"]\n'
        "[[tool.importlinter.contracts]]\n"
        'id = "floors"\nname = "floors"\ntype = "layers"\nlayers = ["roof", "ground_floor"]\n',
    )
    assert done.returncode == 1, done.stdout
    assert "BROKEN" in done.stdout
