"""Gatherings where people sign up by hand: made by staff, with the words that the paper asks with.

The words are kept in their version when a gathering is made, so that a sheet that was printed and
what is written down of its consent say the same, however late it is typed in.
"""

import re
from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import audit, errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import consent
from subscribers.models import Form, SignUp, SignUpState, Wording
from subscribers.street_models import Gathering

MOST_LANGUAGES = 2
"""On paper and tablet: more would not fit a line that people read standing."""


@frozen
class Details:
    """What staff say about a gathering."""

    name: str
    code: str
    day: date | None
    form_id: int | None = None
    languages: Sequence[str] = ()


@frozen
class Standing:
    """A gathering and what it brought."""

    gathering: Gathering
    form: Form | None
    entered: int
    confirmed: int


async def create(ground: Ground, *, actor: Actor, details: Details) -> Gathering:
    """Write a gathering down. Raises `errors.Invalid` with the wrong fields."""
    languages = list(dict.fromkeys(details.languages))[:MOST_LANGUAGES]
    _check(ground, details, languages)
    async with ground.db.transaction() as session:
        await _check_known(session, details)
        wordings = {
            code: (await consent.asked(ground, session, consent.SHEET, language=code)).id
            for code in languages
        }
        made = Gathering(
            name=details.name,
            code=details.code,
            day=details.day or ground.clock.now().date(),
            form_id=details.form_id,
            languages=languages,
            wordings=wordings,
            created_at=ground.clock.now(),
            created_by=actor.label,
        )
        session.add(made)
        await session.flush()
        audit.record(
            session,
            actor=actor,
            at=ground.clock.now(),
            action="gathering.created",
            object_kind="gathering",
            object_id=made.id,
            after={"name": made.name, "code": made.code, "day": made.day.isoformat()},
        )
    return made


async def mend(ground: Ground, *, actor: Actor, gathering_id: int, name: str, day: date) -> None:
    """Put another name or day; code, form and words stay as they stand on paper.

    Raises `errors.NotFound`, and `errors.Invalid` without a name.
    """
    if not name.strip():
        raise _wrong({"name": errors.Invalid(N_("Fill this in."))})
    async with ground.db.transaction() as session:
        found = await session.get(Gathering, gathering_id)
        if found is None:
            raise errors.NotFound(N_("There is no such gathering."))
        before = {"name": found.name, "day": found.day.isoformat()}
        found.name, found.day = name, day
        after = {"name": name, "day": day.isoformat()}
        if after != before:
            audit.record(
                session,
                actor=actor,
                at=ground.clock.now(),
                action="gathering.mended",
                object_kind="gathering",
                object_id=gathering_id,
                before=before,
                after=after,
            )


async def listed(ground: Ground) -> list[Standing]:
    """Every gathering with what it brought, the newest day first."""
    async with ground.db.reading() as session:
        return await _standings(session)


async def show(ground: Ground, *, gathering_id: int) -> Standing:
    """One gathering with what it brought. Raises `errors.NotFound`."""
    async with ground.db.reading() as session:
        found = await _standings(session, col(Gathering.id) == gathering_id)
    if not found:
        raise errors.NotFound(N_("There is no such gathering."))
    return found[0]


async def by_code(session: AsyncSession, code: str) -> Gathering | None:
    """The gathering whose code stands in a tablet's address."""
    return (await session.exec(select(Gathering).where(Gathering.code == code))).first()


async def words(ground: Ground, gathering: Gathering) -> list[Wording]:
    """What its paper asks with, in the order of its languages."""
    async with ground.db.reading() as session:
        rows = await session.exec(
            select(Wording).where(col(Wording.id).in_(list(gathering.wordings.values())))
        )
        found = {row.language: row for row in rows}
    return [found[code] for code in gathering.languages if code in found]


async def _standings(session: AsyncSession, *conditions: sa.ColumnElement[bool]) -> list[Standing]:
    is_confirmed = col(SignUp.state) == SignUpState.CONFIRMED.value
    brought = (
        sa.select(
            col(SignUp.gathering_id).label("gathering_id"),
            sa.func.count().label("entered"),
            sa.func.count().filter(is_confirmed).label("confirmed"),
        )
        .where(col(SignUp.gathering_id).is_not(None))
        .group_by(col(SignUp.gathering_id))
        .subquery()
    )
    statement = (
        select(
            Gathering,
            Form,
            sa.func.coalesce(brought.c.entered, 0),
            sa.func.coalesce(brought.c.confirmed, 0),
        )
        .outerjoin(Form, col(Form.id) == col(Gathering.form_id))
        .outerjoin(brought, brought.c.gathering_id == col(Gathering.id))
        .where(*conditions)
        .order_by(col(Gathering.day).desc(), col(Gathering.id).desc())
    )
    rows = (await session.execute(statement)).all()
    return [
        Standing(gathering=gathering, form=form, entered=entered, confirmed=confirmed)
        for gathering, form, entered, confirmed in rows
    ]


def _check(ground: Ground, details: Details, languages: Sequence[str]) -> None:
    problems: dict[str, errors.HandbillError] = {}
    if not details.name.strip():
        problems["name"] = errors.Invalid(N_("Fill this in."))
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?", details.code):
        problems["code"] = errors.Invalid(
            N_("Use small letters, digits and hyphens only, such as spring-fair.")
        )
    if details.day is None:
        problems["day"] = errors.Invalid(N_("Give the day."))
    if not languages or set(languages) - set(ground.catalog.languages):
        problems["languages"] = errors.Invalid(N_("Choose one or two of the site's languages."))
    if problems:
        raise _wrong(problems)


async def _check_known(session: AsyncSession, details: Details) -> None:
    if await by_code(session, details.code) is not None:
        raise _wrong({"code": errors.Invalid(N_("Another gathering has this code already."))})
    if details.form_id is not None and await session.get(Form, details.form_id) is None:
        raise _wrong({"form_id": errors.Invalid(N_("There is no such form."))})


def _wrong(problems: dict[str, errors.HandbillError]) -> errors.Invalid:
    return errors.Invalid(
        N_("Something needs to be mended before this can be kept."), fields=problems
    )
