"""Amazon SES: feedback notifications of an identity, and events of a configuration set, by SNS.

Both have the same objects in them under `notificationType` and `eventType`. `mail.source` is the
envelope sender that we gave, so it holds our token, and `mail.headers`, where they are included,
our Message-ID. A message of ours has one recipient; where several are named, it is not ours.
"""

from collections.abc import Iterator

from delivery.bounces.reasons import BounceReason
from delivery.hooks import meaning, payload, sns
from delivery.hooks.call import Call, Fetch, Heard
from delivery.hooks.meaning import COMPLAINT, HARD, NOT_SENT, SOFT, UNSUBSCRIBED, Meaning
from delivery.hooks.payload import Fields
from delivery.models import BounceKind
from delivery.returns import Event
from foundation import errors
from foundation.i18n import N_
from foundation.webhook_sources import WebhookSource

TOLERANCE_S = 2 * 3600
"""SNS tries an address again for an hour at most, and signs once."""

BOUNCES = {
    "Permanent": HARD,
    "Permanent/General": HARD,
    "Permanent/NoEmail": Meaning(kind=BounceKind.HARD, reason=BounceReason.USER_UNKNOWN),
    "Permanent/Suppressed": Meaning(
        kind=BounceKind.HARD, reason=BounceReason.USER_UNKNOWN, is_own=True
    ),
    "Permanent/OnAccountSuppressionList": NOT_SENT,
    "Permanent/UnsubscribedRecipient": UNSUBSCRIBED,
    "Transient": SOFT,
    "Transient/General": SOFT,
    "Transient/MailboxFull": Meaning(kind=BounceKind.SOFT, reason=BounceReason.MAILBOX_FULL),
    "Transient/MessageTooLarge": Meaning(
        kind=BounceKind.BLOCK, reason=BounceReason.MESSAGE_TOO_LARGE
    ),
    "Transient/ContentRejected": Meaning(
        kind=BounceKind.BLOCK, reason=BounceReason.CONTENT_REFUSED
    ),
    "Transient/AttachmentRejected": Meaning(
        kind=BounceKind.BLOCK, reason=BounceReason.CONTENT_REFUSED
    ),
    "Transient/CustomTimeoutExceeded": Meaning(kind=BounceKind.SOFT, reason=BounceReason.EXPIRED),
    "Undetermined": SOFT,
}
"""`bounceType`/`bounceSubType`."""

DELAYS = {
    "General": BounceReason.UNKNOWN,
    "InternalFailure": BounceReason.SYSTEM_TROUBLE,
    "MailboxFull": BounceReason.MAILBOX_FULL,
    "SpamDetected": BounceReason.SPAM_REFUSED,
    "RecipientServerError": BounceReason.SYSTEM_TROUBLE,
    "IPFailure": BounceReason.REPUTATION,
    "TransientCommunicationFailure": BounceReason.NETWORK,
    "BYOIPHostNameLookupUnavailable": BounceReason.NETWORK,
    "SendingDeferral": BounceReason.RATE_LIMITED,
    "Undetermined": BounceReason.UNKNOWN,
}
"""`delayType`; SES goes on trying."""

NO_COMPLAINTS = frozenset({"not-spam", "auth-failure"})
"""`complaintFeedbackType` that no reader pressed a button for (RFC 5965 §7.3, RFC 6591)."""


class Ses:
    """A topic of SNS that SES tells."""

    def __init__(self, source: WebhookSource, *, fetch: Fetch) -> None:
        self._source = source
        self._fetch = fetch
        self._certificates = sns.Certificates(fetch)

    async def hear(self, call: Call) -> Heard:
        """Also confirms the subscription when SNS asks for that."""
        if call.headers.get("x-amz-sns-rawdelivery", "").lower() == "true":
            raise errors.Forbidden(
                N_("Switch raw message delivery off for this subscription: it has no signature.")
            )
        message = payload.parse(call.body)
        kind = await sns.check(
            message,
            topic=self._source.topic,
            certificates=self._certificates,
            now=call.at,
            tolerance_s=self._source.tolerance_s or TOLERANCE_S,
        )
        if kind == "SubscriptionConfirmation":
            await self._fetch(sns.subscribe_address(message))
        if kind == "UnsubscribeConfirmation":
            return Heard(trouble=N_("Amazon SNS was told to call no more."))
        return Heard()

    def read(self, body: bytes, number: str) -> Iterator[Event | None]:  # noqa: ARG002 - has its own
        """As `Hook`."""
        message = payload.parse(body)
        return self._events(message) if message["Type"].text == "Notification" else iter(())

    def _events(self, message: Fields) -> Iterator[Event | None]:
        try:
            item = payload.parse(message["Message"].raw.encode("utf-8", "replace"))
        except errors.Invalid:
            # SNS says in plain words that a topic was connected with SES.
            yield None
            return
        kind = (item["eventType"] or item["notificationType"]).text
        reader = {
            "Bounce": _bounced,
            "Complaint": _complained,
            "DeliveryDelay": _delayed,
            "Reject": _rejected,
            "Subscription": _left,
        }.get(kind)
        if reader is None:
            yield None
            return
        yield from reader(self._source.name, item, message["MessageId"].text)


