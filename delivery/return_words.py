"""Kinds and reasons of what came back, and the ways that it came, in words for people."""

from collections.abc import Mapping

from delivery.bounces.reasons import BounceReason
from delivery.models import BounceKind, Proof
from foundation.i18n import N_, Translator

KINDS: Mapping[str, str] = {
    BounceKind.HARD: N_("Dead address"),
    BounceKind.SOFT: N_("Not just now"),
    BounceKind.BLOCK: N_("Refused us"),
    BounceKind.COMPLAINT: N_("Complaint"),
    BounceKind.DELAYED: N_("Delayed"),
}
TONES: Mapping[str, str] = {
    BounceKind.HARD: "bad",
    BounceKind.SOFT: "warn",
    BounceKind.BLOCK: "busy",
    BounceKind.COMPLAINT: "bad",
    BounceKind.DELAYED: "neutral",
}
REASONS: Mapping[str, str] = {
    BounceReason.USER_UNKNOWN: N_("there is no such mailbox"),
    BounceReason.DOMAIN_UNKNOWN: N_("there is no such domain, or it takes no mail"),
    BounceReason.ADDRESS_MOVED: N_("the mailbox has another address now"),
    BounceReason.MAILBOX_DISABLED: N_("the mailbox was closed"),
    BounceReason.NOT_ACCEPTING: N_("the host takes no mail at all"),
    BounceReason.SUSPENDED: N_("the account is locked for now"),
    BounceReason.MAILBOX_FULL: N_("the mailbox is full"),
    BounceReason.MESSAGE_TOO_LARGE: N_("the mail is too large for them"),
    BounceReason.SPAM_REFUSED: N_("taken for spam"),
    BounceReason.VIRUS: N_("taken for something harmful"),
    BounceReason.CONTENT_REFUSED: N_("something in the mail is not wanted there"),
    BounceReason.POLICY_REFUSED: N_("against a rule of the receiving side"),
    BounceReason.AUTHENTICATION_FAILED: N_("SPF, DKIM or DMARC did not prove who sent it"),
    BounceReason.REPUTATION: N_("our server or network has no good name there"),
    BounceReason.RELAYING_DENIED: N_("the server says that it is not in charge of that address"),
    BounceReason.TLS_REQUIRED: N_("the connection was not encrypted as they demand"),
    BounceReason.PROTOCOL_ERROR: N_("the server did not understand or allow a command"),
    BounceReason.RATE_LIMITED: N_("too much at a time"),
    BounceReason.GREYLISTED: N_("the server wants to see us a second time first"),
    BounceReason.NETWORK: N_("the server could not be reached"),
    BounceReason.EXPIRED: N_("tried for days without success"),
    BounceReason.RELAY_LOOP: N_("the mail went round in a circle"),
    BounceReason.SYSTEM_TROUBLE: N_("something is wrong at their server"),
    BounceReason.UNKNOWN: N_("no reason that we understand was given"),
}
PROOFS: Mapping[str, str] = {
    Proof.TOKEN: N_("It came to the sealed return address of this very mail."),
    Proof.HEADERS: N_("It holds the sealed number of this very mail."),
    Proof.PROVIDER: N_("A provider whose signature was checked says so."),
    Proof.RELAY: N_("Our own relay said so while we were sending."),
    Proof.STAFF: N_("It only names the address; somebody of the staff took it for true."),
    Proof.NONE: N_("It only names the address, as anybody could. Nothing followed from it."),
    Proof.DISMISSED: N_("It only names the address; somebody of the staff did not believe it."),
}
WAYS: Mapping[str, str] = {
    "relay": N_("our relay, while sending"),
    "mail": N_("as a mail"),
    "listener": N_("our own mail server"),
    "imap": N_("the mailbox for returned mail"),
    "maildir": N_("a mail folder"),
    "command": N_("the command line"),
    "ses": "Amazon SES",
    "sendgrid": "SendGrid",
    "mailgun": "Mailgun",
    "postmark": "Postmark",
    "brevo": "Brevo",
    "resend": "Resend",
    "postal": "Postal",
}
"""A way that is not here stands for itself."""


def reason(value: str, speaks: Translator) -> str:
    """A reason in the reader's language; blank stays blank."""
    return speaks.gettext(REASONS[value]) if value in REASONS else value


def summed_up(kind: str, why: str, speaks: Translator) -> str:
    """Kind and reason as a short sentence."""
    said = speaks.gettext(KINDS[kind]) if kind in KINDS else kind
    return f"{said}: {reason(why, speaks)}" if why else said
