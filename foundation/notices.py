"""Mail to one person about one thing: confirmations, welcomes, sign-in links.

Lower floors ask for a notice through `NoticeQueue`, inside their own transaction, so that what
happened and the mail about it are kept together or not at all. `delivery/outbox.py` is the queue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Protocol

from sqlmodel.ext.asyncio.session import AsyncSession

from foundation.frozen import frozen


@frozen
class Notice:
    """A notice to be sent soon."""

    kind: str
    """A value of `templates.notices.Kind`."""
    to: str
    """The address, as checked by `foundation.addresses`."""
    language: str
    context: Mapping[str, str] = field(default_factory=dict)
    """What the template needs; erased from the queue when the notice is sent."""
    subscriber_id: int | None = None
    """Whose notice it is, so that erasing the person erases it too."""
    unsubscribe_url: str | None = None
    """Puts List-Unsubscribe headers on it (RFC 8058), for notices that a list sends."""


class NoticeQueue(Protocol):
    """Takes notices to be sent."""

    async def queue(self, session: AsyncSession, notice: Notice) -> None:
        """Keep `notice` in the caller's transaction; it is sent once that is committed."""
        ...

    async def queue_all(self, session: AsyncSession, notices: Sequence[Notice]) -> None:
        """The same for many at once."""
        ...

    async def rung(self) -> None:
        """Wait until this process has committed a notice since the last time."""
        ...

    def ring(self) -> None:
        """Say that another process has committed one for this one."""
        ...
