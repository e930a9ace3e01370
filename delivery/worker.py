"""A sending process, and the journal and the row by which others know of it."""

import asyncio
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from delivery import recovery, relay_state
from delivery.composing import Composer
from delivery.crew import ALONE, Share
from delivery.journal import Journal
from delivery.models import Worker as WorkerRow
from delivery.relay import Condition, Relays, Sender
from delivery.shift import LOOK_S, Shift, pause
from foundation import errors, logs, relaying
from foundation.ground import Ground

_log = logs.get("worker")


class Worker:
    """One sending process, or the sending part of one."""

    def __init__(
        self, ground: Ground, *, sender: Sender | None = None, share: Share = ALONE
    ) -> None:
        """`share` is the part of each relay's connections that is this process's."""
        settings = ground.settings.delivery
        self._ground = ground
        self._settings = settings
        self._share = share
        self._sender = sender or Relays(
            self._relays, rest_s=settings.relay_rest_s, noticed=self._note_relay
        )
        self._composer = Composer(ground)
        self._node = settings.node or platform.node() or "node"

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set; then finish what is on the wire and leave the rest queued."""
        while not stop.is_set():
            try:
                shift = await self._open()
            except errors.Busy as problem:
                _log.warning("sending can't begin yet", said=str(problem))
                await pause(stop, LOOK_S)
                continue
            await shift.work(stop, is_endless=True)

    async def run_until_idle(self) -> None:
        """Send everything that is due now, then stop. Raises `errors.Busy`."""
        shift = await self._open()
        await shift.work(asyncio.Event(), is_endless=False)

    async def settle(self) -> None:
        """Bring what processes left that are gone into the ledger now; else it is done later."""
        try:
            await recovery.recover(self._ground, node=self._node)
        except errors.Busy as problem:
            _log.warning("what a process left waits", said=str(problem))

    async def _open(self) -> Shift:
        """Take a journal, then a row: whoever finds the row finds the journal locked."""
        folder = Path(self._settings.journal_dir)
        journal = await asyncio.to_thread(
            Journal.create, folder, is_synced=self._settings.fsync_interval_s == 0
        )
        now = self._ground.clock.now()
        row = WorkerRow(
            node=self._node,
            pid=os.getpid(),
            journal=journal.path.name,
            started_at=now,
            seen_at=now,
        )
        try:
            async with self._ground.db.transaction() as session:
                session.add(row)
                await session.flush()
                number = row.id
        except BaseException:
            journal.retire()
            raise
        return Shift(
            self._ground,
            worker_id=number,
            node=self._node,
            journal=journal,
            sender=self._sender,
            composer=self._composer,
        )

    def _relays(self) -> Sequence[relaying.Relay]:
        """Relays as they are set now, with this process's part of their connections."""
        return [
            relay.model_copy(update={"connections": self._share.part(relay.connections)})
            for relay in self._ground.settings.relay
        ]

    async def _note_relay(self, condition: Condition) -> None:
        try:
            await relay_state.note(
                self._ground,
                name=condition.name,
                is_resting=condition.is_resting,
                said=condition.said,
            )
        except errors.Busy as problem:
            _log.warning("a relay's state can't be kept", said=str(problem))


async def run_until_idle(ground: Ground) -> None:
    """Send everything that is due now: notices and deliveries. Raises `errors.Busy`."""
    await Worker(ground).run_until_idle()
