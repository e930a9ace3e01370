"""How SendGrid calls: a list of flat events, signed by ECDSA."""

import base64
import json
import uuid
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.delivery.hooks.parts import EPOCH, FULL, UNKNOWN_USER, Json, Mail, Sent, ec_key

NAME = "sendgrid"
IS_SIGNING = True
IS_DATED = True


def _event(mail: Mail, event: str, **more: Any) -> Json:
    return {
        "email": mail.address,
        "timestamp": EPOCH,
        "smtp-id": mail.message_id,
        "event": event,
        "category": ["bulletin"],
        "sg_event_id": uuid.uuid4().hex,
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        **more,
    }


def hard(mail: Mail) -> Json:
    return _event(
        mail,
        "bounce",
        type="bounce",
        status="5.1.1",
        reason=UNKNOWN_USER,
        bounce_classification="Invalid Address",
    )


def soft(mail: Mail) -> Json:
    return _event(
        mail,
        "bounce",
        type="blocked",
        status="4.2.2",
        reason=FULL,
        bounce_classification="Mailbox Unavailable",
    )


def delayed(mail: Mail) -> Json:
    return _event(mail, "deferred", response="450 4.7.0 try again later", attempt="3")


def complaint(mail: Mail) -> Json:
    event = _event(mail, "spamreport")
    del event["smtp-id"]
    return event


def delivered(mail: Mail) -> Json:
    return _event(mail, "delivered", response="250 2.0.0 OK")


def unheard_of(mail: Mail) -> Json:
    return _event(mail, "teleported")


def left(mail: Mail) -> Json:
    return _event(mail, "group_unsubscribe", asm_group_id=10)


def call(*items: Any, at: datetime, key: int = 0) -> Sent:
    body = json.dumps(items).encode()
    said = str(int(at.timestamp()))
    signature = ec_key(key).sign(said.encode() + body, ec.ECDSA(hashes.SHA256()))
    return Sent(
        headers={
            "Content-Type": "application/json",
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": said,
        },
        body=body,
    )
