"""What happens between an application and a long membership, and who looks after it."""

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from foundation import audit, errors
from foundation.ground import Ground
from subscribers import applying, contacts, members, partnering, partners, questions, statements
from subscribers.applying import Named
from subscribers.member_models import ContactDuty
from subscribers.models import Member, MemberContact, MemberState, Partner, Subscriber
from tests.subscribers.test_members import NETWORK, all_members, application, confirmed, notices
from tests.subscribers.test_members import token as confirm_token

MALY = Named(
    name="Maly Chan",
    email="maly@river.example",
    role="Organizer",
    duties=[ContactDuty.PRESS, ContactDuty.SERVICES],
)
OWN_WORDS = {"en": "We stand together.", "es": "Estamos juntos."}


async def approved(ground: Ground, **changes: object) -> Member:
    """A member with one contact, or two where `second` is given; all have confirmed."""
    await applying.apply(ground, application=application(**changes))
    for notice in await notices(ground, "join_confirm"):
        await applying.confirm(ground, token=confirm_token(notice), network=NETWORK)
    member = (await all_members(ground))[-1]
    await members.approve(ground, actor=audit.COMMAND, member_id=member.id, version=member.version)
    return (await all_members(ground))[-1]


@pytest.mark.storage
async def test_each_of_two_contacts_confirms_and_looks_after_what_was_said(ground: Ground) -> None:
    await applying.apply(ground, application=application(second=MALY))
    asked = await notices(ground, "join_confirm")
    assert [notice.to_address for notice in asked] == ["dara@river.example", "maly@river.example"]

    result = await applying.confirm(ground, token=confirm_token(asked[1]), network=NETWORK)
    assert result.waits
    (member,) = await all_members(ground)
    card = await members.card(ground, member_id=member.id)
    assert [contact.confirmed_at is not None for contact in card.contacts] == [False, True]
    assert card.duties == {card.contacts[1].id: [ContactDuty.PRESS, ContactDuty.SERVICES]}

    await members.approve(ground, actor=audit.COMMAND, member_id=member.id, version=member.version)
    told = [notice.to_address for notice in await notices(ground, "join_approved")]
    assert told == ["maly@river.example"]


async def test_two_contacts_are_two_people(ground: Ground) -> None:
    with pytest.raises(errors.Invalid) as caught:
        await applying.apply(
            ground, application=application(second=Named(name="D.", email="DARA@river.example"))
        )
    assert list(caught.value.fields) == ["second_email"]


@pytest.mark.storage
async def test_who_looks_after_something_is_found_by_it(ground: Ground) -> None:
    member = await approved(ground, second=MALY)

    async def found(*duties: ContactDuty) -> list[str]:
        statement = (
            sa.select(col(Subscriber.email))
            .where(col(Subscriber.id).in_(members.contacts(duties=duties)))
            .order_by(col(Subscriber.email))
        )
        async with ground.db.reading() as session:
            return list(await session.scalars(statement))

    assert await found() == ["dara@river.example", "maly@river.example"]
    assert await found(ContactDuty.PRESS, ContactDuty.SERVICES) == ["maly@river.example"]
    assert await found(ContactDuty.POLICY) == []
    card = await members.card(ground, member_id=member.id)
    await contacts.change(
        ground,
        actor=audit.COMMAND,
        member_id=member.id,
        contact_id=card.contacts[0].id,
        role="Chair",
        duties=[ContactDuty.POLICY],
    )
    assert await found(ContactDuty.POLICY) == ["dara@river.example"]


async def test_the_last_confirmed_contact_stays(ground: Ground) -> None:
    member = await approved(ground, second=MALY)
    first, second = (await members.card(ground, member_id=member.id)).contacts
    await contacts.remove(ground, actor=audit.COMMAND, member_id=member.id, contact_id=first.id)
    with pytest.raises(errors.Refused):
        await contacts.remove(
            ground, actor=audit.COMMAND, member_id=member.id, contact_id=second.id
        )
    with pytest.raises(errors.NotFound):
        await contacts.remove(ground, actor=audit.COMMAND, member_id=99, contact_id=second.id)


