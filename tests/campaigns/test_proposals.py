"""Partners propose stories by a form and by their program, and see until when and what became."""

from datetime import date

import pytest

from campaigns import developments, inbox, proposals, series_candidates
from campaigns.proposals import Proposal
from foundation import errors
from foundation.accounts import api_tokens
from foundation.accounts.api_tokens import Scope
from foundation.accounts.models import Role
from foundation.ground import Ground
from tests.campaigns import desk, editions, newsroom
from tests.campaigns.newsroom import ANA
from tests.world import people
from tests.world.web import Web

FIELDS = {
    "headline": "Our clinic in Lynn helped forty families",
    "summary": "On <b>Saturday</b>.\n\nMore next month.",
    "issue_id": "1",
    "kind": "news",
    "language": "en",
    "happened_on": "2026-11-01",
    "source_url": "https://rosa.example/clinic",
}


async def test_a_partner_proposes_and_its_story_is_credited_when_it_is_kept(
    web: Web, ground: Ground
) -> None:
    await newsroom.issue(ground)
    await newsroom.issue(ground, slug="hidden", is_published=False)
    rosa = await editions.partner(ground, "Rosa House")
    hill = await editions.partner(ground, "Hill")
    await editions.made(ground)
    await people.staff_of_partner(ground, rosa)
    own, editor = await web.as_staff(Role.PARTNER), await web.as_staff(Role.EDITOR)
    here = f"/staff/partners/{rosa}/stories"
    page = (await own.get(f"{here}?lang=es")).text
    assert "11 de noviembre de 2026, 17:00" in page  # the day before the first edition
    assert (await own.get(here.replace(str(rosa), str(hill)))).status == 403
    assert (await editor.post(here, FIELDS)).status == 403
    assert (await own.post(here, FIELDS | {"issue_id": "2"})).status == 422
    assert (await own.post(here, FIELDS | {"source_url": "javascript:x"})).status == 422
    for _ in range(2):
        assert (await own.post(here, FIELDS)).status == 303
    (item,) = await desk.items(ground)
    assert (item.origin, item.partner_id, item.state) == ("partner", rosa, "new")
    assert item.summary == "<p>On Saturday.</p><p>More next month.</p>"
    assert (await editor.get(f"/staff/inbox/{item.id}")).text.count("Rosa House") > 0
    assert "waits for an answer" in (await own.get(here)).text
    assert (await own.get(f"/staff/inbox/{item.id}")).status == 403
    await inbox.keep(ground, actor=ANA, item_id=item.id, version=1, is_published=True)
    assert "taken" in (await own.get(here)).text
    async with ground.db.reading() as session:
        found = await series_candidates.gather(
            ground, session, editions.plan(), series_id=None, day=date(2026, 11, 5)
        )
        assert [each.partner for each in found] == ["Rosa House"]
        assert await developments.partner_names(session, [rosa]) == {rosa: "Rosa House"}


async def test_a_partners_program_proposes_for_it_alone_and_can_do_nothing_else(
    web: Web, ground: Ground
) -> None:
    await newsroom.issue(ground)
    rosa = await editions.partner(ground, "Rosa House")
    await people.staff_of_partner(ground, rosa)
    own = await web.as_staff(Role.PARTNER)
    here = f"/staff/partners/{rosa}/stories"
    secrets = []
    for _ in range(2):
        page = (await own.post(f"{here}/token")).text
        secrets.append(page.partition("<code>")[2].partition("</code>")[0])
    story = {"issue": "secure-communities", "headline": "A clinic in Lynn"}
    old, new = ({"Authorization": f"Bearer {each}"} for each in secrets)
    assert (await web.post("/api/v1/proposals", json=story, headers=old)).status == 401
    made = await web.post("/api/v1/proposals", json=story, headers=new)
    assert (made.status, made.json()["state"]) == (201, "new")
    listed = (await web.get("/api/v1/proposals", headers=new)).json()
    assert [each["id"] for each in listed["items"]] == [made.json()["id"]]
    for path in ("/api/v1/incoming", "/api/v1/developments?issue=secure-communities"):
        assert (await web.get(path, headers=new)).status == 403
    (item,) = await desk.items(ground)
    assert item.partner_id == rosa
    # A token of the office speaks for no partner.
    office = await api_tokens.create(ground, actor=ANA, name="Office", scopes=frozenset(Scope))
    refused = await web.get("/api/v1/proposals", headers={"Authorization": f"Bearer {office}"})
    assert refused.status == 403
    assert (await (await web.as_staff(Role.AUTHOR)).post(f"{here}/token/revoke")).status == 403
    await own.post(f"{here}/token/revoke")
    assert (await web.get("/api/v1/proposals", headers=new)).status == 401


async def test_too_many_proposals_do_not_pile_up(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    await newsroom.issue(ground)
    rosa = await editions.partner(ground, "Rosa House")
    monkeypatch.setattr(proposals, "MOST_WAITING", 2)

    async def propose(headline: str) -> None:
        story = Proposal(
            issue_id=1, headline=headline, summary="", language="en", happened_on=date(2026, 11, 1)
        )
        await proposals.propose(ground, actor=ANA, partner_id=rosa, proposal=story)

    await propose("One")
    await propose("Two")
    with pytest.raises(errors.Refused, match="2 of your stories"):
        await propose("Three")
    await inbox.drop(ground, actor=ANA, item_id=1, version=1, reason="No")
    await propose("Three")
