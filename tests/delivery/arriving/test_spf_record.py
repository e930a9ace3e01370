"""SPF records are read to the letter: one wrong term spoils all of it (RFC 7208)."""

import pytest

from delivery.arriving import spf_record
from delivery.arriving.spf_record import Kind, Qualifier, Unreadable


def test_terms_are_read_with_their_signs_domains_and_networks() -> None:
    record = spf_record.parse(
        "v=spf1  +a/24//64 ?MX:mail.coalition.org ip4:198.51.100.0/24 ip6:2001:db8::/32 "
        "exists:%{ir}.%{v}._spf.coalition.org include:_spf.example.org moo=%{d} ~all"
    )
    first = record.mechanisms[0]
    assert (first.kind, first.prefix4, first.prefix6) == (Kind.A, 24, 64)
    assert [each.kind for each in record.mechanisms] == [
        *(Kind.A, Kind.MX, Kind.IP4, Kind.IP6, Kind.EXISTS, Kind.INCLUDE, Kind.ALL),
    ]  # fmt: skip
    assert record.mechanisms[1].qualifier is Qualifier.NEUTRAL
    assert record.mechanisms[1].domain == "mail.coalition.org"
    assert record.all is not None
    assert record.all.qualifier is Qualifier.SOFTFAIL


def test_only_the_whole_word_begins_a_record() -> None:
    texts = ["v=spf1", "V=SPF1 mx -all", "v=spf10 -all", "x v=spf1 -all", "v=spf1-all"]
    assert spf_record.among(texts) == ["v=spf1", "V=SPF1 mx -all"]


@pytest.mark.parametrize(
    "term",
    [
        *("ip4:198.51.100", "ip4:198.51.100.7/33", "ip4:198.51.100.7/08", "ip4", "ip4:2001:db8::1"),
        *("ip6:198.51.100.7", "ip6:2001:db8::/129", "a:coalition", "a/33", "mx//129", "a:"),
        *("include", "include:", "include:%{x}.org", "exists:%{c}.coalition.org", "all:now"),
        *("al", "+", "-moo", "redirect=", "redirect=coalition", "exp=%", "mx:%{d", "a:b%d.org"),
        *("redirect=a.org redirect=b.org", "ptr/24", "a.coalition.org", "ip4:1.2.3.4/"),
    ],
)
def test_a_wrong_term_is_named(term: str) -> None:
    with pytest.raises(Unreadable) as problem:
        spf_record.parse(f"v=spf1 mx {term} -all")
    assert problem.value.term == term.rpartition(" ")[2]
