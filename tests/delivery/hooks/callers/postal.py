"""How Postal calls: one event in a body, signed by RSA."""

import json
import uuid
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.delivery.hooks.parts import EPOCH, FULL, UNKNOWN_USER, Json, Mail, Sent, based, rsa_key

NAME = "postal"
IS_SIGNING = True
IS_DATED = True


def _message(mail: Mail) -> Json:
    return {
        "id": 12345,
        "token": "abcdef123",
        "direction": "outgoing",
        "message_id": mail.message_id.strip("<>"),
        "to": mail.address,
        "from": mail.sender,
        "subject": "Hello",
        "timestamp": EPOCH + 0.12,
        "spam_status": "NotChecked",
        "tag": None,
    }


def _status(mail: Mail, event: str, status: str, output: str) -> Json:
    payload = {
        "status": status,
        "details": "An SMTP server said",
        "output": output,
        "timestamp": EPOCH + 0.12,
        "message": _message(mail),
    }
    return {"event": event, "payload": payload, "uuid": str(uuid.uuid4())}


def hard(mail: Mail) -> Json:
    return _status(mail, "MessageDeliveryFailed", "HardFail", UNKNOWN_USER)


def soft(mail: Mail) -> Json:
    return _status(mail, "MessageDeliveryFailed", "HardFail", FULL)


def delayed(mail: Mail) -> Json:
    return _status(mail, "MessageDelayed", "SoftFail", FULL)


def bounced(mail: Mail) -> Json:
    """What was taken came back later; why, is not said."""
    bounce = {**_message(mail), "direction": "incoming"}
    payload = {"original_message": _message(mail), "bounce": bounce}
    return {"event": "MessageBounced", "payload": payload, "uuid": str(uuid.uuid4())}


def complaint(_mail: Mail) -> None:
    return None


def delivered(mail: Mail) -> Json:
    return _status(mail, "MessageSent", "Sent", "250 2.0.0 OK")


def unheard_of(mail: Mail) -> Json:
    return _status(mail, "MessageTeleported", "Sent", "")


def left(_mail: Mail) -> None:
    return None


def call(*items: Any, at: datetime, key: int = 0) -> Sent:
    item = items[0] if items else {}
    body = json.dumps({"timestamp": at.timestamp(), **item}).encode()
    sign = rsa_key(key).sign
    return Sent(
        headers={
            "Content-Type": "application/json",
            "X-Postal-Signature": based(sign(body, padding.PKCS1v15(), hashes.SHA1())),  # noqa: S303
            "X-Postal-Signature-256": based(sign(body, padding.PKCS1v15(), hashes.SHA256())),
            "X-Postal-Signature-KID": "1",
        },
        body=body,
    )
