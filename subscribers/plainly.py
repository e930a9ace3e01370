"""Says in plain words how people stand and what happened to their consent, for staff's pages."""

from collections.abc import Mapping
from datetime import datetime

from foundation.frozen import frozen
from foundation.i18n import N_, Translator
from subscribers.finding import Standing
from subscribers.member_models import ContactDuty, SignOnState
from subscribers.models import (
    Consent,
    ConsentStep,
    Doubt,
    MemberState,
    SubscriptionState,
    Suppression,
    SuppressionReason,
)

STANDINGS: Mapping[Standing, str] = {
    Standing.CONFIRMED: N_("Gets mail"),
    Standing.PENDING: N_("Waits for confirmation"),
    Standing.UNSUBSCRIBED: N_("On no list"),
    Standing.SUPPRESSED: N_("Not to be mailed"),
}
STANDING_TONES: Mapping[Standing, str] = {
    Standing.CONFIRMED: "good",
    Standing.PENDING: "busy",
    Standing.UNSUBSCRIBED: "neutral",
    Standing.SUPPRESSED: "bad",
}
TOPIC_STATES: Mapping[SubscriptionState, str] = {
    SubscriptionState.PENDING: N_("Waits for confirmation"),
    SubscriptionState.CONFIRMED: N_("Confirmed"),
    SubscriptionState.UNSUBSCRIBED: N_("Unsubscribed"),
}
MEMBER_STATES: Mapping[MemberState, str] = {
    MemberState.UNCONFIRMED: N_("Not confirmed by mail yet"),
    MemberState.APPLIED: N_("Waits for an answer"),
    MemberState.APPROVED: N_("Member"),
    MemberState.DECLINED: N_("Declined"),
    MemberState.LEFT: N_("Left"),
}
MEMBER_TONES: Mapping[MemberState, str] = {
    MemberState.UNCONFIRMED: "neutral",
    MemberState.APPLIED: "busy",
    MemberState.APPROVED: "good",
    MemberState.DECLINED: "bad",
    MemberState.LEFT: "neutral",
}

SIGN_ON_STATES: Mapping[SignOnState, str] = {
    SignOnState.PENDING: N_("Not confirmed by mail yet"),
    SignOnState.CONFIRMED: N_("Waits for your look"),
    SignOnState.SHOWN: N_("Shown"),
    SignOnState.REFUSED: N_("Not shown"),
    SignOnState.WITHDRAWN: N_("Taken back"),
}
SIGN_ON_TONES: Mapping[SignOnState, str] = {
    SignOnState.PENDING: "neutral",
    SignOnState.CONFIRMED: "busy",
    SignOnState.SHOWN: "good",
    SignOnState.REFUSED: "bad",
    SignOnState.WITHDRAWN: "neutral",
}
DUTIES: Mapping[ContactDuty, str] = {
    ContactDuty.PRESS: N_("Press"),
    ContactDuty.POLICY: N_("Policy"),
    ContactDuty.SERVICES: N_("Services"),
}
DUTY_HINTS: Mapping[ContactDuty, str] = {
    ContactDuty.PRESS: N_("Journalists' questions, and words in the organization's name"),
    ContactDuty.POLICY: N_("What we ask of lawmakers and offices"),
    ContactDuty.SERVICES: N_("Help for people: advice, interpreting, accompanying"),
}

DOUBTS: Mapping[Doubt, str] = {
    Doubt.HASTE: N_("Sent faster than people type"),
    Doubt.FLOOD: N_("One of very many from the same network"),
    Doubt.NO_PROOF: N_("Without proof of work, during an attack"),
    Doubt.DISPOSABLE: N_("A throw-away address"),
}

