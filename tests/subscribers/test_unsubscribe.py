import asyncio

import aiohttp
import pytest

from foundation.ground import Ground
from subscribers import preferences, unsubscribe
from subscribers.models import SignUpState
from tests.subscribers import mailbox
from tests.subscribers.mailbox import ANA
from tests.world import people
from tests.world.web import Web

BOTH = ("secure-communities", "action-alerts")
ONE_CLICK = b"List-Unsubscribe=One-Click"
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.storage
async def test_one_click_acts_at_once_without_cookie_or_redirect(web: Web, ground: Ground) -> None:
    who = await people.subscribed(ground, ANA, topics=BOTH, language="es")
    path = mailbox.unsubscribe_path(ground, who, delivery=7)
    answer = await web.post(path, ONE_CLICK, headers=URLENCODED)
    assert (answer.status, answer.text) == (200, "Se dio de baja.")
    assert "Set-Cookie" not in answer.headers
    assert set((await mailbox.states(ground)).values()) == {"unsubscribed"}
    (step,) = await mailbox.steps(ground)
    assert (step.step, step.via, step.topics) == ("unsubscribed", "one-click", [])


async def test_one_click_comes_as_multipart_too(web: Web, ground: Ground) -> None:
    who = await people.subscribed(ground, ANA)
    body = aiohttp.FormData(default_to_multipart=True)
    body.add_field("List-Unsubscribe", "One-Click")
    answer = await web.post(mailbox.unsubscribe_path(ground, who), body)
    assert answer.status == 200
    assert await mailbox.states(ground) == {"secure-communities": "unsubscribed"}


async def test_one_click_from_a_mail_about_one_topic_ends_that_topic(
    web: Web, ground: Ground
) -> None:
    who = await people.subscribed(ground, ANA, topics=BOTH)
    topic = await people.topic(ground, "action-alerts")
    path = mailbox.unsubscribe_path(ground, who, topic=topic.id)
    await web.post(path, ONE_CLICK, headers=URLENCODED)
    assert await mailbox.states(ground) == {
        "secure-communities": "confirmed",
        "action-alerts": "unsubscribed",
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"List-Unsubscribe=one-click",
        b"List-Unsubscribe=One-Click&x=1",
        b"list-unsubscribe=One-Click",
        b"x=1",
        b"from=%0d%0a",
    ],
)
async def test_any_other_body_changes_nothing(web: Web, ground: Ground, body: bytes) -> None:
    who = await people.subscribed(ground, ANA)
    answer = await web.post(mailbox.unsubscribe_path(ground, who), body, headers=URLENCODED)
    assert answer.status == 200
    assert "<form" in answer.text
    assert await mailbox.states(ground) == {"secure-communities": "confirmed"}


async def test_a_link_scanner_unsubscribes_nobody(web: Web, ground: Ground) -> None:
    who = await people.subscribed(ground, ANA)
    path = mailbox.unsubscribe_path(ground, who)
    for method in ("GET", "HEAD", "OPTIONS"):
        await web.request(method, path)
    assert await mailbox.states(ground) == {"secure-communities": "confirmed"}
    assert await mailbox.steps(ground) == []


async def test_the_page_asks_in_the_persons_language_and_hides_most_of_the_address(
    web: Web, ground: Ground
) -> None:
    who = await people.subscribed(ground, ANA, topics=BOTH, language="es")
    topic = await people.topic(ground, "action-alerts")
    page = await web.get(mailbox.unsubscribe_path(ground, who, topic=topic.id))
    assert 'lang="es"' in page.text
    assert "a…@example.org" in page.text
    assert ANA not in page.text
    assert 'value="action-alerts" checked' in page.text
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.storage
async def test_one_topic_can_be_ended_with_a_reason(web: Web, ground: Ground) -> None:
    who = await people.subscribed(ground, ANA, topics=BOTH)
    path = mailbox.unsubscribe_path(ground, who)
    done = await web.post(path, {"from": "action-alerts", "reason": "Too many\r\nmails"})
    assert (done.status, "Secure Communities" in done.text) == (200, True)
    assert await mailbox.states(ground) == {
        "secure-communities": "confirmed",
        "action-alerts": "unsubscribed",
    }
    (step,) = await mailbox.steps(ground)
    assert (step.topics, step.reason, step.via) == (["action-alerts"], "Too many\nmails", "link")


