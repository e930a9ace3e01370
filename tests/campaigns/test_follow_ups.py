"""Corrections reach exactly those who have it; the same bulletin, exactly those who have not."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col

from campaigns import audiences, bulletins, campaign_views, follow_ups, lifecycle
from campaigns.models import Campaign, Hit, HitKind
from delivery.models import Delivery, DeliveryState
from foundation import errors
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.ground import Ground
from subscribers import unsubscribe
from subscribers.models import Subscriber
from tests.handbill.test_api import bearer
from tests.world import campaigning, people
from tests.world.smtp import Catcher
from tests.world.web import Web

Deliver = Callable[[], Awaitable[None]]
TOPIC = "secure-communities"


async def sent(ground: Ground, smtp: Catcher, deliver: Deliver) -> tuple[Campaign, Subscriber]:
    """A campaign that Ana and Bo have; Cy's server failed it, Di left, Ed and Flo came later."""
    people_then = {
        name: await people.subscribed(ground, f"{name}@example.org", language=language)
        for name, language in (("ana", "es"), ("bo", "en"), ("cy", "en"), ("di", "en"))
    }
    smtp.answer("RCPT", "cy@example.org", "550 5.3.5 Setup")
    campaign, _ = await campaigning.started(ground)
    await deliver()
    await lifecycle.follow_dispatches(ground)
    async with ground.db.transaction() as session:
        await unsubscribe.end(ground, session, person=people_then["di"], topic=None, via="test")
    for name in ("ed", "flo"):
        await people.subscribed(ground, f"{name}@example.org")
    smtp.accept_again()
    smtp.clear()
    return campaign, people_then["ana"]


async def send(ground: Ground, draft: Campaign, deliver: Deliver) -> None:
    """Approve a draft and send it."""
    await lifecycle.approve(ground, actor=COMMAND, campaign_id=draft.id)
    await lifecycle.start(ground, actor=COMMAND, campaign_id=draft.id)
    await deliver()
    await lifecycle.follow_dispatches(ground)


def who(smtp: Catcher) -> list[str]:
    """Names of those who got something."""
    return sorted(each.rcpt_to.partition("@")[0] for each in smtp.messages)


async def counted(ground: Ground, draft: Campaign) -> audiences.Counted:
    """How many a draft has."""
    return await audiences.count(
        ground, audiences.parse(draft.audience), languages=["en", "es"], default_language="en"
    )


