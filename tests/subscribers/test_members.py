import asyncio
from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from delivery.models import QueuedNotice
from foundation import audit, errors
from foundation.audit import AuditEntry
from foundation.ground import Ground
from subscribers import applying, contacts, members, suppression
from subscribers.applying import Application, Confirmed
from subscribers.models import (
    Consent,
    Member,
    MemberState,
    Subscriber,
    Subscription,
    SubscriptionState,
    SuppressionReason,
    Wording,
)
from tests.world import people
from tests.world.clock import FakeClock

NETWORK = "203.0.113.0/24"


def application(**changes: object) -> Application:
    values: dict[str, object] = {
        "name": "River Valley Workers",
        "website": "https://river.example",
        "town": "Lowell",
        "languages": ["English", "Khmer"],
        "mission": "We help workers.",
        "contact_name": "Dara Sok",
        "contact_email": "dara@river.example",
        "contact_role": "Director",
        "agrees": True,
        "language": "en",
        "network": NETWORK,
    }
    return Application(**{**values, **changes})  # type: ignore[arg-type]


async def notices(ground: Ground, kind: str = "") -> list[QueuedNotice]:
    async with ground.db.reading() as session:
        found = (await session.exec(select(QueuedNotice).order_by(col(QueuedNotice.id)))).all()
    return [notice for notice in found if not kind or notice.kind == kind]


def token(notice: QueuedNotice) -> str:
    return notice.context["confirm_url"].rpartition("/")[2]


async def all_members(ground: Ground) -> Sequence[Member]:
    async with ground.db.reading() as session:
        return (await session.exec(select(Member).order_by(col(Member.id)))).all()


async def confirmed(ground: Ground, **changes: object) -> Member:
    await applying.apply(ground, application=application(**changes))
    newest = (await notices(ground, "join_confirm"))[-1]
    await applying.confirm(ground, token=token(newest), network=NETWORK)
    return (await all_members(ground))[-1]


@pytest.mark.storage
async def test_an_application_waits_until_its_contact_has_confirmed(ground: Ground) -> None:
    await applying.apply(ground, application=application())
    (member,) = await all_members(ground)
    (asked,) = await notices(ground)
    assert member.state == MemberState.UNCONFIRMED
    assert (asked.kind, asked.to_address) == ("join_confirm", "dara@river.example")
    assert asked.context["organisation"] == "River Valley Workers"

    result = await applying.confirm(ground, token=token(asked), network=NETWORK)

    assert result.outcome is Confirmed.DONE
    assert result.waits
    (member,) = await all_members(ground)
    assert member.state == MemberState.APPLIED
    assert [notice.kind for notice in await notices(ground)] == ["join_confirm", "join_received"]


@pytest.mark.storage
async def test_a_confirmed_contact_is_a_subscriber_with_recorded_consent(ground: Ground) -> None:
    await confirmed(ground)
    async with ground.db.reading() as session:
        person = (await session.exec(select(Subscriber))).one()
        state = await session.scalar(sa.select(col(Subscription.state)))
        consent = (await session.exec(select(Consent))).one()
        wording = (await session.exec(select(Wording))).one()
    assert (person.email, person.first_name, person.last_name) == (
        "dara@river.example",
        "Dara",
        "Sok",
    )
    assert state == SubscriptionState.CONFIRMED
    assert (consent.topics, consent.network) == (["coalition-members"], NETWORK)
    assert consent.wording_id == wording.id
    assert wording.text == applying.STATEMENT


async def test_pressing_twice_changes_nothing_and_mails_once(ground: Ground) -> None:
    await confirmed(ground)
    (asked,) = await notices(ground, "join_confirm")
    again = await applying.confirm(ground, token=token(asked), network=NETWORK)
    assert again.outcome is Confirmed.ALREADY
    assert len(await notices(ground, "join_received")) == 1