async def test_unknown_topics_are_refused(web: Web, ground: Ground) -> None:
    who = await people.subscribed(ground, ANA)
    answer = await web.post(mailbox.unsubscribe_path(ground, who), {"from": "no-such"})
    assert answer.status == 422
    assert await mailbox.states(ground) == {"secure-communities": "confirmed"}


@pytest.mark.storage
async def test_unsubscribing_works_twice_and_at_once(web: Web, ground: Ground) -> None:
    who = await people.subscribed(ground, ANA)
    path = mailbox.unsubscribe_path(ground, who)
    answers = await asyncio.gather(
        *(web.post(path, {"from": "everything"}) for _ in range(3)),
        web.post(path, ONE_CLICK, headers=URLENCODED),
    )
    again = await web.post(path, {"from": "everything"})
    assert {each.status for each in (*answers, again)} == {200}
    assert "/subscribe?lang=en" in again.text
    assert mailbox.kinds(await mailbox.steps(ground)) == ["unsubscribed"]
    assert (await web.get(path)).status == 200


async def test_unsubscribing_works_after_erasure(web: Web, ground: Ground) -> None:
    who = await people.subscribed(ground, ANA)
    path = mailbox.unsubscribe_path(ground, who)
    await preferences.erase(ground, token=mailbox.preferences_path(ground, who).rpartition("/")[2])
    assert (await web.get(path)).status == 200
    assert (await web.post(path, ONE_CLICK, headers=URLENCODED)).status == 200
    assert "Done" in (await web.post(path, {"from": "everything"})).text


async def test_the_mail_that_the_link_was_in_is_kept_with_the_step(ground: Ground) -> None:
    class Mails:
        async def held(self, session: object, *, subscriber_id: int) -> dict[str, object]:
            raise AssertionError((session, subscriber_id))

        async def forget(self, session: object, *, subscriber_id: int) -> None:
            raise AssertionError((session, subscriber_id))

        async def hand_over(self, session: object, *, former_id: int, subscriber_id: int) -> None:
            raise AssertionError((session, former_id, subscriber_id))

        async def dispatch_of(self, _session: object, *, delivery_id: int) -> int | None:
            return {7: 3}.get(delivery_id)

    who = await people.subscribed(ground, ANA)
    token = mailbox.unsubscribe_path(ground, who, delivery=7).rpartition("/")[2]
    done = await unsubscribe.by_token(ground, token=token, via="mailto", elsewhere=[Mails()])
    assert done.has_changed
    (step,) = await mailbox.steps(ground)
    assert (step.dispatch_id, step.via) == (3, "mailto")


async def test_who_leaves_is_not_asked_by_a_mail_that_was_held(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    await mailbox.sign_up(web, ground)
    await mailbox.send(web, topic="action-alerts")
    who = await mailbox.person(ground)
    assert who is not None
    await web.post(mailbox.unsubscribe_path(ground, who), {"from": "everything"})
    found = [each.state for each in await mailbox.sign_ups(ground)]
    assert found == [SignUpState.CONFIRMED, SignUpState.EXPIRED]


@pytest.mark.parametrize(
    ("body", "kind"),
    [(ONE_CLICK, "text/plain"), (b"\xff\xfe=%FF", "application/x-www-form-urlencoded")],
)
async def test_a_body_that_is_no_form_changes_nothing(
    web: Web, ground: Ground, body: bytes, kind: str
) -> None:
    who = await people.subscribed(ground, ANA)
    path = mailbox.unsubscribe_path(ground, who)
    assert (await web.post(path, body, headers={"Content-Type": kind})).status == 422
    assert await mailbox.states(ground) == {"secure-communities": "confirmed"}
