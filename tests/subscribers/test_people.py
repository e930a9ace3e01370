from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from delivery.models import QueuedNotice
from foundation import audit, errors
from foundation.audit import AuditEntry
from foundation.ground import Ground
from foundation.notices import Notice
from subscribers import applying, erasing, finding, mending, suppression
from subscribers import people as folk
from subscribers.finding import Query, Standing
from subscribers.models import (
    Consent,
    MemberContact,
    Subscriber,
    SubscriberTag,
    Subscription,
    SubscriptionState,
    SuppressionReason,
)
from tests.world import people


async def found(ground: Ground, query: Query) -> list[str]:
    result = await finding.search(ground, query=query)
    assert result.total == len(result.rows)
    return [row.subscriber.email for row in result.rows]


async def tag(ground: Ground, person: Subscriber, word: str) -> None:
    async with ground.db.transaction() as session:
        session.add(SubscriberTag(subscriber_id=person.id, tag=word))


@pytest.mark.storage
async def test_people_are_found_by_what_is_known_of_them(ground: Ground) -> None:
    await people.subscribed(
        ground, "Ana.Ruiz@Example.org", first_name="Ana", last_name="Ruiz", town="Lynn"
    )
    await people.subscribed(ground, "ben@example.net", first_name="Ben", postal_code="02139")
    for text in ("ana", "RUIZ", "lynn", "example.org", "ruiz lynn"):
        assert await found(ground, Query(text=text)) == ["Ana.Ruiz@example.org"], text
    assert await found(ground, Query(text="021")) == ["ben@example.net"]
    assert await found(ground, Query(text="139")) == []
    assert await found(ground, Query(text="ruiz ben")) == []


