"""What passes between the door and a provider's module: the call as it came, and its events."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime
from typing import Protocol, TypeVar

from delivery.returns import Event
from foundation.frozen import frozen

T = TypeVar("T")

Fetch = Callable[[str], Awaitable[bytes]]
"""Gets an address by https, following nothing. Raises `errors.Busy` when that fails."""


@frozen
class Call:
    """A request from somebody who may be the provider."""

    headers: Mapping[str, str]
    """Found whatever their case."""
    body: bytes
    at: datetime
    """When it came, by our clock."""


@frozen
class Heard:
    """What a verified call says apart from its events."""

    number: str = ""
    """The provider's own for the call, where its events have none."""
    nonce: str = ""
    """What the provider signs instead of the body: good for one body only."""
    trouble: str = ""
    """Something that staff should know, in English; blank when all is well."""


class Hook(Protocol):
    """One configured source."""

    def hear(self, call: Call, /) -> Awaitable[Heard]:
        """Verify a call.

        Raises `errors.Forbidden` or `errors.SignInNeeded` for what the provider did not send,
        `errors.Invalid` for what can't be read, `errors.Busy` when it can't be told just now.
        """
        ...

    def read(self, body: bytes, number: str) -> Iterator[Event | None]:
        """The events in a body that was verified; None is one that has no consequence here.

        Each is made when it is asked for. Raises `errors.Invalid` for what can't be read.
        """
        ...


def in_a_thread(hear: Callable[[T, Call], Heard]) -> Callable[[T, Call], Awaitable[Heard]]:
    """Keeps the hashing of megabytes out of the loop."""

    @functools.wraps(hear)
    async def elsewhere(hook: T, call: Call) -> Heard:
        return await asyncio.to_thread(hear, hook, call)

    return elsewhere
