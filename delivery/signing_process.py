"""A process that signs for a sender, which sends meanwhile.

A thread would do if it needed no lock of Python's: with two or four of them a message waited twice
for half a millisecond until the event loop gave that up. Only digests go to the process and only
signatures come back, so that whatever becomes of it costs no more than time.
"""

import asyncio
import contextlib
import hashlib
import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from delivery.dkim import Draft
from foundation import logs

if TYPE_CHECKING:
    from delivery.signing_keys import Key

_log = logs.get("signing")

PROGRAM = Path(__file__).with_name("signing_program.py")
_LENGTH = struct.Struct(">H")
_ASKED = struct.Struct(">B32s")
PATIENCE_S = 5.0
"""Whoever says nothing for so long, with something asked, is given up."""
REST_S = 60.0
"""Whoever is asked nothing for so long takes memory for nothing."""


class SigningProcess(asyncio.SubprocessProtocol):
    """Signs in the order in which it is asked, from when it `is_ready`."""

    def __init__(
        self,
        keys: Sequence["Key"],
        *,
        signed: Callable[[Sequence[bytes]], None],
        gone: Callable[[bool], None],
    ) -> None:
        """Begin one. `signed` gets signatures as they come.

        `gone` is called if it ends before it is closed, and told whether all was well.
        """
        self._keys = {key.private: place for place, key in enumerate(keys)}
        self._own = tuple(keys)
        self._signed = signed
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._pipe: asyncio.WriteTransport | None = None
        self._transport: asyncio.SubprocessTransport | None = None
        self._come = b""
        self._open = 0
        """Signatures that were asked for and have not come."""
        self._heard_at = 0.0
        self._bell: asyncio.TimerHandle | None = None
        self.is_ready = False
        """Whether it may be asked."""
        self._is_closed = False
        self._beginning = asyncio.create_task(self._begin())

    def knows(self, drafts: Sequence[Draft]) -> bool:
        """Whether it has all their keys."""
        return all(draft.key.private in self._keys for draft in drafts)

    def ask(self, drafts: Sequence[Draft]) -> None:
        """Have them signed."""
        if self._pipe is None:
            return
        asked = [
            _ASKED.pack(self._keys[draft.key.private], hashlib.sha256(draft.content).digest())
            for draft in drafts
        ]
        if not self._open:
            self._heard_at = self._loop.time()
        self._open += len(asked)
        self._pipe.write(b"".join(asked))

    def close(self) -> None:
        """Let it end; nothing is heard of it any more."""
        self._is_closed = True
        self._be_gone()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It began: give it the keys."""
        # uvloop's transports have asyncio's methods, not its classes.
        self._transport = cast(asyncio.SubprocessTransport, transport)
        self._pipe = cast(asyncio.WriteTransport, self._transport.get_pipe_transport(0))
        keys = [key.octets for key in self._own]
        listed = b"".join([_LENGTH.pack(len(each)) + each for each in keys])
        self._pipe.write(bytes([len(keys)]) + listed)
        if self._is_closed:
            self._be_gone()
        else:
            self._heard_at = self._loop.time()
            self._bell = self._loop.call_later(PATIENCE_S, self._ring)

    def pipe_data_received(self, fd: int, data: bytes) -> None:  # noqa: ARG002 - asyncio's name
        """Signatures came; the first is empty and says that it is ready."""
        self._heard_at = self._loop.time()
        come, at = self._come + data, 0
        made: list[bytes] = []
        while len(come) - at >= _LENGTH.size:
            ends = at + _LENGTH.size + _LENGTH.unpack_from(come, at)[0]
            if ends > len(come):
                break
            made.append(come[at + _LENGTH.size : ends])
            at = ends
        self._come = come[at:]
        if made and not self.is_ready:
            self.is_ready = not self._is_closed
            del made[0]
        self._open -= len(made)
        if made and not self._is_closed:
            self._signed(made)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002
        """It ended, or is about to."""
        self._lose()

    def process_exited(self) -> None:
        """It ended."""
        self._lose()

    async def _begin(self) -> None:
        try:
            await self._loop.subprocess_exec(
                lambda: self, sys.executable, "-I", str(PROGRAM), stderr=None
            )
        except OSError as problem:
            _log.warning("no process can be had for signatures", said=str(problem))
            self._lose()

    def _ring(self) -> None:
        """One bell for all questions: it is looked whether one waits too long, or none came."""
        silent_s = self._loop.time() - self._heard_at
        if silent_s < (PATIENCE_S if self._open else REST_S):
            self._bell = self._loop.call_later(PATIENCE_S, self._ring)
        elif self._open:
            self._lose()
        else:
            self.close()
            self._gone(True)

    def _lose(self) -> None:
        """Do without it."""
        if not self._is_closed:
            _log.warning("the process that signs is gone; the sender signs by itself")
            self.close()
            self._gone(False)

    def _be_gone(self) -> None:
        self.is_ready = False
        if self._bell is not None:
            self._bell.cancel()
            self._bell = None
        if self._transport is not None:
            with contextlib.suppress(ProcessLookupError):
                self._transport.kill()
            self._transport.close()
