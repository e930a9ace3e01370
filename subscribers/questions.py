"""The office asks an organisation that applied a question; the answer comes by a page.

The question goes by mail to every confirmed contact, each with a link of their own. The first
answer counts; the application waits meanwhile as it did.
"""

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import audit, errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.tokens import Purpose
from subscribers import member_mail, members
from subscribers.member_models import MemberQuestion
from subscribers.models import Member, MemberContact, MemberState

LONGEST = 2_000


@frozen
class Asked:
    """A question as the page behind its link shows it."""

    organisation: str
    language: str
    question: str
    answer: str
    """Blank while nobody answered."""
    was_answered_now: bool = False


async def ask(ground: Ground, *, actor: Actor, member_id: int, question: str) -> None:
    """Mail a question to the contacts of an organisation that applied.

    Raises `errors.Invalid` without one, `errors.Refused` where nothing waits for an answer.
    """
    if not question.strip():
        raise members.wrong("question", errors.Invalid(N_("Fill this in.")))
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        member = await members.get(session, member_id)
        if member.state != MemberState.APPLIED:
            raise errors.Refused(
                N_("Only an organization that waits for your answer can be asked something.")
            )
        row = MemberQuestion(
            member_id=member_id, question=question, asked_at=now, asked_by=actor.label
        )
        session.add(row)
        await session.flush()
        for contact in await members.contacts_of(session, member_id):
            if contact.confirmed_at is not None:
                await member_mail.notify(
                    ground,
                    session,
                    member,
                    contact,
                    kind="join_question",
                    question=question,
                    url=ground.link("/join/answer", Purpose.QUESTION, row.id, contact.id),
                )
        audit.record(
            session,
            actor=actor,
            at=now,
            action="member.asked",
            object_kind="member",
            object_id=member_id,
            after={"question": question},
        )


async def look(ground: Ground, *, token: str) -> Asked:
    """What a mailed link asks; changes nothing. Raises `errors.BadToken`, `errors.NotFound`."""
    async with ground.db.reading() as session:
        row, member, _ = await _found(ground, session, token)
        return _said(row, member)


async def answer(ground: Ground, *, token: str, text: str) -> Asked:
    """A contact answers; the first answer stays.

    Raises `errors.Invalid` without words, `errors.BadToken`, `errors.NotFound`.
    """
    if not text.strip():
        raise members.wrong("answer", errors.Invalid(N_("Fill this in.")))
    async with ground.db.transaction() as session:
        row, member, contact = await _found(ground, session, token)
        won = await session.execute(
            sa.update(MemberQuestion)
            .where(col(MemberQuestion.id) == row.id, col(MemberQuestion.answered_at).is_(None))
            .values(answer=text, answered_at=ground.clock.now(), contact_id=contact.id)
            .returning(col(MemberQuestion.id))
        )
        is_first = won.first() is not None
        await session.refresh(row)
        return _said(row, member, was_answered_now=is_first)


async def _found(
    ground: Ground, session: AsyncSession, token: str
) -> tuple[MemberQuestion, Member, MemberContact]:
    numbers = ground.tokens.open(Purpose.QUESTION, token)
    row = await session.get(MemberQuestion, numbers[0])
    contact = await session.get(MemberContact, numbers[-1])
    member = await session.get(Member, row.member_id) if row else None
    if row is None or contact is None or member is None or contact.member_id != member.id:
        raise errors.NotFound(N_("This question is not kept any more."))
    return row, member, contact


def _said(row: MemberQuestion, member: Member, *, was_answered_now: bool = False) -> Asked:
    return Asked(
        organisation=member.name,
        language=member.language,
        question=row.question,
        answer=row.answer,
        was_answered_now=was_answered_now,
    )
