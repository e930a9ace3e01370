import json

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from foundation.audit import COMMAND
from foundation.ground import Ground
from subscribers import erasing, forms, partners, sharing
from subscribers.models import Consent, Partner, Wording
from subscribers.partner_models import Sharing, SharingKind
from tests.subscribers import mailbox
from tests.subscribers.mailbox import ANA
from tests.world.clock import FakeClock
from tests.world.web import Web

WORDS = "Give my address to River Valley, too, for its own list."


@pytest.fixture
async def river(ground: Ground) -> Partner:
    """A partner whose own list is offered on the form `river`, besides that of another."""
    await mailbox.topics(ground)
    made = [
        await partners.create(ground, actor=COMMAND, details=partners.Details(name=name, key=key))
        for name, key in (("River Valley", "river-valley"), ("Hill Town", "hill-town"))
    ]
    details = forms.Details(slug="river", name="River", shares=[each.id for each in made])
    await forms.create(ground, actor=COMMAND, details=details)
    return made[0]


async def sharings(ground: Ground) -> list[Sharing]:
    async with ground.db.reading() as session:
        return list((await session.exec(select(Sharing).order_by(col(Sharing.id)))).all())


async def export(ground: Ground, number: int) -> None:
    """What an export does to what waits."""
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(Sharing).where(col(Sharing.batch).is_(None)).values(batch=number)
        )


async def shares(web: Web, ground: Ground) -> None:
    await mailbox.sign_up(web, ground, path="/subscribe/river", share="river-valley")


@pytest.mark.storage
async def test_only_who_ticked_the_box_and_confirmed_is_given_on(
    web: Web, ground: Ground, river: Partner
) -> None:
    page = (await web.get("/subscribe/river?share=river-valley&lang=en")).text
    assert WORDS in page
    assert 'value="river-valley" checked' not in page
    await mailbox.send(web, "/subscribe/river?share=river-valley", email="ben@example.org")
    assert (
        await web.post(await mailbox.confirm_url(ground, to="ben@example.org"), {})
    ).status == 200
    assert await sharings(ground) == []
    await mailbox.send(web, "/subscribe/river", share="river-valley")
    assert await sharings(ground) == []
    assert (await web.post(await mailbox.confirm_url(ground), {})).status == 200
    (given,) = await sharings(ground)
    assert (given.partner_id, given.kind) == (river.id, SharingKind.GIVEN)
    assert ANA not in given.reference
    async with ground.db.reading() as session:
        rows = await session.execute(
            sa.select(col(Consent.step), col(Wording.text), col(Wording.version))
            .join(Wording, col(Wording.id) == col(Consent.wording_id))
            .where(col(Consent.partner_id) == river.id)
            .order_by(col(Consent.id))
        )
        found = rows.all()
    assert [(step, version) for step, _, version in found] == [("share-asked", 1), ("shared", 1)]
    assert all(WORDS in text and "Hill Town" in text for _, text, _ in found)
    office = await web.as_staff()
    said = (await office.get(f"/staff/people/{given.subscriber_id}")).text
    assert "Confirmed that an organization may have the address, too" in said


async def test_scripts_send_keys_and_what_is_not_offered_is_passed_over(
    web: Web, ground: Ground, river: Partner
) -> None:
    await partners.create(
        ground, actor=COMMAND, details=partners.Details(name="Elsewhere", key="elsewhere")
    )
    body = {"email": ANA, "form": "river", "share": ["elsewhere", "river-valley", "nobody"]}
    kind = {"Content-Type": "application/json"}
    await web.post("/api/public/signups", json.dumps(body).encode(), headers=kind)
    (row,) = await mailbox.sign_ups(ground)
    assert row.shares == [river.id]
    body = {"email": "ben@example.org", "share": ["river-valley"]}
    await web.post("/api/public/signups", json.dumps(body).encode(), headers=kind)
    assert (await mailbox.sign_ups(ground))[-1].shares == []


