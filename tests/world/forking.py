"""Programs of Handbill as processes, each made by a fork of one that has loaded everything.

Loading takes longer than most of what tests ask a program for. That it starts by itself as well is
for the tests of the demo and of the wheel, which start it as a newcomer does.
"""

import asyncio
import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import random
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).parents[2]
COMMAND_LINE = "handbill.cli"
"""The program's module; its `main` is called."""
_LOADED = (
    *(f"handbill.cli.{name}" for name in ("bounces", "campaigns", "developments", "dkim")),
    *(f"handbill.cli.{name}" for name in ("doctor", "service", "staff", "subscribers")),
    *("handbill.serving", "tests.world.mailing", "alembic.command", "rich.progress"),
)
_LONGEST_REQUEST = 150_000


class Forked:
    """A process as `asyncio.subprocess.Process` shows one."""

    def __init__(self, pid: int, status: asyncio.StreamReader, out: asyncio.StreamReader) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdout = out
        """What it says, on standard error too, if that was asked for; else it ends at once."""
        self._ending = asyncio.create_task(self._end(status))

    async def wait(self) -> int:
        """Its exit status, or the negative number of the signal that ended it."""
        return await asyncio.shield(self._ending)

    async def communicate(self) -> tuple[bytes, None]:
        """What else it says, when it has ended."""
        said = await self.stdout.read()
        await self.wait()
        return said, None

    def send_signal(self, number: int) -> None:
        """Nothing happens when it has ended."""
        if not self._ending.done():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    async def _end(self, status: asyncio.StreamReader) -> int:
        self.returncode = int(await status.readline())
        return self.returncode


Process = Forked | asyncio.subprocess.Process


async def by_itself(*arguments: str, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    """Start the command line as operators do; what it says comes out of `stdout`."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "handbill", *arguments),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def started(
    *arguments: str,
    module: str = COMMAND_LINE,
    folder: Path = ROOT,
    environment: Mapping[str, str],
    is_heard: bool = True,
) -> Forked:
    """Start a program; what it says comes out of `stdout` if `is_heard`."""
    heard, saying = os.pipe()
    told, telling = os.pipe()
    ask(arguments, module, folder, environment, fds=(saying if is_heard else 2,) * 2 + (telling,))
    os.close(saying)
    os.close(telling)
    out, status = await _reader(heard), await _reader(told)
    return Forked(int(await status.readline()), status, out)


def done(
    *arguments: str, folder: Path, environment: Mapping[str, str], timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end. Raises `TimeoutError`."""
    told, telling = os.pipe()
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as out,
        tempfile.TemporaryFile("w+", encoding="utf-8") as err,
        os.fdopen(told, "rb", buffering=0) as status,
    ):
        ask(arguments, COMMAND_LINE, folder, environment, (out.fileno(), err.fileno(), telling))
        os.close(telling)
        pid = int(status.readline())
        with selectors.DefaultSelector() as ended:
            ended.register(status, selectors.EVENT_READ)
            if not ended.select(timeout_s):
                os.kill(pid, signal.SIGKILL)
                raise TimeoutError(f"handbill {' '.join(arguments)} did not end")
        code = int(status.readline())
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(list(arguments), code, out.read(), err.read())


def ask(
    arguments: tuple[str, ...],
    module: str,
    folder: Path,
    environment: Mapping[str, str],
    fds: tuple[int, int, int],
) -> None:
    """Have a process made, with these as its output, its error output, and for its status."""
    words = {
        "arguments": arguments,
        "module": module,
        "folder": str(folder),
        "environment": dict(environment),
    }
    socket.send_fds(_parent(), [json.dumps(words).encode()], fds)


@functools.cache
def _parent() -> socket.socket:
    """The way to the process that forks, which ends when this one does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.world.forking", str(theirs.fileno())],
        cwd=ROOT,
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
    )
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


async def _reader(pipe: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb")
    )
    return reader


class _Parent:
    """Forks for whoever asks over a socket, and tells each how its child ended."""

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._children: dict[int, int] = {}
        self._bell, self._ringing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def serve(self) -> None:
        """Until nobody can ask any more."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._ringing)
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._requests, selectors.EVENT_READ)
            waiting.register(self._bell, selectors.EVENT_READ)
            while True:
                for key, _ in waiting.select():
                    if key.fileobj is self._requests:
                        octets, fds, _, _ = socket.recv_fds(self._requests, _LONGEST_REQUEST, 3)
                        if not octets:
                            return
                        self._fork(json.loads(octets), *fds)
                    else:
                        os.read(self._bell, 1024)
                        self._reap()

    def _fork(self, words: Mapping[str, Any], out: int, err: int, status: int) -> None:
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(out, 1)
            os.dup2(err, 2)
            for each in (out, err, status, self._bell, self._ringing, *self._children.values()):
                os.close(each)
            self._requests.close()
            _become(words)
        os.close(out)
        os.close(err)
        self._children[pid] = status
        os.write(status, b"%d\n" % pid)

    def _reap(self) -> None:
        while self._children:
            pid, how = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            status = self._children.pop(pid)
            with contextlib.suppress(BrokenPipeError):
                os.write(status, b"%d\n" % os.waitstatus_to_exitcode(how))
            os.close(status)


def _become(words: Mapping[str, Any]) -> NoReturn:
    """Be the program that was asked for, up to its end."""
    os.chdir(words["folder"])
    os.environ.clear()
    os.environ.update(words["environment"])
    if os.environ.get("PYTHONWARNINGS") == "ignore":
        warnings.simplefilter("ignore")
    random.seed()
    sys.argv = ["handbill", *words["arguments"]]
    status: object = 1
    try:
        importlib.import_module(words["module"]).main()
        status = 0
    except SystemExit as end:
        status = end.code
    except BaseException:  # noqa: BLE001 - as the interpreter does with what nobody caught
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else int(status is not None))


def main() -> None:
    """Load everything, then fork."""
    for each in _LOADED:
        importlib.import_module(each)
    importlib.import_module("tests.world.quickening").warm_up()
    gc.collect()
    gc.freeze()
    _Parent(socket.socket(fileno=int(sys.argv[1]))).serve()


if __name__ == "__main__":
    main()
