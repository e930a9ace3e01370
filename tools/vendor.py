"""Brings what pages need from `node_modules` to `templates/static/vendor`.

Most of it comes as one file and is copied; of CodeMirror, which comes in many, esbuild makes one.

Usage: python -m tools.vendor, after `npm ci`.
"""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "templates" / "static" / "vendor"

FILES = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "trix.esm.min.js": "trix/dist/trix.esm.min.js",
    "sortable.esm.js": "sortablejs/modular/sortable.esm.js",
    "altcha.min.js": "altcha/dist/external/altcha.min.js",
    "altcha.css": "altcha/dist/external/altcha.css",
    "altcha-worker.js": "altcha/dist/workers/pbkdf2.js",
    **{f"altcha-{name}.js": f"altcha/dist/i18n/{name}.js" for name in ("es-419", "pt-br")},
}
"""Name in the vendor folder → path under `node_modules`."""

BUNDLES = {"codemirror.js": "tools/code_editor.js"}
"""Name in the vendor folder → the file that says what is in it."""

LICENCES = {
    "htmx.LICENSE": "htmx.org/LICENSE",
    "trix.LICENSE": "trix/LICENSE",
    "sortable.LICENSE": "sortablejs/LICENSE",
    "altcha.LICENSE": "altcha/LICENSE.txt",
    "codemirror.LICENSE": "@codemirror/view/LICENSE",
}


def is_complete() -> bool:
    """Whether every file is there."""
    return all((TARGET / name).is_file() for name in (*FILES, *BUNDLES))


def build() -> None:
    """Make every file. Raises `FileNotFoundError` when `npm ci` has not run."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, source in FILES.items():
        shutil.copyfile(ROOT / "node_modules" / source, TARGET / name)
    for name, source in BUNDLES.items():
        _bundle(ROOT / source, TARGET / name)
    for name, source in LICENCES.items():
        path = ROOT / "node_modules" / source
        if path.is_file():
            shutil.copyfile(path, TARGET / name)


def _bundle(source: Path, target: Path) -> None:
    """One module of a file and whatever it imports, by esbuild as npm brought it for this machine.

    The program is called itself: what stands before it wants Node on the path, and scripts that
    npm runs when it installs.
    """
    found = sorted((ROOT / "node_modules" / "@esbuild").glob("*/bin/esbuild"))
    if not found:
        raise FileNotFoundError("esbuild is not there: run npm ci first.")
    options = ["--bundle", "--minify", "--format=esm", "--target=es2022", "--legal-comments=none"]
    command = [str(found[0]), str(source), *options, "--log-level=error", f"--outfile={target}"]
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    build()
