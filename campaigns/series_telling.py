"""What happens when a series can't be drafted: its owner is told, and in the end it is paused."""

from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import attention
from campaigns.series_models import Series, SeriesState
from foundation import addresses, audit, errors
from foundation.accounts.models import Staff
from foundation.audit import SYSTEM
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.notices import Notice


async def failed(ground: Ground, *, series_id: int, problem: Exception) -> None:
    """Keep what went wrong, tell whoever looks after the series, and try again later or no more.

    Each try waits twice as long as the one before it; after `[series] failures_before_pause` the
    series waits for a person.
    """
    said = problem if isinstance(problem, errors.HandbillError) else _unexpected(problem)
    settings = ground.settings.series
    async with ground.db.transaction() as session:
        series = await session.get(Series, series_id)
        if series is None or series.state != SeriesState.ACTIVE:
            return
        failures = series.failures + 1
        is_over = failures >= settings.failures_before_pause
        wait = timedelta(minutes=settings.retry_minutes * 2 ** (failures - 1))
        languages = ground.catalog.languages
        counted = await session.execute(
            sa.update(Series)
            .where(
                col(Series.id) == series_id,
                col(Series.failures) == series.failures,
                col(Series.next_on) == series.next_on,
            )
            .values(
                failures=failures,
                retry_at=ground.clock.now() + wait,
                state=(SeriesState.BROKEN if is_over else SeriesState.ACTIVE).value,
                problem_texts={code: said.say(ground.translator(code)) for code in languages},
            )
            .returning(col(Series.id))
        )
        if counted.first() is None:
            return  # another scheduler failed at the same, and has told
        audit.record(
            session,
            actor=SYSTEM,
            at=ground.clock.now(),
            action="series.failed",
            object_kind="series",
            object_id=series_id,
            after={"failures": failures, "problem": str(said), "is_paused": is_over},
        )
        if failures == 1 or is_over:
            await tell(ground, session, series=series, reason=said)


async def tell(
    ground: Ground, session: AsyncSession, *, series: Series, reason: errors.HandbillError
) -> None:
    """Queue a notice to the series' owner, or to whom staff are told otherwise."""
    # Not by the plan: it may be what is broken.
    owner = await owner_of(session, str(series.document.get("owner", "")))
    whom = [(owner.email, owner.language)] if owner else await attention.whom(ground, session)
    for to, language in whom:
        await ground.notices.queue(
            session,
            Notice(
                kind="series_needs_attention",
                to=to,
                language=language,
                context={
                    "series": series.name,
                    "reason": reason.say(ground.translator(language)),
                    "url": ground.url(f"/staff/series/{series.id}"),
                },
            ),
        )


async def owner_of(session: AsyncSession, address: str) -> Staff | None:
    """The member of staff with an address, while they work here."""
    if not address:
        return None
    key = addresses.parse(address).key
    statement = select(Staff).where(Staff.email_key == key, col(Staff.is_active).is_(True))
    return (await session.exec(statement)).first()


def _unexpected(problem: Exception) -> errors.HandbillError:
    return errors.Refused(
        N_("Something went wrong that should not have: %(problem)s."),
        problem=f"{type(problem).__name__}: {problem}".partition("\n")[0][:200],
    )
