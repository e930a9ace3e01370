"""Staff choose people in plain words: by posts alone, with the sentence said in their language."""

import re

from campaigns import audiences, campaign_views
from foundation.accounts.models import Role
from foundation.ground import Ground
from subscribers.models import SubscriptionState
from tests.campaigns.test_campaign_pages import words
from tests.world import campaigning, people
from tests.world.web import Web

TOPIC = "secure-communities"


async def three(ground: Ground) -> None:
    """Ana and Bo around Worcester, Cy elsewhere, Di not confirmed."""
    await people.subscribed(ground, "ana@example.org", postal_code="01608", town="Worcester")
    await people.subscribed(ground, "bo@example.org", postal_code="01721", first_name="Bo")
    await people.subscribed(ground, "cy@example.org", postal_code="90001")
    await people.subscribed(ground, "di@example.org", state=SubscriptionState.PENDING)


async def test_conditions_are_added_filled_in_and_taken_away_without_a_script(
    web: Web, ground: Ground
) -> None:
    await three(ground)
    bulletin = await campaigning.bulletin(ground)
    author = await web.as_staff(Role.AUTHOR)
    path = "/staff/campaigns/new"
    typed = {"bulletin": str(bulletin.id), "name": "Mine", "topics": TOPIC}
    page = await author.post(
        path, {**typed, "action": "add:all_of", "add-all_of": "postal-code", "add-none_of": "tag"}
    )
    assert page.status == 200
    assert page.field("name") == "Mine"
    assert page.field("c0-kind") == "postal-code"
    assert "3 people would get it now" in words(page.text), "an empty line leaves nobody out"
    typed |= {"c0-group": "all_of", "c0-kind": "postal-code", "c0-text": "016, 017"}
    page = await author.post(
        path, {**typed, "action": "add:none_of", "add-none_of": "town", "add-all_of": "tag"}
    )
    assert page.field("c1-group") == "none_of"
    typed |= {"c1-group": "none_of", "c1-kind": "town", "c1-text": "worcester"}
    part = await author.post("/staff/campaigns/count", {**typed, "action": "sample"})
    said = words(part.text)
    assert (
        "People on Secure Communities who live in 016… or 017…, but not who live in worcester."
        in said
    )
    assert "1 person would get it now" in said
    assert "1 live elsewhere, or did not say where" in said
    assert "1 are among those who are not to get it" in said
    assert re.search(r"A few of them Bo 01721 · English", said)
    page = await author.post(path, {**typed, "action": "remove:1"})
    assert "c1-kind" not in page.text
    assert "2 people would get it now" in words(page.text)
    wrong = await author.post(path, {**typed, "c1-kind": "tag", "c1-text": "undocumented"})
    assert wrong.status == 422
    assert "Nobody is asked for their immigration status here" in wrong.text
    made = await author.post(path, typed)
    assert made.status == 303, made.text
    spanish = words((await author.get(f"{made.location}?lang=es")).text)
    assert (
        "Personas en Comunidades Seguras que viven en 016… o 017…, pero no quienes viven en "
        "worcester" in spanish
    )
    kept = (await campaign_views.show(ground, campaign_id=1)).campaign
    audience = audiences.parse(kept.audience)
    assert [each.kind for each in audience.all_of] == ["postal-code"]
    edit = await author.get(f"{made.location}/edit")
    assert (edit.field("c0-text"), edit.field("c1-text")) == ("016, 017", "worcester")


async def test_addresses_are_not_spelled_out_in_a_sample(web: Web, ground: Ground) -> None:
    await three(ground)
    viewer = await web.as_staff(Role.VIEWER)
    part = await viewer.post(
        "/staff/campaigns/count", {"topics": TOPIC, "action": "sample", "bulletin": "0"}
    )
    assert "a…@example.org" in part.text
    assert "ana@example.org" not in part.text
