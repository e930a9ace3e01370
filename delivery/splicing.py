"""Splices one recipient's message out of a dispatch's plan: all the work that is done per message.

What is the same for everybody was encoded when the plan was compiled; what is the same for all who
do not want to be counted by name is filled in once for ten seconds of sending.
"""

import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from delivery import message
from delivery.letter import Envelope
from delivery.models import Dispatch
from foundation.ground import Ground
from foundation.tokens import Purpose
from subscribers.recipients import Recipient
from templates.plan import Plan

STEP_S = 10
"""Tokens tell how long after the dispatch's start a mail went out, in steps of this."""
_ABOUT_PERSON = "subscriber."
_OWN_FIELD = "subscriber.fields."


class _Second(NamedTuple):
    """A second of sending, and what is the same for all whose mail is made in it."""

    posix: int
    date: str
    step: int
    shared: Plan
    """The plan with links that name nobody."""


class Splicer:
    """Makes the messages of one dispatch in one language."""

    def __init__(self, ground: Ground, dispatch: Dispatch, plan: Plan) -> None:
        self._ground = ground
        self._seal = ground.tokens.seal
        self._id = dispatch.id
        self._began = int(dispatch.started_at.timestamp())
        self._plan = plan
        self._head = message.Letterhead(ground, dispatch, plan)
        self.is_signing = self._head.is_signing
        """Whether each message takes a signature that is most of the work."""
        self.asks_membership = plan.asks_membership
        self._topic = dispatch.topics[0] if len(dispatch.topics) == 1 else 0
        self._unsubscribe_url = ground.url("/unsubscribe/")
        self._preferences_url = ground.url("/preferences/")
        self._view_url = ground.url("/view/")
        self._click_url = ground.url("/r/")
        self._open_url = ground.url("/o/")
        self._links = [(f"click:{each.number}", each.number) for each in plan.links]
        self._is_tracked = ground.settings.tracking.enabled
        self._about_person = {
            name: _reader(name) for name in plan.slot_names if name.startswith(_ABOUT_PERSON)
        }.items()
        self._second = _Second(posix=-1, date="", step=-1, shared=plan)

    def envelope(
        self, person: Recipient, *, delivery_id: int, now: datetime, is_8bit: bool = False
    ) -> Envelope:
        """The message for one person; 8bit if that is asked for and their values allow it.

        Only if they agreed to be counted by name do links carry the delivery's number; without
        that they count for the campaign's totals alone (`foundation.tokens.Purpose.CLICK`). Raises
        `errors.Invalid` for an address that can't stand in a header.
        """
        second = self._second
        posix = int(now.timestamp())
        if posix != second.posix:
            second = self._turn(posix, now)
        seal = self._seal
        values = {name: read(person) for name, read in self._about_person}
        token = seal(Purpose.UNSUBSCRIBE, person.id, delivery_id, self._topic)
        unsubscribe_url = values["unsubscribe_url"] = self._unsubscribe_url + token
        values["preferences_url"] = self._preferences_url + seal(Purpose.PREFERENCES, person.id)
        view = seal(Purpose.VIEW, self._id, person.id, delivery_id)
        values["view_url"] = self._view_url + view
        plan = second.shared
        if self._is_tracked and person.allows_tracking:
            plan = self._plan
            values |= self._counted(delivery_id, second.step)
        body, has_8bit = plan.pieces(values, plan.answers(person), is_8bit=is_8bit)
        return self._head.envelope(
            to=person.email,
            subject=plan.subject(values),
            body=body,
            second=posix,
            sent_on=second.date,
            delivery_id=delivery_id,
            subscriber_id=person.id,
            unsubscribe_url=unsubscribe_url,
            unsubscribe_token=token,
            is_8bit=has_8bit,
        )

    def _turn(self, posix: int, now: datetime) -> _Second:
        """What a new second needs; links that name nobody are made anew for each step of time."""
        known = self._second
        step = max(0, posix - self._began) // STEP_S
        is_known = step == known.step
        second = _Second(
            posix=posix,
            date=message.date(now),
            step=step,
            shared=known.shared if is_known else self._plan.filled(self._counted(0, step)),
        )
        # One assignment, as several threads may be at it.
        self._second = second
        return second

    def _counted(self, delivery_id: int, step: int) -> Mapping[str, str]:
        """Tracked links and the pixel; `delivery_id` 0 names nobody."""
        if not self._is_tracked:
            return {
                **{f"click:{each.number}": each.url for each in self._plan.links},
                "open_pixel_url": "",
            }
        seal, url = self._seal, self._click_url
        values = {
            name: url + seal(Purpose.CLICK, self._id, number, delivery_id, step)
            for name, number in self._links
        }
        pixel = seal(Purpose.OPEN, self._id, delivery_id, step)
        values["open_pixel_url"] = f"{self._open_url}{pixel}.gif"
        return values


def _reader(name: str) -> Callable[[Recipient], str]:
    """What reads a merge field's value off a person; one of its own that they lack is blank."""
    if not name.startswith(_OWN_FIELD):
        return operator.attrgetter(name.removeprefix(_ABOUT_PERSON))
    field = name.removeprefix(_OWN_FIELD)
    return lambda person: person.fields.get(field, "")
