"""A member stays, is named, sends its logo, and leaves; organisations sign the statement."""

import io
from datetime import timedelta

import pytest
import sqlalchemy as sa
from aiohttp import FormData
from PIL import Image
from sqlmodel import col, select

from foundation import audit, errors
from foundation.accounts.models import Role
from foundation.ground import Ground
from subscribers import belonging, logos, members, renewing, retention, signing, statements
from subscribers.member_models import SignOn, SignOnState
from subscribers.models import Member, MemberState
from subscribers.signing import Signature
from tests.subscribers.test_coalition import OWN_WORDS, approved
from tests.subscribers.test_members import NETWORK, all_members, notices
from tests.world.clock import FakeClock
from tests.world.web import Web


async def own_token(ground: Ground) -> str:
    """Of the newest welcome."""
    return (await notices(ground, "join_approved"))[-1].context["url"].rpartition("/")[2]


def photo() -> bytes:
    """A JPEG that says where it was taken, with a page of HTML behind it."""
    picture = Image.new("RGB", (900, 300), "#1c6b4a")
    hidden = Image.Exif()
    hidden[0x010E] = "taken at 1 Example Street"
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=hidden)
    return out.getvalue() + b"<script>alert(1)</script>"


@pytest.mark.storage
async def test_a_member_is_asked_once_a_year_reminded_once_and_never_dropped(
    ground: Ground, clock: FakeClock
) -> None:
    await approved(ground)
    assert await renewing.work(ground) == 0
    clock.advance(days=366)
    assert [await renewing.work(ground) for _ in range(2)] == [1, 0]
    clock.advance(days=22)
    assert [await renewing.work(ground) for _ in range(2)] == [1, 0]
    clock.advance(days=400)
    assert await renewing.work(ground) == 0
    (member,) = await renewing.unanswered(ground)
    assert renewing.has_not_answered(ground, member)
    assert member.state == MemberState.APPROVED
    assert len(await notices(ground, "renew")) == len(await notices(ground, "renew_reminder")) == 1

    token = (await notices(ground, "renew"))[0].context["url"].rpartition("/")[2]
    await belonging.stay(ground, token=token, agrees=False)

    assert await renewing.unanswered(ground) == []
    clock.advance(days=364)
    assert await renewing.work(ground) == 0
    clock.advance(days=2)
    assert await renewing.work(ground) == 1


async def test_staying_under_a_newer_statement_needs_agreement_to_it(ground: Ground) -> None:
    await approved(ground)
    await statements.write(ground, actor=audit.COMMAND, after=1, texts=OWN_WORDS)
    token = await own_token(ground)
    with pytest.raises(errors.Invalid) as caught:
        await belonging.stay(ground, token=token, agrees=False)
    assert list(caught.value.fields) == ["agrees"]
    await belonging.stay(ground, token=token, agrees=True)
    (member,) = await all_members(ground)
    assert member.statement_version == 2


@pytest.mark.storage
async def test_who_left_is_told_named_nowhere_and_in_no_audience(web: Web, ground: Ground) -> None:
    await approved(ground, wants_listing=True)
    token = await own_token(ground)
    assert "River Valley Workers" in (await web.get("/members")).text
    for _ in range(2):
        assert (await web.get(f"/member/{token}")).status == 200
    asked = await web.post(f"/member/{token}", {"action": "ask-to-leave"})
    assert "is no longer a member" in asked.text
    (member,) = await all_members(ground)
    assert member.state == MemberState.APPROVED

    await web.post(f"/member/{token}", {"action": "leave", "reason": "We close."})

    (member,) = await all_members(ground)
    assert (member.state, member.decision_reason) == (MemberState.LEFT, "We close.")
    assert [each.kind for each in await notices(ground)][-1] == "member_left"
    assert "River Valley Workers" not in (await web.get("/members")).text
    again = await web.post(f"/member/{token}", {"action": "stay"})
    assert again.status == 409


async def test_nobody_is_named_who_did_not_ask_for_it(web: Web, ground: Ground) -> None:
    await approved(ground)
    assert "River Valley Workers" not in (await web.get("/members")).text
    token = await own_token(ground)
    await web.post(f"/member/{token}", {"action": "show", "is_listed": "1", "town": "Lowell"})
    page = (await web.get("/members")).text
    assert "River Valley Workers" in page
    assert "Dara" not in page
    assert "dara@" not in page


