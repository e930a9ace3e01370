"""Splices one recipient's message out of a dispatch's plan: all the work that is done per message.

What is the same for everybody was encoded when the plan was compiled; what is the same for all who
do not want to be counted by name is filled in once for ten seconds of sending.
"""

import operator
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from delivery import message
from delivery.letter import Envelope
from delivery.models import Dispatch
from foundation.ground import Ground
from foundation.tokens import Purpose, number_octets
from subscribers.recipients import Recipient
from templates import runs
from templates.plan import Plan

STEP_S = 10
"""Tokens tell how long after the dispatch's start a mail went out, in steps of this."""
_A_SECOND = timedelta(seconds=1)
_ABOUT_PERSON = "subscriber."
_OWN_FIELD = "subscriber.fields."


class _Second(NamedTuple):
    """A second of sending, and what is the same for all whose mail is made in it."""

    begins: datetime
    ends: datetime
    dated: message.Dated
    step: int
    shared: Plan
    """The plan with links that name nobody."""


class Splicer:
    """Makes the messages of one dispatch in one language."""

    def __init__(self, ground: Ground, dispatch: Dispatch, plan: Plan) -> None:
        self._clock = ground.clock
        self._began = int(dispatch.started_at.timestamp())
        self._plan = plan
        self._head = message.Letterhead(ground, dispatch, plan)
        self.is_signing = self._head.is_signing
        """Whether each message takes a signature that is most of the work."""
        self.asks_membership = plan.asks_membership
        self._of_dispatch = number_octets(dispatch.id)
        self._of_topic = number_octets(dispatch.topics[0] if len(dispatch.topics) == 1 else 0)
        self._unsubscribe = _Sealed(ground, "/unsubscribe/", Purpose.UNSUBSCRIBE)
        self._preferences = _Sealed(ground, "/preferences/", Purpose.PREFERENCES)
        self._view = _Sealed(ground, "/view/", Purpose.VIEW)
        self._click = _Sealed(ground, "/r/", Purpose.CLICK)
        self._open = _Sealed(ground, "/o/", Purpose.OPEN)
        self._links = [
            (f"click:{each.number}", self._of_dispatch + number_octets(each.number))
            for each in plan.links
        ]
        self._is_plain = runs.is_plain(ground.url("/"))
        self._is_tracked = ground.settings.tracking.enabled
        self._about_person = {
            name: _reader(name) for name in plan.slot_names if name.startswith(_ABOUT_PERSON)
        }.items()
        began = dispatch.started_at
        self._second = _Second(began, began, self._head.dated(0, ""), step=-1, shared=plan)

    def envelope(self, person: Recipient, delivery_id: int, is_8bit: bool = False) -> Envelope:
        """The message for one person; 8bit if that is asked for and their values allow it.

        Only if they agreed to be counted by name do links carry the delivery's number; without
        that they count for the campaign's totals alone (`foundation.tokens.Purpose.CLICK`). Raises
        `errors.Invalid` for an address that can't stand in a header.
        """
        now = self._clock.now()
        second = self._second
        if not second.begins <= now < second.ends:
            second = self._turn(now)
        who, delivery = number_octets(person.id), number_octets(delivery_id)
        token = self._unsubscribe.seal(who + delivery + self._of_topic)
        values: dict[str, runs.Value] = {
            "unsubscribe_url": self._unsubscribe.url + token,
            "preferences_url": self._preferences(who),
            "view_url": self._view(self._of_dispatch + who + delivery),
        }
        for name, read in self._about_person:
            values[name] = read(person)
        plan = second.shared
        if self._is_tracked and person.allows_tracking:
            plan = self._plan
            values |= self._counted(delivery, second.step)
        if not self._is_plain:
            values = {**_texts(values)}
        body, has_8bit = plan.pieces(values, plan.answers(person), is_8bit=is_8bit)
        return self._head.envelope(
            to=person.email,
            subject=plan.subject(values),
            body=body,
            dated=second.dated,
            delivery=delivery,
            subscriber_id=person.id,
            unsubscribe_token=token,
            is_8bit=has_8bit,
        )

    def _turn(self, now: datetime) -> _Second:
        """What a new second needs; links that name nobody are made anew for each step of time."""
        known = self._second
        begins = now.replace(microsecond=0)
        posix = int(begins.timestamp())
        step = max(0, posix - self._began) // STEP_S
        is_known = step == known.step
        second = _Second(
            begins=begins,
            ends=begins + _A_SECOND,
            dated=self._head.dated(posix, message.date(now)),
            step=step,
            shared=known.shared if is_known else self._plan.filled(self._shared(step)),
        )
        # One assignment, as several threads may be at it.
        self._second = second
        return second

    def _shared(self, step: int) -> Mapping[str, str]:
        """Links for all who are not counted by name: to count for totals, or not at all."""
        if self._is_tracked:
            return _texts(self._counted(number_octets(0), step))
        return {
            **{f"click:{each.number}": each.url for each in self._plan.links},
            "open_pixel_url": "",
        }

    def _counted(self, delivery: bytes, step: int) -> dict[str, runs.Value]:
        """Tracked links and the pixel; delivery 0 names nobody."""
        when = delivery + number_octets(step)
        click = self._click
        values: dict[str, runs.Value] = {name: click(link + when) for name, link in self._links}
        values["open_pixel_url"] = self._open(self._of_dispatch + when) + b".gif"
        return values


class _Sealed:
    """Addresses of one kind, each with a token; a call gives one for a token's numbers."""

    def __init__(self, ground: Ground, path: str, purpose: Purpose) -> None:
        self.url = ground.url(path).encode()
        self.seal = ground.tokens.sealer(purpose)

    def __call__(self, numbers: bytes) -> bytes:
        return self.url + self.seal(numbers)


def _texts(values: Mapping[str, runs.Value]) -> dict[str, str]:
    """The same values, all as text."""
    return {
        name: value if isinstance(value, str) else value.decode() for name, value in values.items()
    }


def _reader(name: str) -> Callable[[Recipient], str]:
    """What reads a merge field's value off a person; one of its own that they lack is blank."""
    if not name.startswith(_OWN_FIELD):
        return operator.attrgetter(name.removeprefix(_ABOUT_PERSON))
    field = name.removeprefix(_OWN_FIELD)
    return lambda person: person.fields.get(field, "")