def _mail(item: Fields, address: str) -> meaning.Mail:
    mail = item["mail"]
    headers = mail["headers"].headers
    return meaning.Mail(
        address=address,
        sender=mail["source"].text,
        message_id=headers.get("message-id", "") or mail["commonHeaders"]["messageId"].text,
        campaign=headers.get("x-handbill-campaign", ""),
    )


def _bounced(via: str, item: Fields, message_id: str) -> Iterator[Event | None]:
    bounce = item["bounce"]
    found = meaning.look_up(BOUNCES, bounce["bounceType"].text, bounce["bounceSubType"].text)
    for person in bounce["bouncedRecipients"].each():
        address = person["emailAddress"].text
        yield meaning.event(
            via=via,
            meaning=found or SOFT,
            mail=_mail(item, address),
            words=meaning.Words(said=person["diagnosticCode"].text, status=person["status"].text),
            at=bounce["timestamp"].moment,
            event_id=f"{bounce['feedbackId'].text or message_id}:{address}",
            item=item,
        )


def _complained(via: str, item: Fields, message_id: str) -> Iterator[Event | None]:
    complaint = item["complaint"]
    people = complaint["complainedRecipients"]
    is_none = complaint["complaintFeedbackType"].text in NO_COMPLAINTS
    if is_none or people.count != 1:
        yield None
        return
    for person in people.each():
        address = person["emailAddress"].text
        yield meaning.event(
            via=via,
            meaning=COMPLAINT,
            mail=_mail(item, address),
            words=meaning.Words(said=complaint["complaintFeedbackType"].text),
            at=complaint["timestamp"].moment,
            event_id=f"{complaint['feedbackId'].text or message_id}:{address}",
            item=item,
        )


def _delayed(via: str, item: Fields, message_id: str) -> Iterator[Event | None]:
    delay = item["deliveryDelay"]
    reason = DELAYS.get(delay["delayType"].text, BounceReason.UNKNOWN)
    for person in delay["delayedRecipients"].each():
        address = person["emailAddress"].text
        yield meaning.event(
            via=via,
            meaning=Meaning(kind=BounceKind.DELAYED, reason=reason),
            mail=_mail(item, address),
            words=meaning.Words(said=person["diagnosticCode"].text, status=person["status"].text),
            at=delay["timestamp"].moment,
            event_id=f"{message_id}:{address}",
            item=item,
        )


def _rejected(via: str, item: Fields, message_id: str) -> Iterator[Event | None]:
    for each in item["mail"]["destination"].each():
        yield meaning.event(
            via=via,
            meaning=Meaning(kind=BounceKind.BLOCK, reason=BounceReason.VIRUS, is_own=True),
            mail=_mail(item, each.text),
            words=meaning.Words(said=item["reject"]["reason"].text),
            at=item["mail"]["timestamp"].moment,
            event_id=f"{message_id}:{each.text}",
            item=item,
        )


def _left(via: str, item: Fields, message_id: str) -> Iterator[Event | None]:
    subscription = item["subscription"]
    if not subscription["newTopicPreferences"]["unsubscribeAll"].is_true:
        yield None
        return
    for each in item["mail"]["destination"].each():
        yield meaning.event(
            via=via,
            meaning=UNSUBSCRIBED,
            mail=_mail(item, each.text),
            at=subscription["timestamp"].moment,
            event_id=f"{message_id}:{each.text}",
            item=item,
        )
