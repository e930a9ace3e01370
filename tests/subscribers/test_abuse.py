"""The sign-up form in the hands of those who would flood strangers with it."""

import asyncio
import itertools
import json
import os
from collections import Counter
from typing import Any

import altcha
import pytest
import sqlalchemy as sa
from sqlmodel import col

from delivery.models import QueuedNotice
from foundation import addresses
from foundation.ground import Ground
from foundation.throttle import ThrottleCounter
from subscribers import doubts, pacing, signup, typos
from subscribers.intake import SignUpRequest
from subscribers.models import Doubt, Form, Partner, SignUpState, Subscriber
from tests.subscribers import mailbox
from tests.subscribers.mailbox import ANA
from tests.world import grounds, people
from tests.world.clock import FakeClock
from tests.world.web import Answer, Web

FLOOD = int(os.environ.get("HANDBILL_TEST_FLOOD", "10000"))
"""How many hostile submissions."""
AT_ONCE = 200
"""Of these, so many are under way at every moment."""
QUICK = {"challenge_rounds": 10_000}


def solved(work: Any) -> str:
    """What a browser makes of a challenge."""
    challenge = altcha.Challenge.from_dict(work)
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    return altcha.Payload(challenge, solution).to_base64()


async def work(web: Web) -> Any:
    """The challenge that scripts are given."""
    return (await web.get("/api/public/challenge")).json()["challenge"]


async def test_a_flood_from_many_networks_brings_each_victim_a_few_mails(ground: Ground) -> None:
    await mailbox.topics(ground)
    victims = [f"victim{number}@host{number % 25}.example" for number in range(100)]
    networks = [f"10.{number // 256}.{number % 256}.0/24" for number in range(1000)]
    attempts = zip(
        itertools.islice(itertools.cycle(victims), FLOOD),
        itertools.islice(itertools.cycle(networks), FLOOD),
        strict=True,
    )

    async def flood() -> None:
        for victim, network in attempts:
            await signup.submit(
                ground,
                request=SignUpRequest(email=victim, network=network),
            )

    await asyncio.gather(*(flood() for _ in range(AT_ONCE)))
    async with ground.db.reading() as session:
        mails = Counter(
            await session.scalars(
                sa.select(col(QueuedNotice.to_address)).where(col(QueuedNotice.kind) == "confirm")
            )
        )
    assert set(mails) == set(victims)
    assert max(mails.values()) <= ground.settings.signup.confirmations_per_address_per_day


@pytest.mark.storage
async def test_limits_hold_for_several_processes_together(ground: Ground, clock: FakeClock) -> None:
    await mailbox.topics(ground)
    async with (
        grounds.standing(ground.settings, clock) as second,
        grounds.standing(ground.settings, clock) as third,
    ):
        await asyncio.gather(
            *(
                signup.submit(
                    each,
                    request=SignUpRequest(email=f"v{number}@example.org", network="10.0.0.0/24"),
                )
                for number in range(3)
                for each in (ground, second, third)
                for _ in range(3)
            )
        )
    for number in range(3):
        assert len(await mailbox.notices(ground, to=f"v{number}@example.org")) == 1


