"""What each provider's words mean for us: kind, reason, and which mail it was."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from delivery.hooks import brevo, mailgun, postal, postmark, providers, resend, sendgrid, ses
from delivery.hooks.call import Call
from delivery.hooks.meaning import Meaning
from delivery.models import BounceKind
from delivery.returns import Event
from tests.delivery.hooks import calling, parts
from tests.delivery.hooks.callers import postal as calling_postal
from tests.delivery.hooks.callers import ses as calling_ses
from tests.delivery.hooks.parts import Mail
from tests.world import grounds
from tests.world.clock import START

DOCS = Path(__file__).parents[3] / "docs" / "providers.md"
ANA = Mail(
    address="ana@example.org",
    sender="b+00ff00ff00ff00ff@coalition.example",
    message_id="<c0ffee@coalition.example>",
    campaign="17",
)
BLOCKED = "550 5.7.1 Our policy refuses mail from your network"
OWN_LIST = "The address is on the suppression list"
HARD, SOFT, BLOCK, DELAYED = BounceKind.HARD, BounceKind.SOFT, BounceKind.BLOCK, BounceKind.DELAYED


async def heard(name: str, *items: Any) -> list[Event | None]:
    """What comes of a call with some items."""
    settings = grounds.settings(
        url="sqlite://", folder=Path(), changes={"webhook_source": calling.sources()}
    )

    async def fetch(_url: str) -> bytes:
        return parts.certificate(START)

    source = providers.build(settings, fetch=fetch)[name]
    sent = calling.BY_NAME[name].call(*items, at=START)
    found = await source.hook.hear(Call(headers={**sent.headers}, body=sent.body, at=START))
    return list(source.hook.read(sent.body, found.number))


async def meant(name: str, item: parts.Json) -> Event | None:
    """What comes of one item."""
    (event,) = await heard(name, item)
    return event


def changed(item: parts.Json, *path: str, **fields: Any) -> parts.Json:
    """The same with other fields at a place in it."""
    if not path:
        return {**item, **fields}
    return {**item, path[0]: changed(item[path[0]], *path[1:], **fields)}


@pytest.mark.parametrize("caller", calling.ALL, ids=lambda caller: caller.NAME)
async def test_an_event_names_the_mail_as_far_as_its_provider_does(caller: calling.Caller) -> None:
    event = await meant(caller.NAME, caller.hard(ANA))
    assert event is not None
    assert (event.via, event.kind, event.address) == (caller.NAME, HARD, ANA.address)
    tokens = {"ses", "mailgun", "postal"}
    campaigns = {"ses", "postmark", "brevo"}
    assert event.token == ("00ff00ff00ff00ff" if caller.NAME in tokens else "")
    wanted = "" if caller.NAME == "postmark" else "c0ffee@coalition.example"
    assert event.message_id == wanted
    assert event.campaign == ("17" if caller.NAME in campaigns else "")
    assert event.occurred_at is not None
    assert abs((event.occurred_at - datetime.fromtimestamp(parts.EPOCH, UTC)).days) < 1
    assert event.evidence.startswith(b"{")
    again = await meant(caller.NAME, caller.hard(ANA))
    assert again is not None
    assert event.event_id != again.event_id


@pytest.mark.parametrize(
    ("kind", "subtype", "said", "means"),
    [
        ("Permanent", "General", "", (HARD, "")),
        ("Permanent", "General", f"smtp; {BLOCKED}", (BLOCK, "policy-refused")),
        ("Permanent", "NoEmail", "", (HARD, "user-unknown")),
        ("Permanent", "OnAccountSuppressionList", OWN_LIST, (HARD, "")),
        ("Permanent", "Suppressed", OWN_LIST, (HARD, "user-unknown")),
        ("Permanent", "NewlyInvented", "", (HARD, "")),
        ("Transient", "General", f"smtp; {parts.UNKNOWN_USER}", (HARD, "user-unknown")),
        ("Transient", "General", "", (SOFT, "")),
        ("Transient", "MailboxFull", "", (SOFT, "mailbox-full")),
        ("Transient", "ContentRejected", "", (BLOCK, "content-refused")),
        ("Undetermined", "Undetermined", "", (SOFT, "")),
        ("", "", "", (SOFT, "")),
    ],
)
async def test_bounces_of_amazon_ses(
    kind: str, subtype: str, said: str, means: tuple[BounceKind, str]
) -> None:
    for name in ("ses", "resend"):
        if name == "ses":
            item = calling_ses.bounce(ANA, kind, subtype, diagnosticCode=said)
        else:
            bounce = {"type": kind, "subType": subtype, "diagnosticCode": [said] if said else []}
            item = changed(calling.BY_NAME[name].hard(ANA), "data", bounce=bounce)
        event = await meant(name, item)
        assert event is not None
        assert (event.kind, event.reason) == means, name


async def test_what_amazon_ses_calls_a_complaint_and_is_none() -> None:
    item = calling_ses.complaint(ANA)
    for kind, is_one in (("abuse", True), ("fraud", True), ("", True), ("not-spam", False)):
        event = await meant("ses", changed(item, "complaint", complaintFeedbackType=kind))
        assert (event is not None) is is_one, kind
    several = [{"emailAddress": ANA.address}, {"emailAddress": "bo@example.org"}]
    assert await meant("ses", changed(item, "complaint", complainedRecipients=several)) is None


async def test_a_mail_that_amazon_ses_found_a_virus_in_is_nobody_s_fault() -> None:
    item = {
        **calling_ses.delivered(ANA),
        "eventType": "Reject",
        "reject": {"reason": "Bad content"},
    }
    event = await meant("ses", item)
    assert event is not None
    assert (event.kind, event.reason) == (BLOCK, "virus")


@pytest.mark.parametrize(
    ("kind", "category", "said", "means"),
    [
        ("blocked", "Unclassified", BLOCKED, (BLOCK, "policy-refused")),
        ("blocked", "Unclassified", "", (BLOCK, "")),
        ("blocked", "Content", "", (BLOCK, "content-refused")),
        ("blocked", "Reputation", "", (BLOCK, "reputation")),
        ("blocked", "Mailbox Unavailable", parts.FULL, (SOFT, "mailbox-full")),
        ("bounce", "Invalid Address", "", (HARD, "user-unknown")),
        ("bounce", "Unclassified", "", (HARD, "")),
        ("", "", "", (HARD, "")),
    ],
)
async def test_bounces_of_sendgrid(
    kind: str, category: str, said: str, means: tuple[BounceKind, str]
) -> None:
    bounce = {"type": kind, "bounce_classification": category, "reason": said, "status": ""}
    event = await meant("sendgrid", calling.BY_NAME["sendgrid"].hard(ANA) | bounce)
    assert event is not None
    assert (event.kind, event.reason) == means


@pytest.mark.parametrize(
    ("reason", "means"),
    [
        ("Bounced Address", (HARD, "")),
        ("Invalid", (HARD, "user-unknown")),
        ("Spam Reporting Address", (BounceKind.COMPLAINT, "")),
        ("Recipient List over Package Quota", (BLOCK, "policy-refused")),
    ],
)
async def test_drops_of_sendgrid(reason: str, means: tuple[BounceKind, str]) -> None:
    drop = {"event": "dropped", "reason": reason, "status": ""}
    event = await meant("sendgrid", calling.BY_NAME["sendgrid"].hard(ANA) | drop)
    assert event is not None
    assert (event.kind, event.reason) == means


@pytest.mark.parametrize(
    ("severity", "reason", "status", "means"),
    [
        ("permanent", "suppress-bounce", {}, (HARD, "")),
        ("permanent", "suppress-complaint", {}, (BounceKind.COMPLAINT, "")),
        ("permanent", "generic", {"code": 605}, (HARD, "")),
        ("permanent", "generic", {"code": 607}, (BounceKind.COMPLAINT, "")),
        ("permanent", "old", {}, (SOFT, "expired")),
        ("permanent", "espblock", {}, (BLOCK, "")),
        ("permanent", "bounce", {"code": 550, "message": BLOCKED}, (BLOCK, "policy-refused")),
        ("temporary", "generic", {"message": parts.UNKNOWN_USER}, (DELAYED, "user-unknown")),
    ],
)
async def test_failures_of_mailgun(
    severity: str, reason: str, status: parts.Json, means: tuple[BounceKind, str]
) -> None:
    failure = {"severity": severity, "reason": reason, "delivery-status": status}
    event = await meant("mailgun", calling.BY_NAME["mailgun"].hard(ANA) | failure)
    assert event is not None
    assert (event.kind, event.reason) == means


async def test_whoever_a_provider_keeps_as_unsubscribed_has_left() -> None:
    failed = calling.BY_NAME["mailgun"].hard(ANA) | {"delivery-status": {"code": 606}}
    dropped = calling.BY_NAME["sendgrid"].hard(ANA) | {
        "event": "dropped",
        "reason": "Unsubscribed Address",
    }
    for name, item in (("mailgun", failed), ("sendgrid", dropped)):
        event = await meant(name, item)
        assert event is not None
        assert (event.is_unsubscribe, event.kind) == (True, BounceKind.NONE)


async def test_records_of_postmark() -> None:
    caller = calling.BY_NAME["postmark"]
    bounce = {**caller.hard(ANA), "Details": ""}
    for kind, means in (
        ("HardBounce", (HARD, "")),
        ("Blocked", (BLOCK, "")),
        ("DMARCPolicy", (BLOCK, "authentication-failed")),
        ("SpamNotification", (BLOCK, "spam-refused")),
        ("DnsError", (SOFT, "network")),
        ("AutoResponder", None),
        ("Subscribe", None),
        ("Invented", None),
    ):
        event = await meant("postmark", {**bounce, "Type": kind})
        assert (event and (event.kind, event.reason)) == means, kind
    change = caller.left(ANA)
    assert change is not None
    for fields, is_hard, is_left in (
        ({"SuppressionReason": "HardBounce"}, True, False),
        ({"Origin": "Customer"}, True, False),
        ({"Origin": "Recipient"}, False, True),
        ({"SuppressSending": False}, False, False),
    ):
        event = await meant("postmark", {**change, **fields})
        assert (event is not None and event.kind is HARD) is is_hard, fields
        assert (event is not None and event.is_unsubscribe) is is_left, fields


async def test_brevo_may_send_several_events_at_once_and_spells_them_in_two_ways() -> None:
    caller = calling.BY_NAME["brevo"]
    bounce = caller.hard(ANA)
    events = await heard(
        "brevo", bounce, {**bounce, "event": "hardBounce"}, caller.delivered(ANA), "text", 7
    )
    first, second, *others = events
    assert first is not None
    assert second is not None
    assert (first.kind, first.event_id) == (second.kind, second.event_id) == (HARD, first.event_id)
    assert others == [None] * 3
    blocked = await meant("brevo", {**bounce, "event": "blocked", "reason": BLOCKED})
    assert blocked is not None
    assert (blocked.kind, blocked.reason) == (HARD, "")


async def test_a_mail_of_resend_to_several_is_not_ours() -> None:
    item = calling.BY_NAME["resend"].hard(ANA)
    two = [ANA.address, "bo@example.org"]
    assert await heard("resend", changed(item, "data", to=two)) == [None, None]
    for kind, means in (
        ("email.suppressed", (HARD, "")),
        ("email.failed", (BLOCK, "policy-refused")),
        ("email.opened", None),
    ):
        event = await meant("resend", {**item, "type": kind})
        assert (event and (event.kind, event.reason)) == means, kind


async def test_what_a_postal_server_says_about_its_own_decisions() -> None:
    failed = calling_postal.hard(ANA)
    for event_name, fields, means in (
        ("MessageHeld", {"details": "Recipient is on the suppression list"}, (HARD, "")),
        (
            "MessageDeliveryFailed",
            {"details": "Message is likely spam."},
            (BLOCK, "policy-refused"),
        ),
        (
            "MessageDeliveryFailed",
            {"details": "Maximum number of delivery attempts (18) has been reached"},
            (SOFT, "expired"),
        ),
        ("MessageLinkClicked", {}, None),
    ):
        item = changed({**failed, "event": event_name}, "payload", output="", **fields)
        event = await meant("postal", item)
        assert (event and (event.kind, event.reason)) == means, fields
    held = changed({**failed, "event": "MessageHeld"}, "payload", output="", details="Held")
    waiting = await meant("postal", held)
    assert waiting is not None
    assert waiting.kind is DELAYED
    bounced = await meant("postal", calling_postal.bounced(ANA))
    assert bounced is not None
    assert (bounced.kind, bounced.token) == (SOFT, "00ff00ff00ff00ff")
    incoming = changed(failed, "payload", "message", direction="incoming")
    assert await meant("postal", incoming) is None


TABLES: Mapping[str, Mapping[str, Meaning]] = {
    "Amazon SES": ses.BOUNCES,
    "SendGrid": {**sendgrid.BOUNCES, **sendgrid.DROPS, **sendgrid.EVENTS},
    "Mailgun": {
        **mailgun.FAILURES,
        **{str(code): means for code, means in mailgun.SUPPRESSED.items()},
        **mailgun.EVENTS,
    },
    "Postmark": {
        **postmark.BOUNCES,
        **{f"SubscriptionChange/{name}": means for name, means in postmark.CHANGES.items()},
    },
    "Brevo": brevo.EVENTS,
    "Resend": resend.EVENTS,
    "Postal": postal.EVENTS,
}


def documented(category: str, means: Meaning) -> str:
    """A line of a table in docs/providers.md."""
    kind = "unsubscribed" if means.is_unsubscribe else means.kind.value
    unsaid = "—" if means.is_own else "as the server says"
    return f"| `{category}` | {kind} | {means.reason.value if means.reason else unsaid} |"


@pytest.mark.parametrize("provider", TABLES)
def test_the_tables_in_the_docs_are_those_of_the_program(provider: str) -> None:
    section = DOCS.read_text(encoding="utf-8").split(f"\n## {provider}\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert rows == [documented(*each) for each in TABLES[provider].items()]
