"""Takes messages in by one way, and keeps what is known of that way up to date."""

import asyncio
from datetime import datetime, timedelta

from delivery import intake_state, returns
from delivery.bounces import classifier
from delivery.inbound import stories
from delivery.inbound.models import Way
from delivery.inbound.recipients import Recipients
from delivery.inbound.stories import StoryDesk
from delivery.models import BounceKind
from delivery.returns import Ingested
from foundation import errors, logs
from foundation.finishing import finished
from foundation.ground import Ground
from foundation.receiving import Protocol

_log = logs.get("inbound")

KEPT_BYTES = 1_000_000
"""How much of a message is looked at: what it says about itself stands before what it returns."""
_NOTE_EVERY = timedelta(seconds=10)
"""A flood of mail does not write the same row each time."""


class Inlet:
    """One way in, as one process uses it."""

    def __init__(self, ground: Ground, way: Way, desk: StoryDesk | None = None) -> None:
        self._ground = ground
        self._way = way
        self._desk = desk
        self._recipients = Recipients(ground)
        self._said: str | None = None
        """What was noted last; None before anything was."""
        self._noted_at = datetime.min.replace(tzinfo=ground.clock.now().tzinfo)
        self._noted_message_at = self._noted_at

    async def take(self, octets: bytes, *, envelope_to: str = "") -> Ingested:
        """Act on a message. What was begun is finished, even if the caller is cancelled.

        Raises `errors.Busy` when nothing could be stored.
        """
        return await finished(self._take(octets, envelope_to))

    async def _take(self, octets: bytes, envelope_to: str) -> Ingested:
        octets = octets[:KEPT_BYTES]
        to_address = stories.desk_address(self._recipients, octets, envelope_to=envelope_to)
        if to_address and self._desk is not None:
            done = await self._hand_over(self._desk, octets, to_address)
        else:
            done = await returns.ingest(
                self._ground, octets, via=self._way.value, envelope_to=envelope_to
            )
        now = self._ground.clock.now()
        if now - self._noted_message_at >= _NOTE_EVERY:
            await self._note("", last_message_at=now)
        return done

    async def _hand_over(self, desk: StoryDesk, octets: bytes, to_address: str) -> Ingested:
        """A story for the desk; what a program wrote by itself is none (RFC 3834 §2)."""
        returned = await asyncio.to_thread(classifier.classify, octets)
        is_taken = returned.kind is BounceKind.NONE and await desk.take(
            octets, to_address=to_address, is_checked=self._is_checked
        )
        return Ingested(returned=returned, is_ours=is_taken, is_new=is_taken)

    @property
    def _is_checked(self) -> bool:
        """Whether a mail server of ours stands before this way."""
        is_open = self._ground.settings.listener.protocol is Protocol.SMTP
        return self._way is not Way.LISTENER or not is_open

    async def is_well(self) -> None:
        """Note that somebody listens or looks here, and that nothing is wrong."""
        if self._said != "" or self._ground.clock.now() - self._noted_at >= _NOTE_EVERY:
            await self._note("")

    async def has_trouble(self, said: str) -> None:
        """Note what is wrong."""
        _log.warning("a way in is in trouble", way=self._way.value, said=said)
        await self._note(said)

    async def _note(self, said: str, *, last_message_at: datetime | None = None) -> None:
        try:
            await intake_state.note(
                self._ground, way=self._way, said=said, last_message_at=last_message_at
            )
        except errors.Busy as problem:
            _log.warning("the state of a way in can't be kept", said=str(problem))
            return
        self._said, self._noted_at = said, self._ground.clock.now()
        self._noted_message_at = last_message_at or self._noted_message_at
