import csv
import io
import re
from collections.abc import Sequence
from html import unescape

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from sqlmodel import select

from delivery.models import QueuedNotice
from foundation.accounts.models import Role
from foundation.audit import AuditEntry
from foundation.ground import Ground
from foundation.web import middleware
from handbill import app
from subscribers import applying, people_pages
from subscribers.models import Form, Member, MemberState, Partner, Subscriber
from subscribers.people import CameBack, Mail
from tests.world import people
from tests.world.clock import FakeClock
from tests.world.web import Web


async def applied(ground: Ground) -> Member:
    await applying.apply(
        ground,
        application=applying.Application(
            name="River Valley Workers",
            contact_name="Dara Sok",
            contact_email="dara@river.example",
            agrees=True,
            language="es",
        ),
    )
    async with ground.db.reading() as session:
        asked = (await session.exec(select(QueuedNotice))).one()
    token = asked.context["confirm_url"].rpartition("/")[2]
    await applying.confirm(ground, token=token, network="")
    async with ground.db.reading() as session:
        return (await session.exec(select(Member))).one()


@pytest.mark.parametrize(
    "path",
    ["/staff/people", "/staff/people/1", "/staff/members", "/staff/forms", "/staff/partners"],
)
async def test_nobody_sees_staff_pages_without_signing_in(web: Web, path: str) -> None:
    answer = await web.get(path)
    assert answer.status == 303
    assert answer.location.startswith("/staff/signin")


@pytest.mark.parametrize(
    "path",
    [
        "/staff/people/1",
        "/staff/people/1/unsubscribe",
        "/staff/people/1/suppress",
        "/staff/people/1/lift",
        "/staff/people/1/erase",
        "/staff/people/export",
        "/staff/members/1",
        "/staff/members/1/approve",
        "/staff/members/1/decline",
        "/staff/members/1/left",
        "/staff/members/1/contacts",
        "/staff/forms/new",
        "/staff/partners/new",
    ],
)
async def test_viewers_and_authors_change_nobody(web: Web, ground: Ground, path: str) -> None:
    await people.subscribed(ground)
    for role in (Role.VIEWER, Role.AUTHOR):
        author = await web.as_staff(role)
        assert (await author.post(path, {})).status == 403


@pytest.mark.parametrize("language", ["en", "es"])
async def test_every_page_opens_when_empty_and_in_both_languages(web: Web, language: str) -> None:
    owner = await web.as_staff()
    for path in (
        "/staff/people",
        "/staff/people?q=nobody",
        "/staff/members",
        "/staff/members?state=declined",
        "/staff/forms",
        "/staff/forms/new",
        "/staff/partners",
        "/staff/partners/new",
    ):
        separator = "&" if "?" in path else "?"
        answer = await owner.get(f"{path}{separator}lang={language}")
        assert answer.status == 200, path
        assert f'<html lang="{language}"' in answer.text


