"""Remarks on a bulletin, at a block or about all of it: written, answered, settled."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import bulletins
from campaigns.review_models import Comment
from foundation import audit, errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

LONGEST = 2000


@frozen
class Thread:
    """A remark with its answers, the first first."""

    comment: Comment
    answers: Sequence[Comment]

    @property
    def is_open(self) -> bool:
        """Whether nobody has settled it."""
        return self.comment.settled_at is None


@frozen
class Remarks:
    """All remarks on a bulletin, as its pages show them."""

    at: Mapping[str, Sequence[Thread]]
    """Block → remarks, open ones first; a blank name holds those about all of it."""
    gone: Sequence[Thread]
    """Open remarks on blocks that are not there any more."""
    open: int
    """How many are not settled."""

    def of(self, block: str) -> Sequence[Thread]:
        """The remarks on a block; on all of it, where the name is blank."""
        return self.at.get(block, ())


async def write(
    ground: Ground, *, actor: Actor, bulletin_id: int, text: str, block: str = "",
    language: str = "", answers_id: int | None = None,
) -> Comment:  # fmt: skip
    """Keep a remark or an answer. Raises `errors.Invalid`, `errors.NotFound`.

    An answer to a settled remark opens it again.
    """
    words = text.strip()
    if not words:
        raise errors.Invalid(N_("Write what you want to say."))
    async with ground.db.transaction() as session:
        bulletin = await bulletins.get(session, bulletin_id)
        document = bulletins.document_of(bulletin)
        if answers_id is not None:
            first = await _get(session, bulletin_id, answers_id)
            block, language = first.block, first.language
            answers_id = first.answers_id or first.id
            await _settle(session, answers_id, by="", at=None)
        elif block:
            document.place(block)
        if language and language not in document.editions:
            raise errors.Invalid(N_("There is no edition in this language."))
        made = Comment(
            bulletin_id=bulletin_id,
            answers_id=answers_id,
            block=block,
            language=language,
            text=words[:LONGEST],
            by=actor.label,
            staff_id=actor.staff_id,
            bulletin_version=bulletin.version,
            written_at=ground.clock.now(),
        )
        session.add(made)
        await session.flush()
        _note(ground, session, actor, made, "commented")
    return made


async def settle(
    ground: Ground, *, actor: Actor, bulletin_id: int, comment_id: int, is_settled: bool
) -> Comment:
    """Say that a remark is dealt with, or that it is not. Raises `errors.NotFound`."""
    async with ground.db.transaction() as session:
        found = await _get(session, bulletin_id, comment_id)
        number = found.answers_id or found.id
        now = ground.clock.now()
        await _settle(
            session, number, by=actor.label if is_settled else "", at=now if is_settled else None
        )
        _note(ground, session, actor, found, "comment-settled" if is_settled else "comment-opened")
    return found


async def of_bulletin(session: AsyncSession, bulletin_id: int, blocks: Sequence[str]) -> Remarks:
    """Every remark on a bulletin that has these blocks."""
    statement = select(Comment).where(Comment.bulletin_id == bulletin_id).order_by(col(Comment.id))
    every = (await session.exec(statement)).all()
    threads = [
        Thread(comment=each, answers=[other for other in every if other.answers_id == each.id])
        for each in every
        if each.answers_id is None
    ]
    threads.sort(key=lambda thread: (not thread.is_open, thread.comment.id))
    at: dict[str, list[Thread]] = {}
    for thread in threads:
        at.setdefault(thread.comment.block, []).append(thread)
    there = {"", *blocks}
    return Remarks(
        at=at,
        gone=[each for each in threads if each.is_open and each.comment.block not in there],
        open=sum(thread.is_open for thread in threads),
    )


async def count_open(session: AsyncSession, bulletin_id: int) -> int:
    """How many remarks on a bulletin are not settled."""
    statement = sa.select(sa.func.count()).where(
        col(Comment.bulletin_id) == bulletin_id,
        col(Comment.answers_id).is_(None),
        col(Comment.settled_at).is_(None),
    )
    return int(await session.scalar(statement) or 0)


async def _get(session: AsyncSession, bulletin_id: int, comment_id: int) -> Comment:
    found = await session.get(Comment, comment_id)
    if found is None or found.bulletin_id != bulletin_id:
        raise errors.NotFound(N_("There is no such remark."))
    return found


async def _settle(session: AsyncSession, number: int, *, by: str, at: datetime | None) -> None:
    await session.execute(
        sa.update(Comment).where(col(Comment.id) == number).values(settled_by=by, settled_at=at)
    )


def _note(ground: Ground, session: AsyncSession, actor: Actor, comment: Comment, verb: str) -> None:
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action=f"bulletin.{verb}",
        object_kind="bulletin",
        object_id=comment.bulletin_id,
        after={"comment": comment.id, "block": comment.block, "text": comment.text[:200]},
    )
