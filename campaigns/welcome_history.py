"""How a person stands to welcomes; implements `subscribers.people.WelcomeHistory`."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns.welcome_models import (
    MailOutcome,
    ReaderState,
    StopReason,
    Welcome,
    WelcomeMail,
    WelcomeReader,
)
from foundation.ground import Ground
from foundation.i18n import N_, NN_, Translator
from subscribers import topics
from subscribers.models import Topic
from subscribers.people import WelcomeTold

_STOPPED: Mapping[StopReason, str] = {
    StopReason.LEFT: N_("stopped, because they left the topic"),
    StopReason.SUPPRESSED: N_("stopped, because they may not be mailed any more"),
    StopReason.ERASED: N_("stopped"),
    StopReason.SWITCHED_OFF: N_("stopped, because it was switched off"),
}
_SO_FAR = NN_("%(count)s mail so far", "%(count)s mails so far")


class WelcomeHistory:
    """Implements `subscribers.people.WelcomeHistory`."""

    async def welcomes(
        self, ground: Ground, *, subscriber_id: int, language: str
    ) -> Sequence[WelcomeTold]:
        """The welcomes that a person is or was in, in words."""
        speaks = ground.translator(language)
        statement = (
            select(WelcomeReader, Topic)
            .join(Welcome, col(Welcome.id) == col(WelcomeReader.welcome_id))
            .join(Topic, col(Topic.id) == col(Welcome.topic_id))
            .where(WelcomeReader.subscriber_id == subscriber_id)
            .order_by(col(Topic.position))
        )
        async with ground.db.reading() as session:
            rows = (await session.exec(statement)).all()
            had = await _had(session, [reader.id for reader, _ in rows])
        return [
            WelcomeTold(
                topic=topics.name(topic, speaks.language),
                said=_said(reader, had.get(reader.id, {}), speaks),
                url=f"/staff/welcome/{topic.slug}",
            )
            for reader, topic in rows
        ]


async def _had(session: AsyncSession, readers: Sequence[int]) -> dict[int, dict[str, int]]:
    statement = (
        sa.select(col(WelcomeMail.reader_id), col(WelcomeMail.outcome), sa.func.count())
        .where(col(WelcomeMail.reader_id).in_(readers))
        .group_by(col(WelcomeMail.reader_id), col(WelcomeMail.outcome))
    )
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for reader, outcome, count in await session.execute(statement):
        found[reader][outcome] = count
    return found


def _said(reader: WelcomeReader, had: Mapping[str, int], speaks: Translator) -> str:
    """“2 mails handed over. Stopped: left the topic.”"""
    handed = had.get(MailOutcome.HANDED.value, 0)
    parts = [speaks.ngettext(*_SO_FAR, handed) % {"count": handed}]
    skipped = had.get(MailOutcome.SKIPPED.value, 0)
    if skipped:
        parts.append(speaks.gettext(N_("%(count)s passed over")) % {"count": skipped})
    match ReaderState(reader.state):
        case ReaderState.GOING:
            day = speaks.date(reader.due_at, "medium")
            parts.append(speaks.gettext(N_("the next not before %(day)s")) % {"day": day})
        case ReaderState.DONE:
            parts.append(speaks.gettext(N_("nothing is to come")))
        case ReaderState.STOPPED:
            parts.append(speaks.gettext(_STOPPED[StopReason(reader.reason)]))
    return "; ".join(parts)
