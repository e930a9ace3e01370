import pytest
from sqlmodel import col, select

from foundation import audit, errors
from foundation.audit import AuditEntry
from foundation.ground import Ground
from subscribers import partners
from subscribers.models import SignUp, SignUpState
from subscribers.partners import Details
from tests.world import people


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://Example.org", "https://example.org"),
        ("https://example.org:443/about?x=1", "https://example.org"),
        ("http://localhost:8000/", "http://localhost:8000"),
    ],
)
def test_an_origin_is_written_as_browsers_send_it(text: str, expected: str) -> None:
    assert partners.origin(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "example.org",
        "ftp://example.org",
        "https://",
        "https://a b.org",
        "https://me@x.org",
        "*",
        "https://example.org:99999",
    ],
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(errors.Invalid):
        partners.origin(text)


@pytest.mark.storage
async def test_partners_are_listed_with_the_sign_ups_they_brought(ground: Ground) -> None:
    river = await partners.create(
        ground, actor=audit.COMMAND, details=Details(name="River Valley", key="river-valley")
    )
    await partners.create(ground, actor=audit.COMMAND, details=Details(name="Hill", key="hill"))
    person = await people.subscribed(ground)
    async with ground.db.transaction() as session:
        for state in (SignUpState.SUBMITTED, SignUpState.CONFIRMED):
            session.add(
                SignUp(
                    subscriber_id=person.id,
                    partner_id=river.id,
                    state=state,
                    language="en",
                    created_at=ground.clock.now(),
                )
            )
    standings = await partners.listed(ground)
    assert [(each.partner.name, each.submitted, each.confirmed) for each in standings] == [
        ("Hill", 0, 0),
        ("River Valley", 2, 1),
    ]


@pytest.mark.storage
async def test_a_partner_is_changed_and_the_log_says_how(ground: Ground) -> None:
    made = await partners.create(
        ground, actor=audit.COMMAND, details=Details(name="River", key="river")
    )
    await partners.update(
        ground,
        actor=audit.COMMAND,
        partner_id=made.id,
        details=Details(
            name="River", key="river", origins=["https://River.example/"], is_active=False
        ),
    )
    changed = await partners.get(ground, partner_id=made.id)
    assert (changed.origins, changed.is_active) == (["https://river.example"], False)
    async with ground.db.reading() as session:
        entries = (await session.exec(select(AuditEntry).order_by(col(AuditEntry.id)))).all()
    assert [entry.action for entry in entries] == ["partner.created", "partner.updated"]


@pytest.mark.parametrize(
    ("details", "field"),
    [
        (Details(name="", key="x"), "name"),
        (Details(name="X", key="Not a key"), "key"),
        (Details(name="X", key="taken"), "key"),
        (Details(name="X", key="x", origins=["nowhere"]), "origins"),
        (Details(name="X", key="x", languages=["tlh"]), "languages"),
    ],
)
async def test_a_wrong_partner_names_the_field(
    ground: Ground, details: Details, field: str
) -> None:
    await partners.create(ground, actor=audit.COMMAND, details=Details(name="T", key="taken"))
    with pytest.raises(errors.Invalid) as caught:
        await partners.create(ground, actor=audit.COMMAND, details=details)
    assert list(caught.value.fields) == [field]
