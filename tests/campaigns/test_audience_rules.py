"""Conditions choose exactly whom they say, on both engines, and the counts always add up."""

import random
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from campaigns import audience_rules, audiences, segments
from campaigns.models import Hit, HitKind
from delivery.models import Delivery, DeliveryState, Dispatch
from foundation import errors
from foundation.audit import COMMAND
from foundation.ground import Ground
from subscribers.models import (
    Form,
    Partner,
    SignUp,
    SignUpState,
    Subscriber,
    SubscriberTag,
    SubscriptionState,
)
from tests.world import mailing, people
from tests.world.clock import FakeClock

TOPIC = "secure-communities"
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> FakeClock:
    """Thanksgiving at noon."""
    return FakeClock(NOW)


async def world(ground: Ground) -> Mapping[str, Subscriber]:
    """Ana, Bo, Cy and Di on the topic, each with something of their own; Ed never confirmed."""
    details: dict[str, dict[str, Any]] = {
        "ana": {"postal_code": "01608", "town": "Worcester", "allows_tracking": True},
        "bo": {"postal_code": "017-21", "town": "ashland", "fields": {"trade": "Baker"}},
        "cy": {"postal_code": "90001-1234", "language": "es-MX", "allows_tracking": True},
        "di": {"topics": [TOPIC, "action-alerts"], "town": "Lowell"},
        "ed": {"state": SubscriptionState.PENDING, "town": "Worcester"},
    }
    there = {
        name: await people.subscribed(ground, f"{name}@example.org", **more)
        for name, more in details.items()
    }
    async with ground.db.transaction() as session:
        form = Form(slug="rally", name="Rally", created_at=NOW)
        partner = Partner(key="k", name="Local 26", created_at=NOW)
        session.add_all([form, partner])
        await session.flush()
        for name, state, more in (
            ("ana", SignUpState.CONFIRMED, {"source": "Flyer", "form_id": form.id}),
            ("bo", SignUpState.CONFIRMED, {"partner_id": partner.id}),
            ("di", SignUpState.EXPIRED, {"source": "flyer", "form_id": form.id}),
        ):
            session.add(
                SignUp(
                    subscriber_id=there[name].id,
                    state=state,
                    language="en",
                    created_at=NOW,
                    **more,
                )
            )
        session.add(SubscriberTag(subscriber_id=there["cy"].id, tag="volunteer"))
        for name, days in (("ana", 1), ("bo", 40), ("cy", 91), ("di", 400)):
            await session.execute(
                sa.update(Subscriber)
                .where(col(Subscriber.id) == there[name].id)
                .values(created_at=NOW - timedelta(days))
            )
    return there


async def mailed(ground: Ground, there: Mapping[str, Subscriber]) -> Dispatch:
    """A campaign ten days ago: Ana opened and followed it, a machine opened Cy's, Di's failed.

    Bo agreed to nothing, but once did, so an old click of his is there.
    """
    topic = await people.topic(ground)
    made = await mailing.start(
        ground,
        topics=[topic.id],
        recipients=sa.select(col(Subscriber.id), sa.literal("en")).where(
            col(Subscriber.id).in_([each.id for name, each in there.items() if name != "ed"])
        ),
    )
    then = NOW - timedelta(10)
    async with ground.db.transaction() as session:
        rows = await session.exec(select(Delivery).where(Delivery.dispatch_id == made.id))
        by_person = {row.subscriber_id: row for row in rows}
        for name in ("ana", "bo", "cy", "di"):
            row = by_person[there[name].id]
            row.state = DeliveryState.FAILED if name == "di" else DeliveryState.SENT
            row.sent_at = None if name == "di" else then
        for name, kind, is_human in (
            ("ana", HitKind.OPEN, True),
            ("ana", HitKind.CLICK, True),
            ("cy", HitKind.OPEN, False),
            ("bo", HitKind.CLICK, True),
        ):
            session.add(
                Hit(
                    dispatch_id=made.id,
                    delivery_id=by_person[there[name].id].id,
                    kind=kind,
                    is_human=is_human,
                    at=then,
                )
            )
        await session.execute(sa.update(Dispatch).values(state="sent", finished_at=then))
    return made


