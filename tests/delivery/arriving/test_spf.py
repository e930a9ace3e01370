"""What receivers make of SPF: the answer for an address, the limits, and each line's colour."""

import ipaddress
from collections.abc import Sequence

import pytest

from delivery.arriving import providers, spf, spf_check, spf_record, spf_walk
from delivery.arriving.outgoing import Outgoing, Reach
from delivery.arriving.spf_check import Result
from foundation.findings import Finding, Tone
from tests.delivery.arriving import zones
from tests.delivery.arriving.zones import DOMAIN, SENDING, Zone, asked, said, tones, txt
from tests.world.names import Fault

SENDER = f"b+sample@{DOMAIN}"
HOSTS: Zone = {
    (DOMAIN, "MX"): [f"10 mail.{DOMAIN}."],
    (DOMAIN, "A"): ["198.51.100.8"],
    (f"mail.{DOMAIN}", "A"): [SENDING],
    (f"mail.{DOMAIN}", "AAAA"): ["2001:db8::7"],
    ("7.100.51.198.in-addr.arpa", "PTR"): [f"mail.{DOMAIN}."],
    (f"7.100.51.198.in-addr._spf.{DOMAIN}", "A"): ["127.0.0.2"],
    ("_spf.sender.example", "TXT"): txt("v=spf1 ip4:198.51.100.0/28 -all"),
    ("open.sender.example", "TXT"): txt("v=spf1 ?all"),
    ("empty.sender.example", "TXT"): txt("no such thing"),
}


def zone(*records: str) -> Zone:
    """The domain with these SPF records."""
    return {**HOSTS, (DOMAIN, "TXT"): txt(*records, "something else")}


async def answer(record: str, address: str = SENDING) -> Result:
    """What a receiver makes of mail from an address."""
    async with asked(zone(record)) as names:
        return await spf_check.check(
            names, address=ipaddress.ip_address(address), sender=SENDER, hello="mail.coalition.org"
        )


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=spf1 mx -all", Result.PASS),
        ("v=spf1 a -all", Result.FAIL),
        ("v=spf1 a/24 -all", Result.PASS),
        (f"v=spf1 a:mail.{DOMAIN} ~all", Result.PASS),
        ("v=spf1 a ~all", Result.SOFTFAIL),
        ("v=spf1 a", Result.NEUTRAL),
        ("v=spf1 ip4:198.51.100.7 -all", Result.PASS),
        ("v=spf1 ip4:198.51.100.8 -all", Result.FAIL),
        ("v=spf1 -mx +all", Result.FAIL),
        ("v=spf1 include:_spf.sender.example -all", Result.PASS),
        ("v=spf1 include:open.sender.example -all", Result.FAIL),
        ("v=spf1 include:empty.sender.example +all", Result.PERMERROR),
        ("v=spf1 redirect=_spf.sender.example", Result.PASS),
        ("v=spf1 redirect=empty.sender.example", Result.PERMERROR),
        ("v=spf1 exists:%{ir}.%{v}._spf.%{d} -all", Result.PASS),
        ("v=spf1 exists:%{l1r+}._spf.%{d} -all", Result.FAIL),
        ("v=spf1 ptr -all", Result.PASS),
        ("v=spf1 mx wrong -all", Result.PERMERROR),
        (f"v=spf1 include:{DOMAIN} -all", Result.PERMERROR),
        ("v=spf1 a:x.org a:y.org a:z.org -all", Result.PERMERROR),
        ("v=spf1 a:x.org a:y.org mx -all", Result.PASS),
    ],
)
async def test_a_receivers_answer(record: str, result: Result) -> None:
    assert await answer(record) is result


async def test_addresses_of_the_newer_kind_are_compared_too() -> None:
    assert await answer("v=spf1 mx -all", "2001:db8::7") is Result.PASS
    assert await answer("v=spf1 mx//32 -all", "2001:db8::8") is Result.PASS
    assert await answer("v=spf1 ip6:2001:db8::/64 -all", "2001:db9::7") is Result.FAIL
    assert await answer("v=spf1 ip4:198.51.100.7 -all", "::ffff:198.51.100.7") is Result.PASS


async def test_eleven_look_ups_are_one_too_many() -> None:
    ten = " ".join(["a"] * 10)
    assert await answer(f"v=spf1 {ten} ip4:{SENDING} -all") is Result.PASS
    assert await answer(f"v=spf1 {ten} a ip4:{SENDING} -all") is Result.PERMERROR


async def test_name_servers_that_fail_are_not_the_domains_fault() -> None:
    async with asked(zone("v=spf1 mx -all"), {f"mail.{DOMAIN}": Fault.SERVFAIL}) as names:
        address = ipaddress.ip_address(SENDING)
        assert await spf_check.check(names, address=address, sender=SENDER) is Result.TEMPERROR
    async with asked({}) as names:
        assert await spf_check.check(names, address=address, sender=SENDER) is Result.NONE


async def look(*records: str, out: Outgoing | None = None) -> Sequence[Finding]:
    """What is said of a domain with these records."""
    async with asked(zone(*records)) as names:
        return await spf.examine(
            names, domain=DOMAIN, sender=SENDER, outgoing=out or zones.outgoing(SENDING)
        )


GOOD = ("spf-address", Tone.GOOD)


