"""How Mailgun calls: one event in a body, and beside it a signature that does not cover it."""

import hashlib
import hmac
import json
import uuid
from datetime import datetime
from typing import Any

from tests.delivery.hooks.parts import EPOCH, FULL, SECRET, UNKNOWN_USER, Json, Mail, Sent

NAME = "mailgun"
IS_SIGNING = False
IS_DATED = True


def _event(mail: Mail, event: str, **more: Any) -> Json:
    return {
        "event": event,
        "timestamp": EPOCH + 0.529,
        "id": uuid.uuid4().hex[:22],
        "recipient": mail.address,
        "envelope": {"sender": mail.sender, "targets": mail.address, "transport": "smtp"},
        "message": {
            "headers": {
                "to": mail.address,
                "message-id": mail.message_id.strip("<>"),
                "from": "Coalition <bulletin@coalition.example>",
            },
            "size": 12_000,
        },
        "user-variables": {},
        "tags": [],
        **more,
    }


def hard(mail: Mail) -> Json:
    status = {"code": 550, "message": UNKNOWN_USER, "attempt-no": 1, "bounce-type": "hard"}
    return _event(
        mail,
        "failed",
        severity="permanent",
        reason="bounce",
        **{"delivery-status": {**status, "enhanced-code": "5.1.1"}},
    )


def soft(mail: Mail) -> Json:
    return _event(
        mail,
        "failed",
        severity="permanent",
        reason="old",
        **{"delivery-status": {"code": 452, "message": FULL, "description": ""}},
    )


def delayed(mail: Mail) -> Json:
    return _event(
        mail,
        "failed",
        severity="temporary",
        reason="generic",
        **{"delivery-status": {"code": 452, "message": FULL, "retry-seconds": 600}},
    )


def complaint(mail: Mail) -> Json:
    return _event(mail, "complained")


def delivered(mail: Mail) -> Json:
    return _event(mail, "delivered", **{"delivery-status": {"code": 250, "message": "OK"}})


def unheard_of(mail: Mail) -> Json:
    return _event(mail, "teleported")


def left(mail: Mail) -> Json:
    return _event(mail, "unsubscribed")


def call(*items: Any, at: datetime, key: int = 0) -> Sent:
    said, token = str(int(at.timestamp())), uuid.uuid4().hex + "0" * 18
    secret = SECRET + "!" * key
    mac = hmac.new(secret.encode(), f"{said}{token}".encode(), hashlib.sha256).hexdigest()
    signature = {"timestamp": said, "token": token, "signature": mac}
    body = {"signature": signature, "event-data": items[0] if items else {}}
    return Sent(headers={"Content-Type": "application/json"}, body=json.dumps(body).encode())
