"""Answers of a real name server, by UDP and TCP, and what is made of it when there is none."""

import pytest

from delivery.arriving import names as dns_names
from delivery.arriving.names import MailHost, Names, Unanswered
from foundation.arriving import Arriving
from tests.world import names
from tests.world.names import Fault

RECORDS = {
    ("coalition.org", "TXT"): ['"v=spf1 " "-all"', '"other"'],
    ("coalition.org", "MX"): ["20 b.coalition.org.", "10 A.Coalition.org."],
    ("none.coalition.org", "MX"): ["0 ."],
    ("www.coalition.org", "CNAME"): ["a.coalition.org."],
    ("a.coalition.org", "A"): ["198.51.100.7"],
    ("a.coalition.org", "AAAA"): ["2001:db8::7"],
    ("7.100.51.198.in-addr.arpa", "PTR"): ["a.coalition.org."],
}


async def test_records_are_read_as_others_read_them() -> None:
    async with names.running(RECORDS) as server:
        asked = Names(server.resolver)
        assert sorted(await asked.texts("coalition.org")) == ["other", "v=spf1 -all"]
        hosts = [MailHost(10, "a.coalition.org"), MailHost(20, "b.coalition.org")]
        assert await asked.mail_hosts("coalition.org") == hosts
        assert await asked.mail_hosts("none.coalition.org") == [MailHost(0, "")]
        found = await asked.addresses("www.coalition.org")
        assert [str(each) for each in found] == ["198.51.100.7", "2001:db8::7"]
        assert await asked.alias("www.coalition.org") == "a.coalition.org"
        assert await asked.pointers(found[0]) == ["a.coalition.org"]


async def test_a_name_without_such_a_record_is_there_and_another_is_not() -> None:
    async with names.running(RECORDS) as server:
        asked = Names(server.resolver)
        assert await asked.texts("a.coalition.org") == []
        assert await asked.is_there("coalition.org")
        assert not await asked.is_there("nowhere.coalition.org")
        assert not await asked.is_there(f"{'x' * 64}.coalition.org")
        assert not await asked.is_there("a..coalition.org")


async def test_the_same_is_asked_once() -> None:
    async with names.running(RECORDS) as server:
        asked = Names(server.resolver)
        for name in ("coalition.org", "Coalition.ORG", "coalition.org."):
            await asked.texts(name)
        assert server.asked == [("coalition.org", "TXT")]


async def test_an_answer_that_was_cut_short_is_asked_for_by_tcp() -> None:
    async with names.running(RECORDS, {"coalition.org": Fault.CUT_SHORT}) as server:
        assert len(await Names(server.resolver).texts("coalition.org")) == 2
        assert server.by_tcp == 1


@pytest.mark.parametrize(
    ("fault", "is_error"),
    [
        (Fault.SILENT, False),
        (Fault.SERVFAIL, True),
        (Fault.REFUSED, True),
        (Fault.OTHER_QUESTION, False),
        (Fault.GARBAGE, False),
    ],
)
async def test_what_is_no_answer_says_nothing_about_the_name(fault: Fault, is_error: bool) -> None:
    async with names.running(RECORDS, {"coalition.org": fault}) as server:
        asked = Names(server.resolver)
        with pytest.raises(Unanswered) as problem:
            await asked.texts("coalition.org")
        assert problem.value.is_error is is_error
        times = len(server.asked)
        with pytest.raises(Unanswered):
            await asked.texts("coalition.org")
        assert len(server.asked) == times, "it was asked again in the same look"


async def test_the_settings_name_whom_to_ask() -> None:
    async with names.running(RECORDS) as server:
        resolver = dns_names.resolver(Arriving(name_servers=[server.place]))
        assert resolver is not None
        assert len(await Names(resolver).texts("coalition.org")) == 2


@pytest.mark.parametrize("wrong", ["ns.example.org", "127.0.0.1:0", "127.0.0.1:x", "[::1"])
def test_a_name_server_has_an_address(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"name_servers"):
        Arriving(name_servers=["9.9.9.9", "[2620:fe::fe]:53", "2620:fe::fe", wrong])
