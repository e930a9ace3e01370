"""What may go out now, as one worker knows it: permits in hand for relays and for readers' hosts.

`shuts` and `has_room` are asked before a letter is handed out, and are cheap; permits are fetched
from the database beside that. Notices are served first, and a share of every rate is theirs.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator

from delivery import allowances, backing_off, blocking, blocks
from delivery.allowances import Terms
from delivery.domains import Groups
from delivery.letter import Letter, Outcome, Verdict
from delivery.limit import Limit, Permit
from delivery.models import Reason
from foundation import errors, logs, rates
from foundation.config import Settings
from foundation.ground import Ground
from foundation.relaying import Relay

_log = logs.get("limits")

RELAY = "relay:"
"""What the name of a relay's limit starts with."""
LOOK_S = 2.0
"""How often a worker looks whether another was told to be slower."""
_RENEW_S = 5.0
"""How long a letter whose permit ran out waits for a new one, its content sent but not its dot."""


class Limits:
    """All limits of one worker."""

    def __init__(self, ground: Ground, *, opened: Callable[[], None]) -> None:
        """`opened` is called when something may go out that could not before."""
        self._ground = ground
        self._clock = ground.clock
        self._opened = opened
        self._groups = Groups(ground.settings)
        self.group = self._groups.of
        """The limit of an address's host; None when it has none."""
        self.relays = _relays(ground.settings)
        """Those of relays that have one, by name."""
        self._wanted = asyncio.Event()
        self._renewed = asyncio.Event()
        self._bells: dict[Limit, asyncio.TimerHandle] = {}
        self._heard: dict[Limit, str] = {}
        self._refused: dict[Limit, str] = {}
        self._is_stopped = False

    def tick(self) -> int:
        """The present."""
        return rates.tick(self._clock.now())

    def has_room(self, limit: Limit, *, is_notice: bool) -> bool:
        """Whether one more message may go out now under a limit."""
        tick = self.tick()
        if limit.admits(is_notice=is_notice, tick=tick):
            return True
        self._look(limit, is_notice=is_notice, tick=tick)
        return False

    def begin(self, letter: Letter, relay: str) -> None:
        """Use up a permit of each limit; all of them were seen to have one, at this instant."""
        group, limit = letter.group, self.relays.get(relay)
        if group is not None:
            group.open += 1
        if limit is not None or (group is not None and group.has_rates):
            held = [each for each in (group, limit) if each is not None and each.has_rates]
            letter.permit = _permit(letter, held)

    def is_good(self, letter: Letter) -> bool:
        """Whether a letter's permit lets it go out at this instant."""
        permit = letter.permit
        return permit is None or permit.starts <= self.tick() < permit.ends

    async def renew(self, letter: Letter) -> bool:
        """Exchange a permit that ran out; whether that could be done within seconds."""
        permit, letter.permit = letter.permit, None
        if permit is None:
            return True
        for limit, given_at in permit.spent:
            limit.give_back(given_at)
        held = [limit for limit, _ in permit.spent if limit.has_rates]
        ends_s = time.monotonic() + _RENEW_S
        while not self._have_permits(held, letter):
            self._renewed.clear()
            try:
                async with asyncio.timeout(max(0.0, ends_s - time.monotonic())):
                    await self._renewed.wait()
            except TimeoutError:
                return False
        letter.permit = _permit(letter, [limit for limit in held if limit.has_rates])
        return True

    def end(self, letter: Letter, outcome: Outcome) -> None:
        """What came of a letter that `begin` was told of."""
        group = letter.group
        if group is None:
            return
        was_full = group.is_full
        group.open -= 1
        if outcome.verdict is Verdict.SENT:
            group.taken += 1
            group.blocks = 0
        elif outcome.reason == Reason.BLOCKED:
            self._blocked(group, outcome)
        elif group.backs_off and backing_off.is_about_pace(*outcome.reply[:2]):
            self._heard[group] = f"{outcome.reply.code} {outcome.reply.text}"
            self._wanted.set()
        if was_full:
            self._opened()

    def watch(self, letter: Letter, outcome: Outcome) -> None:
        """A host that has no limit refused us: from now on it is counted how often in a row."""
        self._blocked(self._groups.watched(letter.envelope.rcpt_to), outcome)

    def put_back(self, letter: Letter) -> None:
        """It did not go out: its permits are as good as before."""
        permit, letter.permit = letter.permit, None
        for limit, given_at in permit.spent if permit is not None else ():
            limit.give_back(given_at)
        group = letter.group
        if group is not None:
            was_full = group.is_full
            group.open -= 1
            if was_full:
                self._opened()

    async def load(self) -> None:
        """Learn which hosts asked any worker to be slower, and what owners set meanwhile.

        Raises `errors.Busy`.
        """
        self._take_settings()
        async with self._ground.db.reading() as session:
            troubles = await allowances.troubles(session)
        now = self._clock.now()
        for limit in self._groups.known(troubles.keys()):
            pace, hold = troubles.get(limit.terms.name, (None, None))
            if hold is not None and blocking.is_over(hold, now, self._ground.settings.bounces):
                hold = None
            if hold != limit.hold:
                limit.set_hold(hold)
                self._opened()
            if pace is not None and backing_off.is_over(
                pace, now=now, settings=self._ground.settings.delivery
            ):
                pace = None
            if pace != limit.pace:
                limit.set_pace(pace)
                self._opened()
            limit.measure(time.monotonic())

    def _take_settings(self) -> None:
        """The limits of relays and of readers' hosts as the settings have them now."""
        if self._groups.take(self._ground.settings):
            self._open()
        for relay in self._ground.settings.relay:
            terms, known = terms_of_relay(relay), self.relays.get(relay.name)
            if known is None and (terms.rates or terms.warmup):
                self.relays[relay.name] = Limit(terms, full=relay.connections)
            elif known is not None and known.terms != terms:
                known.set_terms(terms)
                self._open()

    async def run(self) -> None:
        """Fetch permits and note what hosts say, until `stop`."""
        while not self._is_stopped:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._work()
            except errors.Busy as problem:
                _log.warning("permits can't be had", said=str(problem))
                asyncio.get_running_loop().call_later(LOOK_S, self._wanted.set)

    def stop(self) -> None:
        """Fetch nothing more."""
        self._is_stopped = True
        self._wanted.set()
        for bell in self._bells.values():
            bell.cancel()
        self._bells.clear()

    async def close(self) -> None:
        """Give back every permit that was not used. Raises `errors.Busy`."""
        farewells = [limit.farewell() for limit in self._all()]
        asks = [ask for ask in farewells if ask is not None]
        if asks:
            await allowances.reserve(self._ground, asks)

    async def _work(self) -> None:
        while self._heard:
            with _taken(self._heard) as (limit, said):
                pace = await allowances.slow_down(
                    self._ground,
                    name=limit.terms.name,
                    measured=limit.per_minute(time.monotonic()),
                    said=said,
                )
            if pace != limit.pace:
                _log.warning(
                    "a host wants less mail", limit=limit.terms.name, per_minute=pace.ceiling
                )
            limit.set_pace(pace)
        while self._refused:
            with _taken(self._refused) as (limit, said):
                hold = await blocks.hold(self._ground, name=limit.terms.name, said=said)
            limit.set_hold(hold)
        wanted = {limit.terms.name: limit for limit in self._all() if limit.is_wanted}
        if not wanted:
            return
        asks = {name: limit.ask() for name, limit in wanted.items()}
        grants = await allowances.reserve(self._ground, list(asks.values()))
        for name, grant in grants.items():
            wanted[name].take(grant)
            if wanted[name].terms != asks[name].terms:
                wanted[name].return_all()  # they were given by the rates of before
            if not grant.bulk:
                self._ring_later(wanted[name], grant.bulk_opens)
        self._open()

    def _blocked(self, group: Limit, outcome: Outcome) -> None:
        group.blocks += 1
        settings = self._ground.settings.bounces
        if group.blocks >= settings.blocks_in_a_row:
            said = f"{outcome.reply.code} {outcome.reply.text}"
            # At once, for what waits here; the row of the limit then says it to everybody.
            now = self._clock.now()
            group.set_hold(blocking.held(group.hold, said=said, now=now, settings=settings))
            self._refused[group] = said
            self._wanted.set()

    def _all(self) -> list[Limit]:
        return [*self.relays.values(), *self._groups.known(())]

    def _have_permits(self, held: Iterable[Limit], letter: Letter) -> bool:
        tick = self.tick()
        missing = [
            limit for limit in held if not limit.has_permit(is_notice=letter.is_notice, tick=tick)
        ]
        for limit in missing:
            self._look(limit, is_notice=letter.is_notice, tick=tick)
        return not missing

    def _look(self, limit: Limit, *, is_notice: bool, tick: int) -> None:
        """Have permits fetched, now or when there will be some."""
        if limit.is_wanted:
            self._wanted.set()
        elif not limit.is_full:
            self._ring_later(limit, limit.opens(is_notice=is_notice, tick=tick))

    def _ring_later(self, limit: Limit, opens: int) -> None:
        bell = self._bells.get(limit)
        wait_s = max(0, opens - self.tick()) / 1_000_000
        when = asyncio.get_running_loop().time() + wait_s
        if bell is not None and bell.when() <= when and not bell.cancelled():
            return
        if bell is not None:
            bell.cancel()
        self._bells[limit] = asyncio.get_running_loop().call_later(wait_s, self._ring, limit)

    def _ring(self, limit: Limit) -> None:
        self._bells.pop(limit, None)
        self._open()

    def _open(self) -> None:
        self._renewed.set()
        self._opened()


@contextlib.contextmanager
def _taken(words: dict[Limit, str]) -> Iterator[tuple[Limit, str]]:
    """What one host said; put back if it can't be kept now. What it says meanwhile stays."""
    limit, said = words.popitem()
    try:
        yield limit, said
    except errors.Busy:
        words.setdefault(limit, said)
        raise


def terms_of_relay(relay: Relay) -> Terms:
    """What the settings say about a relay's limit."""
    return Terms(
        name=f"{RELAY}{relay.name}",
        rates=rates.parse_all(relay.rates),
        warmup=tuple(relay.warmup),
    )


def _relays(settings: Settings) -> dict[str, Limit]:
    return {
        relay.name: Limit(terms_of_relay(relay), full=relay.connections)
        for relay in settings.relay
        if relay.rates or relay.warmup
    }


def _permit(letter: Letter, held: list[Limit]) -> Permit | None:
    """One permit of each; all of them were seen to have one, at this instant."""
    if not held:
        return None
    starts = max(limit.starts for limit in held)
    ends = min(limit.ends for limit in held)
    spent = tuple((limit, limit.spend(is_notice=letter.is_notice)) for limit in held)
    return Permit(spent=spent, starts=starts, ends=ends)
