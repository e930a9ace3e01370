"""A real name server on loopback that knows what a test tells it, and misbehaves when told to.

It speaks UDP and TCP, as resolvers fall back to TCP where an answer was cut short.
"""

import asyncio
import enum
import errno
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
from dns.asyncresolver import Resolver
from dns.message import Message

from handbill.demo import zone
from handbill.demo.zone import Records

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Fault(enum.Enum):
    """How the server fails at a name."""

    SILENT = enum.auto()
    """It says nothing."""
    SERVFAIL = enum.auto()
    """It says that it can't tell, as for a broken signature."""
    REFUSED = enum.auto()
    """It does not want to tell."""
    CUT_SHORT = enum.auto()
    """Over UDP there is no room for the answer; over TCP there is."""
    GARBAGE = enum.auto()
    """What it says is no message."""
    OTHER_QUESTION = enum.auto()
    """It answers something that nobody asked."""


@dataclass(kw_only=True)
class Server:
    """What the server knows and was asked."""

    records: Records
    faults: Mapping[str, Fault] = field(default_factory=dict)
    """By name; `*` is for every other one."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """(name, type), in order."""
    by_tcp: int = 0
    port: int = 0

    @property
    def place(self) -> str:
        """As `[arriving] name_servers` names it."""
        return f"127.0.0.1:{self.port}"

    @property
    def resolver(self) -> Resolver:
        """One that asks nobody but this server, and is soon out of patience if that is silent."""
        resolver = Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = self.port
        if self.faults:
            resolver.timeout, resolver.lifetime = 0.2, 0.5
        else:
            resolver.timeout, resolver.lifetime = 30, 60
        return resolver

    def reply(self, data: bytes, *, is_tcp: bool) -> bytes | None:
        """What is said to a message; None for nothing."""
        query = dns.message.from_wire(data)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        self.asked.append((name, dns.rdatatype.to_text(question.rdtype)))
        self.by_tcp += is_tcp
        fault = self.faults.get(name, self.faults.get("*"))
        match fault:
            case Fault.SILENT:
                return None
            case Fault.GARBAGE:
                return b"\x00" * 7
            case _:
                return self._answer(query, fault, is_tcp=is_tcp).to_wire()

    def _answer(self, query: Message, fault: Fault | None, *, is_tcp: bool) -> Message:
        said = zone.answer(self.records, query)
        if fault is Fault.SERVFAIL:
            said.set_rcode(dns.rcode.SERVFAIL)
        elif fault is Fault.REFUSED:
            said.set_rcode(dns.rcode.REFUSED)
        elif fault is Fault.CUT_SHORT and not is_tcp:
            said.flags |= dns.flags.TC
            said.answer.clear()
        elif fault is Fault.OTHER_QUESTION:
            other = dns.message.make_query("elsewhere.example", "TXT", id=query.id)
            said = zone.answer({("elsewhere.example", "TXT"): ['"v=spf1 +all"']}, other)
        return said


@asynccontextmanager
async def running(
    records: Records, faults: Mapping[str, Fault] | None = None
) -> AsyncIterator[Server]:
    """A server for as long as the block lasts."""
    server = Server(records=records, faults=faults or {})

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = int.from_bytes(await reader.readexactly(2), "big")
        said = server.reply(await reader.readexactly(size), is_tcp=True)
        if said is not None:
            writer.write(len(said).to_bytes(2, "big") + said)
        writer.close()

    transport, listener = await _listening(
        lambda: zone.Endpoint(functools.partial(server.reply, is_tcp=False)), talk
    )
    try:
        server.port = transport.get_extra_info("sockname")[1]
        async with listener:
            yield server
    finally:
        transport.close()


async def _listening(
    endpoint: Callable[[], asyncio.DatagramProtocol], talk: Talk
) -> tuple[asyncio.DatagramTransport, asyncio.Server]:
    """UDP and TCP on one port, which has to be free for both."""
    while True:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            endpoint, local_addr=("127.0.0.1", 0)
        )
        try:
            port = transport.get_extra_info("sockname")[1]
            return transport, await asyncio.start_server(talk, "127.0.0.1", port)
        except OSError as problem:
            transport.close()
            if problem.errno != errno.EADDRINUSE:
                raise


@asynccontextmanager
async def serving(records: Records) -> AsyncIterator[Resolver]:
    """A resolver that asks nobody but a server that behaves."""
    async with running(records) as server:
        yield server.resolver
