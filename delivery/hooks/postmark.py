"""Postmark's webhooks: one event in a body, proved by a password or a header of our choice.

Postmark writes a Message-ID of its own; what comes back of ours is the metadata that our header
`X-PM-Metadata-campaign` sets (`delivery/hooks/marks.py`).
"""

from collections.abc import Iterator

from delivery.bounces.reasons import BounceReason
from delivery.hooks import marks, meaning, payload, proofs
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

BOUNCES = {
    "HardBounce": HARD,
    "BadEmailAddress": Meaning(kind=BounceKind.HARD, reason=BounceReason.USER_UNKNOWN),
    "AddressChange": Meaning(kind=BounceKind.HARD, reason=BounceReason.ADDRESS_MOVED),
    "ManuallyDeactivated": NOT_SENT,
    "SoftBounce": SOFT,
    "DnsError": Meaning(kind=BounceKind.SOFT, reason=BounceReason.NETWORK),
    "Unknown": SOFT,
    "Undeliverable": SOFT,
    "Transient": DELAYED,
    "Blocked": BLOCK,
    "SpamNotification": Meaning(kind=BounceKind.BLOCK, reason=BounceReason.SPAM_REFUSED),
    "VirusNotification": Meaning(kind=BounceKind.BLOCK, reason=BounceReason.VIRUS),
    "DMARCPolicy": Meaning(kind=BounceKind.BLOCK, reason=BounceReason.AUTHENTICATION_FAILED),
    "SMTPApiError": REFUSED_BY_PROVIDER,
    "Unconfirmed": REFUSED_BY_PROVIDER,
    "SpamComplaint": COMPLAINT,
    "Unsubscribe": UNSUBSCRIBED,
}
"""`Type` of a bounce; an auto-responder, a challenge or a request to subscribe is none of these."""

CHANGES = {
    "HardBounce": NOT_SENT,
    "SpamComplaint": COMPLAINT,
    "ManualSuppression": UNSUBSCRIBED,
    "ManualSuppression/Customer": NOT_SENT,
    "ManualSuppression/Admin": NOT_SENT,
}
"""`SuppressionReason`/`Origin` of a `SubscriptionChange` that suppresses."""


class Postmark:
    """Webhooks of a message stream of Postmark."""

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
            kind = item["RecordType"].text
            at = item["BouncedAt"] or item["ChangedAt"]
            number = item["ID"].text or f"{item['MessageID'].text}:{at.text}"
            yield meaning.event(
                via=self._source.name,
                meaning=_meaning(kind, item),
                mail=meaning.Mail(
                    address=item["Email"].text or item["Recipient"].text,
                    campaign=item["Metadata"][marks.CAMPAIGN].text,
                ),
                words=meaning.Words(said=item["Details"].text),
                at=at.moment,
                event_id=f"{kind}:{number}",
                item=item,
            )


def _meaning(kind: str, item: Fields) -> Meaning | None:
    if kind == "SpamComplaint":
        return COMPLAINT
    if kind == "SubscriptionChange" and item["SuppressSending"].is_true:
        return meaning.look_up(CHANGES, item["SuppressionReason"].text, item["Origin"].text)
    return BOUNCES.get(item["Type"].text) if kind == "Bounce" else None
