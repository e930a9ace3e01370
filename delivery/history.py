"""Which mails a person was sent; implements `subscribers.people.MailHistory`."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlmodel import col

from delivery import came_back, naming, return_words
from delivery.came_back import Query
from delivery.models import Delivery, DeliveryState, Dispatch, Proof
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers.people import CameBack, Mail

STATES: Mapping[str, str] = {
    DeliveryState.QUEUED: N_("waiting"),
    DeliveryState.SENT: N_("sent"),
    DeliveryState.DEFERRED: N_("put off"),
    DeliveryState.FAILED: N_("failed"),
    DeliveryState.UNCERTAIN: N_("uncertain"),
    DeliveryState.CANCELLED: N_("not sent"),
}
_CAME_BACK = N_("came back")


class History:
    """Reads the ledger."""

    async def mails(
        self, ground: Ground, *, subscriber_id: int, language: str, limit: int
    ) -> Sequence[Mail]:
        """The newest `limit` bulletins of a person, newest first."""
        speaks = ground.translator(language)
        when = sa.func.coalesce(col(Delivery.sent_at), col(Dispatch.started_at))
        statement = (
            sa.select(
                when,
                col(Dispatch.name),
                col(Delivery.state),
                col(Delivery.bounce),
                col(Dispatch.campaign_id),
            )
            .join(Dispatch, col(Dispatch.id) == col(Delivery.dispatch_id))
            .where(col(Delivery.subscriber_id) == subscriber_id)
            .order_by(col(Delivery.id).desc())
            .limit(limit)
        )
        async with ground.db.reading() as session:
            rows = (await session.execute(statement)).all()
        return [
            Mail(
                at=at,
                subject=name,
                state=speaks.gettext(_CAME_BACK if bounce else STATES[state]),
                url=naming.page(campaign_id),
            )
            for at, name, state, bounce, campaign_id in rows
        ]

    async def came_back(
        self, ground: Ground, *, subscriber_id: int, language: str, limit: int
    ) -> Sequence[CameBack]:
        """The newest `limit` things that came back from a person's mailbox, newest first."""
        speaks = ground.translator(language)
        found = await came_back.listed(ground, Query(subscriber_id=subscriber_id), limit=limit)
        return [
            CameBack(
                at=row.received_at,
                what=return_words.summed_up(row.kind, row.reason, speaks),
                mail=row.mail,
                url=f"/staff/returns/{row.id}",
                is_unproven=row.proof == Proof.NONE,
            )
            for row in found.rows
        ]
