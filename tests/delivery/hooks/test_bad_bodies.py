"""Bodies that are empty, broken, enormous or made up: never a 500, never half of an effect."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

import hypothesis
import pytest
import sqlalchemy as sa
from hypothesis import strategies as st
from sqlmodel import select

from delivery import returns
from delivery.hooks import backlog, payload, state
from delivery.message import MessageIds
from delivery.models import Delivery, Return
from delivery.returns import Event
from foundation import errors
from foundation.ground import Ground
from subscribers.models import Suppression
from tests.delivery.hooks import calling, parts
from tests.delivery.hooks.conftest import Door, Hooks
from tests.delivery.hooks.parts import Mail, Sent
from tests.world import estate, mailing, people
from tests.world.clock import FakeClock

ANA = Mail(address="ana@example.org")
HEADERS = {"Content-Type": "application/json"}


def signed(name: str, body: bytes, at: datetime) -> Sent:
    """Any octets, with a proof by whoever has the keys."""
    caller = calling.BY_NAME[name]
    said = str(int(at.timestamp()))
    if name == "sendgrid":
        signature = parts.sign_ec(said.encode() + body)
        more = {
            "X-Twilio-Email-Event-Webhook-Signature": signature,
            "X-Twilio-Email-Event-Webhook-Timestamp": said,
        }
    elif name == "postal":
        more = {"X-Postal-Signature-256": parts.sign_rsa(body)}
    elif name == "resend":
        secret = base64.b64decode(parts.SVIX.removeprefix("whsec_"))
        mac = hmac.digest(secret, f"msg_1.{said}.".encode() + body, hashlib.sha256)
        more = {
            "svix-id": "msg_1",
            "svix-timestamp": said,
            "svix-signature": f"v1,{parts.based(mac)}",
        }
    else:
        more = dict(caller.call(at=at).headers)
    return Sent(headers={**HEADERS, **more}, body=body)


BROKEN = {
    "half": b'{"a": [1, ',
    "text": b"hello",
    "form": b"a=b&c=d",
    "no UTF-8": b'{"a": "\xff\xfe"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "a number": b"17",
    "a long number": b'{"a": ' + b"9" * 5_000 + b"}",
    "null": b"null",
    "a text": b'"x"',
    "two": b"{} {}",
    "NUL": b"\x00",
}


async def test_a_body_that_is_broken_is_refused_with_400_and_nothing_is_kept(
    ground: Ground, door: Door, clock: FakeClock
) -> None:
    await people.subscribed(ground, ANA.address)
    before = await estate.rows(ground, without=frozenset({"hook_status"}))
    for name in calling.BY_NAME:
        for how, body in BROKEN.items():
            answer = await door.post(name, signed(name, body, clock.now()))
            assert answer.status == 400, (name, how)
            assert answer.headers["Content-Type"].startswith("application/problem+json"), how
            assert "JSON" in answer.json()["detail"]
    assert await estate.rows(ground, without=frozenset({"hook_status"})) == before


async def test_an_empty_body_is_taken_where_it_can_be_proven_and_says_nothing(
    door: Door, clock: FakeClock
) -> None:
    for name in calling.BY_NAME:
        for body in (b"", b" \r\n", b"[]"):
            answer = await door.post(name, signed(name, body, clock.now()))
            # These two have their proof in the body.
            assert answer.status == (403 if name in ("ses", "mailgun") else 200), name
            if answer.status == 200:
                assert (answer.json()["taken"], answer.json()["repeated"]) == (0, 0)


def unsigned(name: str, item: Any) -> bytes:
    """The body that an item comes in, without what proves it."""
    if name == "mailgun":
        return json.dumps({"event-data": item}).encode()
    if name == "ses":
        return json.dumps({"Type": "Notification", "Message": json.dumps(item)}).encode()
    return json.dumps([item] if name == "sendgrid" else item).encode()


ODD: tuple[Any, ...] = (
    *(None, 7, -1.5e300, True, "", "\ud800\x00\r\nX: y", "x" * 5_000),
    *([], {}, [[]]),
)


def mutations(item: Any) -> list[Any]:
    """A good item with one field after the other made something else, at every depth."""
    found: list[Any] = []
    if isinstance(item, dict):
        for key, value in item.items():
            found += [{**item, key: odd} for odd in ODD]
            found.append({name: each for name, each in item.items() if name != key})
            found += [{**item, key: other} for other in mutations(value)]
    if isinstance(item, list):
        found += [[*item, *item], [*item, None, 7, "x", {}]]
        found += [[other] for each in item for other in mutations(each)]
    return found


@pytest.mark.storage
async def test_whatever_a_field_holds_it_is_understood_or_ignored_and_can_be_kept(
    ground: Ground, hooks: Hooks
) -> None:
    await people.subscribed(ground, ANA.address)
    for caller in calling.ALL:
        good = (caller.hard(ANA), caller.complaint(ANA), caller.delayed(ANA), caller.left(ANA))
        odd = [other for item in good if item is not None for other in mutations(item)]
        events: list[Event] = []
        for item in odd:
            body = unsigned(caller.NAME, item)
            events += filter(None, hooks[caller.NAME].hook.read(body, "msg_1"))
        assert len(events) > 50
        # What differs in the database is what a text may hold, so some of them do.
        some = events[::20]
        done = await returns.take_events(ground, some)
        assert done.new + done.repeated + done.unknown == len(some)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@hypothesis.given(body=st.binary(max_size=200) | json_values.map(lambda v: json.dumps(v).encode()))
@hypothesis.settings(max_examples=60, deadline=None)
def test_any_octets_are_read_or_refused(body: bytes) -> None:
    try:
        found = payload.parse(body)
    except errors.Invalid:
        return
    seen = [found, *found.each()]
    for each in seen:
        for name in ("", "a", "name"):
            field = each[name]
            assert "\x00" not in field.text
            field.text.encode()
            assert field.number is None or isinstance(field.number, int)
            assert field.moment is None or field.moment.tzinfo is not None
            assert isinstance(field.headers, dict)
        assert isinstance(each.evidence, bytes)


def test_a_text_is_one_line_that_any_database_takes() -> None:
    for value, text in (
        ("a\x00b\r\nBcc: c", "a b Bcc: c"),
        ("\ud83d half a pair \udc00", "? half a pair ?"),
        ("x" * 9_000, "x" * 500),
        (17, "17"),
        (True, ""),
        (None, ""),
        (["a"], ""),
    ):
        assert payload.parse(json.dumps({"a": value}).encode())["a"].text == text


@hypothesis.given(value=json_values)
@hypothesis.settings(max_examples=60, deadline=None)
def test_any_value_has_a_text_a_number_and_a_moment_or_none(value: Any) -> None:
    field = payload.Fields(value)
    field.text.encode()
    assert field.moment is None or field.moment.tzinfo is not None
    assert field.number is None or field.number >= 0


async def crowd(ground: Ground, size: int) -> list[Mail]:
    """So many people, and a bulletin that each of them got."""
    topic = await mailing.crowd(ground, size)
    await mailing.start(ground, topics=[topic])
    async with ground.db.transaction() as session:
        await session.execute(sa.update(Delivery).values(state="sent", sent_at=ground.clock.now()))
    ids = MessageIds(ground)
    return [
        Mail(address=mailing.address(number), message_id=ids(f"c:1:{number}"))
        for number in range(1, size + 1)
    ]


async def test_ten_thousand_events_in_one_body_are_kept_at_once_and_acted_on_soon(
    ground: Ground, door: Door, clock: FakeClock
) -> None:
    mails = await crowd(ground, 100)
    caller = calling.BY_NAME["sendgrid"]
    hard = [caller.hard(mail) for mail in mails[:50]]
    soft = [caller.soft(mail) for mail in mails[50:]]
    strangers = [Mail(address=f"nobody{each}@elsewhere.example") for each in range(20)]
    events = [*hard, *soft, *hard, *(caller.hard(mail) for mail in strangers)]
    events += [caller.delivered(mails[each % 100]) for each in range(10_000 - len(events))]
    sent = caller.call(*events, at=clock.now())
    answer = await door.post("sendgrid", sent)
    assert (answer.status, answer.json()["is_waiting"]) == (200, True)
    assert await told(ground) == {"waiting": 1, "taken": 0, "repeated": 0, "ignored": 0}
    await backlog.work(ground)
    assert await told(ground) == {"waiting": 0, "taken": 100, "repeated": 50, "ignored": 9_850}
    assert (await mailing.counts(ground)).bounced == {"hard": 50, "soft": 50, "block": 0}
    async with ground.db.reading() as session:
        assert len((await session.exec(select(Suppression.id))).all()) == 50
        assert len((await session.exec(select(Return.id))).all()) == 100


async def test_whoever_takes_a_waiting_call_over_goes_on_where_it_was_left(
    ground: Ground, door: Door, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    mails = await crowd(ground, 120)
    caller = calling.BY_NAME["sendgrid"]
    sent = caller.call(*(caller.soft(mail) for mail in mails), at=clock.now())
    assert (await door.post("sendgrid", sent)).json()["is_waiting"]
    take, groups = returns.take_events, []

    async def take_once(on: Ground, events: Sequence[Event]) -> returns.Taken:
        groups.append(len(events))
        if len(groups) == 2:
            raise errors.Busy("The disk is full.")
        return await take(on, events)

    monkeypatch.setattr(returns, "take_events", take_once)
    with pytest.raises(errors.Busy):
        await backlog.work(ground)
    await backlog.work(ground)
    assert groups == [50, 50], "its lease holds"
    clock.advance(minutes=3)
    await backlog.work(ground)
    assert groups == [50, 50, 50, 20]
    assert (await mailing.counts(ground)).bounced["soft"] == 120
    assert (await told(ground))["waiting"] == 0


async def test_of_two_schedulers_one_has_a_waiting_call(
    ground: Ground, door: Door, clock: FakeClock
) -> None:
    mails = await crowd(ground, 60)
    caller = calling.BY_NAME["sendgrid"]
    sent = caller.call(*(caller.soft(mail) for mail in mails), at=clock.now())
    await door.post("sendgrid", sent)
    await asyncio.gather(*(backlog.work(ground) for _ in range(4)))
    assert await told(ground) == {"waiting": 0, "taken": 60, "repeated": 0, "ignored": 0}


async def told(ground: Ground) -> dict[str, int]:
    """What staff see of SendGrid."""
    async with ground.db.reading() as session:
        found = {each.name: each for each in await state.read(ground, session)}["sendgrid"]
    return {name: getattr(found, name) for name in ("waiting", "taken", "repeated", "ignored")}


@pytest.mark.settings(
    webhook_source=calling.sources(), server={"max_webhook_bytes": 50_000, "max_body_bytes": 20_000}
)
async def test_a_body_over_the_limit_is_refused_whether_or_not_it_says_how_long_it_is(
    door: Door, clock: FakeClock
) -> None:
    caller = calling.BY_NAME["postmark"]
    sent = caller.call(caller.delivered(ANA) | {"Content": "x" * 60_000}, at=clock.now())
    assert (await door.post("postmark", sent)).status == 413

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(sent.body), 1_000):
            yield sent.body[start : start + 1_000]

    answer = await door.web.post("/hooks/postmark", pieces(), headers={**sent.headers})
    assert (answer.status, answer.json()["status"]) == (413, 413)
    wide = caller.call(caller.delivered(ANA) | {"Content": "x" * 30_000}, at=clock.now())
    assert (await door.post("postmark", wide)).status == 200


async def test_other_methods_are_refused_as_programs_expect(door: Door) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = await door.web.request(method, "/hooks/ses")
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
        assert answer.json()["status"] == 405
