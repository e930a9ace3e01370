"""Whatever address is typed or redirected to, no private network is ever asked."""

import asyncio
from ipaddress import ip_address

import pytest
from aiohttp import web

from foundation import outward
from foundation.outward import Answer, Limits, Outward, OutwardError, Trouble
from tests.world import abroad
from tests.world.abroad import Abroad

PATIENT = Limits(timeout_s=60)

# fmt: off
NOT_PUBLIC = (
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.8.9.1", "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.1.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1",
    "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::", "2001:0:7f00:1::1",
    "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2001:db8::1",
    "100::1",
)
# fmt: on


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_is_not_of_the_internet_is_not_public(address: str) -> None:
    assert not outward.is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "::ffff:1.1.1.1", "2606:4700::1111", "64:ff9b::101:101"]
)
def test_what_is_of_the_internet_is_public(address: str) -> None:
    assert outward.is_public(ip_address(address))


async def ask(door: Outward, url: str, *, method: str = "GET", own_url: str = "") -> Answer:
    async with door.session(own_url=own_url) as session:
        return await session.ask(method, url, PATIENT)


async def refused(door: Outward, url: str) -> Trouble:
    with pytest.raises(OutwardError) as caught:
        await ask(door, url)
    return caught.value.trouble


@pytest.mark.parametrize(
    ("host", "trouble"),
    [
        ("127.0.0.1", Trouble.PRIVATE),
        ("127.1", Trouble.ODD),
        ("2130706433", Trouble.ODD),
        ("0177.0.0.1", Trouble.ODD),
        ("[::1]", Trouble.PRIVATE),
        ("[::ffff:127.0.0.1]", Trouble.PRIVATE),
        ("0x7f000001", Trouble.PRIVATE),
        ("inside.coop", Trouble.PRIVATE),
        ("both.coop", Trouble.PRIVATE),
        ("mapped.coop", Trouble.PRIVATE),
        ("nowhere.coop", Trouble.NO_HOST),
    ],
)
async def test_no_way_of_writing_an_address_leads_inside(host: str, trouble: Trouble) -> None:
    async with abroad.serving({"/": 200}) as there:
        there.names |= {
            "inside.coop": ["127.0.0.1"],
            "both.coop": ["93.184.216.34", "127.0.0.1"],
            "mapped.coop": ["::ffff:127.0.0.1"],
            "0x7f000001": ["127.0.0.1"],
        }
        strict = Outward(lookup=there.lookup)
        assert await refused(strict, f"http://{host}:{there.port}/") is trouble
        assert there.asked == []


@pytest.mark.parametrize(
    "target",
    [
        "http://inside.coop:PORT/secret",
        "http://127.0.0.2:PORT/secret",
        "//inside.coop:PORT/secret",
        "http://[::1]:PORT/secret",
    ],
)
async def test_no_redirect_leads_inside(target: str) -> None:
    async with abroad.serving({"/": target, "/secret": 200}) as there:
        there.names["inside.coop"] = ["10.0.0.7"]
        assert await refused(there.outward(), there.url()) is Trouble.PRIVATE
        assert there.asked == ["GET /"]


@pytest.mark.parametrize(
    "target",
    ["file:///etc/passwd", "gopher://there.coop/", "http://there.coop:25/", "mailto:a@there.coop"],
)
async def test_a_redirect_to_what_is_no_page_is_not_followed(target: str) -> None:
    async with abroad.serving({"/": target}) as there:
        assert await refused(there.outward(), there.url()) is Trouble.ODD


async def test_a_name_that_changes_between_looking_and_connecting_gains_nothing() -> None:
    """What was looked at is what is connected to: nobody asks for the name a second time."""
    async with abroad.serving({"/": 200}) as there:
        answers = iter([["127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"]])

        async def rebinding(_host: str) -> list[str]:
            there.looked_up.append(_host)
            return next(answers)

        door = Outward(lookup=rebinding, allows=abroad.allows_loopback)
        assert (await ask(door, there.url(host="turns.coop"))).status == 200
        assert there.looked_up == ["turns.coop"]
        assert await refused(door, there.url(host="turns.coop")) is Trouble.PRIVATE
        assert there.asked == ["GET /"]


async def test_our_own_site_may_be_inside_but_only_at_its_own_port() -> None:
    async with abroad.serving({"/": 200}) as there, abroad.serving({"/": 200}) as other:
        there.names["our.coop"] = ["127.0.0.1"]
        strict = Outward(lookup=there.lookup)
        own = there.url(host="our.coop")
        assert (await ask(strict, own, own_url=own)).status == 200
        with pytest.raises(OutwardError):
            await ask(strict, f"http://our.coop:{other.port}/", own_url=own)
        assert other.asked == []


async def test_it_leads_on_a_number_of_times_and_no_further() -> None:
    async with abroad.serving({"/": "/1", "/1": "/2", "/2": 200, "/round": "/round"}) as there:
        answer = await ask(there.outward(), there.url())
        assert (answer.status, answer.url) == (200, there.url("/2"))
        assert await refused(there.outward(), there.url("/round")) is Trouble.LOOPING
        assert there.asked.count("GET /round") == PATIENT.redirects + 1


async def test_no_more_is_read_than_is_wanted() -> None:
    large = web.Response(body=b"x" * 900_000)
    async with abroad.serving({"/": large}) as there:
        async with there.outward().session() as session:
            limits = Limits(timeout_s=60, wanted_bytes=1000)
            answer = await session.ask("GET", there.url(), limits)
            assert len(answer.body) == 1000
            assert answer.size_bytes == 900_000
            assert (await session.ask("GET", there.url(), PATIENT)).body == b""


async def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    hanging = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hanging.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    there = Abroad(names={"there.coop": ["127.0.0.1"]}, port=port)
    async with there.outward().session() as session:
        with pytest.raises(OutwardError) as caught:
            await session.ask("GET", there.url(), Limits(timeout_s=0.05))
    assert caught.value.trouble is Trouble.SILENT
    hanging.set()
    server.close()
    await server.wait_closed()


async def test_whether_names_can_be_looked_up_at_all_is_known() -> None:
    there = Abroad(names={"example.com": ["93.184.216.34"]})
    assert await there.outward().knows_names()
    assert not await Abroad().outward().knows_names()
