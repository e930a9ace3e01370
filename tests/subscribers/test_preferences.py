import json

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from campaigns.models import Hit
from delivery.models import Delivery, Dispatch, QueuedNotice, Return
from foundation.audit import AuditEntry
from foundation.ground import Ground
from foundation.notices import Notice
from subscribers import suppression
from subscribers.models import (
    Consent,
    SignUp,
    Subscriber,
    SubscriptionState,
    Suppression,
    SuppressionReason,
    Wording,
)
from tests.subscribers import mailbox
from tests.subscribers.mailbox import ANA
from tests.world import people
from tests.world.web import Answer, Web

BOTH = ("secure-communities", "action-alerts")


async def save(web: Web, path: str, **fields: object) -> Answer:
    base = {"action": "save", "lang": "en", "topic": list(BOTH)}
    return await web.post(path, {**base, **fields})


@pytest.mark.storage
async def test_topics_language_and_name_are_kept(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    who = await people.subscribed(ground, ANA, first_name="Ana")
    path = mailbox.preferences_path(ground, who)
    answer = await save(web, path, lang="es", first_name="Anita", topic=["action-alerts"])
    assert answer.status == 303
    page = await web.get(answer.location)
    assert 'lang="es"' in page.text
    assert page.field("first_name") == "Anita"
    assert await mailbox.states(ground) == {
        "secure-communities": "unsubscribed",
        "action-alerts": "confirmed",
    }
    (step,) = await mailbox.steps(ground)
    assert (step.step, step.topics, step.via) == (
        "topics-changed",
        ["action-alerts"],
        "preferences",
    )
    assert step.wording_id is not None
    assert await mailbox.notices(ground) == []


async def test_unticking_everything_unsubscribes(web: Web, ground: Ground) -> None:
    who = await people.subscribed(ground, ANA, topics=BOTH)
    await save(web, mailbox.preferences_path(ground, who), topic=[])
    assert set((await mailbox.states(ground)).values()) == {"unsubscribed"}
    assert mailbox.kinds(await mailbox.steps(ground)) == ["unsubscribed"]


async def test_who_left_everything_comes_back_by_confirming_only(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    who = await people.subscribed(ground, ANA, state=SubscriptionState.UNSUBSCRIBED)
    path = mailbox.preferences_path(ground, who)
    answer = await save(web, path, topic=["secure-communities"])
    assert answer.location.endswith("?saved=asked")
    assert await mailbox.states(ground) == {"secure-communities": "unsubscribed"}
    await web.post(await mailbox.confirm_url(ground), {})
    assert await mailbox.states(ground) == {"secure-communities": "confirmed"}


@pytest.mark.storage
async def test_tracking_is_off_until_allowed_and_has_words_of_its_own(
    web: Web, ground: Ground
) -> None:
    who = await people.subscribed(ground, ANA)
    path = mailbox.preferences_path(ground, who)
    assert (
        'name="allows_tracking" type="checkbox" value="1" checked' not in (await web.get(path)).text
    )
    mine = ["secure-communities"]
    await save(web, path, topic=mine, allows_tracking="1")
    await save(web, path, topic=mine, allows_tracking="1")
    await save(web, path, topic=mine)
    found = await mailbox.steps(ground)
    assert mailbox.kinds(found) == ["tracking-allowed", "tracking-refused"]
    async with ground.db.reading() as session:
        wording = await session.get(Wording, found[0].wording_id)
    assert wording is not None
    assert (wording.key, wording.version) == ("tracking", 1)


async def test_the_page_says_who_has_the_address_and_why(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    await mailbox.sign_up(web, ground)
    who = await mailbox.person(ground)
    assert who is not None
    page = await web.get(mailbox.preferences_path(ground, who))
    for words in (
        "Bay State Coalition has it",
        "we ask by mail whether it was you",
        "You confirmed with the link in our mail",
        "By pressing the button you agree",
        "Nov 2, 2026",
    ):
        assert words in page.text
    assert page.headers["Cache-Control"] == "no-store"


async def test_looking_changes_nothing(web: Web, ground: Ground) -> None:
    who = await people.subscribed(ground, ANA)
    path = mailbox.preferences_path(ground, who)
    for query in ("", "?saved=1", "?action=erase-now", "?action=save", "?action=download"):
        answer = await web.get(path + query)
        assert (answer.status, answer.headers["Content-Type"][:9]) == (200, "text/html")
        await web.request("HEAD", path + query)
    assert (await web.post(path, {"action": "nothing"})).status == 200
    assert await mailbox.states(ground) == {"secure-communities": "confirmed"}
    assert await mailbox.steps(ground) == []


async def test_the_hidden_topic_of_members_shows_to_who_has_it(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground, "secure-communities", "coalition-members")
    other = await people.subscribed(ground, "other@example.org")
    member = await people.subscribed(
        ground, ANA, topics=("secure-communities", "coalition-members")
    )
    assert "coalition-members" not in (await web.get(mailbox.preferences_path(ground, other))).text
    assert "coalition-members" in (await web.get(mailbox.preferences_path(ground, member))).text
    sneaky = await save(web, mailbox.preferences_path(ground, other), topic=["coalition-members"])
    assert sneaky.status == 422
    assert await mailbox.states(ground, "other@example.org") == {"secure-communities": "confirmed"}


@pytest.mark.storage
async def test_everything_held_can_be_taken_along(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    await mailbox.sign_up(web, ground, first_name="Ana", source="poster", tag="fair")
    who = await mailbox.person(ground)
    assert who is not None
    answer = await web.post(mailbox.preferences_path(ground, who), {"action": "download"})
    assert answer.headers["Content-Disposition"].startswith("attachment")
    held = answer.json()
    assert held["person"]["email"] == ANA
    assert held["tags"] == ["fair"]
    assert held["topics"][0]["state"] == "confirmed"
    assert [step["step"] for step in held["consent"]] == ["asked", "confirmed"]
    assert held["consent"][0]["network"] == "127.0.0.0/24"
    assert "Bay State Coalition" in held["consent"][0]["words"]
    assert held["sign_ups"][0]["source"] == "poster"


@pytest.mark.storage
async def test_erasing_asks_once_more_and_leaves_no_address(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    await mailbox.sign_up(web, ground, first_name="Ana")
    who = await mailbox.person(ground)
    assert who is not None
    path = mailbox.preferences_path(ground, who)
    asked = await web.post(path, {"action": "erase"})
    assert "a…@example.org" in asked.text
    assert await mailbox.person(ground) is not None
    done = await web.post(path, {"action": "erase-now"})
    assert done.status == 200
    async with ground.db.reading() as session:
        for table in (Subscriber, Consent, SignUp, QueuedNotice):
            assert (
                await session.execute(sa.select(sa.func.count()).select_from(table))
            ).scalar() == 0
        (left,) = (await session.exec(select(Suppression))).all()
        audited = (await session.exec(select(AuditEntry))).all()
    assert (left.reason, left.subscriber_id) == ("erased", None)
    assert ANA not in json.dumps([entry.model_dump(mode="json") for entry in audited])
    assert (await web.post(path, {"action": "erase-now"})).status == 200
    assert (await web.get(path)).status == 404


@pytest.mark.storage
async def test_who_was_erased_may_come_back_by_confirming(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    await mailbox.sign_up(web, ground)
    who = await mailbox.person(ground)
    assert who is not None
    await web.post(mailbox.preferences_path(ground, who), {"action": "erase-now"})
    ground.clock.advance(days=1)  # type: ignore[attr-defined]
    await mailbox.send(web)
    async with ground.db.reading() as session:
        assert await suppression.is_active(ground, session, email_key=ANA)
        blocked = suppression.is_active_for(col(Subscriber.id))
        assert len((await session.execute(sa.select(col(Subscriber.id)).where(blocked))).all()) == 1
    await web.post(await mailbox.confirm_url(ground), {})
    async with ground.db.reading() as session:
        assert not await suppression.is_active(ground, session, email_key=ANA)
    assert mailbox.kinds(await mailbox.steps(ground)) == ["asked", "lifted", "confirmed"]


async def test_a_queued_notice_goes_with_the_person(web: Web, ground: Ground) -> None:
    who = await people.subscribed(ground, ANA)
    async with ground.db.transaction() as session:
        await ground.notices.queue(
            session, Notice(kind="welcome", to=ANA, language="en", subscriber_id=who.id)
        )
    await web.post(mailbox.preferences_path(ground, who), {"action": "erase-now"})
    assert await mailbox.notices(ground, "welcome") == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("first_name", "Ana\r\nBcc: x@example.org"),
        ("last_name", "x" * 101),
        ("lang", "xx"),
        ("lang", ""),
        ("topic", "no-such-topic"),
    ],
)
async def test_wrong_wishes_are_told_and_nothing_is_lost(
    web: Web, ground: Ground, field: str, value: str
) -> None:
    await mailbox.topics(ground)
    who = await people.subscribed(ground, ANA, first_name="Ana")
    path = mailbox.preferences_path(ground, who)
    answer = await save(web, path, **{"postal_code": "02108", field: value})
    assert answer.status == 422
    assert 'role="alert"' in answer.text
    assert answer.field("postal_code") == "02108"
    unchanged = await mailbox.person(ground)
    assert unchanged is not None
    assert (unchanged.first_name, unchanged.postal_code) == ("Ana", "")
    assert await mailbox.states(ground) == {"secure-communities": "confirmed"}


async def test_a_suppressed_person_is_told_why_nothing_comes(web: Web, ground: Ground) -> None:
    who = await people.subscribed(ground, ANA)
    async with ground.db.transaction() as session:
        await suppression.add(
            ground,
            session,
            subscriber_id=who.id,
            reason=SuppressionReason.HARD_BOUNCE,
            via="bounce",
        )
    page = await web.get(mailbox.preferences_path(ground, who))
    assert "this mailbox does not exist" in page.text


async def mailed(ground: Ground, who: Subscriber) -> Delivery:
    """A bulletin that went to somebody, was opened, and came back as well."""
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        dispatch = Dispatch(
            campaign_id=1,
            name="November",
            state="sent",
            from_name="Bay State Coalition",
            from_address="bulletin@coalition.example",
            default_language="en",
            started_at=now,
        )
        session.add(dispatch)
        await session.flush()
        delivery = Delivery(
            dispatch_id=dispatch.id,
            subscriber_id=who.id,
            language="en",
            state="sent",
            due_at=now,
            sent_at=now,
            reply_text=f"taken for {ANA}",
        )
        session.add(delivery)
        await session.flush()
        session.add(
            Hit(
                dispatch_id=dispatch.id, delivery_id=delivery.id, kind="open", is_human=True, at=now
            )
        )
        session.add(
            Return(
                delivery_id=delivery.id,
                subscriber_id=who.id,
                kind="soft",
                reason=f"{ANA}: mailbox full",
                evidence=ANA.encode(),
                digest="1",
                received_at=now,
            )
        )
    return delivery


@pytest.mark.storage
async def test_mails_and_hits_are_taken_along_and_forgotten_too(web: Web, ground: Ground) -> None:
    who = await people.subscribed(ground, ANA)
    delivery = await mailed(ground, who)
    path = mailbox.preferences_path(ground, who)
    held = (await web.post(path, {"action": "download"})).json()
    assert held["mails"][0]["subject"] == "November"
    assert held["returned"][0]["kind"] == "soft"
    assert held["opened_and_followed"][0]["kind"] == "open"
    await web.post(path, {"action": "erase-now"})
    async with ground.db.reading() as session:
        left = await session.get(Delivery, delivery.id)
        (returned,) = (await session.exec(select(Return))).all()
        assert (await session.exec(select(Hit))).all() == []
    assert left is not None
    assert (left.subscriber_id, left.state, left.reply_text) == (None, "sent", "")
    assert (returned.evidence, returned.reason) == (None, "")


@pytest.mark.storage
async def test_an_unsubscription_counts_for_the_bulletin_that_its_link_was_in(
    web: Web, ground: Ground
) -> None:
    who = await people.subscribed(ground, ANA)
    delivery = await mailed(ground, who)
    link = mailbox.unsubscribe_path(ground, who, delivery=delivery.id)
    await web.post(link, {"from": "everything"})
    (step,) = await mailbox.steps(ground)
    assert step.dispatch_id == delivery.dispatch_id
