"""SendGrid's event webhook: a list of events, signed by ECDSA over the time and the body.

`smtp-id` is the Message-ID of mail that came by SMTP. Spam reports and unsubscribes name the
address alone.
"""

from collections.abc import Iterator

from delivery.bounces.reasons import BounceReason
from delivery.hooks import meaning, payload, proofs, signatures
from delivery.hooks.call import Call, Heard, in_a_thread
from delivery.hooks.meaning import (
    BLOCK,
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

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIME = "X-Twilio-Email-Event-Webhook-Timestamp"
TOLERANCE_S = 26 * 3600
"""It tries an address again for a day; whether each try is signed anew is not documented."""

EVENTS = {
    "deferred": DELAYED,
    "spamreport": COMPLAINT,
    "unsubscribe": UNSUBSCRIBED,
    "group_unsubscribe": UNSUBSCRIBED,
}
"""`event`, but for bounces and drops."""

BOUNCES = {
    "bounce": HARD,
    "bounce/Invalid Address": Meaning(kind=BounceKind.HARD, reason=BounceReason.USER_UNKNOWN),
    "bounce/Mailbox Unavailable": SOFT,
    "bounce/Technical": Meaning(kind=BounceKind.SOFT, reason=BounceReason.NETWORK),
    "bounce/Content": Meaning(kind=BounceKind.BLOCK, reason=BounceReason.CONTENT_REFUSED),
    "bounce/Reputation": Meaning(kind=BounceKind.BLOCK, reason=BounceReason.REPUTATION),
    "bounce/Frequency or Volume Too High": Meaning(
        kind=BounceKind.SOFT, reason=BounceReason.RATE_LIMITED
    ),
    "blocked": BLOCK,
    "blocked/Invalid Address": SOFT,
    "blocked/Mailbox Unavailable": SOFT,
    "blocked/Technical": Meaning(kind=BounceKind.SOFT, reason=BounceReason.NETWORK),
    "blocked/Content": Meaning(kind=BounceKind.BLOCK, reason=BounceReason.CONTENT_REFUSED),
    "blocked/Reputation": Meaning(kind=BounceKind.BLOCK, reason=BounceReason.REPUTATION),
    "blocked/Frequency or Volume Too High": Meaning(
        kind=BounceKind.SOFT, reason=BounceReason.RATE_LIMITED
    ),
}
"""`type`/`bounce_classification` of the event `bounce`."""

DROPS = {
    "Bounced Address": NOT_SENT,
    "Invalid": Meaning(kind=BounceKind.HARD, reason=BounceReason.USER_UNKNOWN, is_own=True),
    "Spam Reporting Address": COMPLAINT,
    "Unsubscribed Address": UNSUBSCRIBED,
}
"""`reason` of the event `dropped`; any other is about the mail or the account."""


class SendGrid:
    """An event webhook of SendGrid with its verification key."""

    def __init__(self, source: WebhookSource) -> None:
        self._source = source
        self._key = signatures.p256_key(source.public_key)

    @in_a_thread
    def hear(self, call: Call) -> Heard:
        """As `Hook`."""
        said_at = call.headers.get(TIME, "")
        signatures.check_ecdsa(
            self._key,
            said_at.encode("utf-8", "replace") + call.body,
            call.headers.get(SIGNATURE, ""),
        )
        proofs.check_time(
            Fields(said_at).moment,
            now=call.at,
            tolerance_s=self._source.tolerance_s or TOLERANCE_S,
        )
        return Heard()

    def read(self, body: bytes, number: str) -> Iterator[Event | None]:  # noqa: ARG002 - has its own
        """As `Hook`."""
        return self._events(payload.parse(body))

    def _events(self, items: Fields) -> Iterator[Event | None]:
        for item in items.each():
            name = item["event"].text
            said = item["reason"].text or item["response"].text
            if name == "bounce":
                found = meaning.look_up(
                    BOUNCES, item["type"].text, item["bounce_classification"].text
                )
                found = found or HARD
            elif name == "dropped":
                found = DROPS.get(said, REFUSED_BY_PROVIDER)
            else:
                found = EVENTS.get(name)
            yield meaning.event(
                via=self._source.name,
                meaning=found,
                mail=meaning.Mail(address=item["email"].text, message_id=item["smtp-id"].text),
                words=meaning.Words(said=said, status=item["status"].text),
                at=item["timestamp"].moment,
                event_id=item["sg_event_id"].text,
                item=item,
            )
