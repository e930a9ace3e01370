"""Makes the messages of a batch: plans thawed once per dispatch, people read once per batch."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import col, select

from delivery import message, values
from delivery.ledger import Claimed
from delivery.message import Envelope
from delivery.models import Dispatch, DispatchPlan
from foundation import i18n
from foundation.ground import Ground
from subscribers.models import Subscriber
from templates.plan import Plan

_KEPT = 8
"""Dispatches whose plans are kept thawed."""


class Composer:
    """Knows the dispatches that are being sent and the people of the present batch."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._dispatches: dict[int, tuple[Dispatch, dict[str, Plan]]] = {}
        self._people: dict[int, Subscriber] = {}

    async def prepare(self, claimed: Sequence[Claimed]) -> None:
        """Read what the messages of a batch need."""
        async with self._ground.db.reading() as session:
            for number in sorted({row.dispatch_id for row in claimed}):
                if number in self._dispatches:
                    continue
                found = await session.get_one(Dispatch, number)
                plans = await session.execute(
                    sa.select(col(DispatchPlan.language), col(DispatchPlan.plan)).where(
                        col(DispatchPlan.dispatch_id) == number
                    )
                )
                thawed = {language: Plan.thaw(frozen) for language, frozen in plans.all()}
                while len(self._dispatches) >= _KEPT:
                    del self._dispatches[next(iter(self._dispatches))]
                self._dispatches[number] = (found, thawed)
            ids = [row.subscriber_id for row in claimed if row.subscriber_id is not None]
            people = await session.exec(select(Subscriber).where(col(Subscriber.id).in_(ids)))
            self._people = {person.id: person for person in people.all()}

    def compose(self, row: Claimed) -> Envelope | None:
        """One recipient's message; None when the person is gone.

        Raises `errors.Invalid` for an address that no header can hold.
        """
        person = self._people.get(row.subscriber_id or 0)
        if person is None:
            return None
        dispatch, plans = self._dispatches[row.dispatch_id]
        offered = [dispatch.default_language, *plans]
        plan = plans[i18n.match(row.language, [each for each in offered if each in plans])]
        filled = values.for_delivery(
            self._ground,
            plan,
            sending=values.Sending(
                dispatch_id=dispatch.id, delivery_id=row.id, started_at=dispatch.started_at
            ),
            subscriber=person,
        )
        return message.for_delivery(
            self._ground,
            dispatch,
            plan,
            delivery_id=row.id,
            subscriber_id=person.id,
            email_address=person.email,
            values=filled,
        )