@pytest.mark.settings(
    signup={"submissions_per_form_per_hour": 2, "submissions_per_partner_per_hour": 3}
)
async def test_a_form_and_a_partner_have_limits_of_their_own(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    async with ground.db.transaction() as session:
        partner = Partner(key="riverside", name="Riverside", created_at=ground.clock.now())
        session.add(partner)
        await session.flush()
        for slug in ("first", "second"):
            session.add(
                Form(slug=slug, name=slug, partner_id=partner.id, created_at=ground.clock.now())
            )
    for number, form in enumerate(("first", "first", "first", "second", "second")):
        await mailbox.send(web, f"/subscribe/{form}", email=f"p{number}@example.org")
    states = [each.state for each in await mailbox.sign_ups(ground)]
    # The third of a form, then the fourth and fifth of the partner; what waits is counted as well.
    assert states == ["submitted", "submitted", "held", "held", "held"]


@pytest.mark.settings(signup={"confirmations_per_domain_per_hour": 2})
async def test_one_domain_gets_no_flood_and_those_with_mailboxes_for_all_are_not_counted(
    web: Web, ground: Ground
) -> None:
    await mailbox.topics(ground)
    for number in range(3):
        await mailbox.send(web, email=f"p{number}@small.example")
        await mailbox.send(web, email=f"p{number}@gmail.com")
    by_domain = [
        (await _email(ground, each.subscriber_id)).partition("@")[2] + " " + each.state
        for each in await mailbox.sign_ups(ground)
    ]
    assert Counter(by_domain) == {
        "small.example submitted": 2,
        "small.example held": 1,
        "gmail.com submitted": 3,
    }


@pytest.mark.settings(signup={"challenge_from_per_10_minutes": 3, **QUICK})
@pytest.mark.storage
async def test_a_proof_is_asked_for_under_attack_and_not_before_nor_after(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    await mailbox.topics(ground)
    assert await work(web) is None
    for number in range(3):
        assert (await mailbox.send(web, email=f"p{number}@example.org")).status == 303
    page = await web.get("/subscribe")
    assert "data-challenge" in page.text
    assert "worker-src 'self'" in page.headers["Content-Security-Policy"]
    # A form that was opened before comes back with the work to do, and with what was typed.
    back = await mailbox.send(web, first_name="Ana")
    assert back.status == 428
    assert back.field("email") == ANA
    assert back.field("challenged") == "1"
    assert await mailbox.notices(ground) == []
    done = await mailbox.send(web, altcha=solved(await work(web)), challenged="1")
    assert done.status == 303
    assert len(await mailbox.notices(ground)) == 1
    clock.advance(minutes=59)
    assert await work(web) is not None
    clock.advance(minutes=12)
    assert await work(web) is None
    assert "data-challenge" not in (await web.get("/subscribe")).text


@pytest.mark.settings(signup={"challenge": "always", **QUICK})
async def test_a_proof_is_good_once_fresh_and_whole(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    await mailbox.topics(ground)

    async def sent(email: str, proof: str) -> Answer:
        return await mailbox.send(web, email=email, altcha=proof, challenged="1")

    first = solved(await work(web))
    assert (await sent("a@example.org", first)).status == 303
    assert (await sent("b@example.org", first)).status == 428
    late = solved(await work(web))
    clock.advance(minutes=61)
    assert (await sent("b@example.org", late)).status == 428
    easier = await work(web)
    easier["parameters"]["keyPrefix"] = "00"
    assert (await sent("b@example.org", solved(easier))).status == 428
    unsigned = {"parameters": easier["parameters"]}
    assert (await sent("b@example.org", solved(unsigned))).status == 428
    for rubbish in ("x", "e30=", "W10=", "A" * 5_000, json.dumps({"challenge": None})):
        assert (await sent("b@example.org", rubbish)).status == 428
    assert [each.state for each in await mailbox.sign_ups(ground)] == ["submitted"]


@pytest.mark.settings(signup={"challenge": "always", **QUICK})
@pytest.mark.storage
async def test_what_is_refused_at_the_door_is_counted_once_and_uses_nothing_up_twice(
    web: Web, ground: Ground
) -> None:
    await mailbox.topics(ground)
    refused = await web.post("/subscribe", {"email": ANA})
    assert refused.status == 428
    counted = sa.select(col(ThrottleCounter.count)).where(
        col(ThrottleCounter.subject) == "submissions"
    )
    async with ground.db.reading() as session:
        assert (await session.scalars(counted)).all() == [1], "it was asked inside once more"
    proof = solved(await work(web))
    wrong = await web.post("/subscribe", {"email": ANA, "topic": "nowhere", "altcha": proof})
    assert wrong.status == 422, "its proof was looked at twice"
    assert await mailbox.sign_ups(ground) == []


@pytest.mark.settings(signup={"challenge": "always", **QUICK})
async def test_scripts_get_the_work_with_the_refusal(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    refused = await web.post("/api/public/signups", json={"email": ANA})
    assert refused.status == 428
    assert refused.headers["Content-Type"].startswith("application/problem+json")
    proof = solved(refused.json()["challenge"])
    taken = await web.post("/api/public/signups", json={"email": ANA, "altcha": proof})
    assert taken.status == 202
    assert len(await mailbox.notices(ground)) == 1


@pytest.mark.settings(signup={"challenge": "always", **QUICK})
@pytest.mark.storage
async def test_who_runs_no_scripts_is_looked_at_by_staff_and_asked(
    web: Web, ground: Ground
) -> None:
    await mailbox.topics(ground)
    assert (await mailbox.send(web, challenged="1", first_name="Ana")).status == 303
    assert await mailbox.notices(ground) == []
    staff = await web.as_staff()
    people_page = await staff.get("/staff/people")
    assert "1 sign-up looks like a program’s" in people_page.text
    page = await staff.get("/staff/people/doubtful?doubt=no-proof")
    assert ANA in page.text
    assert "Without proof of work" in page.text
    (row,) = await mailbox.sign_ups(ground)
    await staff.post("/staff/people/doubtful", {"signup": str(row.id), "act": "ask"})
    assert len(await mailbox.notices(ground)) == 1
    await web.post(await mailbox.confirm_url(ground), {})
    who = await mailbox.person(ground)
    assert who is not None
    assert who.first_name == "Ana"


@pytest.mark.storage
async def test_what_staff_drop_is_gone_and_asked_by_no_colleague(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    await mailbox.send(web, email="x@mailinator.com", first_name="Buy pills")
    await mailbox.send(web, email="y@mailinator.com")
    staff = await web.as_staff()
    dropped, kept = await mailbox.sign_ups(ground)
    assert (dropped.state, dropped.doubt) == (SignUpState.SUSPECT, Doubt.DISPOSABLE)
    await staff.post("/staff/people/doubtful", {"signup": str(dropped.id), "act": "drop"})
    await staff.post("/staff/people/doubtful", {"signup": str(dropped.id), "act": "ask"})
    first, second = await mailbox.sign_ups(ground)
    assert (first.state, first.first_name) == (SignUpState.EXPIRED, "")
    assert (second.id, second.state) == (kept.id, SignUpState.SUSPECT)
    assert await mailbox.notices(ground, to="x@mailinator.com") == []
    assert (await doubts.waiting(ground)).counts == {Doubt.DISPOSABLE: 1}


@pytest.mark.settings(
    signup={"disposable": "refuse", "disposable_domains": ["throw.example"],
            "welcome_domains": ["mailinator.com"]}
)  # fmt: skip
async def test_throw_away_addresses_can_be_refused_in_words(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    refused = await mailbox.send(web, email="x@sub.throw.example", lang="es")
    assert refused.status == 422
    assert "direcciones desechables" in refused.text
    assert (await mailbox.send(web, email="x@mailinator.com")).status == 303


async def test_a_slip_is_pointed_out_once_and_whoever_insists_is_believed(
    web: Web, ground: Ground
) -> None:
    await mailbox.topics(ground)
    asked = await mailbox.send(web, email="ana@gmail.con", first_name="Ana")
    assert asked.status == 422
    assert "Did you mean ana@gmail.com?" in asked.text
    assert asked.field("first_name") == "Ana"
    assert asked.field("sure") == "ana@gmail.con"
    assert await mailbox.sign_ups(ground) == []
    meant = await mailbox.send(
        web, email="ana@gmail.con", sure="ana@gmail.con", use="ana@gmail.com"
    )
    assert meant.status == 303
    assert await mailbox.person(ground, "ana@gmail.com") is not None
    assert (await mailbox.send(web, email="ben@gmial.com", sure="ben@gmial.com")).status == 303
    assert await mailbox.person(ground, "ben@gmial.com") is not None
    told = await web.post("/api/public/signups", json={"email": "cy@hotmial.com"})
    assert (told.status, told.json()["suggestion"]) == (422, "cy@hotmail.com")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("a@gmail.con", "a@gmail.com"),
        ("a@gmial.com", "a@gmail.com"),
        ("A.B@yaho.com", "A.B@yahoo.com"),
        ("a@outlook.co", "a@outlook.com"),
        ("a@comcast.ent", "a@comcast.net"),
        ("a@mira.ogr", "a@mira.org"),
        ("a@mail.com", None),
        ("a@hotmail.de", None),
        ("a@yahoo.com.mx", None),
        ("a@coalition.org", None),
        ("a@empresa.com.co", None),
    ],
)
def test_only_what_is_nearly_a_usual_domain_is_a_slip(typed: str, meant: str | None) -> None:
    assert typos.suggestion(addresses.parse(typed)) == meant


@pytest.mark.settings(signup={"answer_after_s": 0.2})
async def test_no_answer_comes_sooner_than_the_slowest_needs(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    loop = asyncio.get_running_loop()
    for fields in ({}, {"homepage": "https://spam.example"}, {"email": "no address"}):
        start = loop.time()
        await mailbox.send(web, **fields)
        assert loop.time() - start >= 0.2


async def test_whoever_is_turned_away_or_trapped_waits_once_as_everybody_does(
    web: Web, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    await mailbox.topics(ground)
    waits: list[float] = []

    async def note(end: float) -> None:
        waits.append(end)

    monkeypatch.setattr(pacing, "wait_until", note)
    await people.subscribed(ground, "bea@example.org")
    known = {"email": "bea@example.org"}
    for fields in ({}, known, {"homepage": "https://spam.example"}, {"email": "no address"}):
        waits.clear()
        await mailbox.send(web, **fields)
        assert len(waits) == 1


@pytest.mark.settings(signup={"challenge_from_per_10_minutes": 3, **QUICK})
async def test_an_attack_that_is_turned_away_is_still_one(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    await mailbox.topics(ground)
    for number in range(3):
        await mailbox.send(web, email=f"p{number}@example.org")
    clock.advance(minutes=50)
    for number in range(3):
        assert (await mailbox.send(web, email=f"q{number}@example.org")).status == 428
    clock.advance(minutes=50)
    assert await work(web) is not None
    clock.advance(minutes=30)
    assert await work(web) is None


async def _email(ground: Ground, subscriber_id: int) -> str:
    async with ground.db.reading() as session:
        return (await session.get_one(Subscriber, subscriber_id)).email
