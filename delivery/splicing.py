"""Splices one recipient's message out of a dispatch's plan: all the work that is done per message.

What is the same for everybody was encoded when the plan was compiled; what is the same for all who
do not want to be counted by name is filled in once for ten seconds of sending.
"""

from collections.abc import Mapping
from datetime import datetime

from delivery.letter import Envelope
from delivery.message import Letterhead
from delivery.models import Dispatch
from foundation.ground import Ground
from foundation.tokens import Purpose
from subscribers import people
from subscribers.recipients import Recipient
from templates.plan import Plan

STEP_S = 10
"""Tokens tell how long after the dispatch's start a mail went out, in steps of this."""


class Splicer:
    """Makes the messages of one dispatch in one language."""

    def __init__(self, ground: Ground, dispatch: Dispatch, plan: Plan) -> None:
        self._ground = ground
        self._dispatch = dispatch
        self._plan = plan
        self._head = Letterhead(ground, dispatch, plan)
        self.is_signing = self._head.is_signing
        """Whether each message takes a signature that is most of the work."""
        self._topic = dispatch.topics[0] if len(dispatch.topics) == 1 else 0
        self._unsubscribe_url = ground.url("/unsubscribe/")
        self._preferences_url = ground.url("/preferences/")
        self._view_url = ground.url("/view/")
        self._is_tracked = ground.settings.tracking.enabled
        self._own_fields = dict.fromkeys(
            (name for name in plan.slot_names if name.startswith("subscriber.fields.")), ""
        )
        self._shared = (-1, plan)

    def envelope(
        self, person: Recipient, *, delivery_id: int, now: datetime, is_8bit: bool = False
    ) -> Envelope:
        """The message for one person; 8bit if that is asked for and their values allow it.

        Only if they agreed to be counted by name do links carry the delivery's number; without
        that they count for the campaign's totals alone (`foundation.tokens.Purpose.CLICK`). Raises
        `errors.Invalid` for an address that can't stand in a header.
        """
        passed = now - self._dispatch.started_at
        step = max(0, int(passed.total_seconds()) // STEP_S)
        seal = self._ground.tokens.seal
        # Fields of its own that this person does not have are blank: the plan's defaults step in.
        values = {**self._own_fields, **people.merge_values(person)}
        token = seal(Purpose.UNSUBSCRIBE, person.id, delivery_id, self._topic)
        unsubscribe_url = values["unsubscribe_url"] = self._unsubscribe_url + token
        values["preferences_url"] = self._preferences_url + seal(Purpose.PREFERENCES, person.id)
        token = seal(Purpose.VIEW, self._dispatch.id, person.id, delivery_id)
        values["view_url"] = self._view_url + token
        if self._is_tracked and person.allows_tracking:
            plan = self._plan
            values |= self._counted(delivery_id, step)
        else:
            plan = self._for_all(step)
        body = plan.body(values, plan.answers(person), is_8bit=is_8bit)
        return self._head.envelope(
            to=person.email,
            subject=plan.subject(values),
            body=body,
            now=now,
            delivery_id=delivery_id,
            subscriber_id=person.id,
            unsubscribe_url=unsubscribe_url,
            is_8bit=is_8bit and not body.isascii(),
        )

    def _for_all(self, step: int) -> Plan:
        """The plan with links that name nobody, made anew for each step of time."""
        known, plan = self._shared
        if step != known:
            plan = self._plan.filled(self._counted(0, step))
            # One assignment, as several threads may be at it.
            self._shared = step, plan
        return plan

    def _counted(self, delivery_id: int, step: int) -> Mapping[str, str]:
        """Tracked links and the pixel; `delivery_id` 0 names nobody."""
        link, number = self._ground.link, self._dispatch.id
        if not self._is_tracked:
            return {
                **{f"click:{each.number}": each.url for each in self._plan.links},
                "open_pixel_url": "",
            }
        return {
            **{
                f"click:{each.number}": link(
                    "/r", Purpose.CLICK, number, each.number, delivery_id, step
                )
                for each in self._plan.links
            },
            "open_pixel_url": link("/o", Purpose.OPEN, number, delivery_id, step) + ".gif",
        }
