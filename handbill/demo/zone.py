"""A small name server on loopback that knows a few records, and nothing else in the world."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
from dns.message import Message

Records = Mapping[tuple[str, str], Sequence[str]]
"""(name, type) → records as zone files write them."""

_TTL_S = 60


def answer(records: Records, query: Message) -> Message:
    """What a name server says that knows these records; an alias is followed."""
    question = query.question[0]
    said = dns.message.make_response(query, recursion_available=True)
    name, kind = question.name, dns.rdatatype.to_text(question.rdtype)
    while True:
        known = {each for each, _ in records}
        text = name.to_text(omit_final_dot=True).lower()
        if found := records.get((text, kind)):
            said.answer.append(dns.rrset.from_text(name, _TTL_S, "IN", kind, *found))
        elif alias := records.get((text, "CNAME")):
            said.answer.append(dns.rrset.from_text(name, _TTL_S, "IN", "CNAME", *alias))
            name = dns.name.from_text(alias[0])
            continue
        elif not any(each == text or each.endswith(f".{text}") for each in known):
            said.set_rcode(dns.rcode.NXDOMAIN)
        return said


class Endpoint(asyncio.DatagramProtocol):
    """Answers each packet by what `reply` makes of it; None stands for no answer."""

    def __init__(self, reply: Callable[[bytes], bytes | None]) -> None:
        self._reply = reply

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready to hear."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """A packet."""
        said = self._reply(data)
        if said is not None:
            self._transport.sendto(said, addr)


@asynccontextmanager
async def serving(records: Records) -> AsyncIterator[int]:
    """The port at which it answers, for as long as the block lasts."""

    def reply(data: bytes) -> bytes | None:
        try:
            return answer(records, dns.message.from_wire(data)).to_wire()
        except (dns.exception.DNSException, IndexError):
            return None

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Endpoint(reply), local_addr=("127.0.0.1", 0)
    )
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
