"""How Brevo calls: flat events, one or several in a body, with a bearer token."""

import json
import uuid
from datetime import datetime
from typing import Any

from tests.delivery.hooks.parts import EPOCH, FULL, SECRET, UNKNOWN_USER, Json, Mail, Sent

NAME = "brevo"
IS_SIGNING = False
IS_DATED = False


def _event(mail: Mail, event: str, **more: Any) -> Json:
    return {
        "id": 26224,
        "event": event,
        "email": mail.address,
        "date": "2026-11-02 16:14:03",
        "ts": EPOCH,
        "ts_event": EPOCH,
        "ts_epoch": 1000 * EPOCH + uuid.uuid4().int % 1_000_000,
        "message-id": mail.message_id,
        "subject": "Hello",
        "X-Mailin-custom": f"handbill-campaign:{mail.campaign}",
        "sending_ip": "192.0.2.7",
        **more,
    }


def hard(mail: Mail) -> Json:
    return _event(mail, "hard_bounce", reason=UNKNOWN_USER)


def soft(mail: Mail) -> Json:
    return _event(mail, "soft_bounce", reason=FULL)


def delayed(mail: Mail) -> Json:
    return _event(mail, "deferred", reason=FULL)


def complaint(mail: Mail) -> Json:
    return _event(mail, "spam")


def delivered(mail: Mail) -> Json:
    return _event(mail, "delivered")


def unheard_of(mail: Mail) -> Json:
    return _event(mail, "teleported")


def left(mail: Mail) -> Json:
    return _event(mail, "unsubscribed")


def call(*items: Any, at: datetime, key: int = 0) -> Sent:  # noqa: ARG001 - it signs nothing
    return Sent(
        headers={
            "Content-Type": "application/json",
            "Authorization": f"Bearer {SECRET}{'!' * key}",
        },
        body=json.dumps(items[0] if len(items) == 1 else items).encode(),
    )
