"""Hands letters to relays over kept SMTP connections.

`Sender` is the seam: it takes letters from a `Desk`, asks it for leave right before each last dot,
and tells it what came of each. `Relays` is the one sender there is; another could take its place
without the ledger or the journal noticing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from delivery.connection import Connection, ConnectionStale, RelayTrouble
from delivery.letter import NO_REPLY, Envelope, Letter, Outcome
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

    def take_now(self) -> Letter | None:
        """The next letter, with its envelope made, if there is one at once."""
        ...

    def put_back(self, letter: Letter) -> None:
        """No relay was reached: somebody else takes it, or the same one later."""
        ...

    def clear_now(self, letter: Letter) -> bool | None:
        """`clear`, if the answer is there at once; else None, and `clear` has to be asked."""
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
        self.name = settings.name
        self.width = settings.connections
        self.is_fine = Condition(name=settings.name, is_resting=False, said="")
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
        self.rest_s = rest_s
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
        carrier = _Carrier(self, slot, desk)
        try:
            await carrier.run()
        finally:
            await carrier.hang_up()

    def choose(self, slot: int) -> "_Relay | None":
        """The relay that a slot is to use now."""
        tick = _tick()
        for relay in self._relays:
            if not relay.is_resting(tick):
                return relay if slot < relay.width else None
        return None

    async def count_loss(self, relay: _Relay, said: str) -> None:
        """A connection broke in the middle of a message."""
        relay.losses += 1
        if relay.losses >= _LOSSES:
            await self.rest(relay, said)

    async def rest(self, relay: _Relay, said: str) -> None:
        """Leave a relay alone for a while."""
        relay.losses = 0
        relay.rests_until = _tick() + self.rest_s
        _log.warning("a relay is left alone for a while", relay=relay.settings.name, said=said)
        await self._notice(Condition(name=relay.settings.name, is_resting=True, said=said))

    async def is_well(self, relay: _Relay) -> None:
        """It answered."""
        relay.losses = 0
        if self._known.get(relay.name) != relay.is_fine:
            await self._notice(relay.is_fine)

    async def _notice(self, condition: Condition) -> None:
        if self._known.get(condition.name) != condition:
            self._known[condition.name] = condition
            await self._noticed(condition)


class _Leave(NamedTuple):
    """The desk's leave for one letter's last dot."""

    desk: Desk
    letter: Letter

    def now(self) -> bool | None:
        return self.desk.clear_now(self.letter)

    async def asked(self) -> bool:
        return await self.desk.clear(self.letter)


class _Carrier:
    """Carries letters from the desk, over one connection at a time."""

    def __init__(self, relays: Relays, slot: int, desk: Desk) -> None:
        self._relays = relays
        self._slot = slot
        self._desk = desk
        self._relay: _Relay | None = None
        self._connection: Connection | None = None
        self._next: Letter | None = None
        """Taken already, its envelope on the wire behind the last dot before it."""

    async def run(self) -> None:
        """Until the desk is closed; what was taken then is finished first."""
        while not self._desk.is_closed or self._next is not None:
            if self._next is None:
                await self._choose()
            if self._relay is None:
                await self._desk.wait(min(1.0, self._relays.rest_s))
                continue
            letter = self._next or await self._take()
            self._next = None
            if letter is not None:
                await self._hand_over(letter, self._relay)

    async def _choose(self) -> None:
        relay = self._relays.choose(self._slot)
        if relay is not self._relay:
            await self.hang_up()
            self._relay = relay

    async def hang_up(self) -> None:
        """End the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.quit()

    async def _take(self) -> Letter | None:
        try:
            return await self._desk.take(within_s=IDLE_S)
        except TimeoutError:
            await self.hang_up()
            return None

    async def _hand_over(self, letter: Letter, relay: _Relay) -> None:
        """Send one letter; what follows it is kept in `_next` while the connection holds."""
        desk = self._desk
        try:
            if self._connection is None:
                self._connection = await Connection.open(relay.settings)
            connection = self._connection
            outcome = await connection.send(letter.envelope, _Leave(desk, letter), self._follow)
        except ConnectionStale:
            self._put_back(letter)
        except RelayTrouble as trouble:
            self._put_back(letter)
            await self._relays.rest(relay, trouble.said)
        except BaseException:
            self._drop()
            raise
        else:
            if outcome is not None:
                desk.settle(letter, outcome)
            if connection.trouble:
                await self._relays.count_loss(relay, connection.trouble)
            elif outcome is not None and outcome.reply != NO_REPLY:
                await self._relays.is_well(relay)
            await self._keep(connection)

    def _follow(self) -> Envelope | None:
        """The next letter, if this connection is to carry another."""
        connection = self._connection
        is_kept = connection is not None and connection.is_usable
        if is_kept and self._relays.choose(self._slot) is self._relay:
            self._next = self._desk.take_now()
        return self._next.envelope if self._next is not None else None

    async def _keep(self, connection: Connection) -> None:
        """Go on with a connection that can be used; else let go of it and of what was to follow."""
        if connection.is_usable:
            return
        if self._next is not None:
            self._desk.put_back(self._next)
            self._next = None
        await self.hang_up()

    def _put_back(self, letter: Letter) -> None:
        self._drop()
        self._desk.put_back(letter)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.drop()
            self._connection = None


def _tick() -> float:
    return asyncio.get_running_loop().time()
