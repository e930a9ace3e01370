"""How Amazon SES calls: an event as text in a message of SNS."""

import base64
import json
import uuid
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.delivery.hooks.parts import (
    CERTIFICATE,
    FULL,
    TOPIC,
    UNKNOWN_USER,
    Json,
    Mail,
    Sent,
    rsa_key,
)

NAME = "ses"
IS_SIGNING = True
IS_DATED = True


def _event(mail: Mail, event: str, **more: Any) -> Json:
    return {
        "eventType": event,
        "mail": {
            "timestamp": "2026-11-02T15:14:00.000Z",
            "messageId": "0100017f-example",
            "source": mail.sender,
            "sendingAccountId": "123456789012",
            "destination": [mail.address],
            "headersTruncated": False,
            "headers": [
                {"name": "From", "value": "Coalition <bulletin@coalition.example>"},
                {"name": "Message-ID", "value": mail.message_id},
                {"name": "X-Handbill-Campaign", "value": mail.campaign},
            ],
            "commonHeaders": {"messageId": mail.message_id, "to": [mail.address]},
            "tags": {"ses:configuration-set": ["bulletins"]},
        },
        **more,
    }


def bounce(mail: Mail, kind: str, subtype: str, **recipient: str) -> Json:
    """A bounce of any type."""
    bounce = {
        "bounceType": kind,
        "bounceSubType": subtype,
        "bouncedRecipients": [{"emailAddress": mail.address, **recipient}],
        "timestamp": "2026-11-02T15:14:03.123Z",
        "feedbackId": uuid.uuid4().hex,
        "reportingMTA": "dsn; a8-70.smtp-out.amazonses.com",
    }
    return _event(mail, "Bounce", bounce=bounce)


def hard(mail: Mail) -> Json:
    return bounce(
        mail,
        "Permanent",
        "General",
        action="failed",
        status="5.1.1",
        diagnosticCode=f"smtp; {UNKNOWN_USER}",
    )


def soft(mail: Mail) -> Json:
    return bounce(mail, "Transient", "MailboxFull", status="4.2.2", diagnosticCode=f"smtp; {FULL}")


def delayed(mail: Mail) -> Json:
    delay = {
        "delayType": "TransientCommunicationFailure",
        "timestamp": "2026-11-02T15:14:03.123Z",
        "delayedRecipients": [{"emailAddress": mail.address, "status": "4.4.1"}],
    }
    return _event(mail, "DeliveryDelay", deliveryDelay=delay)


def complaint(mail: Mail) -> Json:
    complaint = {
        "complainedRecipients": [{"emailAddress": mail.address}],
        "timestamp": "2026-11-02T15:14:03.123Z",
        "feedbackId": uuid.uuid4().hex,
        "complaintSubType": None,
        "complaintFeedbackType": "abuse",
    }
    return _event(mail, "Complaint", complaint=complaint)


def delivered(mail: Mail) -> Json:
    return _event(mail, "Delivery", delivery={"recipients": [mail.address]})


def unheard_of(mail: Mail) -> Json:
    return _event(mail, "Teleport")


def left(mail: Mail) -> Json:
    subscription = {
        "contactList": "readers",
        "timestamp": "2026-11-02T15:14:03.123Z",
        "source": "UnsubscribeHeader",
        "newTopicPreferences": {"unsubscribeAll": True},
    }
    return _event(mail, "Subscription", subscription=subscription)


def message(at: datetime, **fields: str) -> Json:
    """A message of SNS that is not signed yet."""
    return {
        "Type": "Notification",
        "MessageId": str(uuid.uuid4()),
        "TopicArn": TOPIC,
        "Timestamp": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE,
        **fields,
    }


def signed(message: Json, *, key: int = 0) -> Sent:
    """With a signature as its version says."""
    names = ["Message", "MessageId", "Timestamp", "TopicArn", "Type"]
    if message["Type"] == "Notification":
        names += ["Subject"]
    else:
        names += ["SubscribeURL", "Token"]
    text = "".join(f"{name}\n{message[name]}\n" for name in sorted(names) if message.get(name))
    digest = hashes.SHA1() if message["SignatureVersion"] == "1" else hashes.SHA256()  # noqa: S303
    signature = rsa_key(key).sign(text.encode(), padding.PKCS1v15(), digest)
    body = {**message, "Signature": base64.b64encode(signature).decode()}
    return Sent(
        headers={
            "Content-Type": "text/plain; charset=UTF-8",
            "x-amz-sns-message-type": message["Type"],
        },
        body=json.dumps(body).encode(),
    )


def call(*items: Any, at: datetime, key: int = 0) -> Sent:
    text = json.dumps(items[0]) if items else "{}"
    return signed(message(at, Message=text, Subject="Notification"), key=key)
