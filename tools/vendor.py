"""Copies what pages need from `node_modules` to `templates/static/vendor`.

Usage: python -m tools.vendor, after `npm ci`.
"""

import shutil
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

LICENCES = {
    "htmx.LICENSE": "htmx.org/LICENSE",
    "trix.LICENSE": "trix/LICENSE",
    "sortable.LICENSE": "sortablejs/LICENSE",
    "altcha.LICENSE": "altcha/LICENSE.txt",
}


def is_complete() -> bool:
    """Whether every file is there."""
    return all((TARGET / name).is_file() for name in FILES)


def build() -> None:
    """Copy every file. Raises `FileNotFoundError` when `npm ci` has not run."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, source in FILES.items():
        shutil.copyfile(ROOT / "node_modules" / source, TARGET / name)
    for name, source in LICENCES.items():
        path = ROOT / "node_modules" / source
        if path.is_file():
            shutil.copyfile(path, TARGET / name)


if __name__ == "__main__":
    build()
