"""Keeps what a look found, so that a page shows it at once, and lets one process look at a time."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from delivery.arriving import known
from delivery.arriving.known import Planned
from delivery.arriving.models import ONLY, ArrivingLook
from delivery.arriving.questions import Answers, Question
from foundation import tables
from foundation.config import Settings
from foundation.errors import HandbillError
from foundation.findings import Finding, Record, Share, Tone
from foundation.frozen import frozen
from foundation.ground import Ground

_LOST = timedelta(minutes=5)
"""Whoever looks for longer is gone."""


@frozen
class Kept:
    """The last look."""

    looked_at: datetime | None
    """None when nobody ever looked."""
    answers: Answers
    is_running: bool
    """Whether somebody looks just now."""
    is_of_now: bool
    """Whether the settings are still those that were looked at."""

    @property
    def findings(self) -> Sequence[Finding]:
        """All lines."""
        return [each for lines in self.answers.values() for each in lines]


async def latest(ground: Ground, session: AsyncSession) -> Kept:
    """What was found last."""
    row = await session.get(ArrivingLook, ONLY)
    if row is None:
        return Kept(looked_at=None, answers={}, is_running=False, is_of_now=True)
    return Kept(
        looked_at=row.looked_at,
        answers=_read(row.answers),
        is_running=row.began_at is not None and ground.clock.now() - row.began_at < _LOST,
        is_of_now=row.looked_at is None or row.settings == digest(ground.settings),
    )


async def begin(ground: Ground, *, older_than: timedelta | None = None) -> bool:
    """Whether it is up to the caller to look now: nobody else does.

    With `older_than`, only if the last look is not younger.
    """
    now = ground.clock.now()
    table = ArrivingLook
    is_free = sa.or_(col(table.began_at).is_(None), col(table.began_at) <= now - _LOST)
    if older_than is not None:
        is_old = col(table.looked_at).is_(None) | (col(table.looked_at) <= now - older_than)
        is_free = sa.and_(is_free, is_old)
    async with ground.db.transaction() as session:
        insert = tables.insert_for(session, table).values(
            id=ONLY, began_at=now, answers={}, settings=""
        )
        taken = insert.on_conflict_do_update(
            index_elements=["id"], set_={"began_at": now}, where=is_free
        ).returning(col(table.id))
        return (await session.execute(taken)).first() is not None


async def end(ground: Ground) -> None:
    """Nobody looks any more, and nothing was found."""
    async with ground.db.transaction() as session:
        await session.execute(sa.update(ArrivingLook).values(began_at=None))


async def perform(ground: Ground, *, planned: Planned | None) -> Answers:
    """Look at everything, and keep what was found. Raises `errors.Busy`."""
    found = await look_now(ground, planned=planned)
    async with ground.db.transaction() as session:
        await session.execute(
            sa.update(ArrivingLook).values(
                began_at=None,
                looked_at=ground.clock.now(),
                answers=_written(found),
                settings=digest(ground.settings),
            )
        )
    return found


async def look_now(ground: Ground, *, planned: Planned | None) -> Answers:
    """Look at everything, and keep nothing. Raises `errors.Busy`."""
    # What looks weighs several megabytes, and most processes never look.
    from delivery.arriving import look, names

    resolver = names.resolver(ground.settings.arriving)
    return await look.look(
        ground,
        names=names.Names(resolver) if resolver is not None else None,
        known=await known.read(ground, planned=planned),
    )


async def look_when_due(ground: Ground, *, planned: Planned) -> None:
    """Look if the last look is older than `[arriving] look_every_hours`."""
    hours = ground.settings.arriving.look_every_hours
    if not hours or not await _is_due(ground, timedelta(hours=hours)):
        return
    if await begin(ground, older_than=timedelta(hours=hours)):
        await perform(ground, planned=planned)


async def _is_due(ground: Ground, age: timedelta) -> bool:
    """A cheap question first: it is asked often."""
    async with ground.db.reading() as session:
        kept = await latest(ground, session)
    return not kept.is_running and (
        kept.looked_at is None or ground.clock.now() - kept.looked_at >= age
    )


def digest(settings: Settings) -> str:
    """Changes with whatever a look depends on; tells nothing of secrets."""
    parts = [
        settings.arriving.model_dump_json(),
        settings.mail.model_dump_json(),
        settings.site.url,
        settings.listener.model_dump_json(),
        *(each.model_dump_json(exclude={"password", "password_file"}) for each in settings.relay),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _written(answers: Answers) -> dict[str, Any]:
    return {question.value: [_plain(each) for each in lines] for question, lines in answers.items()}


def _plain(finding: Finding) -> dict[str, Any]:
    publish = finding.publish
    return {
        "code": finding.code,
        "tone": finding.tone.value,
        "msgid": finding.msgid,
        "values": {name: _plain_value(value) for name, value in finding.values.items()},
        "advice": finding.advice,
        "publish": [publish.name, publish.kind, publish.content] if publish else None,
    }


def _plain_value(value: object) -> object:
    """Text and whole numbers as they are; others say what they are."""
    if isinstance(value, Share):
        return {"share": float(value)}
    if isinstance(value, datetime):
        return {"moment": value.isoformat()}
    if isinstance(value, HandbillError) and not value.values:
        return {"said": value.msgid}
    return value if isinstance(value, int) else str(value)


def _read(stored: Mapping[str, Any]) -> Answers:
    return {
        question: [_finding(each) for each in stored.get(question.value, ())]
        for question in Question
    }


def _finding(stored: Mapping[str, Any]) -> Finding:
    publish = stored["publish"]
    return Finding(
        code=stored["code"],
        tone=Tone(stored["tone"]),
        msgid=stored["msgid"],
        values={name: _value(value) for name, value in stored["values"].items()},
        advice=stored["advice"],
        publish=Record(name=publish[0], kind=publish[1], content=publish[2]) if publish else None,
    )


def _value(stored: Any) -> object:
    if isinstance(stored, dict):
        if "share" in stored:
            return Share(stored["share"])
        if "said" in stored:
            return HandbillError(stored["said"])
        return datetime.fromisoformat(stored["moment"])
    return stored
