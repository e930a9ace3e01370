"""Hands letters to relays over kept SMTP connections.

`Sender` is the seam: it takes letters from a `Desk`, asks it for leave right before each last dot,
and tells it what came of each. `Relays` is the one sender there is; another could take its place
without the ledger or the journal noticing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from delivery.connection import Connection, ConnectionStale
from delivery.letter import Letter, Outcome
from delivery.opening import RelayTrouble
from foundation import logs, relaying
from foundation.frozen import frozen

_log = logs.get("relay")

IDLE_S = 10.0
"""A connection without work is closed after this; servers hang up on idlers anyway."""
LOOK_S = 2.0
"""How often it is looked whether an owner set something else about a relay."""
_LOSSES = 2
"""So many connections lost in a row, in the middle of a message, and the relay is rested."""


class Desk(Protocol):
    """What a sender sees of the worker."""

    takes_8bit: bool
    """Whether the relay that was reached last takes 8bit octets; to be told by the sender."""

    @property
    def is_closed(self) -> bool:
        """Whether no more letters will be handed out."""
        ...

    async def take(self, relay: str, *, within_s: float) -> Letter | None:
        """The next letter for a relay, its envelope made; None when there will be no more.

        Raises `TimeoutError` when none came in time.
        """
        ...

    def take_now(self, relay: str) -> Letter | None:
        """The next letter for a relay, its envelope made, if there is one at once."""
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

    def is_resting(self, relay: str) -> bool:
        """Whether a relay is left alone for now because it could not be used."""
        ...

    async def run(self, desk: Desk) -> None:
        """Send until the desk is closed; what is on the wire then is finished first."""
        ...


@frozen
class Condition:
    """How a relay does."""

    name: str
    is_resting: bool
    said: str
    """What went wrong; blank when all is well."""


class _Relay:
    """One relay, and until when it is left alone."""

    def __init__(self, settings: relaying.Relay) -> None:
        self.settings = settings
        self.name = settings.name
        self.is_fine = Condition(name=settings.name, is_resting=False, said="")
        self.known: Condition | None = None
        """What was said of it last."""
        self.carriers = 0
        """How many carry to it now; each has a connection at most."""
        self.losses = 0
        self._rests_until = 0.0

    @property
    def is_resting(self) -> bool:
        return self._rests_until > 0 and _tick() < self._rests_until

    def rest(self, seconds: float) -> None:
        self._rests_until = _tick() + seconds
        self.losses = 0


class Relays:
    """Implements `Sender`: every relay keeps its own connections; the desk says what it takes.

    `present` gives the relays as they are set now: always the same ones, by name and in order.
    """

    def __init__(
        self,
        present: Callable[[], Sequence[relaying.Relay]],
        *,
        rest_s: float,
        noticed: Callable[[Condition], Awaitable[None]],
    ) -> None:
        self._present = present
        self._relays = [_Relay(settings) for settings in present()]
        self.rest_s = rest_s
        self._noticed = noticed

    @property
    def is_down(self) -> bool:
        """Whether every relay rests."""
        return all(relay.is_resting for relay in self._relays)

    def is_resting(self, relay: str) -> bool:
        """Whether a relay is left alone for now because it could not be used."""
        return any(each.is_resting for each in self._relays if each.name == relay)

    async def run(self, desk: Desk) -> None:
        """As many connections to each relay as it allows, until the desk is closed."""
        async with asyncio.TaskGroup() as group:
            while not desk.is_closed:
                self._take_settings()
                for relay in self._relays:
                    for _ in range(relay.settings.connections - relay.carriers):
                        relay.carriers += 1
                        group.create_task(self._carry(relay, desk))
                await desk.wait(LOOK_S)

    def _take_settings(self) -> None:
        """What is set about each now; connections that were opened by what was before are left."""
        for relay, settings in zip(self._relays, self._present(), strict=True):
            if relay.settings != settings:
                relay.settings = settings

    async def _carry(self, relay: _Relay, desk: Desk) -> None:
        """One connection at a time, unless there are more than the relay is to have."""
        carrier = _Carrier(self, relay, desk)
        try:
            await carrier.run()
        finally:
            relay.carriers -= 1
            await carrier.hang_up()

    async def count_loss(self, relay: _Relay, said: str) -> None:
        """A connection broke in the middle of a message."""
        relay.losses += 1
        if relay.losses >= _LOSSES:
            await self.rest(relay, said)

    async def rest(self, relay: _Relay, said: str) -> None:
        """Leave a relay alone for a while."""
        relay.rest(self.rest_s)
        _log.warning("a relay is left alone for a while", relay=relay.name, said=said)
        await self._notice(relay, Condition(name=relay.name, is_resting=True, said=said))

    async def is_well(self, relay: _Relay) -> None:
        """It answered, and everybody may know."""
        await self._notice(relay, relay.is_fine)

    async def _notice(self, relay: _Relay, condition: Condition) -> None:
        if relay.known != condition:
            relay.known = condition
            await self._noticed(condition)


class _Carrier:
    """Carries letters to a relay, over one connection at a time: its `connection.Hand`."""

    def __init__(self, relays: Relays, relay: _Relay, desk: Desk) -> None:
        self._relays = relays
        self._relay = relay
        self._desk = desk
        self._connection: Connection | None = None
        self._has_news = False
        """Whether the relay answered and is not known to be well."""
        self.clear_now = desk.clear_now
        self.clear = desk.clear

    async def run(self) -> None:
        """Until the desk is closed; what is on the wire then is finished first."""
        while not self._desk.is_closed and not self._is_too_many:
            if self._relay.is_resting:
                await self.hang_up()
                await self._desk.wait(min(1.0, self._relays.rest_s))
                continue
            letter = await self._take()
            if letter is not None:
                await self._hand_over(letter)

    @property
    def _is_too_many(self) -> bool:
        """Whether the relay is to have fewer; the first to look goes."""
        return self._relay.carriers > self._relay.settings.connections

    @property
    def _is_by_other_settings(self) -> bool:
        """Whether the connection was opened by what was set before."""
        connection = self._connection
        return connection is not None and connection.settings is not self._relay.settings

    async def hang_up(self) -> None:
        """End the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.quit()

    def follow(self) -> Letter | None:
        """The next letter, if this connection is to carry another."""
        is_over = self._is_too_many or self._is_by_other_settings
        if self._has_news or is_over or self._relay.is_resting:
            return None
        return self._desk.take_now(self._relay.name)

    def settle(self, letter: Letter, outcome: Outcome) -> None:
        """What came of a letter; a reply that ends no connection tells that the relay is well."""
        self._desk.settle(letter, outcome)
        is_broken = self._connection is None or self._connection.trouble
        if outcome.reply.code and not is_broken:
            relay = self._relay
            relay.losses = 0
            self._has_news = relay.known is not relay.is_fine

    def put_back(self, letter: Letter) -> None:
        """Nothing was said of it but addresses."""
        self._desk.put_back(letter)

    async def _take(self) -> Letter | None:
        try:
            return await self._desk.take(self._relay.name, within_s=IDLE_S)
        except TimeoutError:
            await self.hang_up()
            return None

    async def _hand_over(self, letter: Letter) -> None:
        """Send one letter and those that follow it over the same connection."""
        self._has_news = False
        try:
            connection = await self._connected(letter)
            await connection.send(letter, self)
        except ConnectionStale:
            self._drop()
        except RelayTrouble as trouble:
            self._drop()
            await self._relays.rest(self._relay, trouble.said)
        except BaseException:
            self._drop()
            raise
        else:
            if connection.trouble:
                await self._relays.count_loss(self._relay, connection.trouble)
            elif self._has_news:
                await self._relays.is_well(self._relay)
            if not connection.is_usable or self._is_by_other_settings:
                await self.hang_up()

    async def _connected(self, letter: Letter) -> Connection:
        """The connection that is kept, or a new one. Raises `RelayTrouble`, the letter put back."""
        if self._is_by_other_settings:
            await self.hang_up()
        if self._connection is None:
            try:
                self._connection = await Connection.open(self._relay.settings)
            except RelayTrouble:
                self.put_back(letter)
                raise
            self._desk.takes_8bit = self._connection.takes_8bit
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.drop()
            self._connection = None


def _tick() -> float:
    return asyncio.get_running_loop().time()