async def test_people_are_found_and_shown_with_consents_and_mails(web: Web, ground: Ground) -> None:
    person = await people.subscribed(ground, "ana@example.org", first_name="Ana", town="Lynn")
    owner = await web.as_staff()
    page = await owner.get("/staff/people?q=lynn")
    assert f'href="/staff/people/{person.id}"' in page.text
    part = await owner.get("/staff/people?q=lynn", headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert "ana@example.org" in part.text
    shown = await owner.get(f"/staff/people/{person.id}")
    assert "ana@example.org" in shown.text
    assert "Secure Communities" in shown.text


async def test_mails_received_come_from_whoever_was_handed_in(ground: Ground) -> None:
    class Rooms:
        async def mails(
            self,
            ground: Ground,
            *,
            subscriber_id: int,  # noqa: ARG002 - everybody got the same
            language: str,  # noqa: ARG002
            limit: int,  # noqa: ARG002
        ) -> Sequence[Mail]:
            return [Mail(at=ground.clock.now(), subject="Hearing on Thursday", state="Sent")]

        async def came_back(
            self,
            ground: Ground,  # noqa: ARG002
            *,
            subscriber_id: int,  # noqa: ARG002
            language: str,  # noqa: ARG002
            limit: int,  # noqa: ARG002
        ) -> Sequence[CameBack]:
            return []

    person = await people.subscribed(ground)
    built = app.build(ground)
    built[people_pages.MAIL_HISTORY] = Rooms()
    _, secret = await people.staff(ground)
    server = TestServer(built)
    async with server, aiohttp.ClientSession() as session:
        cookies = {middleware.SESSION_COOKIE: secret}
        url = server.make_url(f"/staff/people/{person.id}")
        async with session.get(url, cookies=cookies) as answer:
            page = await answer.text()
    assert "Hearing on Thursday" in page


async def test_details_are_mended_and_an_outdated_page_loses_nothing(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    person = await people.subscribed(ground, first_name="Anna")
    owner = await web.as_staff()
    path = f"/staff/people/{person.id}"
    seen = unescape((await owner.get(path)).field("seen"))
    clock.advance(minutes=1)
    first = {"first_name": "Ana", "language": "es", "tags": "Vigil, choir", "seen": seen}
    answer = await owner.post(path, first)
    assert (answer.status, answer.location) == (303, path)
    assert "Kept." in (await owner.get(path)).text
    second = await owner.post(path, {**first, "first_name": "Anita"})
    assert second.status == 409
    assert second.field("first_name") == "Anita"
    async with ground.db.reading() as session:
        kept = (await session.exec(select(Subscriber))).one()
    assert kept.first_name == "Ana"


async def test_mail_is_stopped_allowed_again_and_taken_back(web: Web, ground: Ground) -> None:
    person = await people.subscribed(ground)
    editor = await web.as_staff(Role.EDITOR)
    path = f"/staff/people/{person.id}"
    assert (await editor.post(f"{path}/suppress", {"note": ""})).status == 422
    assert (await editor.post(f"{path}/suppress", {"note": "wrong person"})).status == 303
    page = await editor.get(path)
    assert "Not to be mailed" in page.text
    assert "wrong person" in page.text
    assert (await editor.post(f"{path}/lift", {"because": ""})).status == 422
    assert (await editor.post(f"{path}/lift", {"because": "a mistake"})).status == 303
    assert "Gets mail" in (await editor.get(path)).text
    assert (await editor.post(f"{path}/unsubscribe", {})).status == 303
    assert "On no list" in (await editor.get(path)).text


async def test_erasing_asks_for_the_address_first(web: Web, ground: Ground) -> None:
    person = await people.subscribed(ground, "ana@example.org")
    editor = await web.as_staff(Role.EDITOR)
    path = f"/staff/people/{person.id}/erase"
    assert (await editor.get(path)).status == 200
    assert (await editor.post(path, {"address": "ben@example.org"})).status == 422
    assert (await editor.post(path, {"address": "ANA@example.org"})).location == "/staff/people"
    assert (await editor.get(f"/staff/people/{person.id}")).status == 404


async def test_people_are_downloaded_and_the_log_knows(web: Web, ground: Ground) -> None:
    await people.subscribed(ground, "ana@example.org")
    editor = await web.as_staff(Role.EDITOR)
    answer = await editor.post("/staff/people/export", {})
    assert answer.status == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"))))
    assert [row["email"] for row in rows] == ["ana@example.org"]
    async with ground.db.reading() as session:
        entry = (await session.exec(select(AuditEntry))).one()
    assert entry.action == "subscribers.exported"


async def test_an_application_is_approved_by_staff(web: Web, ground: Ground) -> None:
    member = await applied(ground)
    editor = await web.as_staff(Role.EDITOR)
    listed = await editor.get("/staff/members")
    assert f'href="/staff/members/{member.id}"' in listed.text
    path = f"/staff/members/{member.id}"
    version = (await editor.get(path)).field("version")
    answer = await editor.post(f"{path}/approve", {"version": version, "welcome": "Welcome!"})
    assert answer.status == 303
    assert "Approved. The organization gets a mail about it." in (await editor.get(path)).text
    late = await editor.post(f"{path}/decline", {"version": version, "reason": "No room"})
    assert late.status == 409
    assert "Somebody else changed this organization" in late.text
    async with ground.db.reading() as session:
        assert (await session.exec(select(Member))).one().state == MemberState.APPROVED


async def test_an_organization_is_mended_and_gets_another_contact(web: Web, ground: Ground) -> None:
    member = await applied(ground)
    editor = await web.as_staff(Role.EDITOR)
    path = f"/staff/members/{member.id}"
    version = (await editor.get(path)).field("version")
    wrong = await editor.post(path, {"version": version, "name": "", "town": "Lowell"})
    assert wrong.status == 422
    assert wrong.field("town") == "Lowell"
    fields = {"version": version, "name": "River Workers", "languages": "Khmer, English"}
    assert (await editor.post(path, fields)).status == 303
    contact = {"contact_name": "Maly Chan", "contact_email": "maly@river.example"}
    assert (await editor.post(f"{path}/contacts", contact)).status == 303
    page = (await editor.get(path)).text
    assert "River Workers" in page
    assert "Khmer, English" in page
    assert "maly@river.example" in page
    assert (await editor.post(f"{path}/contacts", contact)).status == 422


async def test_a_form_is_made_and_its_code_copied(web: Web, ground: Ground) -> None:
    await people.topic(ground, "secure-communities")
    await people.topic(ground, "action-alerts")
    editor = await web.as_staff(Role.EDITOR)
    wrong = await editor.post("/staff/forms/new", {"name": "Front page", "slug": "Not a name"})
    assert wrong.status == 422
    assert wrong.field("name") == "Front page"
    answer = await editor.post(
        "/staff/forms/new",
        {
            "name": "Front page",
            "slug": "front-page",
            "topics": ["secure-communities"],
            "asks": ["first_name"],
            "title.es": "Noticias <del> río",
            "origins": "https://River.example/about",
            "is_active": "1",
        },
    )
    assert answer.status == 303
    page = await editor.get(answer.location)
    code = unescape(page.text)
    assert 'action="http://handbill.test/subscribe/front-page"' in code
    assert '<input type="hidden" name="topic" value="secure-communities">' in code
    assert 'name="first_name"' in code
    assert 'name="postal_code"' not in re.sub(r"(?s)<section.*change-title.*", "", code)
    assert page.field("title.es") == "Noticias &lt;del&gt; río"
    async with ground.db.reading() as session:
        form = (await session.exec(select(Form))).one()
    assert form.origins == ["https://river.example"]
    version = page.field("version")
    for status in (303, 409):
        sent = {"version": version, "name": "Front", "slug": "front-page"}
        assert (await editor.post(answer.location, sent)).status == status


async def test_a_partner_is_added_and_switched_off(web: Web, ground: Ground) -> None:
    editor = await web.as_staff(Role.EDITOR)
    fields = {"name": "River Valley", "key": "river", "origins": "https://river.example"}
    wrong = await editor.post("/staff/partners/new", {**fields, "origins": "nowhere"})
    assert wrong.status == 422
    assert wrong.field("key") == "river"
    made = await editor.post(
        "/staff/partners/new", {**fields, "languages": ["en", "es"], "is_active": "1"}
    )
    assert made.status == 303
    assert (await editor.post(made.location, fields)).status == 303
    async with ground.db.reading() as session:
        partner = (await session.exec(select(Partner))).one()
    assert (partner.is_active, partner.languages) == (False, [])
    assert "Switched off" in (await editor.get("/staff/partners")).text
