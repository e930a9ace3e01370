"""Who gets a campaign, in which language, and why others do not; the figures add up."""

import pytest
from sqlmodel import select

from campaigns import audiences
from campaigns.audiences import Audience
from foundation import errors
from foundation.ground import Ground
from subscribers import suppression
from subscribers.member_models import ContactDuty, MemberContactDuty
from subscribers.models import MemberContact, Subscriber, SubscriptionState, SuppressionReason
from tests.world import people

TOPIC = ["secure-communities"]


async def everybody(ground: Ground) -> None:
    """Six people on the topic, of whom three can be mailed, and one on another topic."""
    await people.subscribed(ground, "en@example.org", language="en")
    await people.subscribed(ground, "mx@example.org", language="es-MX")
    await people.subscribed(ground, "ht@example.org", language="ht")
    await people.subscribed(ground, "p@example.org", state=SubscriptionState.PENDING)
    await people.subscribed(ground, "u@example.org", state=SubscriptionState.UNSUBSCRIBED)
    blocked = await people.subscribed(ground, "s@example.org")
    async with ground.db.transaction() as session:
        await suppression.add(
            ground,
            session,
            subscriber_id=blocked.id,
            reason=SuppressionReason.COMPLAINT,
            via="test",
        )
    await people.subscribed(ground, "other@example.org", topics=["action-alerts"])


async def languages(ground: Ground, audience: Audience, editions: list[str]) -> dict[str, str]:
    """Address → language of the edition that it gets."""
    async with ground.db.reading() as session:
        resolved = await audiences.resolve(ground, session, audience, languages=editions)
        chosen = dict((await session.execute(audiences.select_recipients(resolved))).all())
        people_found = await session.exec(select(Subscriber))
        return {person.email: chosen[person.id] for person in people_found if person.id in chosen}


@pytest.mark.storage
async def test_each_gets_the_edition_nearest_to_their_language(ground: Ground) -> None:
    await everybody(ground)
    assert await languages(ground, Audience(topics=TOPIC), ["en", "es"]) == {
        "en@example.org": "en",
        "mx@example.org": "es",
        "ht@example.org": "en",
    }
    exact = await languages(ground, Audience(topics=TOPIC), ["en", "es", "es-MX"])
    assert exact["mx@example.org"] == "es-MX"
    only = await languages(ground, Audience(topics=TOPIC), ["es"])
    assert set(only.values()) == {"es"}


@pytest.mark.storage
async def test_everybody_on_the_topic_is_counted_once(ground: Ground) -> None:
    await everybody(ground)
    counted = await audiences.count(ground, Audience(topics=TOPIC), languages=["en", "es"])
    assert counted.included == 3
    assert counted.by_language == {"en": 2, "es": 1}
    assert counted.excluded == {"pending": 1, "unsubscribed": 1, "suppressed": 1}


@pytest.mark.storage
async def test_a_choice_of_languages_leaves_the_others_out(ground: Ground) -> None:
    await everybody(ground)
    wanted = Audience(topics=TOPIC, languages=["es"])
    counted = await audiences.count(ground, wanted, languages=["en", "es"])
    assert counted.included == 1
    assert counted.excluded["other-language"] == 2


async def test_somebody_on_two_topics_is_a_recipient_once(ground: Ground) -> None:
    both = ["secure-communities", "action-alerts"]
    await people.subscribed(ground, "both@example.org", topics=both)
    counted = await audiences.count(ground, Audience(topics=both), languages=["en"])
    assert counted.included == 1


async def test_an_unknown_topic_is_named(ground: Ground) -> None:
    with pytest.raises(errors.Invalid, match="moon"):
        await audiences.count(ground, Audience(topics=["moon"]), languages=["en"])


async def test_no_topic_reaches_nobody(ground: Ground) -> None:
    await everybody(ground)
    counted = await audiences.count(ground, Audience(), languages=["en"])
    assert (counted.included, counted.excluded) == (0, {})


def test_what_is_no_audience_is_refused() -> None:
    with pytest.raises(errors.Invalid):
        audiences.parse({"topics": "all", "people": []})


@pytest.mark.storage
async def test_contacts_of_members_are_chosen_by_what_they_look_after(ground: Ground) -> None:
    for name, duty in (("press", ContactDuty.PRESS), ("policy", ContactDuty.POLICY)):
        person = await people.subscribed(
            ground, f"{name}@example.org", topics=["coalition-members"]
        )
        await people.speaks_for_a_member(ground, person)
        async with ground.db.transaction() as session:
            (contact,) = await session.exec(
                select(MemberContact).where(MemberContact.subscriber_id == person.id)
            )
            session.add(MemberContactDuty(contact_id=contact.id, duty=duty))
    await people.subscribed(ground, "reader@example.org", topics=["coalition-members"])
    audience = audiences.parse({"members": True, "duties": ["press", "services"]})
    counted = await audiences.count(ground, audience, languages=["en"])
    assert counted.included == 1
    assert counted.excluded == {"not-a-member": 1, "other-duty": 1}
    assert [each.email for each in await audiences.sample(ground, audience)] == [
        "press@example.org"
    ]
    with pytest.raises(errors.Invalid):
        audiences.parse({"members": True, "duties": ["catering"]})


@pytest.mark.storage
async def test_whoever_reads_a_language_of_no_edition_is_counted_once(ground: Ground) -> None:
    await people.subscribed(ground, "one@example.org", language="ht")
    await people.subscribed(ground, "two@example.org", language="ht", further_languages="es")
    counted = await audiences.count(ground, Audience(topics=TOPIC), languages=["en", "es"])
    assert counted.by_language == {"en": 1, "es": 1}
