"""Resend's webhooks: one event in a body, signed as Svix does it.

The MAC covers an id, a time and the body, in that order and with dots between; there may be several
signatures while a secret is being changed. The id is the same for every try of one event. Resend
sends by Amazon SES, and passes its types of bounces on.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator

from delivery.hooks import meaning, payload, proofs
from delivery.hooks.call import Call, Heard, in_a_thread
from delivery.hooks.meaning import (
    COMPLAINT,
    DELAYED,
    NOT_SENT,
    REFUSED_BY_PROVIDER,
    SOFT,
    UNSUBSCRIBED,
)
from delivery.hooks.payload import Fields
from delivery.hooks.ses import BOUNCES
from delivery.returns import Event
from foundation.webhook_sources import WebhookSource

TOLERANCE_S = 300
"""Each try is signed anew, so Svix's own five minutes do."""
_PREFIX = "whsec_"
_MAX_SIGNATURES = 10

EVENTS = {
    "email.complained": COMPLAINT,
    "email.delivery_delayed": DELAYED,
    "email.suppressed": NOT_SENT,
    "email.failed": REFUSED_BY_PROVIDER,
}
"""`type`, but for bounces."""


class Resend:
    """A webhook of Resend with its signing secret."""

    def __init__(self, source: WebhookSource) -> None:
        self._source = source
        try:
            self._secret = base64.b64decode(source.secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error as problem:
            raise ValueError("not a secret that starts with whsec_") from problem

    @in_a_thread
    def hear(self, call: Call) -> Heard:
        """As `Hook`."""
        number = call.headers.get("svix-id", "")
        said_at = call.headers.get("svix-timestamp", "")
        signed = f"{number}.{said_at}.".encode("utf-8", "replace") + call.body
        expected = base64.b64encode(hmac.digest(self._secret, signed, hashlib.sha256)).decode()
        given = call.headers.get("svix-signature", "").split()[:_MAX_SIGNATURES]
        # All are looked at, whichever fits.
        fits = [proofs.is_same(f"v1,{expected}", each) for each in given]
        if not number or not any(fits):
            raise proofs.forged()
        proofs.check_time(
            Fields(said_at).moment,
            now=call.at,
            tolerance_s=self._source.tolerance_s or TOLERANCE_S,
        )
        return Heard(number=number)

    def read(self, body: bytes, number: str) -> Iterator[Event | None]:
        """As `Hook`."""
        return self._events(payload.parse(body), number)

    def _events(self, item: Fields, number: str) -> Iterator[Event | None]:
        name, data = item["type"].text, item["data"]
        bounce = data["bounce"]
        found = EVENTS.get(name)
        if name == "email.bounced":
            found = meaning.look_up(BOUNCES, bounce["type"].text, bounce["subType"].text) or SOFT
        elif name == "contact.updated" and data["unsubscribed"].is_true:
            found = UNSUBSCRIBED
        headers = data["headers"].headers
        codes = [each.text for each in bounce["diagnosticCode"].each()]
        said = " ".join(codes) or bounce["message"].text or data["suppressed"]["message"].text
        people = [each.text for each in data["to"].each()] or [data["email"].text]
        for address in people:
            # A mail of ours has one recipient; where there are several, nobody knows who it was.
            yield meaning.event(
                via=self._source.name,
                meaning=found if len(people) == 1 else None,
                mail=meaning.Mail(
                    address=address,
                    message_id=headers.get("message-id", "") or data["message_id"].text,
                    campaign=headers.get("x-handbill-campaign", ""),
                ),
                words=meaning.Words(said=said or data["failed"]["reason"].text),
                at=item["created_at"].moment,
                event_id=number,
                item=item,
            )
