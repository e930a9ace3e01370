"""How Resend calls: one event in a body, signed by Svix."""

import base64
import hashlib
import hmac
import json
import uuid
from datetime import datetime
from typing import Any

from tests.delivery.hooks.parts import SVIX, Json, Mail, Sent

NAME = "resend"
IS_SIGNING = True
IS_DATED = True


def _event(mail: Mail, kind: str, **more: Any) -> Json:
    return {
        "type": kind,
        "created_at": "2026-11-02T15:14:03.123Z",
        "data": {
            "created_at": "2026-11-02T15:14:00.000Z",
            "email_id": str(uuid.uuid4()),
            "message_id": mail.message_id,
            "from": "Coalition <bulletin@coalition.example>",
            "to": [mail.address],
            "subject": "Hello",
            "tags": {},
            **more,
        },
    }


def hard(mail: Mail) -> Json:
    bounce = {
        "type": "Permanent",
        "subType": "General",
        "message": "The recipient's email provider sent a hard bounce message.",
    }
    return _event(mail, "email.bounced", bounce=bounce)


def soft(mail: Mail) -> Json:
    bounce = {
        "type": "Transient",
        "subType": "MailboxFull",
        "message": "The recipient's email provider sent a bounce message.",
    }
    return _event(mail, "email.bounced", bounce=bounce)


def delayed(mail: Mail) -> Json:
    return _event(mail, "email.delivery_delayed")


def complaint(mail: Mail) -> Json:
    return _event(mail, "email.complained")


def delivered(mail: Mail) -> Json:
    return _event(mail, "email.delivered")


def unheard_of(mail: Mail) -> Json:
    return _event(mail, "email.teleported")


def left(mail: Mail) -> Json:
    return {
        "type": "contact.updated",
        "created_at": "2026-11-02T15:14:03.123Z",
        "data": {"id": str(uuid.uuid4()), "email": mail.address, "unsubscribed": True},
    }


def call(*items: Any, at: datetime, key: int = 0) -> Sent:
    body = json.dumps(items[0]).encode() if items else b"{}"
    number, said = f"msg_{uuid.uuid4().hex}", str(int(at.timestamp()))
    secret = base64.b64decode(SVIX.removeprefix("whsec_")) + b"!" * key
    mac = hmac.digest(secret, f"{number}.{said}.".encode() + body, hashlib.sha256)
    signature = base64.b64encode(mac).decode()
    return Sent(
        headers={
            "Content-Type": "application/json",
            "svix-id": number,
            "svix-timestamp": said,
            "svix-signature": f"v1,{base64.b64encode(b'old' * 10).decode()} v1,{signature}",
        },
        body=body,
    )
