"""Keeps sign-ups in a process of their own, where `[signup] own_process` says so.

Web and sending go on beside it on another core. Where it is gone, the service keeps them itself, as
it does without this setting: whoever was not answered is not told that they were kept.
"""

import asyncio
import contextlib
import functools
import socket
from collections.abc import AsyncIterator, Sequence

from foundation import changing, errors, logs
from foundation.ground import Ground
from foundation.helper import Helper, help_out
from subscribers import taking
from subscribers.taking import Sent, SignUpOutcome

_log = logs.get("keeper")

_Outcomes = Sequence[SignUpOutcome | errors.HandbillError | None]


@contextlib.asynccontextmanager
async def asked(ground: Ground, helper: Helper | None) -> AsyncIterator[None]:
    """Have sign-ups kept by `helper` within the block; it ends with it."""
    if helper is None:
        yield
        return

    async def elsewhere(own: Ground, batch: Sequence[Sent]) -> _Outcomes:
        if helper.is_gone:
            return await taking.take(own, batch)
        found: _Outcomes = await helper.ask(batch)
        own.notices.ring()
        return found

    await helper.open()
    _log.info("sign-ups are kept by a process of their own", process=helper.process)
    ground.together.hand_over(taking.take, elsewhere, ground)
    try:
        yield
    finally:
        await helper.close()


async def keep(ground: Ground, line: socket.socket) -> None:
    """The life of that process: keep what comes along the line, by the settings of the moment."""
    await changing.refresh(ground)
    over = asyncio.Event()
    watching = asyncio.create_task(changing.watch(ground, over))
    await help_out(line, functools.partial(taking.take, ground))
    over.set()
    await watching
