"""A mail server of our own for the domain of envelope senders, in SMTP or LMTP.

It takes mail for our own addresses only, answers 250 when a message is stored or acted upon and not
before, and sends nothing by itself: what it does not want it refuses while the sender listens.
"""

import asyncio
import contextlib
import ipaddress
import platform
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from delivery.inbound import letters
from delivery.inbound.inlet import KEPT_BYTES, Inlet
from delivery.inbound.models import Way
from delivery.inbound.recipients import Destination, Recipients
from delivery.inbound.stories import StoryDesk
from delivery.inbound.talk import Limits, LmtpTalk, Talk
from delivery.shift import pause
from foundation import errors, logs, receiving
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.receiving import Protocol
from foundation.relaying import Tls

_log = logs.get("listener")

_HEARTBEAT_S = 60.0
_LAST_WORDS_S = 10.0
"""When we close down, a message that is under way has so long to come to its end."""


class Listener:
    """The server, and what is decided there."""

    def __init__(self, ground: Ground, desk: StoryDesk | None = None) -> None:
        """Raises `errors.ConfigProblem` for a certificate that can't be used."""
        self._ground = ground
        self._settings = ground.settings.listener
        self._recipients = Recipients(ground)
        self._networks = [ipaddress.ip_network(each) for each in self._settings.networks]
        self._inlet = Inlet(ground, Way.LISTENER, desk)
        self._certificate = (
            Certificate(self._settings) if self._settings.tls is not Tls.NONE else None
        )
        self._talks: dict[Talk, str] = {}
        """Every conversation, with the network that it comes from."""
        self._is_empty = asyncio.Event()
        self._takes: set[asyncio.Task[Sequence[str]]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0
        """Where it listens."""

    async def open(self) -> None:
        """Begin to listen. Raises `errors.Refused` when the port can't be had."""
        host, port = self._settings.host, self._settings.port
        is_tls = self._certificate is not None and self._settings.tls is Tls.TLS
        try:
            self._server = await asyncio.get_running_loop().create_server(
                self._begin,
                host or None,
                port,
                ssl=self._certificate.context if self._certificate and is_tls else None,
            )
        except OSError as problem:
            raise errors.Refused(
                N_(
                    "Can't listen for mail on %(host)s:%(port)s: %(problem)s. "
                    "Change [listener] host or port."
                ),
                host=host or "*",
                port=port,
                problem=problem.strerror or str(problem),
            ) from problem
        self.port = self._server.sockets[0].getsockname()[1]
        _log.info("listening for mail", protocol=self._settings.protocol.value, port=self.port)

    async def run(self, stop: asyncio.Event) -> None:
        """Say now and then that all is well, and take a new certificate up, until `stop` is set."""
        while not stop.is_set():
            try:
                if self._certificate is not None:
                    await asyncio.to_thread(self._certificate.refresh)
            except errors.ConfigProblem as problem:
                await self._inlet.has_trouble(str(problem))
            else:
                await self._inlet.is_well()
            await pause(stop, _HEARTBEAT_S)
        await self.close()

    async def close(self) -> None:
        """Nobody new is let in, then each goes after their message, then what was begun ends."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for talk in list(self._talks):
            talk.end()
        if self._talks:
            await pause(self._is_empty, _LAST_WORDS_S)
        for talk in list(self._talks):
            talk.abort()
        await asyncio.gather(*self._takes, return_exceptions=True)

    def _begin(self) -> Talk:
        settings = self._settings
        kind = LmtpTalk if settings.protocol is Protocol.LMTP else Talk
        is_offered = self._certificate is not None and settings.tls is Tls.STARTTLS
        return kind(
            self,
            host_name=settings.hello_name or platform.node() or "localhost",
            limits=Limits(
                message_bytes=settings.max_message_bytes,
                kept_bytes=KEPT_BYTES,
                timeout_s=settings.timeout_s,
                session_s=settings.session_s,
            ),
            tls=self._certificate.context if self._certificate and is_offered else None,
        )

    # What a conversation asks its desk.

    def admit(self, talk: Talk) -> str:
        """A refusal for somebody who has just connected; blank to let them in."""
        host = talk.peer_host
        if self._server is None:
            return "421 4.3.2 We are closing down; come back later"
        if self._networks and not _is_within(host, self._networks):
            return "554 5.7.1 We do not know you"
        network = _network(host)
        if (
            len(self._talks) >= self._settings.connections
            or Counter(self._talks.values())[network] >= self._settings.connections_per_host
        ):
            return "421 4.7.0 Too many connections; come back later"
        self._talks[talk] = network
        self._is_empty.clear()
        return ""

    def leave(self, talk: Talk) -> None:
        """A connection has ended."""
        self._talks.pop(talk, None)
        if not self._talks:
            self._is_empty.set()

    def look_at(self, address: str) -> str:
        """A refusal for a recipient; blank to take mail for it."""
        if self._recipients.destination(address) is None:
            return "550 5.1.1 There is no such address here"
        return ""

    async def take(
        self, octets: bytes, *, from_address: str, to_addresses: Sequence[str]
    ) -> Sequence[str]:
        """A reply for each recipient. What was begun is finished, even if its sender hangs up."""
        task = asyncio.create_task(self._take(octets, from_address, tuple(to_addresses)))
        self._takes.add(task)
        task.add_done_callback(self._takes.discard)
        return await asyncio.shield(task)

    async def _take(self, octets: bytes, sender: str, recipients: Sequence[str]) -> Sequence[str]:
        return [await self._take_for(octets, sender, each) for each in recipients]

    async def _take_for(self, octets: bytes, sender: str, recipient: str) -> str:
        try:
            done = await self._inlet.take(octets, envelope_to=recipient)
            destination = self._recipients.destination(recipient)
            if destination is Destination.PEOPLE and not (done.is_ours or done.is_unproven):
                await letters.keep(
                    self._ground,
                    octets,
                    from_address=sender,
                    to_address=recipient,
                    subject=done.returned.subject,
                )
            elif destination is Destination.DESK and not done.is_ours:
                return "550 5.7.1 The desk does not know you, or this is no story"
            elif destination is Destination.UNSUBSCRIBE and not done.is_ours:
                # Whoever wants to leave has to learn that this did not do it.
                return "550 5.6.0 The subject is not that of List-Unsubscribe; use the link instead"
        except errors.Busy:
            return "451 4.3.0 This can't be stored just now; try again later"
        except Exception:  # noqa: BLE001 - the sender keeps a message that breaks us
            _log.exception("a message could not be read")
            return "451 4.3.0 Something went wrong here; try again later"
        return "250 2.0.0 Taken"


class Certificate:
    """What the listener shows under TLS; files that were exchanged are read anew."""

    def __init__(self, settings: receiving.Listener) -> None:
        """Raises `errors.ConfigProblem` when they can't be used."""
        self._certificate = Path(settings.certificate_file)
        self._key = Path(settings.key_file or settings.certificate_file)
        self._stamps: tuple[int, ...] = ()
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.refresh()

    def refresh(self) -> None:
        """Read the files if they are new. Raises `errors.ConfigProblem`; then the old ones stay."""
        try:
            stamps = tuple(path.stat().st_mtime_ns for path in (self._certificate, self._key))
            if stamps == self._stamps:
                return
            # A context of its own first: half of a pair must not get into the one in use.
            for context in (ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), self.context):
                context.load_cert_chain(self._certificate, self._key)
        except (OSError, ssl.SSLError) as problem:
            raise errors.ConfigProblem(
                N_("The certificate of [listener] can't be used (%(file)s): %(problem)s"),
                file=str(self._certificate),
                problem=str(problem),
            ) from problem
        self._stamps = stamps


@contextlib.asynccontextmanager
async def listening(ground: Ground, desk: StoryDesk | None = None) -> AsyncIterator[Listener]:
    """A listener for as long as the block lasts.

    Raises `errors.Refused` when its port can't be had, `errors.ConfigProblem` as `Listener`.
    """
    listener = Listener(ground, desk)
    await listener.open()
    try:
        yield listener
    finally:
        await listener.close()


_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _is_within(host: str, networks: Sequence[_Network]) -> bool:
    address = _address(host)
    return address is not None and any(address in network for network in networks)


def _network(host: str) -> str:
    """What counts as one host: an IPv4 address, or an IPv6 network such as one customer gets."""
    address = _address(host)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