async def who(ground: Ground, **rules: Any) -> tuple[str, Mapping[str, int]]:
    """The names of those who get it, and why others don't; everybody is counted once."""
    audience = audiences.parse({"topics": [TOPIC]} | rules)
    counted = await audiences.count(ground, audience, languages=["en", "es"])
    chosen = await audiences.sample(ground, audience, limit=50)
    assert counted.included == len(chosen) == sum(counted.by_language.values())
    assert counted.included + sum(counted.excluded.values()) == 5
    assert set(counted.excluded) <= set(audiences.EXCLUSIONS)
    names = " ".join(sorted(each.email.partition("@")[0] for each in chosen))
    return names, counted.excluded


CHOSEN: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"kind": "topic", "topics": ["action-alerts"]}, "di", "other-topic"),
    ({"kind": "language", "languages": ["es"]}, "cy", "other-language"),
    ({"kind": "postal-code", "codes": ["016", "017 21"]}, "ana bo", "elsewhere"),
    ({"kind": "town", "towns": ["Ashland", "LOWELL"]}, "bo di", "elsewhere"),
    ({"kind": "near", "place": "Worcester, MA", "miles": 25}, "ana bo", "elsewhere"),
    ({"kind": "near", "place": "10001", "miles": 250}, "ana bo", "elsewhere"),
    ({"kind": "source", "sources": ["flyer"]}, "ana", "other-source"),
    ({"kind": "form", "forms": ["rally"]}, "ana", "other-source"),
    ({"kind": "partner", "partners": [1]}, "bo", "other-source"),
    ({"kind": "tag", "tags": ["Volunteer"]}, "cy", "other-tag"),
    ({"kind": "field", "name": "trade", "values": ["baker"]}, "bo", "other-field"),
    ({"kind": "joined", "last_days": 90}, "ana bo", "other-time"),
    ({"kind": "joined", "since": "2026-08-27", "before": "2026-10-18"}, "bo cy", "other-time"),
    ({"kind": "received", "last": 1}, "ana bo cy", "did-not-get-it"),
    ({"kind": "opened", "campaigns": [1]}, "ana", "not-seen"),
    ({"kind": "clicked", "last": 3}, "ana", "not-seen"),
    ({"kind": "counted"}, "ana cy", "not-counted"),
    ({"kind": "not-mailed", "days": 9}, "ana bo cy di", ""),
    ({"kind": "not-mailed", "days": 11}, "di", "mailed-lately"),
)


@pytest.mark.storage
async def test_each_condition_chooses_whom_it_says_and_turned_round_all_others(
    ground: Ground,
) -> None:
    await mailed(ground, await world(ground))
    everybody = {"ana", "bo", "cy", "di"}
    for condition, expected, reason in CHOSEN:
        kind = condition["kind"]
        left_out = 4 - len(expected.split())
        reasons = {"pending": 1, **({reason: left_out} if left_out else {})}
        assert await who(ground, all_of=[condition]) == (expected, reasons), kind
        others = " ".join(sorted(everybody - set(expected.split())))
        assert (await who(ground, none_of=[condition]))[0] == others, kind


@pytest.mark.storage
async def test_groups_hold_together_and_everybody_counts_under_the_first_reason(
    ground: Ground,
) -> None:
    await mailed(ground, await world(ground))
    rules = {
        "all_of": [{"kind": "joined", "last_days": 100}],
        "any_of": [
            {"kind": "town", "towns": ["Worcester"]},
            {"kind": "language", "languages": ["es"]},
        ],
        "none_of": [{"kind": "clicked", "last": 1}],
    }
    assert await who(ground, **rules) == (
        "cy",
        {"pending": 1, "other-time": 1, "fits-none": 1, "ruled-out": 1},
    )
    # Di joined long ago, and fits what is asked after that.
    rules["any_of"] = [{"kind": "town", "towns": ["Worcester", "Lowell"]}]
    assert await who(ground, **rules) == (
        "",
        {"pending": 1, "other-time": 1, "fits-none": 2, "ruled-out": 1},
    )


