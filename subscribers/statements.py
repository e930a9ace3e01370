"""What the coalition's organisations agree to, version by version.

A version is never changed: who agreed to it agreed to those words. Until staff write one of their
own, version 1 stands in Handbill's words. Called by `applying.py`, `signing.py` and staff's pages.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import audit, errors, i18n, tables
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers.member_models import Statement

STATEMENT_VERSION = 1
STATEMENT = N_(
    "We share the coalition's aims and agree to be named among its members. We work for the safety "
    "and dignity of everyone in our community, whatever their papers. The person who applies may "
    "speak for the organization, and agrees to get mail from the coalition as its contact."
)
"""Version 1, unless staff wrote it down in other words."""
LONGEST = 8_000


@frozen
class Version:
    """One version of the statement."""

    number: int
    texts: Mapping[str, str]
    """Language → words."""
    since: datetime | None = None
    """None for version 1 while it stands in Handbill's words."""
    by: str = ""

    def text(self, language: str) -> str:
        """The words in a language, or in the nearest that there is."""
        return self.texts[i18n.match(language, list(self.texts))]


async def current(ground: Ground, session: AsyncSession) -> Version:
    """The newest version."""
    newest = select(Statement).order_by(col(Statement.version).desc()).limit(1)
    row = (await session.exec(newest)).first()
    return _read(row) if row else _first(ground)


async def version(ground: Ground, session: AsyncSession, number: int) -> Version:
    """A version by its number. Raises `errors.NotFound`."""
    row = await session.get(Statement, number)
    if row is not None:
        return _read(row)
    if number == STATEMENT_VERSION:
        return _first(ground)
    raise errors.NotFound(N_("There is no such version of the statement."))


async def everything(ground: Ground) -> list[Version]:
    """Every version, the newest first."""
    async with ground.db.reading() as session:
        rows = (await session.exec(select(Statement).order_by(col(Statement.version).desc()))).all()
    found = [_read(row) for row in rows]
    return found or [_first(ground)]


async def keep(ground: Ground, session: AsyncSession) -> None:
    """Write version 1 down in the words it has now: from here on somebody agreed to them."""
    first = _first(ground)
    await session.execute(
        tables.insert_for(session, Statement)
        .values(
            version=first.number,
            texts=dict(first.texts),
            created_at=ground.clock.now(),
            created_by=audit.SYSTEM.label,
        )
        .on_conflict_do_nothing()
    )


async def write(ground: Ground, *, actor: Actor, after: int, texts: Mapping[str, str]) -> int:
    """Make a new version out of words in every language of the site; returns its number.

    `after` is the version that the writer saw. Raises `errors.Invalid` with the languages that lack
    words, and when nothing is new; `errors.Conflict` when somebody else wrote one meanwhile.
    """
    words = {code: texts.get(code, "").strip() for code in ground.catalog.languages}
    missing = [code for code, text in words.items() if not text]
    if missing:
        raise errors.Invalid(
            N_("Something needs to be mended before this can be kept."),
            fields={f"text.{code}": errors.Invalid(N_("Fill this in.")) for code in missing},
        )
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        await keep(ground, session)
        before = await current(ground, session)
        if dict(before.texts) == words:
            raise errors.Invalid(N_("These are the words that stand there already."))
        made = await session.execute(
            tables.insert_for(session, Statement)
            .values(version=after + 1, texts=words, created_at=now, created_by=actor.label)
            .on_conflict_do_nothing()
            .returning(col(Statement.version))
        )
        if before.number != after or made.first() is None:
            raise errors.Conflict(
                N_("Somebody else wrote a new version meanwhile. Reload the page and read it.")
            )
        audit.record(
            session,
            actor=actor,
            at=now,
            action="statement.written",
            object_kind="statement",
            object_id=after + 1,
            before={"version": before.number},
            after={"version": after + 1, "texts": words},
        )
    return after + 1


def _first(ground: Ground) -> Version:
    texts = {code: ground.translator(code).gettext(STATEMENT) for code in ground.catalog.languages}
    return Version(number=STATEMENT_VERSION, texts=texts)


def _read(row: Statement) -> Version:
    return Version(number=row.version, texts=row.texts, since=row.created_at, by=row.created_by)
