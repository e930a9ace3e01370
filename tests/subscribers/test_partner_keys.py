import pytest

from foundation import errors
from foundation.audit import COMMAND
from foundation.ground import Ground
from subscribers import partner_keys, partners
from subscribers.models import Partner
from subscribers.partners import Details
from tests.subscribers import mailbox
from tests.world.clock import FakeClock
from tests.world.web import Web


@pytest.fixture
async def river(ground: Ground) -> Partner:
    """A partner."""
    details = Details(name="River Valley", key="river-valley")
    return await partners.create(ground, actor=COMMAND, details=details)


async def owner(ground: Ground, key: str) -> str | None:
    async with ground.db.reading() as session:
        found = await partner_keys.owner(session, key)
    return found.name if found else None


@pytest.mark.storage
async def test_every_key_counts_for_its_partner_until_it_is_retired(
    web: Web, ground: Ground, clock: FakeClock, river: Partner
) -> None:
    await mailbox.topics(ground)
    editor = await web.as_staff()
    path = f"/staff/partners/{river.id}"
    assert (await editor.post(f"{path}/keys")).status == 303
    new = (await partners.get(ground, partner_id=river.id)).key
    assert new.startswith("river-valley-")
    newer = await partner_keys.renew(ground, actor=COMMAND, partner_id=river.id, after=None)
    assert (newer.startswith("river-valley-"), len(newer)) == (True, len(new))
    for number, key in enumerate(("river-valley", new, newer)):
        await mailbox.send(web, email=f"p{number}@example.org", partner=key)
    assert [row.partner_id for row in await mailbox.sign_ups(ground)] == [river.id] * 3
    first, second = (await partner_keys.former(ground, partner_id=river.id))[::-1]
    assert "river-valley" in (await editor.get(path)).text
    await editor.post(f"{path}/keys/retire", {"key": first.id, "days": "0"})
    await editor.post(f"{path}/keys/retire", {"key": second.id, "days": "30"})
    await partner_keys.retire_due(ground)
    assert [await owner(ground, key) for key in ("river-valley", new, newer)] == [
        *(None, "River Valley", "River Valley")
    ]
    clock.advance(days=30)
    await partner_keys.retire_due(ground)
    assert [await owner(ground, key) for key in (new, newer)] == [None, "River Valley"]
    await mailbox.send(web, email="late@example.org", partner=new)
    assert (await mailbox.sign_ups(ground))[-1].partner_id is None


async def test_a_key_that_somebody_had_is_given_to_nobody_else_but_taken_up_again(
    ground: Ground, river: Partner
) -> None:
    changed = Details(name="River Valley", key="river")
    await partners.update(ground, actor=COMMAND, partner_id=river.id, details=changed)
    with pytest.raises(errors.Invalid):
        await partners.create(
            ground, actor=COMMAND, details=Details(name="Other", key="river-valley")
        )
    back = Details(name="River Valley", key="river-valley", contact_email="dara@river.example")
    await partners.update(ground, actor=COMMAND, partner_id=river.id, details=back)
    former = await partner_keys.former(ground, partner_id=river.id)
    assert [each.key for each in former] == ["river"]
    with pytest.raises(errors.NotFound):
        await partner_keys.retire(
            ground, actor=COMMAND, partner_id=99, key_id=former[0].id, after=partner_keys.AT_ONCE
        )


async def test_contact_and_agreement_are_kept_and_checked(web: Web) -> None:
    editor = await web.as_staff()
    fields = {"name": "River", "key": "river", "contact_email": "no", "agreed_on": "soon"}
    wrong = await editor.post("/staff/partners/new", fields)
    assert wrong.status == 422
    fields |= {"contact_email": "dara@river.example", "agreed_on": "2026-11-01"}
    kept = await editor.post("/staff/partners/new", fields)
    assert kept.status == 303
    page = await editor.get(kept.location)
    assert (page.field("contact_email"), page.field("agreed_on")) == (
        "dara@river.example",
        "2026-11-01",
    )
