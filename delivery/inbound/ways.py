"""The ways in that are set up, opened together and run by `handbill serve`.

Not by `handbill worker`: of that there may be several on one machine, and one port.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from delivery.inbound.mailbox import Mailbox
from delivery.inbound.maildir import Maildir
from delivery.inbound.stories import StoryDesk
from foundation.ground import Ground


class WayIn(Protocol):
    """Brings mail in."""

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; what was begun is finished first."""
        ...


@contextlib.asynccontextmanager
async def opened(ground: Ground, desk: StoryDesk | None = None) -> AsyncIterator[Sequence[WayIn]]:
    """Every way in, ready to be run; `desk` takes what is meant for it.

    Raises `errors.Refused` when the listener's port can't be had, and `errors.ConfigProblem` when
    its certificate can't be used.
    """
    settings = ground.settings
    found: list[WayIn] = []
    async with contextlib.AsyncExitStack() as stack:
        if settings.listener.enabled:
            from delivery.inbound import listener  # with a server that others need not load

            found.append(await stack.enter_async_context(listener.listening(ground, desk)))
        if settings.imap.host:
            found.append(Mailbox(ground, desk))
        if settings.maildir.path:
            found.append(Maildir(ground, desk))
        yield found
