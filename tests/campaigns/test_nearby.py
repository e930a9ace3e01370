"""What is near its readers: only for them or first for them, from the table to the mail."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from campaigns import compiling, sections, zips
from campaigns.audiences import Audience
from campaigns.block_models import Near
from campaigns.documents import Document
from campaigns.sections import Seen
from foundation import errors
from foundation.accounts.models import Role
from foundation.ground import Ground
from subscribers import recipients
from subscribers.models import SubscriptionState
from templates.plan import Plan
from tests.campaigns import newsroom
from tests.world import mailing, people
from tests.world.smtp import Catcher
from tests.world.web import Web

Deliver = Callable[[], Awaitable[None]]


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("01608", "Worcester, MA 01608"),
        ("01608-1234", "Worcester, MA 01608"),
        ("worcester ,  ma", "Worcester, MA 01609"),
        # A part of a city that mail may name has the city's codes.
        ("Dorchester, MA", "Dorchester, MA 02121"),
        ("Chicopee", "Chicopee, MA 01020"),
    ],
)
async def test_staff_say_where_by_a_code_or_a_town(typed: str, label: str) -> None:
    assert (await zips.named(typed)).label == label


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("99999", "There is no ZIP code 99999."),
        ("Nowhereville", "There is no town “Nowhereville”."),
        ("Worcester", "Worcester, MA; Worcester, NY; Worcester, PA; Worcester, VT"),
    ],
)
async def test_what_is_no_place_or_several_is_said_with_what_to_write(
    typed: str, said: str
) -> None:
    with pytest.raises(errors.Invalid, match=re.escape(said)):
        await zips.named(typed)


async def test_near_is_what_lies_within_so_many_miles() -> None:
    near = await zips.around("01608", 10)
    codes = [near[at : at + 5] for at in range(0, len(near), 5)]
    assert len(codes) == len(set(codes))
    middle = await zips.at("01608")
    for code in ("01609", "01545", "01608"):
        assert code in codes
        assert (await zips.at(code)).miles_from(middle) <= 10
    # Fitchburg, Boston, Springfield
    for code, least in (("01420", 20), ("02108", 35), ("01104", 40)):
        assert code not in codes
        assert least < (await zips.at(code)).miles_from(middle) < least + 10


async def written(ground: Ground, near: Near) -> Document:
    """A list of two places and none, and an event, all heeding who lives near."""
    issue = await newsroom.issue(ground)
    places = {"State": "", "Worcester": "01608", "Lowell": "01852"}
    for name, code in places.items():
        draft = newsroom.news(f"About {name}", key=name.lower(), postal_code=code, miles=10)
        await newsroom.development(ground, issue, draft)
    texts = {"en": {"title": "About the meeting", "place": "City Hall"}}
    event: dict[str, Any] = {"kind": "event", "starts_at": "2026-12-01T18:30", "texts": texts}
    blocks = [
        newsroom.text_block("About all"),
        {
            "kind": "developments",
            "keys": [name.lower() for name in places],
            "near": near.value,
            "texts": {"en": {"title": "About the list"}},
        },
        {**event, "near": near.value, "postal_code": "01852", "miles": 5},
    ]
    return newsroom.written(blocks=blocks)


async def compiled(ground: Ground, document: Document) -> Plan:
    """The English edition's plan."""
    async with ground.db.reading() as session:
        return await compiling.compile_one(ground, session, document, language="en")


def order(part: str) -> list[str]:
    """What a reader sees, in its order."""
    return re.findall(r"About (all|the list|State|Worcester|Lowell|the meeting)\b(?!:)", part)


USUAL = ["all", "the list", "State", "Worcester", "Lowell", "the meeting"]
SEEN = {
    Near.FIRST: {
        "worcester": ["all", "the list", "Worcester", "State", "Lowell", "the meeting"],
        "lowell": ["the meeting", "all", "the list", "Lowell", "State", "Worcester"],
        "far": USUAL,
        "unknown": USUAL,
        "abroad": USUAL,
    },
    Near.ONLY: {
        "worcester": ["all", "the list", "State", "Worcester"],
        "lowell": ["all", "the list", "State", "Lowell", "the meeting"],
        "far": ["all", "the list", "State"],
        "unknown": ["all", "the list", "State"],
        "abroad": ["all", "the list", "State"],
    },
}
CODES = {
    "worcester": "01609-1234",
    "lowell": "01850",
    "far": "02134",
    "unknown": "",
    "abroad": "0160 AB",
}


