"""DMARC by a walk up the tree of names (RFC 9989): whose record counts, and what goes with what."""

from collections.abc import Sequence

import pytest

from delivery.arriving import dmarc, dmarc_walk
from delivery.arriving.dmarc_walk import Policy, Source
from delivery.arriving.names import Unanswered
from foundation.findings import Finding, Tone
from tests.delivery.arriving.zones import DOMAIN, Zone, asked, said, tones, txt
from tests.world.names import Fault

WELL = "v=DMARC1; p=none; rua=mailto:reports@coalition.org"


def records(**by_domain: str) -> Zone:
    """DMARC records: `a__b` stands for a.b."""
    return {
        (f"_dmarc.{name.replace('__', '.')}", "TXT"): txt(text) for name, text in by_domain.items()
    }


def test_a_long_name_is_walked_in_eight_questions() -> None:
    assert dmarc_walk.targets("a.b.c.d.e.f.g.h.i.mail.coalition.org") == [
        "a.b.c.d.e.f.g.h.i.mail.coalition.org",
        *("f.g.h.i.mail.coalition.org", "g.h.i.mail.coalition.org"),
        *("h.i.mail.coalition.org", "i.mail.coalition.org"),
        *("mail.coalition.org", "coalition.org", "org"),
    ]
    assert dmarc_walk.targets("coalition.org") == ["coalition.org", "org"]
    assert len(dmarc_walk.targets(".".join("abcdefgh"))) == 8
    assert len(dmarc_walk.targets(".".join("abcdefg"))) == 7


@pytest.mark.parametrize(
    ("start", "zone", "organisation", "governing", "source"),
    [
        # §4.10.2, first example: the record with the fewest labels is the organisation's.
        (
            "a.mail.coalition.org",
            records(mail__coalition__org="v=DMARC1;p=none", coalition__org="v=DMARC1;p=reject"),
            *("coalition.org", "coalition.org", Source.ORGANISATION),
        ),
        # Second example: only the suffix has one, so the organisation is one label below.
        (
            "a.mail.coalition.org",
            records(org="v=DMARC1;p=reject;psd=y"),
            *("coalition.org", "org", Source.SUFFIX),
        ),
        (
            "mail.coalition.org",
            records(
                mail__coalition__org="v=DMARC1;p=quarantine", coalition__org="v=DMARC1;p=reject"
            ),
            *("coalition.org", "mail.coalition.org", Source.DOMAIN),
        ),
        (
            "a.mail.coalition.org",
            records(mail__coalition__org="v=DMARC1;p=none;psd=n", coalition__org="v=DMARC1;p=none"),
            *("mail.coalition.org", "mail.coalition.org", Source.ORGANISATION),
        ),
        (
            "coalition.org",
            records(coalition__org="v=DMARC1;p=none", org="v=DMARC1;p=reject;psd=y"),
            *("coalition.org", "coalition.org", Source.DOMAIN),
        ),
        # A suffix that sends mail itself is its own organisation.
        ("gov.example", records(gov__example="v=DMARC1;p=none;psd=y"),
         *("gov.example", "gov.example", Source.DOMAIN)),
        ("coalition.org", {}, *("coalition.org", None, None)),
        ("coalition.org", records(org="v=DMARC1;p=none"), *("org", "org", Source.ORGANISATION)),
        # Capitals count, and the version comes first.
        ("coalition.org", records(coalition__org="v=dmarc1;p=none"),
         *("coalition.org", None, None)),
        ("coalition.org", records(coalition__org="p=none;v=DMARC1"),
         *("coalition.org", None, None)),
    ],
)  # fmt: skip
async def test_a_walk_finds_organisation_and_record(
    start: str, zone: Zone, organisation: str, governing: str | None, source: Source | None
) -> None:
    async with asked(zone) as names:
        walk = await dmarc_walk.walk(names, start)
    assert walk.organisation == organisation
    assert (walk.governing and walk.governing.domain) == governing
    assert (walk.governing and walk.governing.source) == source


@pytest.mark.parametrize(
    ("text", "above", "is_there", "policy"),
    [
        ("v=DMARC1; p=Reject", False, True, Policy.REJECT),
        ("v=DMARC1; p=reject; sp=none", False, True, Policy.REJECT),
        ("v=DMARC1; p=reject; sp=none; np=quarantine", True, True, Policy.NONE),
        ("v=DMARC1; p=reject; sp=none; np=quarantine", True, False, Policy.QUARANTINE),
        ("v=DMARC1; p=reject; sp=none", True, False, Policy.NONE),
        ("v=DMARC1; p=quarantine", True, False, Policy.QUARANTINE),
        ("v=DMARC1; rua=mailto:a@x.org", False, True, Policy.NONE),
        ("v=DMARC1; p=off; rua=mailto:a@x.org", False, True, Policy.NONE),
        ("v=DMARC1; p=reject; sp=off; rua=mailto:a@x.org", False, True, Policy.NONE),
        ("v=DMARC1; p=off", False, True, None),
        ("v=DMARC1", False, True, None),
    ],
)
async def test_the_policy_is_that_of_the_domain_or_of_those_below(
    text: str, above: bool, is_there: bool, policy: Policy | None
) -> None:
    start = "mail.coalition.org" if above else DOMAIN
    async with asked({(f"_dmarc.{DOMAIN}", "TXT"): txt(text)}) as names:
        walk = await dmarc_walk.walk(names, start)
    assert walk.governing is not None
    assert walk.governing.policy(is_there=is_there) is policy


