"""Mailgun's webhooks: one event in a body, with a MAC over a time and a token beside it.

The MAC does not cover the event, so a token is good for one body only. Mailgun keeps the
Message-ID of mail that came by SMTP.
"""

from collections.abc import Iterator

from delivery.bounces.reasons import BounceReason
from delivery.hooks import meaning, payload, proofs
from delivery.hooks.call import Call, Heard, in_a_thread
from delivery.hooks.meaning import (
    BLOCK,
    COMPLAINT,
    DELAYED,
    HARD,
    NOT_SENT,
    REFUSED_BY_PROVIDER,
    UNSUBSCRIBED,
    Meaning,
)
from delivery.hooks.payload import Fields
from delivery.models import BounceKind
from delivery.returns import Event
from foundation.webhook_sources import WebhookSource

TOLERANCE_S = 12 * 3600
"""It tries an address again for eight hours; whether each try has a new time is not documented."""
_MAX_TOKEN = 100

FAILURES = {
    "temporary": DELAYED,
    "permanent": HARD,
    "permanent/bounce": HARD,
    "permanent/delayed-bounce": HARD,
    "permanent/old": Meaning(kind=BounceKind.SOFT, reason=BounceReason.EXPIRED),
    "permanent/espblock": BLOCK,
    "permanent/spam": Meaning(kind=BounceKind.BLOCK, reason=BounceReason.SPAM_REFUSED, is_own=True),
    "permanent/virus": Meaning(kind=BounceKind.BLOCK, reason=BounceReason.VIRUS, is_own=True),
    "permanent/suppress-bounce": NOT_SENT,
    "permanent/suppress-complaint": COMPLAINT,
    "permanent/suppress-unsubscribe": UNSUBSCRIBED,
}
"""`severity`/`reason` of the event `failed`."""

SUPPRESSED = {
    605: NOT_SENT,
    606: UNSUBSCRIBED,
    607: COMPLAINT,
}
"""`delivery-status.code`, where it is not a server's: the address is on a list of Mailgun's."""

EVENTS = {
    "complained": COMPLAINT,
    "unsubscribed": UNSUBSCRIBED,
    "rejected": REFUSED_BY_PROVIDER,
}
"""`event`, but for failures."""


class Mailgun:
    """Webhooks of a Mailgun account with its signing key."""

    def __init__(self, source: WebhookSource) -> None:
        self._source = source

    @in_a_thread
    def hear(self, call: Call) -> Heard:
        """As `Hook`."""
        body = payload.parse(call.body)
        signature = body["signature"]
        said_at, token = signature["timestamp"].text, signature["token"].raw
        if not 0 < len(token) <= _MAX_TOKEN:
            raise proofs.forged()
        proofs.check_mac(
            self._source.secret.encode(),
            f"{said_at}{token}".encode("utf-8", "replace"),
            signature["signature"].raw,
        )
        proofs.check_time(
            signature["timestamp"].moment,
            now=call.at,
            tolerance_s=self._source.tolerance_s or TOLERANCE_S,
        )
        return Heard(nonce=token)

    def read(self, body: bytes, number: str) -> Iterator[Event | None]:  # noqa: ARG002 - has its own
        """As `Hook`."""
        return self._events(payload.parse(body)["event-data"])

    def _events(self, item: Fields) -> Iterator[Event | None]:
        status = item["delivery-status"]
        headers = item["message"]["headers"]
        yield meaning.event(
            via=self._source.name,
            meaning=_meaning(item),
            mail=meaning.Mail(
                address=item["recipient"].text or headers["to"].text,
                sender=item["envelope"]["sender"].text,
                message_id=headers["message-id"].text,
            ),
            words=meaning.Words(
                said=status["message"].text
                or status["description"].text
                or item["reject"]["reason"].text,
                status=status["enhanced-code"].text,
                reply_code=status["code"].number,
            ),
            at=item["timestamp"].moment,
            # The id is unique within a day only.
            event_id=f"{item['id'].text}:{item['timestamp'].text}",
            item=item,
        )


def _meaning(item: Fields) -> Meaning | None:
    if item["event"].text != "failed":
        return EVENTS.get(item["event"].text)
    listed = SUPPRESSED.get(item["delivery-status"]["code"].number or 0)
    return listed or meaning.look_up(FAILURES, item["severity"].text, item["reason"].text)
