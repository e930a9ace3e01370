"""Webhooks of a Postal server: one event in a body, with an RSA signature over all of it.

`from` and `to` are the envelope's, so `from` holds our token; the Message-ID is kept.
"""

from collections.abc import Iterator

from cryptography.hazmat.primitives import hashes

from delivery.bounces.reasons import BounceReason
from delivery.hooks import meaning, payload, proofs, signatures
from delivery.hooks.call import Call, Heard, in_a_thread
from delivery.hooks.meaning import (
    DELAYED,
    HARD,
    NOT_SENT,
    REFUSED_BY_PROVIDER,
    SOFT,
    Meaning,
)
from delivery.hooks.payload import Fields
from delivery.models import BounceKind
from delivery.returns import Event
from foundation.webhook_sources import WebhookSource

TOLERANCE_S = 26 * 3600
"""Its time is when the event was queued; a server that was down for a night still gets through."""

EVENTS = {
    "MessageDelayed": DELAYED,
    "MessageHeld": DELAYED,
    "MessageHeld/suppression list": NOT_SENT,
    "MessageDeliveryFailed": HARD,
    "MessageDeliveryFailed/attempts": Meaning(
        kind=BounceKind.SOFT, reason=BounceReason.EXPIRED, is_own=True
    ),
    "MessageDeliveryFailed/no reply": REFUSED_BY_PROVIDER,
    "MessageBounced": SOFT,
}
"""`event`, and a word in its `details`, or that there is no `output` of a server.

A bounce comes without what the returned mail said, so nobody is barred for a single one."""


class Postal:
    """A webhook of a mail server in Postal."""

    def __init__(self, source: WebhookSource) -> None:
        self._source = source
        self._key = signatures.rsa_key(source.public_key)

    @in_a_thread
    def hear(self, call: Call) -> Heard:
        """As `Hook`."""
        signature = call.headers.get("X-Postal-Signature-256")
        if signature is not None:
            signatures.check_rsa(self._key, call.body, signature, hashes.SHA256())
        else:
            # Servers before version 3.3 sign by SHA-1 alone.
            signature = call.headers.get("X-Postal-Signature", "")
            signatures.check_rsa(self._key, call.body, signature, hashes.SHA1())  # noqa: S303
        body = payload.parse(call.body)
        if body:
            proofs.check_time(
                body["timestamp"].moment,
                now=call.at,
                tolerance_s=self._source.tolerance_s or TOLERANCE_S,
            )
        return Heard()

    def read(self, body: bytes, number: str) -> Iterator[Event | None]:  # noqa: ARG002 - has its own
        """As `Hook`."""
        return self._events(payload.parse(body))

    def _events(self, body: Fields) -> Iterator[Event | None]:
        item = body["payload"]
        mail = item["message"] or item["original_message"]
        is_ours = mail["direction"].text != "incoming"
        yield meaning.event(
            via=self._source.name,
            meaning=EVENTS.get(_name(body["event"].text, item)) if is_ours else None,
            mail=meaning.Mail(
                address=mail["to"].text,
                sender=mail["from"].text,
                message_id=mail["message_id"].text,
            ),
            words=meaning.Words(said=item["output"].text or item["details"].text),
            at=(item["timestamp"] or body["timestamp"]).moment,
            event_id=body["uuid"].text,
            item=body,
        )


def _name(name: str, item: Fields) -> str:
    details = item["details"].text
    if name == "MessageHeld" and "suppression list" in details:
        return "MessageHeld/suppression list"
    if name == "MessageDeliveryFailed" and not item["output"].text:
        return f"{name}/attempts" if "delivery attempts" in details else f"{name}/no reply"
    return name
