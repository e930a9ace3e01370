"""The wheel carries everything: installed outside the checkout, it serves its pages."""

import os
import re
import signal
import site
import subprocess
import sys
import urllib.request
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_PIP = ["-m", "pip", "install", "--no-deps", "--no-index", "--quiet", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a virtual environment that holds the wheel; its libraries are this run's."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        check=True,
        capture_output=True,
    )
    [wheel] = folder.glob("handbill-*.whl")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    packages = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    subprocess.run(
        [sys.executable, *_PIP, "--target", packages, wheel],
        check=True,
        capture_output=True,
    )
    # After the wheel, so that nothing of the checkout is found first.
    Path(packages, "zz-libraries.pth").write_text("\n".join(site.getsitepackages()))
    return python


@pytest.mark.slow
def test_an_installed_wheel_serves_its_pages(installed: Path, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HANDBILL_SERVER__PORT": "0",
        "HANDBILL_LOG__FORMAT": "text",
    }
    link = subprocess.run(
        [installed, "-m", "handbill", "staff", "add", "ana@example.org", "--role", "owner"],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    assert re.fullmatch(r"http://localhost:8080/staff/signin/[\w-]{40,}", link)
    with subprocess.Popen(
        [installed, "-m", "handbill", "serve"],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stderr is not None
            line = next(each for each in server.stderr if "http://" in each)
            found = re.search(r"http://[\d.]+:\d+", re.sub(r"\x1b\[[\d;]*m", "", line))
            assert found, line
            page = _fetch(found[0] + "/subscribe?lang=es")
            assert '<html lang="es"' in page
            for name in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
                assert _fetch(found[0] + name)
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(timeout=90) == 0


def _fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=90) as answer:
        return str(answer.read().decode("utf-8"))
