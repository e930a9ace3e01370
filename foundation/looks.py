"""How the site's mails look, as staff chose it in the browser; what they did not choose is that of
the settings.

Every choice is kept as a version of its own; the newest holds. Whoever makes a mail asks for
`current` in the session that it has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Any

from sqlmodel import Field, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import tables
from foundation.frozen import frozen


@frozen
class Look:
    """Colours, faces and the words around every mail; blank is the usual."""

    accent: str = ""
    """The one colour for what acts or matters, as `#rrggbb`."""
    paper: str = ""
    """The ground of a mail by day; at night it is dark whatever this is."""
    ink: str = ""
    """The letters on it."""
    logo: str = ""
    """The path of the logo on this site."""
    headline_face: str = ""
    text_face: str = ""
    """Names of `templates.faces`."""
    taglines: Mapping[str, str] = field(default_factory=dict)
    """Language → the line under the name at the head of a mail."""
    footers: Mapping[str, str] = field(default_factory=dict)
    """Language → rich text at the foot of a bulletin."""


class LookVersion(tables.Table, table=True):
    """How mails looked from one moment on."""

    __tablename__ = "looks"

    id: int = tables.identity()
    values: dict[str, Any] = tables.json_dict()
    """The fields of `Look` that are not blank."""
    saved_by: str = Field(default="", nullable=False)
    saved_at: datetime = tables.moment()


async def current(session: AsyncSession) -> Look:
    """How mails look now."""
    newest = await newest_version(session)
    return of(newest) if newest else Look()


async def newest_version(session: AsyncSession) -> LookVersion | None:
    """What was chosen last; None while nothing was."""
    statement = select(LookVersion).order_by(col(LookVersion.id).desc()).limit(1)
    return (await session.exec(statement)).first()


async def versions(session: AsyncSession, *, limit: int = 50) -> Sequence[LookVersion]:
    """What was chosen, newest first."""
    statement = select(LookVersion).order_by(col(LookVersion.id).desc()).limit(limit)
    return (await session.exec(statement)).all()


def of(version: LookVersion) -> Look:
    """A version as it is used; what only a newer Handbill knows is left out."""
    known = Look.__dataclass_fields__
    return Look(**{name: value for name, value in version.values.items() if name in known})
