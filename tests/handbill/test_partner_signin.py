"""Somebody who signs in for a partner sees its own two pages, and nothing else of the house."""

import pytest
from sqlmodel import select

from foundation import errors
from foundation.accounts import team
from foundation.accounts.models import Role, Staff
from foundation.audit import COMMAND
from foundation.ground import Ground
from subscribers import partners
from tests.world import estate, people, probing
from tests.world.smtp import Catcher
from tests.world.web import Web

OWN = (
    "/staff/partners/1/numbers",
    "/staff/partners/1/numbers.csv",
    "/staff/partners/1/people",
    "/staff/partners/1/stories",
)
OWN_ACTS = (
    "/staff/partners/1/people.csv",
    "/staff/partners/1/people/webhook",
    "/staff/partners/1/stories",
    "/staff/partners/1/stories/token",
    "/staff/partners/1/stories/token/revoke",
)
EVERYBODYS = ("/staff/account", "/staff/account/password", "/staff/signout", "/staff/signin")


async def test_every_other_address_of_staff_and_programs_refuses_a_partner(
    ground: Ground, web: Web, smtp: Catcher
) -> None:
    assert smtp.port
    async with probing.opened(ground, web) as (house, _):
        await partners.create(
            ground, actor=COMMAND, details=partners.Details(name="Hill", key="hill")
        )
        await people.staff_of_partner(ground, 1)
        own = await web.as_staff(Role.PARTNER)
        before = await estate.rows(ground, without=probing.CHANGED_BY_LOOKING)
        refused = 0
        for address in probing.methods(house.addresses, "GET", "POST", "PUT", "PATCH", "DELETE"):
            path = house.real(address)
            if not path.startswith(("/staff", "/api/v1")):
                continue
            if path in (*OWN, *OWN_ACTS, "/staff") or path.startswith(EVERYBODYS):
                continue
            data = {"name": "x"} if address.method == "POST" else None
            request = own.post if address.method == "POST" else own.request
            arguments = (path, data) if address.method == "POST" else (address.method, path)
            answer = await request(*arguments)
            wanted = 401 if path.startswith("/api/v1") else 403
            assert answer.status == wanted, f"{address.method} {path}"
            refused += 1
        assert refused > 100
        for path in OWN:
            assert (await own.get(path)).status == 200
            assert (await own.get(path.replace("/1/", "/2/"))).status == 403
        for path in OWN_ACTS:
            assert (await own.post(path.replace("/1/", "/2/"), {"url": ""})).status == 403
        assert (await own.get("/staff")).location == OWN[0]
        page = (await own.get(OWN[0])).text
        assert 'href="/staff/partners/1/people"' in page
        assert 'href="/staff/people"' not in page
        assert await estate.rows(ground, without=probing.CHANGED_BY_LOOKING) == before


async def test_an_owner_invites_somebody_of_a_partner_and_closes_the_account(
    web: Web, ground: Ground
) -> None:
    details = partners.Details(name="River", key="river", languages=["es"])
    river = await partners.create(ground, actor=COMMAND, details=details)
    editor, owner = await web.as_staff(Role.EDITOR), await web.as_staff(Role.OWNER)
    path = f"/staff/partners/{river.id}/signins"
    fields = {"email": "dara@river.example", "name": "Dara"}
    assert (await editor.post(path, fields)).status == 403
    assert (await owner.post(path, fields)).status == 303
    assert (await owner.post(path, {"email": "owner@coalition.example"})).status == 422
    async with ground.db.reading() as session:
        statement = select(Staff).where(Staff.email == "dara@river.example")
        dara = (await session.exec(statement)).one()
    assert (dara.role, dara.partner_id, dara.language) == (Role.PARTNER, river.id, "es")
    assert "dara@river.example" not in (await owner.get("/staff/team")).text
    raised = await owner.post(f"/staff/team/{dara.id}", {"role": "viewer", "is_active": "1"})
    assert raised.status == 404
    with pytest.raises(errors.NotFound):
        await team.change(ground, actor=COMMAND, staff_id=dara.id, role=Role.OWNER, is_active=True)
    assert (await owner.post(f"{path}/close", {"staff": str(dara.id)})).status == 303
    (found,) = await team.of_partner(ground, partner_id=river.id)
    assert found.is_active is False