@pytest.mark.storage
async def test_taking_it_back_is_told_to_who_heard_of_it_and_to_nobody_else(
    web: Web, ground: Ground, river: Partner
) -> None:
    await shares(web, ground)
    ana = await mailbox.person(ground)
    assert ana
    path = mailbox.preferences_path(ground, ana)
    assert "River Valley" in (await web.get(path)).text
    assert "Hill Town" not in (await web.get(path)).text.partition("<ol")[0]
    back = {"action": "take-back", "partner": str(river.id)}
    assert (await web.post(path, back)).location.endswith("?saved=taken-back")
    assert await sharings(ground) == []
    await shares_again(web, ground)
    await export(ground, 1)
    await web.post(path, back)
    await web.post(path, back)
    given, withdrawn = await sharings(ground)
    assert (withdrawn.kind, withdrawn.reference) == (SharingKind.WITHDRAWN, given.reference)
    steps = mailbox.kinds(await mailbox.steps(ground))
    assert steps.count("share-withdrawn") == 2
    async with ground.db.reading() as session:
        assert await sharing.holders(session, subscriber_id=ana.id) == []


async def shares_again(web: Web, ground: Ground) -> None:
    clock = ground.clock
    assert isinstance(clock, FakeClock)
    clock.advance(hours=2)
    await shares(web, ground)


@pytest.mark.usefixtures("river")
async def test_leaving_our_list_leaves_the_others_alone_and_says_so(
    web: Web, ground: Ground
) -> None:
    await shares(web, ground)
    ana = await mailbox.person(ground)
    assert ana
    await web.post(mailbox.unsubscribe_path(ground, ana), {"from": "everything"})
    assert set((await mailbox.states(ground)).values()) == {"unsubscribed"}
    page = (await web.get(mailbox.preferences_path(ground, ana))).text
    assert "Unsubscribing from us does not end that" in page
    assert [each.kind for each in await sharings(ground)] == [SharingKind.GIVEN]


@pytest.mark.storage
@pytest.mark.usefixtures("river")
async def test_of_who_is_erased_only_a_keyed_hash_stays_and_only_where_it_is_owed(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    await shares(web, ground)
    await export(ground, 1)
    await mailbox.sign_up(
        web, ground, email="ben@example.org", path="/subscribe/river", share="river-valley"
    )
    (given, _) = await sharings(ground)
    for email in (ANA, "ben@example.org"):
        person = await mailbox.person(ground, email)
        assert person
        await erasing.erase(ground, subscriber_id=person.id, via="staff", actor=COMMAND)
    (owed,) = await sharings(ground)
    assert (owed.kind, owed.subscriber_id) == (SharingKind.WITHDRAWN, None)
    assert owed.reference == given.reference
    clock.advance(days=40)
    await sharing.tidy(ground)
    assert len(await sharings(ground)) == 1
    await export(ground, 2)
    await sharing.tidy(ground)
    assert await sharings(ground) == []


async def test_who_shares_again_before_the_withdrawal_went_out_is_still_owed_one_when_erased(
    web: Web, ground: Ground, river: Partner
) -> None:
    await shares(web, ground)
    await export(ground, 1)
    ana = await mailbox.person(ground)
    assert ana
    back = {"action": "take-back", "partner": str(river.id)}
    await web.post(mailbox.preferences_path(ground, ana), back)
    await shares_again(web, ground)
    assert [each.batch for each in await sharings(ground)] == [1, None, None]
    await erasing.erase(ground, subscriber_id=ana.id, via="staff", actor=COMMAND)
    assert [each.kind for each in await sharings(ground)] == [SharingKind.WITHDRAWN]


@pytest.mark.usefixtures("river")
async def test_the_plain_code_has_the_boxes_unticked(web: Web) -> None:
    staff = await web.as_staff()
    described = (await web.get("/api/public/forms/river?lang=en")).json()
    assert described["organisations"][0]["key"] == "river-valley"
    assert WORDS in described["organisations"][0]["words"]
    page = (await staff.get("/staff/forms/1")).text
    assert "name=&#34;share&#34; value=&#34;river-valley&#34;&gt;" in page
