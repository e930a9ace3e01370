"""Which bulletin is set in which template of the site's own, and that template's source.

`bulletins.py` notes uses in the transaction that keeps a bulletin, so a template is never taken
away under one; `editions.py` asks for the source.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns.documents import Document
from campaigns.mail_template_models import MailTemplate, MailTemplateUse
from campaigns.models import Bulletin
from foundation import errors
from foundation.i18n import N_
from templates import content


async def note(session: AsyncSession, bulletin_id: int, document: Document) -> None:
    """Keep which template a bulletin is set in. Raises `errors.Invalid` where there is none."""
    found = await _own(session, document)
    await session.execute(
        sa.delete(MailTemplateUse).where(col(MailTemplateUse.bulletin_id) == bulletin_id)
    )
    if found is not None:
        session.add(MailTemplateUse(bulletin_id=bulletin_id, template_id=found.id))


async def source(session: AsyncSession, document: Document) -> str:
    """The source of a document's template; blank for one that Handbill brings along.

    Raises `errors.Invalid` when there is none.
    """
    found = await _own(session, document)
    return found.source if found else ""


async def counts(session: AsyncSession) -> Mapping[int, int]:
    """Template → how many bulletins are set in it."""
    statement = sa.select(col(MailTemplateUse.template_id), sa.func.count()).group_by(
        col(MailTemplateUse.template_id)
    )
    return {int(row[0]): int(row[1]) for row in (await session.execute(statement)).all()}


async def bulletins(session: AsyncSession, template_id: int) -> Sequence[Bulletin]:
    """The bulletins that are set in a template, newest first."""
    statement = (
        select(Bulletin)
        .join(MailTemplateUse, col(MailTemplateUse.bulletin_id) == col(Bulletin.id))
        .where(col(MailTemplateUse.template_id) == template_id)
        .order_by(col(Bulletin.id).desc())
    )
    return (await session.exec(statement)).all()


async def _own(session: AsyncSession, document: Document) -> MailTemplate | None:
    if isinstance(document.template, content.Template):
        return None
    statement = select(MailTemplate).where(MailTemplate.key == document.template)
    found = (await session.exec(statement)).first()
    if found is None:
        problem = errors.Invalid(
            N_("There is no mail template “%(name)s”."), name=document.template[:80]
        )
        raise errors.Invalid(problem.msgid, fields={"template": problem}, **problem.values)
    return found
