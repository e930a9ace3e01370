"""Staff see what came back with its evidence, and judge what only names an address."""

import pytest
from sqlmodel import col, select

from delivery import blocks, returns, worker
from delivery.models import Return
from foundation.accounts.models import Role
from foundation.audit import AuditEntry
from foundation.ground import Ground
from tests.delivery import reports
from tests.delivery.test_identifying import suppressed
from tests.delivery.test_returns import ANA, bulletin
from tests.world import mailing, people
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher
from tests.world.web import Web

OFFICE = "office@coalition.example"


@pytest.mark.storage
async def test_the_message_is_shown_as_text_and_taken_along_as_it_came(
    web: Web, ground: Ground, smtp: Catcher
) -> None:
    await people.subscribed(ground, ANA)
    mail = await bulletin(ground, smtp)
    octets = reports.status_report(to=mail.mail_from).replace(
        b"could not be delivered", b"<script>alert(1)</script> \x00\xff was not delivered"
    )
    await returns.ingest(ground, octets)
    viewer = await web.as_staff(Role.VIEWER)
    listed = (await viewer.get("/staff/returns")).text
    assert ANA in listed
    assert "there is no such mailbox" in listed
    assert "alert(1)" not in (await viewer.get("/staff/returns/1")).text
    assert (await viewer.get("/staff/returns/1/message")).status == 403
    editor = await web.as_staff(Role.EDITOR)
    shown = (await editor.get("/staff/returns/1")).text
    assert "&lt;script&gt;alert(1)" in shown
    assert "<script>alert" not in shown
    assert "\x00" not in shown
    taken = await editor.get("/staff/returns/1/message")
    assert taken.body == octets
    assert "attachment" in taken.headers["Content-Disposition"]
    assert taken.headers["Content-Type"] == "application/octet-stream"
    person = (await editor.get("/staff/people/1")).text
    assert "/staff/returns/1" in person
    assert "/staff/returns/1" in (await editor.get("/staff/suppressions")).text


@pytest.mark.storage
async def test_what_only_names_an_address_counts_once_an_editor_believes_it(
    web: Web, ground: Ground
) -> None:
    ana = await people.subscribed(ground, ANA)
    await people.subscribed(ground, "bo@example.org")
    for name in (ANA, "bo@example.org"):
        done = await returns.ingest(ground, reports.status_report(to=OFFICE, recipient=name))
        assert (done.is_ours, done.is_unproven) == (False, True)
    assert await suppressed(ground) == []
    viewer = await web.as_staff(Role.VIEWER)
    assert "To be judged (2)" in (await viewer.get("/staff/returns")).text
    assert (await viewer.post("/staff/returns/1/accept")).status == 403
    editor = await web.as_staff(Role.EDITOR)
    await editor.post("/staff/returns/1/accept")
    await editor.post("/staff/returns/2/dismiss")
    assert (await editor.post("/staff/returns/1/dismiss")).status == 409
    assert await suppressed(ground) == ["hard-bounce"]
    assert "To be judged" not in (await editor.get("/staff/returns")).text
    async with ground.db.reading() as session:
        judged = (await session.exec(select(Return).order_by(col(Return.id)))).all()
        statement = select(AuditEntry.action, AuditEntry.object_id)
        said = (await session.exec(statement.where(AuditEntry.object_kind == "subscriber"))).all()
    assert [row.proof for row in judged] == ["staff", "dismissed"]
    assert ("return.accepted", str(ana.id)) in said


async def test_an_editor_lifts_a_suppression_with_a_reason(web: Web, ground: Ground) -> None:
    await people.subscribed(ground, ANA)
    await returns.ingest(ground, reports.status_report(to=OFFICE, recipient=ANA), is_trusted=True)
    assert await suppressed(ground) == ["hard-bounce"]
    editor = await web.as_staff(Role.EDITOR)
    empty = await editor.post("/staff/suppressions/lift", {"person": "1", "because": " "})
    assert empty.status == 422
    await editor.post("/staff/suppressions/lift", {"person": "1", "because": "wrote to us"})
    assert ANA not in (await editor.get("/staff/suppressions")).text
    lifted = (await editor.get("/staff/suppressions?lifted=1")).text
    assert "wrote to us" in lifted
    viewer = await web.as_staff(Role.VIEWER)
    assert (await viewer.post("/staff/suppressions/lift", {"person": "1"})).status == 403


@pytest.mark.storage
async def test_staff_let_mail_go_on_to_a_host_that_refused_us(
    web: Web, ground: Ground, smtp: Catcher, clock: FakeClock
) -> None:
    await mailing.crowd(ground, 3)
    await blocks.hold(ground, name="domain:example.org", said="550 5.7.1 <b>listed</b>")
    topic = await people.topic(ground)
    await mailing.start(ground, topics=[topic.id])
    await worker.run_until_idle(ground)
    assert smtp.messages == []
    editor = await web.as_staff(Role.EDITOR)
    page = (await editor.get("/staff/returns")).text
    assert "&lt;b&gt;listed" in page
    await editor.post("/staff/returns/let-go", {"name": "domain:example.org"})
    assert "refuses our mail" not in (await editor.get("/staff/returns")).text
    clock.advance(seconds=1)
    await worker.run_until_idle(ground)
    assert len(smtp.messages) == 3
