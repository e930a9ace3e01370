"""Hands letters to relays over kept SMTP connections.

`Sender` is the seam: it takes letters from a `Desk`, asks it for leave right before each last dot,
and tells it what came of each. `Relays` is the first sender, one command at a time on a connection
(`connection.py`); a faster engine can take its place without the ledger or the journal noticing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from delivery.connection import Connection, ConnectionStale, RelayTrouble
from delivery.letter import Letter, Outcome, Reply
from foundation import config, logs

_log = logs.get("relay")

IDLE_S = 10.0
"""A connection without work is closed after this; servers hang up on idlers anyway."""
_LOSSES = 2
"""So many connections lost in a row, in the middle of a message, and the relay is rested."""


class Desk(Protocol):
    """What a sender sees of the worker."""

    @property
    def is_closed(self) -> bool:
        """Whether no more letters will be handed out."""
        ...

    async def take(self, *, within_s: float) -> Letter | None:
        """The next letter, with its envelope made; None when there will be no more.

        Raises `TimeoutError` when none came in time.
        """
        ...

    def put_back(self, letter: Letter) -> None:
        """No relay was reached: somebody else takes it, or the same one later."""
        ...

    async def clear(self, letter: Letter) -> bool:
        """Leave to write the last dot, now. Without it, end the connection without the dot."""
        ...

    def settle(self, letter: Letter, outcome: Outcome) -> None:
        """What came of a letter that was taken."""
        ...

    async def wait(self, seconds: float) -> None:
        """Wait, but not beyond the moment at which the desk is closed."""
        ...


class Sender(Protocol):
    """Sends what a desk hands out."""

    @property
    def is_down(self) -> bool:
        """Whether no relay can be used for now."""
        ...

    async def run(self, desk: Desk) -> None:
        """Send until the desk is closed; what is on the wire then is finished first."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """How a relay does."""

    name: str
    is_resting: bool
    said: str
    """What went wrong; blank when all is well."""


class _Relay:
    """One relay, and until when it is left alone."""

    def __init__(self, settings: config.Relay) -> None:
        self.settings = settings
        self.rests_until = 0.0
        self.losses = 0

    def is_resting(self, tick: float) -> bool:
        return tick < self.rests_until


class Relays:
    """Implements `Sender`: the first relay in order that does not rest takes everything."""

    def __init__(
        self,
        relays: Sequence[config.Relay],
        *,
        rest_s: float,
        noticed: Callable[[Condition], Awaitable[None]],
    ) -> None:
        self._relays = [_Relay(settings) for settings in relays]
        self._rest_s = rest_s
        self._noticed = noticed
        self._known: dict[str, Condition] = {}

    @property
    def is_down(self) -> bool:
        """Whether every relay rests."""
        return all(relay.is_resting(_tick()) for relay in self._relays)

    async def run(self, desk: Desk) -> None:
        """As many connections as the relay of the moment allows, until the desk is closed."""
        width = max(relay.settings.connections for relay in self._relays)
        async with asyncio.TaskGroup() as group:
            for slot in range(width):
                group.create_task(self._carry(slot, desk))

    async def _carry(self, slot: int, desk: Desk) -> None:
        """One connection at a time, to whichever relay is to be used."""
        held: tuple[_Relay, Connection] | None = None
        try:
            while not desk.is_closed:
                relay = self._choose(slot)
                if held is not None and (relay is not held[0] or not held[1].is_usable):
                    _, old = held
                    held = None
                    await old.quit()
                if relay is None:
                    await desk.wait(min(1.0, self._rest_s))
                    continue
                try:
                    letter = await desk.take(within_s=IDLE_S)
                except TimeoutError:
                    if held is not None:
                        _, old = held
                        held = None
                        await old.quit()
                    continue
                if letter is not None:
                    connection = await self._hand_over(
                        letter, relay, held[1] if held else None, desk
                    )
                    held = (relay, connection) if connection is not None else None
        finally:
            if held is not None:
                await held[1].quit()

    async def _hand_over(
        self, letter: Letter, relay: _Relay, connection: Connection | None, desk: Desk
    ) -> Connection | None:
        """Send one letter; returns the connection if it can be used again."""
        try:
            if connection is None:
                connection = await Connection.open(relay.settings)
            outcome = await connection.send(letter.envelope, lambda: desk.clear(letter))
        except ConnectionStale:
            desk.put_back(letter)
            return None
        except RelayTrouble as trouble:
            desk.put_back(letter)
            if connection is not None:
                connection.drop()
            await self._rest(relay, trouble.said)
            return None
        except BaseException:
            if connection is not None:
                connection.drop()
            raise
        if outcome is None:
            return None
        desk.settle(letter, outcome)
        if connection.trouble:
            await self._count_loss(relay, connection.trouble)
        elif outcome.reply != Reply():
            await self._is_well(relay)
        if connection.is_usable:
            return connection
        await connection.quit()
        return None

    def _choose(self, slot: int) -> _Relay | None:
        relay = next((each for each in self._relays if not each.is_resting(_tick())), None)
        return relay if relay is not None and slot < relay.settings.connections else None

    async def _count_loss(self, relay: _Relay, said: str) -> None:
        relay.losses += 1
        if relay.losses >= _LOSSES:
            await self._rest(relay, said)

    async def _rest(self, relay: _Relay, said: str) -> None:
        relay.losses = 0
        relay.rests_until = _tick() + self._rest_s
        _log.warning("a relay is left alone for a while", relay=relay.settings.name, said=said)
        await self._notice(Condition(name=relay.settings.name, is_resting=True, said=said))

    async def _is_well(self, relay: _Relay) -> None:
        relay.losses = 0
        await self._notice(Condition(name=relay.settings.name, is_resting=False, said=""))

    async def _notice(self, condition: Condition) -> None:
        if self._known.get(condition.name) != condition:
            self._known[condition.name] = condition
            await self._noticed(condition)


def _tick() -> float:
    return asyncio.get_running_loop().time()
