"""Where returns go, what our addresses are called, and whether anybody lists them."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from delivery.arriving import extras, hosts, mx, outgoing, ways
from delivery.arriving.outgoing import Outgoing, Place, Reach
from delivery.hooks.state import SourceState
from delivery.inbound.models import Way
from delivery.intake_state import WayState
from foundation.config import Settings
from foundation.findings import Finding, Tone
from foundation.receiving import Listener
from foundation.relaying import Relay
from foundation.sections import Mail
from foundation.webhook_sources import Provider
from tests.delivery.arriving import zones
from tests.delivery.arriving.zones import DOMAIN, SENDING, Zone, asked, said, tones, txt
from tests.world.names import Fault

MAIL = f"mail.{DOMAIN}"
POINTER = ("7.100.51.198.in-addr.arpa", "PTR")
WELL: Zone = {
    (DOMAIN, "MX"): [f"10 {MAIL}."],
    (MAIL, "A"): [SENDING],
    POINTER: [f"{MAIL}."],
}


async def to_returns(zone: Zone) -> Sequence[Finding]:
    """What is said of the way back."""
    async with asked(zone) as names:
        return await mx.examine(names, domain=DOMAIN, host=MAIL)


@pytest.mark.parametrize(
    ("change", "tone", "words"),
    [
        ({}, Tone.GOOD, MAIL),
        ({(DOMAIN, "MX"): []}, Tone.BAD, "nowhere to go"),
        ({(DOMAIN, "MX"): [], (DOMAIN, "A"): [SENDING]}, Tone.WARN, "no MX record"),
        ({(DOMAIN, "MX"): ["0 ."]}, Tone.BAD, "no mail at all"),
        ({(DOMAIN, "MX"): ["0 .", f"10 {MAIL}."]}, Tone.BAD, "all the same"),
        ({(DOMAIN, "MX"): ["10 198.51.100.7."]}, Tone.BAD, "takes a name"),
        ({(DOMAIN, "MX"): ["10 gone.coalition.org."]}, Tone.BAD, "no address"),
        (
            {(DOMAIN, "MX"): [f"10 {MAIL}.", "20 gone.coalition.org."]},
            *(Tone.WARN, "gone.coalition.org"),
        ),
        ({(MAIL, "A"): ["192.168.1.7"]}, Tone.BAD, "from outside"),
        (
            {(MAIL, "A"): [], (MAIL, "CNAME"): ["other.example."],
             ("other.example", "A"): [SENDING]},
            *(Tone.WARN, "other.example"),
        ),
    ],
)  # fmt: skip
async def test_each_way_back_has_its_colour(change: Zone, tone: Tone, words: str) -> None:
    found = await to_returns({**WELL, **change})
    assert tones(found) == [("mx", tone)]
    assert words in said(found)


@pytest.mark.parametrize(
    ("change", "tone", "words"),
    [
        ({}, Tone.GOOD, MAIL),
        ({POINTER: []}, Tone.BAD, "no name (PTR)"),
        ({POINTER: ["elsewhere.example."]}, Tone.BAD, "does not lead back"),
        ({POINTER: ["elsewhere.example.", f"{MAIL}."]}, Tone.GOOD, MAIL),
        (
            {POINTER: ["198-51-100-7.isp.example."], ("198-51-100-7.isp.example", "A"): [SENDING]},
            *(Tone.WARN, "subscriber's line"),
        ),
        (
            {POINTER: ["dyn7.isp.example."], ("dyn7.isp.example", "A"): [SENDING]},
            *(Tone.WARN, "subscriber's line"),
        ),
    ],
)
async def test_a_sending_address_has_a_name_that_leads_back(
    change: Zone, tone: Tone, words: str
) -> None:
    async with asked({**WELL, **change}) as names:
        found = await hosts.reverse(names, zones.outgoing(SENDING))
        guessed = await hosts.reverse(names, zones.outgoing(SENDING, is_certain=False))
    assert tones(found) == [("ptr", tone)]
    assert words in said(found)
    assert not guessed[0].is_bad, "a guess is not red"


async def test_a_name_of_the_newer_kind_is_looked_for_too() -> None:
    pointer = ipaddress.ip_address("2001:db8::7").reverse_pointer
    zone: Zone = {(pointer, "PTR"): [f"{MAIL}."], (MAIL, "AAAA"): ["2001:db8::7"]}
    async with asked(zone) as names:
        assert tones(await hosts.reverse(names, zones.outgoing("2001:db8::7"))) == [
            ("ptr", Tone.GOOD)
        ]


@pytest.mark.parametrize(
    ("hello", "tone"), [(MAIL, Tone.GOOD), ("laptop", Tone.WARN), ("gone.example", Tone.WARN)]
)
async def test_relays_outside_are_greeted_by_a_name_that_is_there(hello: str, tone: Tone) -> None:
    relay = Relay(hello_name=hello)
    outside, here = (Place(relay=relay, reach=each) for each in (Reach.OUTSIDE, Reach.MACHINE))
    async with asked(WELL) as names:
        assert tones(await hosts.greeting(names, [outside])) == [("hello", tone)]
        assert await hosts.greeting(names, [here]) == []


@pytest.mark.parametrize(
    ("answer", "tone", "words"),
    [
        ([], Tone.GOOD, "None of our addresses"),
        (["127.0.0.4"], Tone.BAD, "Seen sending spam"),
        (["127.255.255.254"], Tone.NEUTRAL, "did not tell us"),
    ],
)
async def test_lists_of_spammers_are_asked(answer: list[str], tone: Tone, words: str) -> None:
    name = "7.100.51.198.lists.example"
    async with asked({(name, "A"): answer, (name, "TXT"): txt("Seen sending spam")}) as names:
        found = await hosts.blocklists(names, zones.outgoing(SENDING), ["lists.example"])
    assert tones(found) == [("blocklist", tone)]
    assert words in said(found)


async def test_a_list_that_is_silent_accuses_nobody() -> None:
    async with asked({}, {"*": Fault.SERVFAIL}) as names:
        found = await hosts.blocklists(names, zones.outgoing(SENDING), ["lists.example"])
        assert tones(found) == [("blocklist", Tone.NEUTRAL)]
        assert await hosts.blocklists(names, zones.outgoing(), ["lists.example"]) == []


async def test_what_nobody_asks_for_is_green_or_only_said() -> None:
    zone: Zone = {
        (f"default._bimi.{DOMAIN}", "TXT"): txt("v=BIMI1; l=https://coalition.org/logo.svg"),
        (f"_smtp._tls.{DOMAIN}", "TXT"): txt("v=TLSRPTv1; rua=mailto:tls@coalition.org"),
    }
    async with asked(zone) as names:
        found = [*await extras.of_author(names, DOMAIN), *await extras.of_returns(names, DOMAIN)]
    assert tones(found) == [
        *(("bimi", Tone.GOOD), ("mta-sts", Tone.NEUTRAL), ("tls-rpt", Tone.GOOD)),
    ]  # fmt: skip


async def places(*relays: Relay, sending: Sequence[str] = ()) -> Outgoing:
    """What is known of mail that leaves by these relays."""
    settings = Settings(relay=list(relays))
    arriving = settings.arriving.model_copy(update={"sending_addresses": list(sending)})
    return await outgoing.find(settings.model_copy(update={"arriving": arriving}))


async def test_where_a_relay_is_decides_what_is_known_of_its_addresses() -> None:
    here = Relay(name="here", host="localhost")
    inside = Relay(name="inside", host="10.0.0.5")
    outside = Relay(name="outside", host=SENDING)
    nowhere = Relay(name="nowhere", host=f"{'x' * 70}.example")
    found = await places(here, inside, outside, nowhere)
    assert [each.reach for each in found.places] == [
        *(Reach.MACHINE, Reach.INSIDE, Reach.OUTSIDE, Reach.NOWHERE),
    ]  # fmt: skip
    assert [str(each) for each in found.addresses] == [SENDING]
    assert not found.is_certain
    named = await places(here, sending=["203.0.113.9"])
    assert [str(each) for each in named.addresses] == ["203.0.113.9"]
    assert named.is_certain


@asynccontextmanager
async def greeting(line: bytes) -> AsyncIterator[int]:
    """A mail server that says one line."""

    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(line)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("line", "tone"),
    [
        (b"220 mail.coalition.org ESMTP\r\n", Tone.GOOD),
        (b"220-other.example ESMTP\r\n", Tone.WARN),
        (b"", Tone.WARN),
    ],
)
async def test_the_mx_leads_to_our_own_mail_server_or_elsewhere(line: bytes, tone: Tone) -> None:
    settings = Settings(
        mail=Mail(from_address=f"news@{DOMAIN}"), listener=Listener(enabled=True, hello_name=MAIL)
    )
    async with asked({**WELL, (MAIL, "A"): ["127.0.0.1"]}) as names, greeting(line) as port:
        found = await ways.reaches_listener(names, settings, domain=DOMAIN, port=port)
    assert tones(found) == [("mx-listener", tone)]


async def test_a_port_that_is_shut_for_us_says_little() -> None:
    settings = Settings(listener=Listener(enabled=True, hello_name=MAIL))
    async with asked({**WELL, (MAIL, "A"): ["127.0.0.1"]}) as names:
        found = await ways.reaches_listener(names, settings, domain=DOMAIN, port=9)
        assert tones(found) == [("mx-listener", Tone.NEUTRAL)]
        assert await ways.reaches_listener(names, Settings(), domain=DOMAIN, port=9) == []


LATER = datetime(2026, 11, 2, tzinfo=UTC)
WAY = WayState(
    way=Way.IMAP,
    place="mail.coalition.org:993",
    last_message_at=None,
    looked_at=datetime(2026, 11, 1, tzinfo=UTC),
    said="",
    since=None,
    is_in_use=True,
)
HOOK = SourceState(
    name="post",
    provider=Provider.POSTMARK,
    last_call_at=datetime(2026, 11, 1, tzinfo=UTC),
    last_event_at=None,
    taken=0,
    repeated=0,
    ignored=0,
    refused=0,
    waiting=0,
    last_refusal_at=None,
    refusal="",
    trouble="",
)


@pytest.mark.parametrize(
    ("states", "hooks", "returned", "tones_of", "words"),
    [
        ([WAY], [], 0, [Tone.GOOD], "is fetched from"),
        ([replace(WAY, last_message_at=WAY.looked_at)], [], 0, [Tone.GOOD], "the last came"),
        ([replace(WAY, said="NO login failed")], [], 0, [Tone.BAD], "NO login failed"),
        ([replace(WAY, is_in_use=False)], [], 0, [Tone.BAD], "no running process"),
        ([], [HOOK], 0, [Tone.GOOD], "we last heard from it"),
        ([], [replace(HOOK, last_call_at=None)], 0, [Tone.NEUTRAL], "has not called it"),
        (
            [],
            [replace(HOOK, refusal="the signature is wrong", last_refusal_at=LATER)],
            *(0, [Tone.WARN], "the signature is wrong"),
        ),
        ([], [replace(HOOK, trouble="confirm it by hand")], 0, [Tone.BAD], "by hand"),
        ([], [], 12, [Tone.GOOD], "12 messages"),
        ([], [], 0, [Tone.WARN], "Nothing here takes"),
    ],
)
def test_each_way_in_has_the_colour_of_its_state(
    states: Sequence[WayState],
    hooks: Sequence[SourceState],
    returned: int,
    tones_of: list[Tone],
    words: str,
) -> None:
    found = list(ways.examine(states, hooks, returned=returned))
    assert [each.tone for each in found] == tones_of
    assert words in said(found)