@pytest.mark.parametrize(
    ("record", "tone", "words"),
    [
        ("v=spf1 mx -all", Tone.GOOD, "1 of 10"),
        ("v=spf1 mx ~all", Tone.GOOD, "1 of 10"),
        ("v=spf1 mx +all", Tone.BAD, "everybody"),
        ("v=spf1 mx ?all", Tone.WARN, "says nothing about forgers"),
        ("v=spf1 mx", Tone.WARN, "says nothing about forgers"),
        ("v=spf1 mx ptr -all", Tone.WARN, "“ptr”"),
        ("v=spf1 -all mx", Tone.WARN, "never counts"),
        ("v=spf1 mx ip4:198.0.0.0/8 -all", Tone.WARN, "198.0.0.0/8"),
        ("v=spf1 mx ipv4:198.51.100.7 -all", Tone.BAD, "“ipv4:198.51.100.7”"),
        ("v=spf1 mx include:empty.sender.example -all", Tone.BAD, "has no SPF record"),
        (f"v=spf1 mx include:{DOMAIN} -all", Tone.BAD, "in a circle"),
        ("v=spf1 mx a:gone.example -all", Tone.WARN, "gone.example"),
        ("v=spf1 mx a:x.org a:y.org a:z.org -all", Tone.BAD, "x.org, y.org, z.org"),
        (f"v=spf1 {' '.join(['mx'] * 9)} -all", Tone.WARN, "9 of the 10"),
        (f"v=spf1 {' '.join(['mx'] * 11)} -all", Tone.BAD, "11 look-ups"),
        ("v=spf1 mx exists:%{i}._spf.%{d} -all", Tone.GOOD, "2 of 10"),
    ],
)
async def test_each_state_of_a_record_has_its_colour(record: str, tone: Tone, words: str) -> None:
    found = [each for each in await look(record) if each.code == "spf"]
    assert tones(found) == [("spf", tone)]
    assert words in said(found)


async def test_no_record_and_two_records_are_red() -> None:
    (none,) = await look()
    assert none.is_bad
    assert none.publish is not None
    assert none.publish.content == f"v=spf1 ip4:{SENDING} ~all"
    assert tones(await look("v=spf1 mx -all", "v=spf1 a -all")) == [("spf", Tone.BAD)]


async def test_look_ups_of_what_is_included_count_too() -> None:
    deep = {
        **zone("v=spf1 include:one.example include:two.example -all"),
        ("one.example", "TXT"): txt("v=spf1 a:a.example a:b.example include:two.example ~all"),
        ("two.example", "TXT"): txt("v=spf1 mx a redirect=three.example"),
        ("three.example", "TXT"): txt("v=spf1 ip4:192.0.2.1 -all"),
        **{(f"{name}.example", "A"): ["192.0.2.1"] for name in ("a", "b", "two")},
        ("two.example", "MX"): ["10 a.example."],
    }
    async with asked(deep) as names:
        record = spf_record.parse("v=spf1 include:one.example include:two.example -all")
        walk = await spf_walk.follow(names, DOMAIN, record)
    assert walk.look_ups == 2 + 3 + 3 + 3
    assert walk.followed == [
        *("one.example", "two.example", "three.example", "two.example", "three.example"),
    ]  # fmt: skip
    assert walk.troubles == []


async def test_the_address_that_mail_leaves_from_has_to_be_let_through() -> None:
    assert tones(await look("v=spf1 mx -all"))[1:] == [GOOD]
    (_, refused) = await look("v=spf1 a -all")
    assert refused.is_bad
    assert refused.publish is not None
    assert refused.publish.content == f"v=spf1 a ip4:{SENDING} -all"
    assert await answer(refused.publish.content) is Result.PASS


async def test_a_relays_own_address_is_only_a_guess() -> None:
    out = zones.outgoing(SENDING, is_certain=False, host=SENDING, reach=Reach.OUTSIDE)
    assert tones(await look("v=spf1 mx -all", out=out))[1:] == [GOOD]
    (_, doubted) = await look("v=spf1 a -all", out=out)
    assert doubted.tone is Tone.WARN
    assert "sending_addresses" in said([doubted])


async def test_where_nobody_can_tell_it_is_said() -> None:
    (_, unknown) = await look("v=spf1 mx -all", out=zones.outgoing(is_certain=False))
    assert unknown.tone is Tone.NEUTRAL
    assert "sending_addresses" in said([unknown])


@pytest.mark.parametrize(
    ("host", "record", "tone"),
    [
        ("smtp-relay.gmail.com", "v=spf1 include:_spf.google.com -all", Tone.GOOD),
        ("smtp-relay.gmail.com", "v=spf1 mx -all", Tone.BAD),
        ("smtp.sendgrid.net", "v=spf1 mx -all", Tone.NEUTRAL),
        ("email-smtp.us-east-1.amazonaws.com", "v=spf1 include:amazonses.com -all", Tone.GOOD),
    ],
)
async def test_a_known_service_is_looked_for_by_its_name(
    host: str, record: str, tone: Tone
) -> None:
    known = {
        ("_spf.google.com", "TXT"): txt("v=spf1 ip4:192.0.2.0/28 -all"),
        ("amazonses.com", "TXT"): txt("v=spf1 ip4:192.0.2.32/28 -all"),
    }
    provider = providers.of(host)
    assert provider is not None
    out = zones.outgoing(host=host, reach=Reach.OUTSIDE, provider=provider, is_certain=False)
    async with asked({**zone(record), **known}) as names:
        found = await spf.examine(names, domain=DOMAIN, sender=SENDER, outgoing=out)
    assert tones(found) == [("spf", Tone.GOOD), ("spf-address", tone)]


def test_a_term_is_put_before_the_one_that_decides() -> None:
    assert spf.amended("v=spf1 mx ~all", "ip4:192.0.2.1") == "v=spf1 mx ip4:192.0.2.1 ~all"
    assert spf.amended("v=spf1 redirect=x.org", "a") == "v=spf1 a redirect=x.org"
    assert spf.amended("v=spf1 mx", "a") == "v=spf1 mx a"
