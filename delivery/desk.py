"""A worker's desk: letters that wait, those on the wire, and results on their way to the ledger.

Implements `relay.Desk`. Every rule about a single message that must hold is here: nothing goes out
without the last look, a safe lease and an intent in the journal; every letter that was taken comes
back as exactly one result or to where it lay.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from delivery import blocking, ledger
from delivery.composing import Erased
from delivery.journal import Journal, Key
from delivery.letter import Kind, Letter, Outcome, Reply, Result, Verdict
from delivery.limits import Limits
from delivery.making import Making, make_in_a_row
from delivery.models import Reason
from delivery.rechecking import Look, Recheck
from delivery.takers import Takers
from delivery.waiting import Waiting
from foundation import errors, logs
from foundation.ground import Ground
from foundation.i18n import N_

_log = logs.get("desk")

_BACK = Outcome(verdict=Verdict.BACK)
_AHEAD = 15
"""Plain letters that are made along with one whose turn it is."""


class WorkerDesk:
    """What one worker has in its hands."""

    def __init__(
        self,
        ground: Ground,
        *,
        journal: Journal,
        worker_id: int,
        is_resting: Callable[[str], bool],
    ) -> None:
        """`is_resting` says of a relay, by its name, whether it is left alone for now."""
        self._ground = ground
        self._now = ground.clock.now
        self._settings = ground.settings.delivery
        self._loop = asyncio.get_running_loop()
        self._takers = Takers(are_alike=len(ground.settings.relay) == 1)
        self._will_keep = False
        self._is_synced = self._settings.fsync_interval_s == 0
        self._journal = journal
        self.recheck = Recheck(ground, worker_id=worker_id, upcoming=self._upcoming)
        self.limits = Limits(ground, opened=self._look_again)
        self._making = Making(is_8bit=lambda: self.takes_8bit, made=self._takers.wake_one)
        self.waiting = Waiting(
            ground.settings,
            self.limits,
            self._making,
            is_resting=is_resting,
            give_back=self._give_back,
            give_up=self._give_up,
            wake=self._takers.wake,
        )
        self._courtesy = ground.courtesy
        self._courtesy.tell_when_over(self._takers.wake)
        self._open: set[Letter] = set()
        self._is_hungry = asyncio.Event()
        self._is_idle = asyncio.Event()
        self._closed = asyncio.Event()
        self.is_closed = False
        """Whether no more letters will be handed out."""
        self._results: list[Result] = []
        self._sync: asyncio.Task[None] | None = None
        self.takes_8bit = False
        """Whether the relay that was reached last takes 8bit octets: letters are made for that."""
        self.low_mark = 0
        """With no more deliveries than this waiting, more should be claimed."""
        self.trouble = ""
        """Why nothing can be sent though there are letters; blank when all is well."""

    @property
    def is_low(self) -> bool:
        """Whether so few deliveries wait that it is time to claim more."""
        return self.waiting.bulk <= self.low_mark

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is on the wire."""
        return not self._open and self.waiting.is_empty

    @property
    def has_open(self) -> bool:
        """Whether something is on the wire."""
        return bool(self._open)

    def put(self, letters: Iterable[Letter]) -> None:
        """More work; notices go before everything else."""
        self.waiting.put(letters)
        if not self.waiting.is_empty:
            self._takers.wake()
            self._is_hungry.clear()
            self._is_idle.clear()

    def withdraw(self, *, is_notice: bool | None = None) -> None:
        """Give back what nobody took yet: all, or only notices or deliveries."""
        for letter in self.waiting.clear(is_notice=is_notice):
            self._note(letter, _BACK)

    async def retire(self) -> None:
        """Nothing waits, nothing is on the wire, and nothing will be."""
        await self.recheck.close()
        self._making.close()

    def close(self) -> None:
        """Hand out nothing more."""
        self.is_closed = True
        self._closed.set()
        self._takers.wake()
        self._is_hungry.set()

    async def hungry(self, *, within_s: float) -> None:
        """Wait until the desk runs low, or for so long."""
        await _within(self._is_hungry, within_s)

    async def idle(self, *, within_s: float) -> None:
        """Wait until nothing waits and nothing is on the wire, or for so long."""
        await _within(self._is_idle, within_s)

    async def wait(self, seconds: float) -> None:
        """Wait, but not beyond the moment at which the desk is closed."""
        await _within(self._closed, seconds)

    async def take(self, relay: str, *, within_s: float) -> Letter | None:
        """The next letter with its envelope made; None when there will be no more."""
        ends = time.monotonic() + within_s
        while not self.is_closed:
            letter = self.take_now(relay)
            if letter is not None:
                return letter
            if self.is_low:
                self._is_hungry.set()
            await self._takers.wait(ends - time.monotonic())
        return None

    def take_now(self, relay: str) -> Letter | None:
        """The next letter with its envelope made, if there is one at once and nobody goes first."""
        while not (self.is_closed or self.trouble or self._courtesy.is_asked):
            letter = self._next(relay)
            if letter is None:
                return None
            if letter.is_made or self._compose(letter, relay):
                self._open.add(letter)
                if letter.group is not None or relay in self.limits.relays:
                    self.limits.begin(letter, relay)
                return letter
        return None

    def put_back(self, letter: Letter) -> None:
        """No relay was reached: it goes back to the front."""
        self._open.discard(letter)
        self.limits.put_back(letter)
        self.waiting.put_first(letter)
        self._takers.wake()

    def clear_now(self, letter: Letter) -> bool | None:
        """`clear` without waiting; None when that would take a question, a permit or a sync."""
        if letter.permit is not None and not self.limits.is_good(letter):
            return None
        if self._is_synced or self.recheck.known(letter) is not Look.GO:
            return None
        return self._intend(letter)

    async def clear(self, letter: Letter) -> bool:
        """Leave to write the last dot of a letter; without it, the letter is settled already."""
        try:
            look = await self._last_look(letter)
        except errors.Busy:
            self.settle(letter, _BACK)
            return False
        if look is not Look.GO:
            self.settle(letter, _withheld(look))
            if look in (Look.HOLD, Look.STOPPED):
                await self._sift()
            return False
        if not self._intend(letter):
            return False
        try:
            if self._is_synced:
                await self._synced()
        except errors.Busy as problem:
            self.say_trouble(str(problem))
            self.settle(letter, _BACK)
            return False
        return True

    async def _last_look(self, letter: Letter) -> Look:
        """What the last look says, under a permit that is good at this instant.

        Raises `errors.Busy`, also when no permit could be had.
        """
        look = await self.recheck.look(letter)
        while look is Look.GO and not self.limits.is_good(letter):
            if not await self.limits.renew(letter):
                raise errors.Busy(N_("No permit to send could be had in time."))
            look = await self.recheck.look(letter)
        return look

    def settle(self, letter: Letter, outcome: Outcome) -> None:
        """What came of a letter that was taken."""
        self._open.discard(letter)
        if letter.group is not None:
            self.limits.end(letter, outcome)
        elif outcome.reason == Reason.BLOCKED:
            self.limits.watch(letter, outcome)
        self._note(letter, outcome)
        if not self._open:
            self._tell_idle()

    def take_results(self) -> list[Result]:
        """Results that are to be written into the ledger now; `return_results` if that fails."""
        taken, self._results = self._results, []
        return taken

    def return_results(self, results: list[Result]) -> None:
        """They could not be written."""
        self._results = results + self._results

    @property
    def has_results(self) -> bool:
        """Whether results wait for the ledger."""
        return bool(self._results)

    @property
    def in_hand(self) -> list[tuple[Kind, int]]:
        """Rows whose letters wait or are on the wire, or whose results go to the ledger yet."""
        letters = [(each.kind, each.id) for each in (*self.waiting, *self._open)]
        return letters + [(each.kind, each.id) for each in self._results]

    @property
    def intents(self) -> list[Key]:
        """Intents that have no result yet."""
        return [(each.kind, each.id, each.attempt) for each in self._open if each.is_intended]

    @property
    def results(self) -> list[Result]:
        """Results that are not in the ledger yet."""
        return list(self._results)

    def say_trouble(self, said: str) -> None:
        """Hand out nothing until the trouble is over."""
        if said and not self.trouble:
            _log.error("sending stops for now", said=said)
        elif self.trouble and not said:
            _log.info("sending goes on")
        self.trouble = said
        if not said:
            self._takers.wake()

    async def _sift(self) -> None:
        """What stopped one message may have stopped others: ask about all that wait.

        Each would cost a connection, as a content that was begun can only be broken off.
        """
        waiting = list(self.waiting)
        try:
            looks = await asyncio.gather(*map(self.recheck.look, waiting))
        except errors.Busy:
            return
        for letter, look in zip(waiting, looks, strict=True):
            if look is not Look.GO and self.waiting.discard(letter):
                self._note(letter, _withheld(look))
        self._tell_idle()

    def _tell_idle(self) -> None:
        if self.is_idle:
            self._is_hungry.set()
            self._is_idle.set()

    def _intend(self, letter: Letter) -> bool:
        """Under a lease that is safe, with an intent in the journal; else it is settled."""
        if not letter.lease.is_safe(self._now()):
            self.settle(letter, _BACK)
            return False
        try:
            self._journal.intend((letter.kind, letter.id, letter.attempt))
        except errors.Busy as problem:
            self.say_trouble(str(problem))
            self.settle(letter, _BACK)
            return False
        letter.is_intended = True
        return True

    def _upcoming(self) -> Iterable[Letter]:
        """In the order in which they will be asked about."""
        return itertools.chain(self._open, self.waiting)

    def _next(self, relay: str) -> Letter | None:
        """The next letter whose lease is safe; others are given back on the way."""
        while (letter := self.waiting.next(relay)) is not None:
            if self.waiting.bulk <= self.low_mark:
                self._is_hungry.set()
            if letter.lease.is_safe(self._now()):
                return letter
            self._note(letter, _BACK)
        return None

    def _give_back(self, letter: Letter, due_at: datetime | None) -> None:
        """A limit keeps it from going out for longer than it is worth holding it."""
        self._note(letter, Outcome(verdict=Verdict.BACK, due_at=due_at))

    def _give_up(self, letter: Letter) -> None:
        """Its host refuses us, however often it is asked."""
        self._note(letter, Outcome(verdict=Verdict.FAILED, reason=Reason.BLOCKED))

    def _look_again(self) -> None:
        """A limit may have opened."""
        self.waiting.look_again()
        self._tell_idle()

    def _compose(self, letter: Letter, relay: str) -> bool:
        """Make a letter's octets; one that can't be made is settled. Returns whether it was."""
        try:
            letter.make(is_8bit=self.takes_8bit)
            make_in_a_row(self.waiting.coming(relay, _AHEAD), is_8bit=self.takes_8bit)
        except Erased:
            self._note(letter, Outcome(verdict=Verdict.CANCELLED, reason=Reason.ERASED))
        except Exception as problem:  # noqa: BLE001 - one bad message must not stop the others
            _log.error(
                "a message can't be made", kind=letter.kind.name, row=letter.id, exc_info=problem
            )
            self._note(letter, Outcome(verdict=Verdict.FAILED, reason=Reason.UNMAILABLE))
        else:
            return True
        return False

    def _note(self, letter: Letter, outcome: Outcome) -> None:
        result = self._result(letter, outcome)
        if letter.is_intended:
            letter.is_intended = False
            self._journal.conclude(result)
            if not self._will_keep:
                self._will_keep = True
                self._loop.call_soon(self._keep)
        self._results.append(result)

    def _keep(self) -> None:
        """Write down what came of messages behind which no other followed at once."""
        self._will_keep = False
        if not self._journal.is_behind:
            return
        try:
            self._journal.keep()
        except errors.Busy as problem:
            # The ledger still gets it from memory; only a crash before that loses it.
            self.say_trouble(str(problem))

    def _result(self, letter: Letter, outcome: Outcome) -> Result:
        now = self._now()
        verdict, reason, reply, _ = outcome
        if verdict is Verdict.SENT:
            return Result(letter.kind, letter.id, letter.attempt, verdict, now, reason, reply)
        is_uncertain = verdict is Verdict.UNCERTAIN
        # What becomes of an uncertain delivery stands in its dispatch: the ledger sees to it.
        if is_uncertain and letter.is_notice and self._settings.uncertain == "resend":
            verdict, reason = Verdict.DEFERRED, Reason.RESENT
        due_at = outcome.due_at
        if reason == Reason.BLOCKED and verdict is Verdict.DEFERRED:
            verdict, due_at = self._after_block(letter, now)
        elif is_uncertain or verdict is Verdict.DEFERRED:
            began = letter.first_attempt_at or now
            if now - began < timedelta(hours=self._settings.give_up_hours):
                due_at = now + ledger.retry_after(letter.attempt, self._settings)
            elif verdict is Verdict.DEFERRED:
                verdict, reason = Verdict.FAILED, Reason.GAVE_UP
        return Result(
            kind=letter.kind,
            id=letter.id,
            attempt=letter.attempt,
            verdict=verdict,
            at=now,
            reason=reason,
            reply=Reply() if verdict is Verdict.BACK else reply,
            due_at=due_at,
        )

    def _after_block(self, letter: Letter, now: datetime) -> tuple[Verdict, datetime | None]:
        wait = blocking.wait_after(letter.attempt, self._ground.settings.bounces)
        return (Verdict.DEFERRED, now + wait) if wait else (Verdict.FAILED, None)

    async def _synced(self) -> None:
        """Wait for a sync that began after now; those who wait at the same time share one."""
        if self._sync is not None and not self._sync.done():
            await asyncio.shield(self._sync)
        if self._sync is None or self._sync.done():
            self._sync = asyncio.create_task(asyncio.to_thread(self._journal.sync))
        await asyncio.shield(self._sync)


def _withheld(look: Look) -> Outcome:
    return _BACK if look is Look.HOLD else Outcome(verdict=Verdict.CANCELLED, reason=look.value)


async def _within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