_STEPS: Mapping[ConsentStep, str] = {
    ConsentStep.ASKED: N_("Asked to be signed up; a mail to confirm it went out"),
    ConsentStep.CONFIRMED: N_("Confirmed by pressing the button behind the mailed link"),
    ConsentStep.IMPORTED: N_("Brought along from a file; the office vouched for the consent"),
    ConsentStep.TOPICS_CHANGED: N_("Chose other topics"),
    ConsentStep.UNSUBSCRIBED: N_("Unsubscribed"),
    ConsentStep.TRACKING_ALLOWED: N_("Agreed to be counted by name when opening and clicking"),
    ConsentStep.TRACKING_REFUSED: N_("Took back being counted by name"),
    ConsentStep.SHARE_ASKED: N_("Ticked that an organization may have the address, too"),
    ConsentStep.SHARED: N_("Confirmed that an organization may have the address, too"),
    ConsentStep.SHARE_WITHDRAWN: N_("Took the address back from an organization"),
    ConsentStep.SUPPRESSED: N_("May not be mailed from here on"),
    ConsentStep.LIFTED: N_("May be mailed again"),
    ConsentStep.MERGED: N_("Two records of this person were joined"),
}
_VIAS: Mapping[str, str] = {
    "form": N_("on a sign-up form"),
    "api": N_("through the API"),
    "sheet": N_("on our paper, typed in by the office"),
    "kiosk": N_("at our tablet"),
    "import": N_("by an upload"),
    "join": N_("for their organization"),
    "preferences": N_("on the preferences page"),
    "link": N_("by the link in a mail"),
    "one-click": N_("with one click in their mail program"),
    "mailto": N_("by writing to us"),
    "mail": N_("by writing to us"),
    "provider": N_("through their mail provider"),
    "staff": N_("by the office"),
    "bounce": N_("because mail came back"),
    "complaint": N_("because they marked a mail as spam"),
}
_REASONS: Mapping[SuppressionReason, str] = {
    SuppressionReason.HARD_BOUNCE: N_("The mailbox does not exist or refuses for good"),
    SuppressionReason.SOFT_BOUNCES: N_("Mail failed several times in a row over a long time"),
    SuppressionReason.COMPLAINT: N_("Marked a mail as spam"),
    SuppressionReason.BY_HAND: N_("Put there by the office"),
    SuppressionReason.ERASED: N_("Asked to be forgotten"),
    SuppressionReason.IMPORTED: N_("Had left the service that we came from"),
}
SHORT_REASONS: Mapping[SuppressionReason, str] = {
    SuppressionReason.HARD_BOUNCE: N_("Dead address"),
    SuppressionReason.SOFT_BOUNCES: N_("Failed again and again"),
    SuppressionReason.COMPLAINT: N_("Complained"),
    SuppressionReason.BY_HAND: N_("By the office"),
    SuppressionReason.IMPORTED: N_("Brought along"),
    SuppressionReason.ERASED: N_("Forgotten"),
}
"""In the order in which staff look at them."""
TO_THE_PERSON: Mapping[SuppressionReason, str] = {
    SuppressionReason.COMPLAINT: N_("One of our mails was marked as spam in your mailbox."),
    SuppressionReason.BY_HAND: N_("Our office stopped it."),
    SuppressionReason.HARD_BOUNCE: N_(
        "A mail to you came back: your mail server said that this mailbox does not exist."
    ),
    SuppressionReason.SOFT_BOUNCES: N_(
        "Mails to you came back several times in a row, for example because the mailbox was full."
    ),
    SuppressionReason.ERASED: N_("You once asked us to forget you."),
    SuppressionReason.IMPORTED: N_("You had left the service that we used before."),
}
"""Why no mail comes, as the person's own page says it."""


@frozen
class Step:
    """One step of a person's consent, in words."""

    at: datetime
    what: str
    via: str
    topics: str
    """Names of the topics; blank means all."""
    reason: str
    network: str


@frozen
class WhyNot:
    """Why a person may not be mailed, or might not be, in words."""

    since: datetime
    why: str
    note: str
    lifted_at: datetime | None
    lifted_because: str
    lifted_by: str
    return_id: int | None
    """What came back and led to it."""


def way(via: str, speaks: Translator) -> str:
    """How somebody did something about their consent; what has no words stands for itself."""
    return speaks.gettext(_VIAS[via]) if via in _VIAS else via


def step(speaks: Translator, consent: Consent, topic_names: Mapping[str, str]) -> Step:
    """A consent's step in the reader's language."""
    return Step(
        at=consent.at,
        what=speaks.gettext(_STEPS[ConsentStep(consent.step)]),
        via=way(consent.via, speaks),
        topics=", ".join(topic_names.get(slug, slug) for slug in consent.topics),
        reason=consent.reason,
        network=consent.network or "",
    )


def suppression(speaks: Translator, found: Suppression) -> WhyNot:
    """A suppression in the reader's language."""
    return WhyNot(
        since=found.created_at,
        why=speaks.gettext(_REASONS[SuppressionReason(found.reason)]),
        note=found.note,
        lifted_at=found.lifted_at,
        lifted_because=found.lifted_because,
        lifted_by=found.lifted_by,
        return_id=found.return_id,
    )
