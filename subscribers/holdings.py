"""What the floors above hold about a person, as this floor asks for it.

A person who asks gets everything that is held about them, and takes all of it away when they leave;
mails and hits are kept higher up. Those floors offer an `Elsewhere`, `handbill/app.py` hands it in.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from sqlmodel.ext.asyncio.session import AsyncSession


class Elsewhere(Protocol):
    """A module of a higher floor that keeps something about people."""

    async def held(self, session: AsyncSession, *, subscriber_id: int) -> Mapping[str, Any]:
        """What is kept about a person, by kind, ready to be written as JSON."""
        ...

    async def forget(self, session: AsyncSession, *, subscriber_id: int) -> None:
        """Remove or blank what tells who the person was, in the caller's transaction.

        Called before the person's own row goes.
        """
        ...

    async def hand_over(self, session: AsyncSession, *, former_id: int, subscriber_id: int) -> None:
        """Make what is kept about one record be about another of the same person.

        In the caller's transaction, before the former row goes; what can't be twice stays behind.
        """
        ...

    async def dispatch_of(self, session: AsyncSession, *, delivery_id: int) -> int | None:
        """The dispatch that a mail belonged to, if this module knows."""
        ...