async def test_an_old_link_does_not_bring_back_who_unsubscribed(ground: Ground) -> None:
    await confirmed(ground)
    async with ground.db.transaction() as session:
        await session.exec(
            sa.update(Subscription).values(state=SubscriptionState.UNSUBSCRIBED.value)
        )
    (asked,) = await notices(ground, "join_confirm")
    await applying.confirm(ground, token=token(asked), network=NETWORK)
    async with ground.db.reading() as session:
        state = await session.scalar(sa.select(col(Subscription.state)))
    assert state == SubscriptionState.UNSUBSCRIBED


async def test_a_link_that_is_too_old_asks_to_apply_again(ground: Ground, clock: FakeClock) -> None:
    await applying.apply(ground, application=application())
    (asked,) = await notices(ground)
    clock.advance(days=15)
    result = await applying.confirm(ground, token=token(asked), network=NETWORK)
    assert result.outcome is Confirmed.TOO_LATE
    await applying.apply(ground, application=application())
    result = await applying.confirm(ground, token=token(asked), network=NETWORK)
    assert result.outcome is Confirmed.DONE


@pytest.mark.storage
async def test_two_presses_on_send_make_one_application(ground: Ground) -> None:
    await asyncio.gather(*(applying.apply(ground, application=application()) for _ in range(4)))
    assert len(await all_members(ground)) == 1
    assert len(await notices(ground)) == 1


async def test_applying_again_later_mails_how_it_stands_and_makes_no_second(
    ground: Ground, clock: FakeClock
) -> None:
    await confirmed(ground)
    clock.advance(hours=2)
    await applying.apply(ground, application=application(name="RIVER VALLEY workers"))
    assert len(await all_members(ground)) == 1
    assert (await notices(ground))[-1].kind == "join_received"


async def test_one_address_is_mailed_no_oftener_than_allowed(ground: Ground) -> None:
    for number in range(5):
        await applying.apply(ground, application=application(name=f"Group {number}"))
    assert len(await notices(ground)) == 1


@pytest.mark.settings(signup={"submissions_per_network_per_hour": 3})
async def test_one_network_is_stopped_over_its_limit(ground: Ground) -> None:
    for number in range(3):
        await applying.apply(
            ground, application=application(contact_email=f"p{number}@river.example")
        )
    with pytest.raises(errors.TooMany):
        await applying.apply(ground, application=application())


