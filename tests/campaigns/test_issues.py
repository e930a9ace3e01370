import pytest
from sqlmodel import select

from campaigns import issues
from campaigns.models import PartKind
from foundation import errors
from foundation.audit import AuditEntry
from foundation.ground import Ground
from subscribers.models import Topic
from tests.campaigns import newsroom
from tests.campaigns.newsroom import ANA, BEN

pytestmark = pytest.mark.storage


async def topic(ground: Ground, slug: str) -> Topic:
    async with ground.db.reading() as session:
        return (await session.exec(select(Topic).where(Topic.slug == slug))).one()


async def test_an_issue_brings_the_topic_that_people_subscribe_to(ground: Ground) -> None:
    made = await newsroom.issue(ground)
    offered = await topic(ground, made.slug)
    assert made.topic_id == offered.id
    assert offered.is_public
    assert offered.texts["es"]["name"] == "Comunidades Seguras"


async def test_an_issue_that_is_not_published_is_not_offered_on_forms(ground: Ground) -> None:
    made = await newsroom.issue(ground, is_published=False)
    assert not (await topic(ground, made.slug)).is_public
    draft = issues.IssueDraft(texts=newsroom.TITLES, is_published=True)
    await issues.update(ground, actor=ANA, issue_id=made.id, version=1, draft=draft)
    assert (await topic(ground, made.slug)).is_public


async def test_renaming_an_issue_renames_its_topic_and_is_in_the_log(ground: Ground) -> None:
    made = await newsroom.issue(ground)
    texts = {"en": {"title": "S-Comm", "summary": ""}}
    draft = issues.IssueDraft(texts=texts, is_published=True)
    kept = await issues.update(ground, actor=ANA, issue_id=made.id, version=1, draft=draft)
    assert kept.version == 2
    assert (await topic(ground, made.slug)).texts["en"]["name"] == "S-Comm"
    async with ground.db.reading() as session:
        entry = (
            await session.exec(select(AuditEntry).where(AuditEntry.action == "issue.updated"))
        ).one()
    assert entry.actor_label == "Ana"
    assert entry.before["texts"]["en"]["title"] == "Secure Communities"
    assert entry.after["texts"]["en"]["title"] == "S-Comm"


async def test_the_second_of_two_editors_is_told_and_overwrites_nothing(ground: Ground) -> None:
    made = await newsroom.issue(ground)
    first = issues.IssueDraft(texts={"en": {"title": "Ana's"}}, is_published=True)
    await issues.update(ground, actor=ANA, issue_id=made.id, version=1, draft=first)
    second = issues.IssueDraft(texts={"en": {"title": "Ben's"}}, is_published=True)
    with pytest.raises(errors.Conflict):
        await issues.update(ground, actor=BEN, issue_id=made.id, version=1, draft=second)
    async with ground.db.reading() as session:
        assert (await issues.get(session, made.id)).texts["en"]["title"] == "Ana's"


@pytest.mark.parametrize("slug", ["", "Has Blanks", "ÑANDÚ", "-x", "x" * 100, "new"])
async def test_a_name_that_can_not_stand_in_an_address_is_refused(
    ground: Ground, slug: str
) -> None:
    with pytest.raises(errors.Invalid) as caught:
        await newsroom.issue(ground, slug=slug)
    assert "slug" in caught.value.fields


async def test_two_issues_can_not_have_one_name(ground: Ground) -> None:
    await newsroom.issue(ground)
    with pytest.raises(errors.Invalid):
        await newsroom.issue(ground)


async def test_what_staff_write_is_sanitised_when_it_is_kept(ground: Ground) -> None:
    made = await newsroom.issue(ground)
    body = '<p onclick="x()">Read <a href="javascript:alert(1)">this</a><script>1</script></p>'
    draft = issues.PartDraft(kind=PartKind.QUESTION, texts={"en": {"title": "Why?", "body": body}})
    part = await issues.save_part(ground, actor=ANA, issue_id=made.id, version=1, draft=draft)
    assert part.texts["en"]["body"] == "<p>Read <a>this</a></p>"


async def test_links_to_pages_of_ours_stay_as_they_were_written(ground: Ground) -> None:
    made = await newsroom.issue(ground)
    body = '<p><a href="site:/join">Join</a> or <a href="site://evil.example">not</a></p>'
    draft = issues.PartDraft(kind=PartKind.QUESTION, texts={"en": {"title": "How?", "body": body}})
    part = await issues.save_part(ground, actor=ANA, issue_id=made.id, version=1, draft=draft)
    assert 'href="site:/join"' in part.texts["en"]["body"]
    assert "evil" not in part.texts["en"]["body"]


async def test_parts_move_within_their_kind(ground: Ground) -> None:
    made = await newsroom.issue(ground)
    await newsroom.parts(ground, made)
    async with ground.db.reading() as session:
        rows = await issues.parts(session, made.id)
    first, second = [each for each in rows if each.kind == "process"]
    await issues.move_part(ground, actor=ANA, issue_id=made.id, version=2, part_id=second.id, by=-1)
    async with ground.db.reading() as session:
        rows = await issues.parts(session, made.id)
    assert [each.id for each in rows if each.kind == "process"] == [second.id, first.id]


async def test_a_part_of_another_issue_can_not_be_changed(ground: Ground) -> None:
    one = await newsroom.issue(ground)
    other = await newsroom.issue(ground, slug="clean-water")
    draft = newsroom.part(PartKind.QUESTION, "a", "b")
    part = await issues.save_part(ground, actor=ANA, issue_id=one.id, version=1, draft=draft)
    with pytest.raises(errors.NotFound):
        await issues.delete_part(ground, actor=ANA, issue_id=other.id, version=1, part_id=part.id)