@pytest.mark.storage
@pytest.mark.parametrize("near", [Near.FIRST, Near.ONLY])
async def test_everybody_gets_what_is_near_to_them_first_or_alone(
    ground: Ground, smtp: Catcher, deliver: Deliver, near: Near
) -> None:
    for name, code in CODES.items():
        await people.subscribed(ground, f"{name}@example.org", postal_code=code)
    plan = await compiled(ground, await written(ground, near))
    topic = await people.topic(ground)
    await mailing.start(ground, topics=[topic.id], plans={"en": plan})
    await deliver()
    for name, seen in SEEN[near].items():
        (received,) = smtp.to(f"{name}@example.org")
        assert order(received.text) == order(received.html) == seen, name
    whole = USUAL if near is Near.FIRST else ["all", "the list", "State"]
    values = dict.fromkeys(plan.slot_names, "")
    assert order(plan.text(values, plan.nobody)) == order(plan.html(values, plan.nobody)) == whole
    assert order(plan.text(values)) == order(plan.html(values)) == USUAL
    assert order(plan.body(values).decode("ascii").partition("text/html")[0]) == USUAL


async def test_a_list_of_what_is_far_from_somebody_leaves_not_even_its_title(
    ground: Ground,
) -> None:
    issue = await newsroom.issue(ground)
    for name, code in (("worcester", "01608"), ("lowell", "01852")):
        draft = newsroom.news(f"About {name}", key=name, postal_code=code, miles=10)
        await newsroom.development(ground, issue, draft)
    block = {
        "kind": "developments",
        "keys": ["worcester", "lowell"],
        "near": "only",
        "texts": {"en": {"title": "About the list"}},
    }
    blocks = [newsroom.text_block("About all"), block]
    plan = await compiled(ground, newsroom.written(blocks=blocks))
    values = dict.fromkeys(plan.slot_names, "")
    for code, seen in (("01852", True), ("02134", False)):
        person = await people.subscribed(ground, f"{code}@example.org", postal_code=code)
        reader = await recipients.one(ground, subscriber_id=person.id)
        assert reader is not None
        text = plan.text(values, plan.answers(reader))
        assert ("About the list" in text) is seen
        assert ("About lowell" in text) is seen
        assert "About worcester" not in text


@pytest.mark.parametrize("near", [Near.FIRST, Near.ONLY])
async def test_the_list_before_sending_counts_who_lives_near(ground: Ground, near: Near) -> None:
    for number, code in enumerate(("01608", "01609-1111", "01852", "02134", "")):
        await people.subscribed(ground, f"r{number}@example.org", postal_code=code)
    await people.subscribed(
        ground, "u@example.org", postal_code="01608", state=SubscriptionState.UNSUBSCRIBED
    )
    document = await written(ground, near)
    topic = await people.topic(ground)
    audience = Audience(topics=[topic.slug])
    async with ground.db.reading() as session:
        found = await sections.count(ground, session, document=document, audience=audience)
    assert list(found.blocks) == [
        Seen(number=2, readers=3, total=5, near=near),
        Seen(number=3, readers=1, total=5, near=near),
    ]


async def test_staff_choose_what_is_near_on_the_forms_of_items_and_blocks(
    ground: Ground, web: Web
) -> None:
    issue = await newsroom.issue(ground)
    editor = await web.as_staff(Role.EDITOR)
    here = f"/staff/issues/{issue.id}/developments/new"
    story = {"happened_on": "2026-10-20", "kind": "news", "headline-en": "About Worcester"}
    place = {"postal_code": "Worcester", "miles": "10"}
    answer = await editor.post(here, story | place)
    assert answer.status == 422
    assert "Worcester, MA; Worcester, NY" in answer.text
    assert (await editor.post(here, story | place | {"miles": "900"})).status == 422
    assert (await editor.post(here, story | {"postal_code": "Worcester, MA"})).status == 303
    page = await editor.get(here.replace("new", "1"))
    assert (page.field("postal_code"), page.field("miles")) == ("01609", "25")

    bulletin = await newsroom.bulletin(ground, newsroom.written(blocks=[]))
    room = f"/staff/bulletins/{bulletin.id}"
    event = {
        "kind": "event",
        "version": "1",
        "starts_at": "2026-12-01T18:30",
        "title-en": "About the meeting",
        "near": "first",
        "miles": "10",
    }
    nowhere = await editor.post(f"{room}/blocks/new", event)
    assert nowhere.status == 422
    unknown = await editor.post(f"{room}/blocks/new", event | {"postal_code": "99999"})
    assert (unknown.status, "There is no ZIP code 99999." in unknown.text) == (422, True)
    kept = await editor.post(f"{room}/blocks/new", event | {"postal_code": "Lowell, MA"})
    assert kept.status == 303
    listed = {"kind": "developments", "version": "2", "near": "only", "keys": "1"}
    assert (await editor.post(f"{room}/blocks/new", listed)).status == 303
    page = await editor.get(room)
    assert "First for people within 10 miles of 0185" in page.text
    assert "What happened at a place is only for people near it" in page.text

    near = await people.subscribed(ground, "near@example.org", postal_code="01608")
    far = await people.subscribed(ground, "far@example.org", postal_code="02134")
    for reader, said in ((near, "for this person"), (far, "not for this person")):
        page = await editor.get(f"{room}/preview?language=en&part=text&reader={reader.id}")
        assert f"near it – {said}" in page.text
        assert ("About Worcester" in page.text) is (reader is near)
