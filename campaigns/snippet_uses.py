"""Which bulletin holds which snippet, and what stands there when a bulletin is made.

`bulletins.py` notes uses in the transaction that keeps a bulletin, so a snippet is never taken away
under one; `block_content.py` asks for its block.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns.block_models import SavedSnippet
from campaigns.documents import Document
from campaigns.models import Bulletin
from campaigns.snippet_models import Snippet, SnippetUse
from foundation import errors
from foundation.i18n import N_


async def note(session: AsyncSession, bulletin_id: int, document: Document) -> None:
    """Keep which snippets a bulletin holds. Raises `errors.Invalid` for one that is not there."""
    blocks = (each for each in document.blocks if isinstance(each, SavedSnippet))
    keys = {each.snippet for each in blocks if each.snippet}
    found = await _by_keys(session, keys)
    await session.execute(sa.delete(SnippetUse).where(col(SnippetUse.bulletin_id) == bulletin_id))
    session.add_all(
        SnippetUse(bulletin_id=bulletin_id, snippet_id=each.id) for each in found.values()
    )


async def named(session: AsyncSession, key: str) -> Snippet:
    """A snippet by what documents call it. Raises `errors.Invalid` when there is none."""
    return (await _by_keys(session, {key}))[key]


async def counts(session: AsyncSession) -> Mapping[int, int]:
    """Snippet → in how many bulletins it stands."""
    statement = sa.select(col(SnippetUse.snippet_id), sa.func.count()).group_by(
        col(SnippetUse.snippet_id)
    )
    return {int(row[0]): int(row[1]) for row in (await session.execute(statement)).all()}


async def bulletins(session: AsyncSession, snippet_id: int) -> Sequence[Bulletin]:
    """The bulletins in which a snippet stands, newest first."""
    statement = (
        select(Bulletin)
        .join(SnippetUse, col(SnippetUse.bulletin_id) == col(Bulletin.id))
        .where(col(SnippetUse.snippet_id) == snippet_id)
        .order_by(col(Bulletin.id).desc())
    )
    return (await session.exec(statement)).all()


async def _by_keys(session: AsyncSession, keys: set[str]) -> Mapping[str, Snippet]:
    if not keys:
        return {}
    statement = select(Snippet).where(col(Snippet.key).in_(sorted(keys)))
    found = {each.key: each for each in (await session.exec(statement)).all()}
    missing = sorted(keys - found.keys())
    if missing:
        raise errors.Invalid(
            N_("There is no snippet called %(keys)s."),
            keys=", ".join(f"“{key[:60]}”" for key in missing[:5]),
        )
    return found
