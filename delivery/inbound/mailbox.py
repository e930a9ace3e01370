"""Reads an IMAP mailbox: resumes where it stopped, and touches nothing that was not acted on.

How far each folder was read stands in the database, after what was read. So a message may be read
twice, when we are cut off between the two, and counts once all the same. Of several processes one
reads, and another takes over when it is gone.
"""

import asyncio
import contextlib
import secrets
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col

from delivery.inbound import imap
from delivery.inbound.imap import Imap, Refused, Trouble
from delivery.inbound.inlet import KEPT_BYTES, Inlet
from delivery.inbound.models import ImapFolder, ImapMailbox, Way
from delivery.inbound.stories import StoryDesk
from foundation import errors, logs, tables
from foundation.ground import Ground
from foundation.receiving import Afterwards

_log = logs.get("mailbox")

LEASE = timedelta(minutes=2)
"""Who reads says so again before this is over; else another process may."""
_RENEW_S = 30.0
_MARGIN_S = 10.0
"""Clocks of several nodes may differ by less than this."""
_LONGEST_WAIT_S = 3600.0
_TRIES = 5
"""A message at which the connection broke so often, one time after the other, is left alone."""


class Mailbox:
    """The mailbox, as one process reads it."""

    def __init__(self, ground: Ground, desk: StoryDesk | None = None) -> None:
        self._ground = ground
        self._settings = ground.settings.imap
        self._name = f"{self._settings.username}@{self._settings.host}:{self._settings.port}"
        self._holder = secrets.token_hex(8)
        self._inlet = Inlet(ground, Way.IMAP, desk)
        self._wait_s = self._settings.retry_s
        self._said = ""
        """What went wrong in this round, and did not end it."""
        self._broke_at: tuple[str, int] | None = None
        """Folder and UID of the message at which the connection broke last."""
        self._tries = 0
        """How often it did."""
        self._renewed_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop` is set; a message that is being acted on is finished."""
        reading = asyncio.create_task(self._read_on())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({reading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (reading, stopping):
            task.cancel()
        await asyncio.wait({reading, stopping})
        with contextlib.suppress(errors.Busy):
            await self._give_back()
        if not reading.cancelled():
            reading.result()

    async def _read_on(self) -> None:
        """Again and again; after trouble wait, each time for longer."""
        while True:
            try:
                await self._hold()
                await asyncio.sleep(min(self._settings.poll_s, _RENEW_S))
                continue
            except Trouble as trouble:
                await self._inlet.has_trouble(trouble.said)
            except errors.Busy as problem:
                _log.warning("a mailbox waits", said=str(problem))
            except Exception as problem:  # noqa: BLE001 - it is tried again, and said
                _log.exception("reading a mailbox broke down")
                await self._inlet.has_trouble(f"{type(problem).__name__}: {problem}")
            await asyncio.sleep(self._wait_s)
            self._wait_s = min(2 * self._wait_s, _LONGEST_WAIT_S)

    async def _hold(self) -> None:
        """Read for as long as the mailbox is ours; return at once if it is another's."""
        try:
            async with asyncio.timeout(LEASE.total_seconds()) as self._lease:
                if await self._take_lease():
                    async with imap.opened(self._settings, kept_bytes=KEPT_BYTES) as connection:
                        while await self._round(connection):
                            pass
        except TimeoutError as problem:
            raise Trouble("reading took too long") from problem

    async def _round(self, connection: Imap) -> bool:
        """Read every folder, then wait for more; whether the mailbox is still ours."""
        self._said = ""
        # The first one stays open, and is listened to.
        for folder in reversed(self._settings.folders):
            if not await self._read(connection, folder):
                return False
        self._wait_s = self._settings.retry_s
        if self._said:
            await self._inlet.has_trouble(self._said)
        left_s = self._settings.poll_s
        while left_s > 0:
            if not self._said:
                await self._inlet.is_well()
            if not await self._keep():
                return False
            part_s = min(left_s, _RENEW_S)
            if connection.can_idle:
                if await connection.idle(part_s):
                    break
            else:
                await asyncio.sleep(part_s)
            left_s -= part_s
        return await self._keep()

    async def _read(self, connection: Imap, folder: str) -> bool:
        """Take what is new in a folder; whether the mailbox is still ours."""
        is_read_only = self._settings.afterwards is Afterwards.LEAVE
        validity = await connection.select(folder, is_read_only=is_read_only)
        for uid in await connection.uids_after(await self._last_uid(folder, validity)):
            if not await self._keep():
                return False
            await self._take(connection, folder, uid)
            await self._remember(folder, validity, uid)
            self._wait_s = self._settings.retry_s
        return True

    async def _take(self, connection: Imap, folder: str, uid: int) -> None:
        """Act on one message. Raises `Trouble` and `errors.Busy`: then it is asked for again."""
        if self._broke_at == (folder, uid) and self._tries >= _TRIES:
            self._said = f"message {uid} of {folder} was left: the connection breaks at it"
            return
        try:
            octets = await connection.fetch(uid)
            if octets is not None and (await self._inlet.take(octets)).is_ours:
                await self._put_away(connection, uid)
        except Refused as refusal:
            self._said = refusal.said
        except Trouble:
            self._tries = self._tries + 1 if self._broke_at == (folder, uid) else 1
            self._broke_at = (folder, uid)
            raise
        except errors.Busy:
            raise
        except Exception as problem:  # noqa: BLE001 - one message must not end the others
            _log.exception("a message could not be read", uid=uid)
            self._said = f"message {uid} of {folder} was left: {type(problem).__name__}"

    async def _put_away(self, connection: Imap, uid: int) -> None:
        """What the settings want done with a message that was acted on."""
        match self._settings.afterwards:
            case Afterwards.SEEN:
                await connection.mark_seen(uid)
            case Afterwards.MOVE:
                await connection.move(uid, self._settings.move_to)
            case Afterwards.DELETE:
                await connection.delete(uid)
            case Afterwards.LEAVE:
                pass

    async def _last_uid(self, folder: str, validity: int) -> int:
        """How far a folder was read; 0 if its UIDs mean other messages now than they did then."""
        async with self._ground.db.reading() as session:
            found = await session.get(ImapFolder, (self._name, folder))
        if found is not None and found.uid_validity == validity:
            return found.last_uid
        async with self._ground.db.transaction() as session:
            await session.merge(
                ImapFolder(mailbox=self._name, folder=folder, uid_validity=validity, last_uid=0)
            )
        return 0

    async def _remember(self, folder: str, validity: int, uid: int) -> None:
        async with self._ground.db.transaction() as session:
            await session.execute(
                sa.update(ImapFolder)
                .where(
                    col(ImapFolder.mailbox) == self._name,
                    col(ImapFolder.folder) == folder,
                    col(ImapFolder.uid_validity) == validity,
                    col(ImapFolder.last_uid) < uid,
                )
                .values(last_uid=uid)
            )

    async def _keep(self) -> bool:
        """Whether the mailbox is still ours; asked anew when the lease is not fresh any more."""
        now_s = asyncio.get_running_loop().time()
        return now_s - self._renewed_at < _RENEW_S or await self._take_lease()

    async def _take_lease(self) -> bool:
        """Take the mailbox, or keep it; whether it is ours. Compare-and-set, so nobody else's."""
        loop, now = asyncio.get_running_loop(), self._ground.clock.now()
        began_s = loop.time()
        async with self._ground.db.transaction() as session:
            insert = tables.insert_for(session, ImapMailbox).values(
                name=self._name,
                holder=self._holder,
                leased_until=now + LEASE,
            )
            ours = insert.on_conflict_do_update(
                index_elements=["name"],
                set_={
                    "holder": insert.excluded.holder,
                    "leased_until": insert.excluded.leased_until,
                },
                where=sa.or_(
                    col(ImapMailbox.holder) == self._holder, col(ImapMailbox.leased_until) <= now
                ),
            ).returning(col(ImapMailbox.name))
            is_ours = (await session.execute(ours)).first() is not None
        if is_ours:
            self._renewed_at = began_s
            self._lease.reschedule(began_s + LEASE.total_seconds() - _MARGIN_S)
        return is_ours

    async def _give_back(self) -> None:
        """Another process need not wait for the end of the lease."""
        async with self._ground.db.transaction() as session:
            await session.execute(
                sa.delete(ImapMailbox).where(
                    col(ImapMailbox.name) == self._name, col(ImapMailbox.holder) == self._holder
                )
            )