def first_reason(name: str, rules: Mapping[str, list[tuple[str, str, str]]]) -> str:
    """Why somebody is left out, told without a database; blank for who is in."""
    for _, expected, reason in rules["all_of"]:
        if name not in expected.split():
            return reason
    if rules["any_of"] and not any(name in each.split() for _, each, _ in rules["any_of"]):
        return "fits-none"
    for kind, expected, _ in rules["none_of"]:
        if name in expected.split():
            return "got-it-already" if kind == "received" else "ruled-out"
    return ""


@pytest.mark.storage
async def test_whatever_is_combined_everybody_is_counted_once_as_if_told_by_hand(
    ground: Ground,
) -> None:
    there = await world(ground)
    await mailed(ground, there)
    await people.speaks_for_a_member(ground, there["di"])
    lowell = audience_rules.Rules(all_of=[audience_rules.Town(towns=["Lowell"])])
    segment = await segments.create(ground, actor=COMMAND, name="Around", rules=lowell)
    known = (
        *CHOSEN,
        ({"kind": "member"}, "di", "not-a-member"),
        ({"kind": "segment", "segment": segment.id}, "di", "not-in-segment"),
    )
    chance = random.Random(18)
    for _ in range(10):
        drawn = {
            group: chance.sample(known, chance.randint(0, most))
            for group, most in (("all_of", 2), ("any_of", 3), ("none_of", 2))
        }
        told = {
            group: [(each[0]["kind"], each[1], each[2]) for each in drawn[group]] for group in drawn
        }
        reasons = {name: first_reason(name, told) for name in ("ana", "bo", "cy", "di")}
        expected = Counter(each for each in reasons.values() if each) + Counter(["pending"])
        topics = [TOPIC, "action-alerts"] if chance.random() < 0.5 else [TOPIC]
        rules = {group: [each[0] for each in drawn[group]] for group in drawn}
        names, excluded = await who(ground, topics=topics, **rules)
        assert names == " ".join(name for name, reason in reasons.items() if not reason), rules
        assert dict(excluded) == dict(expected), rules


@pytest.mark.storage
async def test_what_is_on_its_way_counts_as_mailed(ground: Ground) -> None:
    there = await world(ground)
    made = await mailed(ground, there)
    async with ground.db.transaction() as session:
        await session.execute(sa.update(Dispatch).values(state="sending", finished_at=None))
        await session.execute(
            sa.update(Delivery)
            .where(
                col(Delivery.dispatch_id) == made.id,
                col(Delivery.subscriber_id) == there["di"].id,
            )
            .values(state=DeliveryState.DEFERRED)
        )
    assert (await who(ground, all_of=[{"kind": "not-mailed", "days": 9}]))[0] == "ana bo cy"


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"people": []}, "“people”, which is not known here. Known are: topics"),
        ({"all_of": [{"kind": "shoe-size"}]}, r"no known kind \(all_of\[1\]\)"),
        (
            {"none_of": [{"kind": "tag", "tags": ["x"], "not": 1}]},
            r"“none_of\[1\].not”.*kind, tags",
        ),
        ({"any_of": [{"kind": "joined"}]}, "say since when"),
        ({"any_of": [{"kind": "joined", "since": "0001-01-01"}]}, r"any_of\[1\].since"),
        ({"all_of": [{"kind": "tag", "tags": []}]}, r"all_of\[1\].tags"),
        ({"all_of": [{"kind": "field", "name": "visa_status", "values": ["x"]}]}, "immigration"),
        ({"all_of": [{"kind": "tag", "tags": ["Indocumentada"]}]}, "immigration"),
        ({"all_of": [{"kind": "segment", "segment": 7}]}, "There is no segment 7"),
        ({"all_of": [{"kind": "form", "forms": ["moon"]}]}, "There is no form “moon”"),
        ({"all_of": [{"kind": "partner", "partners": [9]}]}, "There is no partner 9"),
        ({"all_of": [{"kind": "opened", "campaigns": [9]}]}, "Campaign 9 was not sent"),
        ({"all_of": [{"kind": "near", "place": "Nowhere, ZZ"}]}, "There is no town"),
    ],
)
async def test_what_is_wrong_is_said_with_its_place(
    ground: Ground, rules: dict[str, Any], said: str
) -> None:
    with pytest.raises(errors.Invalid, match=said):
        await audiences.count(ground, audiences.parse({"topics": [], **rules}), languages=["en"])