@pytest.mark.storage
async def test_a_question_goes_by_mail_and_the_first_answer_counts(ground: Ground) -> None:
    member = await confirmed(ground)
    await questions.ask(
        ground, actor=audit.COMMAND, member_id=member.id, question="Whom do you help?"
    )
    (asked,) = await notices(ground, "join_question")
    assert asked.context["question"] == "Whom do you help?"
    token = asked.context["url"].rpartition("/")[2]

    assert (await questions.look(ground, token=token)).answer == ""
    first = await questions.answer(ground, token=token, text="Workers in Lowell.")
    second = await questions.answer(ground, token=token, text="Something else.")

    assert (first.was_answered_now, second.was_answered_now) == (True, False)
    assert second.answer == "Workers in Lowell."
    card = await members.card(ground, member_id=member.id)
    assert [each.answer for each in card.questions] == ["Workers in Lowell."]
    assert card.questions[0].contact_id == card.contacts[0].id
    assert card.member.state == MemberState.APPLIED


async def test_only_who_waits_for_an_answer_is_asked(ground: Ground) -> None:
    member = await approved(ground)
    with pytest.raises(errors.Refused):
        await questions.ask(ground, actor=audit.COMMAND, member_id=member.id, question="Why?")


@pytest.mark.storage
async def test_a_member_becomes_a_partner_with_one_press_and_only_once(ground: Ground) -> None:
    await partners.create(
        ground,
        actor=audit.COMMAND,
        details=partners.Details(name="Other", key="river-valley-workers"),
    )
    waits = await confirmed(ground)
    with pytest.raises(errors.Refused):
        await partnering.become_partner(ground, actor=audit.COMMAND, member_id=waits.id)
    await members.approve(ground, actor=audit.COMMAND, member_id=waits.id, version=waits.version)

    made = await partnering.become_partner(ground, actor=audit.COMMAND, member_id=waits.id)
    again = await partnering.become_partner(ground, actor=audit.COMMAND, member_id=waits.id)

    assert again.id == made.id
    assert (made.key, made.origins) == ("river-valley-workers-2", ["https://river.example"])
    async with ground.db.reading() as session:
        keys = await session.exec(select(Partner.key).order_by(Partner.key))
        assert keys.all() == ["river-valley-workers", "river-valley-workers-2"]


@pytest.mark.storage
async def test_a_new_version_of_the_statement_leaves_the_old_one_as_it_was(ground: Ground) -> None:
    await applying.apply(ground, application=application())
    assert await statements.write(ground, actor=audit.COMMAND, after=1, texts=OWN_WORDS) == 2
    newest, first = await statements.everything(ground)
    assert (newest.number, newest.text("es-MX")) == (2, "Estamos juntos.")
    assert first.text("en") == statements.STATEMENT

    with pytest.raises(errors.Invalid) as caught:
        await applying.apply(ground, application=application(contact_email="b@river.example"))
    assert list(caught.value.fields) == ["agrees"]
    with pytest.raises(errors.Conflict):
        await statements.write(ground, actor=audit.COMMAND, after=1, texts={"en": "A", "es": "B"})
    with pytest.raises(errors.Invalid) as caught:
        await statements.write(ground, actor=audit.COMMAND, after=2, texts={"en": "Only one."})
    assert list(caught.value.fields) == ["text.es"]


async def test_a_contact_agrees_to_the_words_of_the_version_that_was_shown(ground: Ground) -> None:
    await statements.write(ground, actor=audit.COMMAND, after=1, texts=OWN_WORDS)
    await applying.apply(ground, application=application(language="es", statement_version=2))
    await statements.write(
        ground, actor=audit.COMMAND, after=2, texts={"en": "Anew.", "es": "De nuevo."}
    )
    (asked,) = await notices(ground, "join_confirm")
    await applying.confirm(ground, token=confirm_token(asked), network=NETWORK)
    async with ground.db.reading() as session:
        person = (await session.exec(select(MemberContact))).one()
        words = await session.scalar(
            sa.text(
                "SELECT w.text FROM wordings w JOIN consents c ON c.wording_id = w.id "
                "WHERE c.subscriber_id = :person"
            ),
            {"person": person.subscriber_id},
        )
    assert words == "Estamos juntos."