async def test_a_walk_that_nobody_answers_says_nothing() -> None:
    async with asked(records(org="v=DMARC1;p=none"), {f"_dmarc.{DOMAIN}": Fault.SERVFAIL}) as names:
        with pytest.raises(Unanswered):
            await dmarc_walk.walk(names, f"mail.{DOMAIN}")


async def look(
    *texts: str,
    author: str = DOMAIN,
    signer: str = DOMAIN,
    returns: str = DOMAIN,
    zone: Zone | None = None,
) -> Sequence[Finding]:
    """What is said of a domain with these records."""
    there: Zone = {(DOMAIN, "A"): ["198.51.100.8"], (f"mail.{DOMAIN}", "A"): ["198.51.100.8"]}
    if texts:
        there = {**there, (f"_dmarc.{DOMAIN}", "TXT"): txt(*texts)}
    async with asked({**there, **(zone or {})}) as names:
        return await dmarc.examine(
            names, author=author, signer=signer, returns=returns, contact="office@coalition.org"
        )


ALIGNED = ("alignment", Tone.GOOD)


@pytest.mark.parametrize(
    ("text", "tone", "words"),
    [
        (WELL, Tone.GOOD, "(none)"),
        (WELL.replace("none", "reject"), Tone.GOOD, "(reject)"),
        ("v=DMARC1; p=none", Tone.WARN, "rua="),
        (f"{WELL}; pct=50", Tone.WARN, "pct=50"),
        (f"{WELL}; t=y", Tone.WARN, "trial"),
        ("v=DMARC1; rua=mailto:reports@coalition.org", Tone.WARN, "no policy"),
        ("v=DMARC1; p=off; rua=mailto:reports@coalition.org", Tone.WARN, "no policy"),
        (WELL.replace("@coalition.org", "@reports.example"), Tone.WARN, "reports.example"),
    ],
)
async def test_each_state_of_a_record_has_its_colour(text: str, tone: Tone, words: str) -> None:
    found = await look(text)
    assert tones(found) == [("dmarc", tone), ALIGNED]
    assert words in said(found)


async def test_no_record_two_records_and_one_that_says_nothing_are_red() -> None:
    (none,) = await look()
    assert none.is_bad
    assert none.publish is not None
    assert none.publish.name == f"_dmarc.{DOMAIN}"
    assert none.publish.content == "v=DMARC1; p=none; rua=mailto:office@coalition.org"
    assert tones(await look(WELL, "v=DMARC1; p=none")) == [("dmarc", Tone.BAD)]
    assert tones(await look("v=DMARC1; p=off")) == [("dmarc", Tone.BAD)]


async def test_reports_are_added_without_a_change_to_the_policy() -> None:
    found = await look("v=DMARC1; p=reject; sp=none;")
    assert found[0].publish is not None
    assert found[0].publish.content == (
        "v=DMARC1; p=reject; sp=none; rua=mailto:office@coalition.org"
    )


async def test_whoever_agreed_may_have_our_reports() -> None:
    agreed: Zone = {(f"{DOMAIN}._report._dmarc.reports.example", "TXT"): txt("v=DMARC1;")}
    text = WELL.replace("@coalition.org", "@reports.example")
    assert tones(await look(text, zone=agreed)) == [("dmarc", Tone.GOOD), ALIGNED]


@pytest.mark.parametrize(
    ("author", "signer", "returns", "text", "tone"),
    [
        (DOMAIN, DOMAIN, f"bounces.{DOMAIN}", WELL, Tone.GOOD),
        (f"mail.{DOMAIN}", DOMAIN, f"bounces.{DOMAIN}", WELL, Tone.GOOD),
        (f"mail.{DOMAIN}", DOMAIN, "", f"{WELL}; adkim=s", Tone.BAD),
        (DOMAIN, DOMAIN, "sender.example", WELL, Tone.GOOD),
        (DOMAIN, "", DOMAIN, WELL, Tone.WARN),
        (DOMAIN, "", f"bounces.{DOMAIN}", f"{WELL}; aspf=s", Tone.WARN),
        (DOMAIN, "", "sender.example", WELL, Tone.WARN),
        (DOMAIN, "", "sender.example", WELL.replace("none", "reject"), Tone.BAD),
        (DOMAIN, "sender.example", "sender.example", WELL, Tone.BAD),
        (DOMAIN, DOMAIN, "sender.example", f"{WELL}; adkim=s; aspf=s", Tone.GOOD),
    ],
)
async def test_what_stands_in_from_goes_with_who_signs_or_with_the_return_path(
    author: str, signer: str, returns: str, text: str, tone: Tone
) -> None:
    found = await look(text, author=author, signer=signer, returns=returns)
    assert tones(found)[-1] == ("alignment", tone)


async def test_a_suffix_parts_those_who_share_it() -> None:
    suffix: Zone = {("_dmarc.org", "TXT"): txt("v=DMARC1; p=none; psd=y; rua=mailto:a@org")}
    found = await look(author=DOMAIN, signer="other.org", returns="other.org", zone=suffix)
    assert tones(found)[-1] == ("alignment", Tone.BAD)