@pytest.mark.storage
async def test_the_same_people_are_found_whether_they_are_few_or_many(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        await people.subscribed(ground, f"p{number}@example.org")
    async with ground.db.transaction() as session:
        session.add(SubscriberTag(subscriber_id=1, tag="north"))
        for number, state in ((2, SubscriptionState.PENDING), (3, SubscriptionState.UNSUBSCRIBED)):
            await session.execute(
                sa.update(Subscription)
                .where(col(Subscription.subscriber_id) == number)
                .values(state=state.value)
            )
        by_hand = SuppressionReason.BY_HAND
        await suppression.add(ground, session, subscriber_id=4, reason=by_hand, via="staff")
    wanted = {
        Query(tag="north"): [1],
        Query(standing=Standing.PENDING): [2],
        Query(standing=Standing.UNSUBSCRIBED): [3],
        Query(standing=Standing.SUPPRESSED): [4],
        Query(standing=Standing.CONFIRMED): [6, 5, 1],
        Query(topic="secure-communities", standing=Standing.UNSUBSCRIBED): [3],
        Query(topic="secure-communities"): [6, 5, 4, 3, 2, 1],
        Query(topic="elsewhere"): [],
    }
    for few in (0, 20_000):
        monkeypatch.setattr(finding, "_FEW", few)
        for query, numbers in wanted.items():
            result = await finding.search(ground, query=query)
            assert [row.subscriber.id for row in result.rows] == numbers, (few, query)
    monkeypatch.setattr(finding, "COUNTED", 2)
    result = await finding.search(ground, query=Query())
    assert (result.total, result.is_more, len(result.rows)) == (2, True, 6)


@pytest.mark.storage
async def test_signs_that_mean_something_to_the_database_are_looked_for_as_they_are(
    ground: Ground,
) -> None:
    await people.subscribed(ground, "ana@example.org")
    assert await found(ground, Query(text="%")) == []
    assert await found(ground, Query(text="_na")) == []
    assert await found(ground, Query(text="'; DROP TABLE subscribers; --")) == []


@pytest.mark.storage
async def test_the_list_is_narrowed_by_topic_standing_language_and_tag(ground: Ground) -> None:
    topics = ["action-alerts"]
    await people.subscribed(ground, "on@example.org", topics=topics, language="es")
    await people.subscribed(
        ground, "waits@example.org", topics=topics, state=SubscriptionState.PENDING
    )
    await people.subscribed(
        ground, "off@example.org", topics=topics, state=SubscriptionState.UNSUBSCRIBED
    )
    stopped = await people.subscribed(ground, "stopped@example.org", topics=topics)
    await people.subscribed(ground, "other@example.org", topics=["secure-communities"])
    await tag(ground, stopped, "vigil")
    await mending.suppress(
        ground, actor=audit.COMMAND, subscriber_id=stopped.id, note="asked by phone"
    )
    for standing, emails in {
        Standing.CONFIRMED: ["other@example.org", "on@example.org"],
        Standing.PENDING: ["waits@example.org"],
        Standing.UNSUBSCRIBED: ["off@example.org"],
        Standing.SUPPRESSED: ["stopped@example.org"],
    }.items():
        assert await found(ground, Query(standing=standing)) == emails
        rows = (await finding.search(ground, query=Query(standing=standing))).rows
        assert {row.standing for row in rows} == {standing}
    assert len(await found(ground, Query(topic="action-alerts"))) == 4
    assert await found(ground, Query(topic="action-alerts", standing=Standing.CONFIRMED)) == [
        "on@example.org"
    ]
    assert await found(ground, Query(language="es")) == ["on@example.org"]
    assert await found(ground, Query(tag="vigil")) == ["stopped@example.org"]
    assert await folk.tags(ground) == ["vigil"]


@pytest.mark.storage
async def test_pages_of_the_list_neither_skip_nor_repeat(ground: Ground) -> None:
    for number in range(5):
        await people.subscribed(ground, f"p{number}@example.org")
    seen: list[str] = []
    after: int | None = None
    while True:
        page = await finding.search(ground, query=Query(), after=after, limit=2)
        assert page.total == 5
        seen += [row.subscriber.email for row in page.rows]
        if (after := page.next_after) is None:
            break
    assert seen == [f"p{number}@example.org" for number in (4, 3, 2, 1, 0)]


def test_merge_values_have_every_name_that_mails_may_use() -> None:
    now = datetime(2026, 11, 2, tzinfo=UTC)
    person = Subscriber(
        email="ana@example.org",
        email_key="ana@example.org",
        first_name="Ana",
        language="es",
        fields={"ward": "7"},
        created_at=now,
        updated_at=now,
    )
    assert folk.merge_values(person) == {
        "subscriber.first_name": "Ana",
        "subscriber.last_name": "",
        "subscriber.email": "ana@example.org",
        "subscriber.language": "es",
        "subscriber.postal_code": "",
        "subscriber.town": "",
        "subscriber.fields.ward": "7",
    }


@pytest.mark.storage
async def test_details_are_mended_once_and_the_log_says_what_changed(ground: Ground) -> None:
    person = await people.subscribed(ground, first_name="Anna")
    changes = mending.Changes(first_name="Ana", language="es", tags=["vigil", "choir"])
    await mending.update(
        ground,
        actor=audit.COMMAND,
        subscriber_id=person.id,
        seen=person.updated_at,
        changes=changes,
    )
    shown = await folk.show(ground, subscriber_id=person.id)
    assert (shown.subscriber.first_name, shown.subscriber.language) == ("Ana", "es")
    assert shown.tags == ["choir", "vigil"]
    async with ground.db.reading() as session:
        entry = (await session.exec(select(AuditEntry))).one()
    assert entry.before == {"first_name": "Anna", "language": "en", "tags": []}
    assert entry.after["first_name"] == "Ana"


@pytest.mark.storage
async def test_who_mends_an_outdated_page_is_told(ground: Ground) -> None:
    person = await people.subscribed(ground)
    with pytest.raises(errors.Conflict):
        await mending.update(
            ground,
            actor=audit.COMMAND,
            subscriber_id=person.id,
            seen=datetime(2020, 1, 1, tzinfo=UTC),
            changes=mending.Changes(language="en"),
        )


@pytest.mark.storage
async def test_staff_take_a_person_off_every_list(ground: Ground) -> None:
    person = await people.subscribed(ground, topics=["secure-communities", "action-alerts"])
    assert await mending.take_off(
        ground, actor=audit.COMMAND, subscriber_id=person.id, reason="phoned"
    )
    assert not await mending.take_off(
        ground, actor=audit.COMMAND, subscriber_id=person.id, reason="phoned"
    )
    async with ground.db.reading() as session:
        states = set(await session.scalars(sa.select(col(Subscription.state))))
        step = (await session.exec(select(Consent))).one()
    assert states == {SubscriptionState.UNSUBSCRIBED}
    assert (step.step, step.via, step.reason) == ("unsubscribed", "staff", "phoned")


@pytest.mark.storage
async def test_suppressing_and_lifting_need_a_reason_and_keep_it(ground: Ground) -> None:
    person = await people.subscribed(ground)
    with pytest.raises(errors.Invalid):
        await mending.suppress(ground, actor=audit.COMMAND, subscriber_id=person.id, note="")
    await mending.suppress(
        ground, actor=audit.COMMAND, subscriber_id=person.id, note="wrong person"
    )
    with pytest.raises(errors.Invalid):
        await mending.lift(ground, actor=audit.COMMAND, subscriber_id=person.id, because=" ")
    shown = await folk.show(ground, subscriber_id=person.id)
    assert shown.standing is Standing.SUPPRESSED
    await mending.lift(
        ground, actor=audit.COMMAND, subscriber_id=person.id, because="it was a mistake"
    )
    shown = await folk.show(ground, subscriber_id=person.id)
    assert shown.standing is Standing.CONFIRMED
    (kept,) = shown.suppressions
    assert (kept.reason, kept.note, kept.lifted_because) == (
        SuppressionReason.BY_HAND,
        "wrong person",
        "it was a mistake",
    )


@pytest.mark.storage
async def test_erasing_leaves_a_hash_and_nothing_else(ground: Ground) -> None:
    person = await people.subscribed(ground, "ana@example.org", first_name="Anaïs")
    await tag(ground, person, "vigil")
    await mending.update(
        ground,
        actor=audit.COMMAND,
        subscriber_id=person.id,
        seen=person.updated_at,
        changes=mending.Changes(first_name="Anaïs María", language="en"),
    )
    await applying.apply(
        ground,
        application=applying.Application(
            name="Group",
            contact_name="Anaïs",
            contact_email="ana@example.org",
            agrees=True,
            language="en",
        ),
    )
    async with ground.db.transaction() as session:
        await session.exec(sa.delete(QueuedNotice))
        await ground.notices.queue(
            session,
            Notice(kind="welcome", to=person.email, language="en", subscriber_id=person.id),
        )

    await erasing.erase(ground, subscriber_id=person.id, via="staff", actor=audit.COMMAND)

    async with ground.db.reading() as session:
        for table in (
            Subscriber,
            SubscriberTag,
            Subscription,
            Consent,
            MemberContact,
            QueuedNotice,
        ):
            assert (await session.exec(select(table))).all() == [], table
        entries = (await session.exec(select(AuditEntry))).all()
        assert await suppression.reasons(ground, session, email_key="ana@example.org") == {
            SuppressionReason.ERASED
        }
    assert "Ana" not in repr([(entry.before, entry.after) for entry in entries])
    with pytest.raises(errors.NotFound):
        await folk.show(ground, subscriber_id=person.id)
