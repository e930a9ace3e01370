import pytest

from foundation import errors
from foundation.ground import Ground
from subscribers import topics
from subscribers.models import Topic, TopicKind

TEXTS = {
    "en": {"name": "Clean water", "description": "Rivers and taps"},
    "es": {"name": "Agua limpia", "description": ""},
}


async def ensure(ground: Ground, slug: str, kind: TopicKind = TopicKind.ISSUE) -> Topic:
    async with ground.db.transaction() as session:
        return await topics.ensure(
            session, slug=slug, kind=kind, texts=TEXTS, now=ground.clock.now()
        )


@pytest.mark.storage
async def test_a_topic_is_made_once_and_stays_as_it_is(ground: Ground) -> None:
    made = await ensure(ground, "water")
    again = await ensure(ground, "water", TopicKind.GENERAL)
    assert (again.id, again.kind) == (made.id, "issue")


@pytest.mark.storage
async def test_topics_are_offered_in_order_and_the_members_one_never(ground: Ground) -> None:
    for slug, kind in (
        ("water", TopicKind.ISSUE),
        ("coalition-members", TopicKind.MEMBERS),
        ("alerts", TopicKind.GENERAL),
    ):
        await ensure(ground, slug, kind)
    async with ground.db.reading() as session:
        assert [each.slug for each in await topics.public(session)] == ["water", "alerts"]
        assert len(await topics.everything(session)) == 3
        found = await topics.by_slugs(session, ["alerts", "water", "alerts"])
        assert [each.slug for each in found] == ["alerts", "water"]


async def test_unknown_topics_are_named(ground: Ground) -> None:
    await ensure(ground, "water")
    async with ground.db.reading() as session:
        with pytest.raises(errors.Invalid, match="“fire”"):
            await topics.by_slugs(session, ["water", "fire"])


async def test_names_fall_back_to_the_nearest_language(ground: Ground) -> None:
    topic = await ensure(ground, "water")
    assert topics.name(topic, "es-MX") == "Agua limpia"
    assert topics.name(topic, "fr") == "Clean water"
    assert topics.name(topic, "fr", default="es") == "Agua limpia"
    assert topics.description(topic, "es") == "Rivers and taps"
    assert topics.name(Topic(slug="bare", kind="issue", created_at=ground.clock.now()), "en") == (
        "bare"
    )


@pytest.mark.storage
async def test_a_topic_can_be_renamed(ground: Ground) -> None:
    await ensure(ground, "water")
    async with ground.db.transaction() as session:
        await topics.retitle(session, slug="water", texts={"en": {"name": "Rivers"}})
    async with ground.db.reading() as session:
        (topic,) = await topics.public(session)
    assert topics.name(topic, "es") == "Rivers"
