"""A campaign can name the relay that it goes out by; the name is checked and kept."""

import dataclasses

import pytest
from playwright.async_api import Browser, expect

from campaigns import audiences, campaign_views, documents, lifecycle, whole
from campaigns.preflight import checklist
from delivery import allowances
from foundation import errors
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.findings import Tone
from foundation.ground import Ground
from tests.world import browsers, campaigning, people
from tests.world.web import Web

TWO = pytest.mark.settings(second_relay={"weight": 2})
AUDIENCE = audiences.Audience(topics=["secure-communities"])


def document(relay: str) -> documents.Document:
    """A bulletin as a file, with its campaign's relay."""
    plain = documents.as_json(campaigning.document())
    written = plain.rstrip().removesuffix("}") + (
        f', "audience": {{"topics": ["secure-communities"]}}, "campaign": {{"relay": "{relay}"}}}}'
    )
    return documents.parse(written)


@TWO
@pytest.mark.storage
async def test_a_document_names_the_relay_and_its_dispatch_keeps_it(ground: Ground) -> None:
    await people.subscribed(ground)
    made = await whole.create(ground, actor=COMMAND, document=document("second"))
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=made.id)
    started = await lifecycle.start(ground, actor=COMMAND, campaign_id=made.id)
    assert (made.relay, started.relay) == ("second", "second")


@TWO
async def test_a_relay_that_is_not_there_is_refused_with_those_that_are(ground: Ground) -> None:
    await people.topic(ground)
    with pytest.raises(errors.Invalid, match=r"“third”\. There are: relay, second") as caught:
        await whole.create(ground, actor=COMMAND, document=document("third"))
    assert "relay" in caught.value.fields


@TWO
async def test_staff_choose_it_in_the_form_and_see_it_on_the_page(web: Web, ground: Ground) -> None:
    campaign = await campaigning.draft(ground)
    author = await web.as_staff(Role.AUTHOR)
    edit = f"/staff/campaigns/{campaign.id}/edit"
    seen = await author.get(edit)
    chosen = {"version": seen.field("version"), "name": "News", "topics": AUDIENCE.topics[0]}
    assert (await author.post(edit, {**chosen, "relay": "second"})).status == 303
    assert (await campaign_views.show(ground, campaign_id=campaign.id)).campaign.relay == "second"
    assert "Goes out by" in (await author.get(f"/staff/campaigns/{campaign.id}")).text
    refused = await author.post(edit, {**chosen, "version": "2", "relay": "third"})
    assert refused.status == 422
    assert "There is no relay “third”" in refused.text


async def test_with_one_relay_the_form_does_not_ask(web: Web, ground: Ground) -> None:
    campaign = await campaigning.draft(ground)
    author = await web.as_staff(Role.AUTHOR)
    assert "Goes out by" not in (await author.get(f"/staff/campaigns/{campaign.id}/edit")).text


@TWO
async def test_a_relay_that_was_taken_out_of_the_settings_stops_the_start(ground: Ground) -> None:
    await people.subscribed(ground)
    made = await whole.create(ground, actor=COMMAND, document=document("second"))
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=made.id)
    fewer = ground.settings.model_copy(update={"relay": ground.settings.relay[:1]})
    later = dataclasses.replace(ground, settings=fewer)
    items = await checklist.check(later, campaign_id=made.id)
    assert {each.code: each.tone for each in items}["relay"] is Tone.BAD
    with pytest.raises(errors.Refused, match="not in the settings any more"):
        await lifecycle.start(later, actor=COMMAND, campaign_id=made.id)


@pytest.mark.settings(
    relay={"host": "one.example"},
    second_relay={"host": "two.example", "sender_domains": ["union.example"]},
)
async def test_the_list_before_sending_names_the_relays_that_it_goes_by(ground: Ground) -> None:
    await people.subscribed(ground)
    for named, host in (("", "one.example"), ("second", "two.example")):
        made = await whole.create(ground, actor=COMMAND, document=document(named))
        items = await checklist.check(ground, campaign_id=made.id)
        (item,) = [each for each in items if each.code == "relay"]
        assert item.say(ground.translator("en")) == f"Mail goes out by {host}."


@pytest.mark.browser
@pytest.mark.settings(second_relay={"rates": ["20/h"]})
async def test_axe_finds_nothing_on_the_choice_and_on_what_holds_mail_back(
    ground: Ground, web: Web, browser: Browser
) -> None:
    await people.subscribed(ground)
    _, secret = await people.staff(ground)
    await allowances.slow_down(ground, name="domains:gmail", measured=600, said="421 slow down")
    draft = await campaigning.draft(ground)
    await campaigning.started(ground)
    context = await browser.new_context(base_url=web.base)
    await context.add_cookies([{"name": "handbill_session", "value": secret, "url": web.base}])
    page = await context.new_page()
    await page.goto("/staff")
    await expect(page.get_by_text("gmail asked us to be slower")).to_be_visible()
    assert await browsers.troubles(page) == []
    await page.goto(f"/staff/campaigns/{draft.id}/edit")
    await page.get_by_text("Sender and archive").click()
    await page.get_by_label("Goes out by").select_option("second")
    assert await browsers.troubles(page) == []
    await context.close()
