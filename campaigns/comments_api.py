"""Remarks on bulletins for programs: read, written, answered and settled as people do it."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from campaigns import bulletins, comments
from campaigns.comments import Thread
from campaigns.review_models import Comment
from foundation.accounts.api_tokens import Scope
from foundation.web.api import Body, Call, Endpoint, Page

Number = Annotated[int, Field(ge=1, le=2**53)]


class RemarkIn(Body):
    """A remark at a block, or about the whole bulletin without one; or the answer to a remark."""

    text: Annotated[str, Field(min_length=1, max_length=comments.LONGEST)]
    block: Annotated[str, Field(max_length=20)] = ""
    language: Annotated[str, Field(max_length=20)] = ""
    answers_id: Number | None = None


class RemarkChange(Body):
    """Whether a remark is dealt with."""

    is_settled: bool


class SaidOut(BaseModel):
    """What somebody said, about which version of the bulletin."""

    id: int
    text: str
    by: str
    bulletin_version: int
    written_at: datetime


class RemarkOut(SaidOut):
    """A remark with its answers; `block` is blank where it is about the whole bulletin."""

    block: str
    language: str
    is_settled: bool
    settled_by: str
    answers: list[SaidOut]


def endpoints() -> list[Endpoint]:
    """What is here."""
    here, write, tag = "/bulletins/{id}/remarks", Scope.CONTENT, "Bulletins"
    return [
        Endpoint(method="GET", path=here, handler=list_remarks, scope=Scope.READ, tag=tag,
                 summary="List remarks on a bulletin, those that are open first",
                 answer=Page[RemarkOut]),
        Endpoint(method="POST", path=here, handler=write_remark, scope=write, tag=tag,
                 summary="Write a remark, or answer one", body=RemarkIn, answer=SaidOut,
                 status=201),
        Endpoint(method="PATCH", path=f"{here}/{{remark}}", handler=settle_remark, scope=write,
                 tag=tag, summary="Settle a remark, or open it again", body=RemarkChange,
                 answer=SaidOut),
    ]  # fmt: skip


async def list_remarks(call: Call) -> Page[RemarkOut]:
    """All at once, those on blocks that are gone too."""
    async with call.ground.db.reading() as session:
        bulletin = await bulletins.get(session, call.number())
        found = await comments.of_bulletin(session, bulletin.id, ())
    threads = [each for at in found.at.values() for each in at]
    threads.sort(key=lambda each: (not each.is_open, each.comment.id))
    return Page(items=[_remark(each) for each in threads])


async def write_remark(call: Call) -> SaidOut:
    """An answer stands where its remark does, and opens it again."""
    body: RemarkIn = call.body
    made = await comments.write(
        call.ground,
        actor=call.actor,
        bulletin_id=call.number(),
        text=body.text,
        block=body.block,
        language=body.language,
        answers_id=body.answers_id,
    )
    return _said(made)


async def settle_remark(call: Call) -> SaidOut:
    """Of an answer, the remark that it answers."""
    body: RemarkChange = call.body
    found = await comments.settle(
        call.ground,
        actor=call.actor,
        bulletin_id=call.number(),
        comment_id=call.number("remark"),
        is_settled=body.is_settled,
    )
    return _said(found)


def _said(comment: Comment) -> SaidOut:
    return SaidOut.model_validate(comment, from_attributes=True)


def _remark(thread: Thread) -> RemarkOut:
    return RemarkOut(
        **_said(thread.comment).model_dump(),
        block=thread.comment.block,
        language=thread.comment.language,
        is_settled=not thread.is_open,
        settled_by=thread.comment.settled_by,
        answers=[_said(each) for each in thread.answers],
    )
