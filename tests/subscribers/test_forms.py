import pytest
from sqlmodel import col, select

from foundation import errors
from foundation.audit import COMMAND, AuditEntry
from foundation.ground import Ground
from subscribers import forms, partners
from tests.subscribers import mailbox
from tests.world.web import Web

RIVER = forms.Details(
    slug="river",
    name="River page",
    topics=["action-alerts"],
    asks=["last_name", "first_name"],
    texts={"es": {"title": "Noticias del río", "lead": " "}, "xx": {"title": "?"}},
    origins=["https://River.example"],
)


@pytest.mark.storage
async def test_a_form_is_made_changed_and_audited(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    made = await forms.create(ground, actor=COMMAND, details=RIVER)
    assert made.asks == ["first_name", "last_name"]
    assert made.texts == {"es": {"title": "Noticias del río"}}
    assert made.origins == ["https://river.example"]
    page = await web.get("/subscribe/river?lang=es")
    assert "<h1>Noticias del río</h1>" in page.text
    assert 'name="last_name"' in page.text
    assert 'name="postal_code"' not in page.text
    assert page.field("topic") == "action-alerts"
    changed = await forms.update(
        ground,
        actor=COMMAND,
        form_id=made.id,
        version=made.version,
        details=forms.Details(slug="river", name="River", asks=[]),
    )
    assert changed.version == 2
    async with ground.db.reading() as session:
        entries = (await session.exec(select(AuditEntry).order_by(col(AuditEntry.id)))).all()
    assert [entry.action for entry in entries] == ["form.created", "form.updated"]
    assert entries[1].before["name"] == "River page"
    assert entries[1].after["name"] == "River"


@pytest.mark.storage
async def test_of_two_editors_the_second_is_told(ground: Ground) -> None:
    await mailbox.topics(ground)
    made = await forms.create(ground, actor=COMMAND, details=RIVER)
    await forms.update(ground, actor=COMMAND, form_id=made.id, version=1, details=RIVER)
    with pytest.raises(errors.Conflict):
        await forms.update(ground, actor=COMMAND, form_id=made.id, version=1, details=RIVER)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "sent"),
        ("slug", "No Slug"),
        ("slug", ""),
        ("name", " "),
        ("topics", ["no-such"]),
        ("topics", ["coalition-members"]),
        ("asks", ["immigration_status"]),
        ("thanks_url", "javascript:alert(1)"),
        ("thanks_url", "//evil.example"),
        ("thanks_url", "https://[broken"),
        ("thanks_url", "https://evil.example/thanks"),
        ("origins", ["https://river.example/path"]),
        ("origins", ["river.example"]),
        ("origins", ["null"]),
        ("partner_id", 99),
    ],
)
async def test_wrong_details_are_named(ground: Ground, field: str, value: object) -> None:
    await mailbox.topics(ground, "action-alerts", "coalition-members")
    details = forms.Details(**{"slug": "river", "name": "River", field: value})  # type: ignore[arg-type]
    with pytest.raises(errors.Invalid) as told:
        await forms.create(ground, actor=COMMAND, details=details)
    assert list(told.value.fields) == [field]


@pytest.mark.parametrize(
    "url",
    [
        "http://handbill.test/archive",
        "https://form.example/thanks?all=1",
        "https://River.example/thanks",
    ],
)
async def test_a_page_of_thanks_is_ours_the_forms_or_its_partners(ground: Ground, url: str) -> None:
    river = partners.Details(name="River", key="river", origins=["https://river.example"])
    partner = await partners.create(ground, actor=COMMAND, details=river)
    details = forms.Details(
        slug="river",
        name="River",
        thanks_url=url,
        origins=["https://form.example"],
        partner_id=partner.id,
    )
    assert (await forms.create(ground, actor=COMMAND, details=details)).thanks_url == url


async def test_a_name_is_given_once(ground: Ground) -> None:
    await mailbox.topics(ground)
    await forms.create(ground, actor=COMMAND, details=RIVER)
    with pytest.raises(errors.Invalid):
        await forms.create(ground, actor=COMMAND, details=RIVER)


@pytest.mark.storage
async def test_the_list_counts_what_each_form_brought(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    await forms.create(ground, actor=COMMAND, details=RIVER)
    await web.post("/subscribe/river", {"email": "a@example.org"})
    await web.post("/subscribe/river", {"email": "b@example.org"})
    await web.post(await mailbox.confirm_url(ground, to="a@example.org"), {})
    (standing,) = await forms.listed(ground)
    assert (standing.submitted, standing.confirmed) == (2, 1)