@pytest.mark.storage
async def test_a_correction_goes_to_exactly_those_who_have_it_and_says_so_in_their_language(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    campaign, _ = await sent(ground, smtp, deliver)
    draft = await follow_ups.correct(ground, actor=COMMAND, campaign_id=campaign.id)
    found = await counted(ground, draft)
    assert (found.included, found.excluded) == (2, {"unsubscribed": 1, "did-not-get-it": 3})
    await send(ground, draft, deliver)
    assert who(smtp) == ["ana", "bo"]
    mails = {each.rcpt_to.partition("@")[0]: each.parsed for each in smtp.messages}
    assert mails["ana"]["Subject"] == "Corrección: News (es)"
    assert mails["bo"]["Subject"] == "Correction: News (en)"
    part = mails["ana"].get_body(("plain",))
    assert part is not None
    text = part.get_content()
    assert "tenía un error" in text
    assert "«News (es)»" in text


@pytest.mark.storage
async def test_who_may_have_it_is_told_what_was_wrong(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    campaign, ana = await sent(ground, smtp, deliver)
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(Delivery)
            .where(col(Delivery.subscriber_id) == ana.id)
            .values(state=DeliveryState.UNCERTAIN)
        )
    draft = await follow_ups.correct(ground, actor=COMMAND, campaign_id=campaign.id)
    assert (await counted(ground, draft)).included == 2
    others = await follow_ups.send_to_others(ground, actor=COMMAND, campaign_id=campaign.id)
    assert (await counted(ground, others)).included == 3


@pytest.mark.storage
async def test_the_others_get_the_same_once_and_nobody_a_second_time(
    ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    campaign, _ = await sent(ground, smtp, deliver)
    others = await follow_ups.send_to_others(ground, actor=COMMAND, campaign_id=campaign.id)
    assert others.bulletin_id == campaign.bulletin_id
    found = await counted(ground, others)
    assert (found.included, found.excluded) == (3, {"unsubscribed": 1, "got-it-already": 2})
    await send(ground, others, deliver)
    assert who(smtp) == ["cy", "ed", "flo"]
    await people.subscribed(ground, "gil@example.org")
    last = await follow_ups.send_to_others(ground, actor=COMMAND, campaign_id=campaign.id)
    assert (await counted(ground, last)).included == 1


@pytest.mark.storage
async def test_who_still_waits_for_it_is_not_among_the_others(ground: Ground) -> None:
    await people.subscribed(ground, "ana@example.org")
    campaign, _ = await campaigning.started(ground)
    others = await follow_ups.send_to_others(ground, actor=COMMAND, campaign_id=campaign.id)
    assert (await counted(ground, others)).included == 0
    correction = await follow_ups.correct(ground, actor=COMMAND, campaign_id=campaign.id)
    assert (await counted(ground, correction)).included == 0


async def test_what_was_not_sent_has_nothing_to_follow(ground: Ground) -> None:
    draft = await campaigning.draft(ground)
    for verb in (follow_ups.correct, follow_ups.send_to_others):
        with pytest.raises(errors.Refused):
            await verb(ground, actor=COMMAND, campaign_id=draft.id)
    with pytest.raises(errors.Invalid, match=f"Campaign {draft.id} was not sent"):
        await lifecycle.create(
            ground,
            actor=COMMAND,
            bulletin_id=draft.bulletin_id,
            name="x",
            audience=audiences.Audience(topics=[TOPIC], received=[draft.id]),
        )


async def test_the_archive_leads_from_the_mistake_to_its_correction_once_that_is_out(
    ground: Ground, smtp: Catcher, deliver: Deliver, web: Web
) -> None:
    campaign, _ = await sent(ground, smtp, deliver)
    first = (await campaign_views.show(ground, campaign_id=campaign.id)).campaign.archive_slug
    draft = await follow_ups.correct(ground, actor=COMMAND, campaign_id=campaign.id)
    assert "correction" not in (await web.get(f"/archive/{first}?lang=en")).text
    await send(ground, draft, deliver)
    second = (await campaign_views.show(ground, campaign_id=draft.id)).campaign.archive_slug
    page = (await web.get(f"/archive/{first}?lang=es")).text
    assert "enviamos una corrección de este boletín" in page
    assert f'href="/archive/{second}"' in page
    assert f'href="/archive/{first}"' in (await web.get(f"/archive/{second}?lang=en")).text
    others = await follow_ups.send_to_others(ground, actor=COMMAND, campaign_id=campaign.id)
    await send(ground, others, deliver)
    shown = (await web.get("/archive?lang=en")).text
    assert shown.count("News (en)") == 2, "the bulletin and its correction, each once"


async def test_staff_write_a_correction_by_pages_and_what_they_save_keeps_to_whom_it_goes(
    ground: Ground, smtp: Catcher, deliver: Deliver, web: Web
) -> None:
    campaign, _ = await sent(ground, smtp, deliver)
    author = await web.as_staff(Role.AUTHOR)
    here = f"/staff/campaigns/{campaign.id}"
    viewer = await web.as_staff(Role.VIEWER)
    assert "Write a correction" not in (await viewer.get(here)).text
    assert (await viewer.post(f"{here}/correct")).status == 403
    made = await author.post(f"{here}/correct")
    async with ground.db.reading() as session:
        draft = (await follow_ups.corrections(session, campaign.id))[0]
        bulletin = await bulletins.get(session, draft.bulletin_id)
    assert made.location == f"/staff/bulletins/{bulletin.id}"
    there = f"/staff/campaigns/{draft.id}"
    assert f'href="{there}"' in (await author.get(here)).text
    assert "who got “News”" in (await author.get(there)).text
    form = await author.get(f"{there}/edit")
    saved = await author.post(
        f"{there}/edit",
        {
            "version": form.field("version"),
            "name": "Put right",
            "topics": TOPIC,
            "received": str(campaign.id),
        },
    )
    assert saved.status == 303, saved.text
    kept = (await campaign_views.show(ground, campaign_id=draft.id)).campaign
    assert audiences.parse(kept.audience).received == [campaign.id]
    assert (await counted(ground, kept)).included == 2


async def test_programs_make_them_too(
    ground: Ground, smtp: Catcher, deliver: Deliver, web: Web
) -> None:
    campaign, _ = await sent(ground, smtp, deliver)
    headers = await bearer(ground)

    async def post(path: str, status: int) -> Any:
        answer = await web.request("POST", f"/api/v1/campaigns/{path}", headers=headers)
        assert answer.status == status, answer.text
        return answer.json()

    correction = await post(f"{campaign.id}/correction", 201)
    assert correction["corrects_id"] == campaign.id
    assert correction["audience"]["received"] == [campaign.id]
    others = await post(f"{campaign.id}/others", 201)
    assert others["audience"]["not_received"] == [campaign.id]
    await post(f"{others['id']}/correction", 409)


@pytest.mark.storage
async def test_a_duplicate_goes_to_the_same_people_without_who_got_it_or_followed_it(
    ground: Ground, smtp: Catcher, deliver: Deliver, web: Web
) -> None:
    campaign, ana = await sent(ground, smtp, deliver)
    author = await web.as_staff(Role.AUTHOR)
    made = await author.post(f"/staff/campaigns/{campaign.id}/duplicate", {"besides": "got-it"})
    assert made.status == 303, made.text
    assert "but not who got “News”" in (await author.get(made.location)).text
    drafts = {
        besides: await follow_ups.duplicate(
            ground, actor=COMMAND, campaign_id=campaign.id, besides=besides
        )
        for besides in follow_ups.Besides
    }
    assert drafts[follow_ups.Besides.NOBODY].bulletin_id != campaign.bulletin_id
    found = {besides: (await counted(ground, each)).included for besides, each in drafts.items()}
    assert found == {"nobody": 5, "got-it": 3, "followed-it": 5}
    async with ground.db.transaction() as session:
        await session.execute(sa.update(Subscriber).values(allows_tracking=True))
        delivery = await session.scalar(
            sa.select(Delivery).where(col(Delivery.subscriber_id) == ana.id)
        )
        assert delivery is not None
        session.add(
            Hit(
                dispatch_id=delivery.dispatch_id,
                delivery_id=delivery.id,
                kind=HitKind.CLICK,
                is_human=True,
                at=ground.clock.now(),
            )
        )
    assert (await counted(ground, drafts[follow_ups.Besides.FOLLOWED_IT])).included == 4
    with pytest.raises(errors.Refused):
        await follow_ups.duplicate(
            ground,
            actor=COMMAND,
            campaign_id=drafts[follow_ups.Besides.NOBODY].id,
            besides=follow_ups.Besides.GOT_IT,
        )