async def test_whoever_complained_is_not_mailed_by_an_application(ground: Ground) -> None:
    async with ground.db.transaction() as session:
        await suppression.add(
            ground,
            session,
            email_key="dara@river.example",
            reason=SuppressionReason.COMPLAINT,
            via="complaint",
        )
    await applying.apply(ground, application=application())
    assert await notices(ground) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"contact_email": "nobody"}, "contact_email"),
        ({"website": "javascript:alert(1)"}, "website"),
        ({"agrees": False}, "agrees"),
        ({"statement_version": 0}, "agrees"),
    ],
)
async def test_a_wrong_application_names_the_field(
    ground: Ground, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(errors.Invalid) as caught:
        await applying.apply(ground, application=application(**changes))
    assert list(caught.value.fields) == [field]
    assert await all_members(ground) == []


@pytest.mark.storage
async def test_approving_mails_the_contact_and_opens_the_members_audience(ground: Ground) -> None:
    member = await confirmed(ground)
    is_contact = sa.select(col(Subscriber.email)).where(
        members.contact_exists_for(col(Subscriber.id))
    )
    async with ground.db.reading() as session:
        assert list(await session.scalars(is_contact)) == []
    await members.approve(
        ground, actor=audit.COMMAND, member_id=member.id, version=member.version, reason="Welcome!"
    )
    async with ground.db.reading() as session:
        assert list(await session.scalars(is_contact)) == ["dara@river.example"]
        entry = (
            await session.exec(select(AuditEntry).where(AuditEntry.action == "member.approved"))
        ).one()
    assert entry.before == {"state": "applied"}
    told = (await notices(ground))[-1]
    assert (told.kind, told.context["reason"]) == ("join_approved", "Welcome!")

    (member,) = await all_members(ground)
    await members.mark_left(
        ground, actor=audit.COMMAND, member_id=member.id, version=member.version
    )
    async with ground.db.reading() as session:
        assert list(await session.scalars(is_contact)) == []


async def test_declining_needs_a_reason_and_mails_it(ground: Ground) -> None:
    member = await confirmed(ground)
    with pytest.raises(errors.Invalid):
        await members.decline(
            ground, actor=audit.COMMAND, member_id=member.id, version=member.version, reason=" "
        )
    await members.decline(
        ground,
        actor=audit.COMMAND,
        member_id=member.id,
        version=member.version,
        reason="Another region.",
    )
    told = (await notices(ground))[-1]
    assert (told.kind, told.context["reason"]) == ("join_declined", "Another region.")


@pytest.mark.storage
async def test_of_two_who_decide_at_once_the_second_is_told(ground: Ground) -> None:
    member = await confirmed(ground)
    await members.approve(ground, actor=audit.COMMAND, member_id=member.id, version=member.version)
    with pytest.raises(errors.Conflict):
        await members.decline(
            ground, actor=audit.COMMAND, member_id=member.id, version=member.version, reason="No."
        )
    (after,) = await all_members(ground)
    assert after.state == MemberState.APPROVED


async def test_what_is_not_confirmed_can_not_be_approved(ground: Ground) -> None:
    await applying.apply(ground, application=application())
    (member,) = await all_members(ground)
    with pytest.raises(errors.Refused):
        await members.approve(
            ground, actor=audit.COMMAND, member_id=member.id, version=member.version
        )


async def test_a_contact_added_by_staff_gets_nothing_before_confirming(ground: Ground) -> None:
    member = await confirmed(ground)
    await contacts.add(
        ground,
        actor=audit.COMMAND,
        member_id=member.id,
        name="Maly Chan",
        email="maly@river.example",
    )
    (asked,) = await notices(ground, "contact_confirm")
    assert asked.to_address == "maly@river.example"
    await members.approve(ground, actor=audit.COMMAND, member_id=member.id, version=member.version)
    told = await notices(ground, "join_approved")
    assert [notice.to_address for notice in told] == ["dara@river.example"]
    with pytest.raises(errors.Invalid) as caught:
        await contacts.add(
            ground,
            actor=audit.COMMAND,
            member_id=member.id,
            name="Maly Chan",
            email="MALY@river.example",
        )
    assert "contact_email" in caught.value.fields


async def test_a_known_person_who_applies_keeps_name_and_topics(ground: Ground) -> None:
    await people.subscribed(ground, "dara@river.example", first_name="D.")
    await confirmed(ground)
    async with ground.db.reading() as session:
        person = (await session.exec(select(Subscriber))).one()
        states = list(await session.scalars(sa.select(col(Subscription.state))))
    assert person.first_name == "D."
    assert states == [SubscriptionState.CONFIRMED] * 2


@pytest.mark.storage
async def test_applications_nobody_confirmed_are_forgotten_in_time(
    ground: Ground, clock: FakeClock
) -> None:
    await applying.apply(ground, application=application())
    await confirmed(ground, contact_email="other@river.example", name="Other")
    clock.advance(days=31)
    assert await applying.drop_unconfirmed(ground) == 1
    assert [member.name for member in await all_members(ground)] == ["Other"]


async def test_the_list_is_paged_and_counted(ground: Ground, clock: FakeClock) -> None:
    for number in range(3):
        await confirmed(ground, name=f"Group {number}", contact_email=f"p{number}@river.example")
    first = await members.listed(ground, state=MemberState.APPLIED, limit=2)
    assert [member.name for member in first.members] == ["Group 2", "Group 1"]
    second = await members.listed(
        ground, state=MemberState.APPLIED, after=first.next_after, limit=2
    )
    assert [member.name for member in second.members] == ["Group 0"]
    assert second.next_after is None
    assert second.contacts[second.members[0].id] == "Dara Sok"
    assert (await members.counts(ground))[MemberState.APPLIED] == 3
    assert clock.now() == ground.clock.now()