async def test_a_logo_is_drawn_anew_and_nothing_hidden_in_it_stays(
    web: Web, ground: Ground
) -> None:
    await approved(ground, wants_listing=True)
    token = await own_token(ground)
    form = FormData()
    form.add_field("logo", photo(), filename="../logo.svg", content_type="image/svg+xml")
    form.add_field("alt", "A green field")
    form.add_field("action", "logo")
    assert (await web.post(f"/member/{token}", form)).status == 303

    page = await web.get("/members")
    assert 'alt="A green field"' in page.text
    path = page.text.partition('<img src="')[2].partition('"')[0]
    shown = await web.get(path)
    assert shown.headers["Content-Type"] == "image/png"
    assert (b"Example" in shown.body, b"script" in shown.body) == (False, False)
    with Image.open(io.BytesIO(shown.body)) as drawn:
        assert drawn.size == (480, 160)


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
        b"\x89PNG\r\n\x1a\nand no more",
        b"GIF89a",
        b"%PDF-1.7",
    ],
)
async def test_what_is_no_picture_is_no_logo(content: bytes) -> None:
    with pytest.raises(errors.Invalid) as caught:
        await logos.remade(content)
    assert list(caught.value.fields) == ["logo"]


async def test_a_picture_that_would_fill_the_memory_is_not_unfolded() -> None:
    out = io.BytesIO()
    Image.new("1", (9000, 9000)).save(out, "PNG")
    assert len(out.getvalue()) < 20_000
    with pytest.raises(errors.Invalid):
        await logos.remade(out.getvalue())


def signature(**changes: object) -> Signature:
    values: dict[str, object] = {
        "organisation": "Harbor Choir",
        "town": "Lynn",
        "name": "Lidia Sosa",
        "email": "lidia@choir.example",
        "agrees": True,
        "version": 1,
        "language": "en",
        "network": NETWORK,
    }
    return Signature(**{**values, **changes})  # type: ignore[arg-type]


async def signed(ground: Ground) -> list[SignOn]:
    async with ground.db.reading() as session:
        return list((await session.exec(select(SignOn).order_by(col(SignOn.id)))).all())


async def sign_token(ground: Ground) -> str:
    newest = (await notices(ground, "sign_on_confirm"))[-1]
    return newest.context["confirm_url"].rpartition("/")[2]


@pytest.mark.storage
async def test_a_name_stands_in_public_when_it_is_confirmed_and_the_office_looked(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    for _ in range(2):
        await signing.sign(ground, signature=signature())
    token = await sign_token(ground)
    assert (await web.get(f"/statement/confirm/{token}")).status == 200
    (row,) = await signed(ground)
    assert row.state == SignOnState.PENDING
    with pytest.raises(errors.Refused):
        await signing.decide(ground, actor=audit.COMMAND, sign_on_id=row.id, show=True)

    await web.post(f"/statement/confirm/{token}", {})
    assert "Harbor Choir" not in (await web.get("/statement")).text
    office = await web.as_staff(Role.EDITOR)
    assert "Lidia Sosa" in (await office.get("/staff/statement")).text
    await office.post(f"/staff/statement/signatures/{row.id}", {"show": "1"})
    page = (await web.get("/statement")).text
    assert "Harbor Choir" in page
    assert "Lidia" not in page

    clock.advance(days=900)
    await web.post(f"/statement/confirm/{token}", {"action": "withdraw"})
    assert "Harbor Choir" not in (await web.get("/statement")).text


@pytest.mark.storage
async def test_a_member_signs_a_new_version_and_counts_for_it_at_once(ground: Ground) -> None:
    member = await approved(ground)
    await statements.write(ground, actor=audit.COMMAND, after=1, texts=OWN_WORDS)
    with pytest.raises(errors.Invalid):
        await signing.sign(ground, signature=signature())
    mine = signature(
        organisation="river valley workers", email="dara@river.example", version=2, name="Dara"
    )
    ground.clock.advance(hours=2)  # type: ignore[attr-defined]
    await signing.sign(ground, signature=mine)
    await signing.confirm(ground, token=await sign_token(ground))
    (shown,) = await signing.shown(ground)
    assert (shown.organisation, shown.version) == ("river valley workers", 2)
    async with ground.db.reading() as session:
        agreed = await session.scalar(
            sa.select(col(Member.statement_version)).where(col(Member.id) == member.id)
        )
    assert agreed == 2


async def test_what_nobody_confirmed_is_forgotten(ground: Ground, clock: FakeClock) -> None:
    await signing.sign(ground, signature=signature())
    token = await sign_token(ground)
    clock.advance(days=15)
    assert (await signing.confirm(ground, token=token)).is_too_old
    clock.advance(days=16)
    await retention.tidy(ground)
    assert await signed(ground) == []
    with pytest.raises(errors.NotFound):
        await signing.look(ground, token=token)


async def test_staff_hear_that_a_member_stays(web: Web, ground: Ground, clock: FakeClock) -> None:
    member = await approved(ground)
    clock.advance(days=366)
    await renewing.work(ground)
    office = await web.as_staff(Role.EDITOR)
    waiting = await office.get("/staff/members/unanswered")
    assert "River Valley Workers" in waiting.text
    await office.post(f"/staff/members/{member.id}/stays")
    assert await renewing.unanswered(ground) == []
    (member,) = await all_members(ground)
    assert member.renewed_at is not None
    assert clock.now() - member.renewed_at < timedelta(seconds=1)
    card = await members.card(ground, member_id=member.id)
    assert card.member.state == MemberState.APPROVED
