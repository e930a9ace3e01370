"""Brevo's transactional webhooks: an event or a list of them, proved by a password or bearer token.

`message-id` is that of mail that came by SMTP; `X-Mailin-custom` is a header of ours that comes
back (`delivery/hooks/marks.py`). Brevo has no numbers for events: one is made of what it says.
"""

import hashlib
from collections.abc import Iterator

from delivery.bounces.reasons import BounceReason
from delivery.hooks import marks, meaning, payload, proofs
from delivery.hooks.call import Call, Heard, in_a_thread
from delivery.hooks.meaning import (
    COMPLAINT,
    DELAYED,
    HARD,
    NOT_SENT,
    REFUSED_BY_PROVIDER,
    SOFT,
    UNSUBSCRIBED,
    Meaning,
)
from delivery.hooks.payload import Fields
from delivery.models import BounceKind
from delivery.returns import Event
from foundation.webhook_sources import WebhookSource

EVENTS = {
    "hard_bounce": HARD,
    "invalid_email": Meaning(kind=BounceKind.HARD, reason=BounceReason.USER_UNKNOWN),
    "soft_bounce": SOFT,
    "deferred": DELAYED,
    "blocked": NOT_SENT,
    "error": REFUSED_BY_PROVIDER,
    "spam": COMPLAINT,
    "complaint": COMPLAINT,
    "unsubscribed": UNSUBSCRIBED,
    "unsubscribe": UNSUBSCRIBED,
}
"""`event`, with `_` between its words."""

_SPELLED = {"hardBounce": "hard_bounce", "softBounce": "soft_bounce", "invalid": "invalid_email"}
"""As the settings of a webhook call them."""


class Brevo:
    """A transactional webhook of Brevo."""

    def __init__(self, source: WebhookSource) -> None:
        self._source = source

    @in_a_thread
    def hear(self, call: Call) -> Heard:
        """As `Hook`."""
        proofs.check_secret(self._source, call.headers)
        return Heard()

    def read(self, body: bytes, number: str) -> Iterator[Event | None]:  # noqa: ARG002 - has its own
        """As `Hook`."""
        return self._events(payload.parse(body))

    def _events(self, body: Fields) -> Iterator[Event | None]:
        for item in body.each():
            name = item["event"].text
            address, message_id = item["email"].text, item["message-id"].text
            at = item["ts_epoch"] or item["ts_event"] or item["ts"]
            number = hashlib.sha256(
                f"{_SPELLED.get(name, name)} {address} {message_id} {at.text}".encode()
            ).hexdigest()
            yield meaning.event(
                via=self._source.name,
                meaning=EVENTS.get(_SPELLED.get(name, name)),
                mail=meaning.Mail(
                    address=address,
                    message_id=message_id,
                    campaign=marks.read(item["X-Mailin-custom"].text),
                ),
                words=meaning.Words(said=item["reason"].text),
                at=at.moment,
                event_id=number[:40],
                item=item,
            )
