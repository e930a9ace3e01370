"""How Postmark calls: one flat record in a body, with a password."""

import base64
import json
import uuid
from datetime import datetime
from typing import Any

from tests.delivery.hooks.parts import FULL, SECRET, UNKNOWN_USER, Json, Mail, Sent

NAME = "postmark"
IS_SIGNING = False
IS_DATED = False


def _event(mail: Mail, kind: str, **more: Any) -> Json:
    return {
        "RecordType": kind,
        "MessageStream": "broadcast",
        "ServerID": 23,
        "MessageID": str(uuid.uuid4()),
        "Tag": "",
        "Metadata": {"campaign": mail.campaign},
        "From": "bulletin@coalition.example",
        **more,
    }


def _bounce(mail: Mail, kind: str, details: str) -> Json:
    return _event(
        mail,
        "Bounce",
        ID=uuid.uuid4().int % 10**15,
        Type=kind,
        Details=details,
        Email=mail.address,
        BouncedAt="2026-11-02T11:14:03.1234567-04:00",
    )


def hard(mail: Mail) -> Json:
    return _bounce(mail, "HardBounce", f"smtp;{UNKNOWN_USER}")


def soft(mail: Mail) -> Json:
    return _bounce(mail, "SoftBounce", f"smtp;{FULL}")


def delayed(mail: Mail) -> Json:
    return _bounce(mail, "Transient", f"smtp;{FULL}")


def complaint(mail: Mail) -> Json:
    return {**_bounce(mail, "SpamComplaint", ""), "RecordType": "SpamComplaint"}


def delivered(mail: Mail) -> Json:
    return _event(mail, "Delivery", Recipient=mail.address, Details="250 OK")


def unheard_of(mail: Mail) -> Json:
    return _event(mail, "Teleport", Recipient=mail.address)


def left(mail: Mail) -> Json:
    return _event(
        mail,
        "SubscriptionChange",
        Recipient=mail.address,
        SuppressSending=True,
        SuppressionReason="ManualSuppression",
        Origin="Recipient",
        ChangedAt="2026-11-02T15:14:03Z",
    )


def call(*items: Any, at: datetime, key: int = 0) -> Sent:  # noqa: ARG001 - it signs nothing
    credentials = base64.b64encode(f"handbill:{SECRET}{'!' * key}".encode()).decode()
    return Sent(
        headers={
            "Content-Type": "application/json",
            "Authorization": f"Basic {credentials}",
        },
        body=json.dumps(items[0]).encode() if items else b"{}",
    )
