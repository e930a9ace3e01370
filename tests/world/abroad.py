"""Web servers of others, on loopback: an `Outward` that finds them by name, and nothing else."""

import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from aiohttp import web

from foundation import outward
from foundation.outward import Outward


@dataclass(kw_only=True)
class Abroad:
    """A server that answers by path, and remembers what it was asked."""

    names: dict[str, Sequence[str]] = field(default_factory=dict)
    """Host → its addresses; every other name is unknown."""
    port: int = 0
    asked: list[str] = field(default_factory=list)
    """Each request as `HEAD /path`."""
    looked_up: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    heard: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """Path → the headers of the last request for it."""

    def url(self, path: str = "/", host: str = "there.coop") -> str:
        """An address of a page there."""
        return f"http://{host}:{self.port}{path}"

    async def lookup(self, host: str) -> list[str]:
        """As a name service would."""
        self.looked_up.append(host)
        if host not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return list(self.names[host])

    def outward(self) -> Outward:
        """What may reach loopback, for once, and what is public."""
        return Outward(lookup=self.lookup, allows=allows_loopback)


def allows_loopback(address: IPv4Address | IPv6Address) -> bool:
    """The rule of the tests: this machine stands for the internet."""
    return address == IPv4Address("127.0.0.1") or outward.is_public(address)


@asynccontextmanager
async def serving(pages: Mapping[str, web.Response | str | int]) -> AsyncIterator[Abroad]:
    """A server with `pages`: a path's answer, where it redirects to, or its status."""
    there = Abroad(names={"there.coop": ["127.0.0.1"], "example.com": ["127.0.0.1"]})

    async def answer(request: web.Request) -> web.StreamResponse:
        there.asked.append(f"{request.method} {request.path}")
        there.heard[request.path] = request.headers
        there.agents.add(request.headers.get("User-Agent", ""))
        found = pages.get(f"{request.method} {request.path}", pages.get(request.path, 404))
        if isinstance(found, str):
            target = found.replace("PORT", str(there.port))
            return web.Response(status=302, headers={"Location": target})
        if isinstance(found, int):
            return web.Response(status=found, text="x")
        return web.Response(status=found.status, body=found.body, headers=found.headers)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        there.port = runner.addresses[0][1]
        yield there
    finally:
        await runner.cleanup()
