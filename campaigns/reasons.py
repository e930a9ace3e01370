"""Why somebody's mail did not simply go out, in words for people."""

from collections.abc import Mapping

from delivery.models import Reason
from foundation.i18n import N_, Translator

WORDS: Mapping[str, str] = {
    Reason.UNSUBSCRIBED: N_("unsubscribed before their turn came"),
    Reason.SUPPRESSED: N_("were barred from mail before their turn came"),
    Reason.ERASED: N_("asked to be forgotten before their turn came"),
    Reason.STOPPED: N_("were still waiting when sending was stopped"),
    Reason.PUT_OFF: N_("put off by the receiving side; tried again"),
    Reason.CONNECTION_LOST: N_("the connection broke; tried again"),
    Reason.REFUSED: N_("refused for good by the receiving side"),
    Reason.GAVE_UP: N_("put off for too long"),
    Reason.NEEDS_SMTPUTF8: N_("have an address that our relay can't handle"),
    Reason.TOO_LARGE: N_("the mail is larger than our relay takes"),
    Reason.UNMAILABLE: N_("no mail could be made for them; the service's log says why"),
    Reason.NO_REPLY: N_("the relay's answer was lost, so they may have it"),
    Reason.CRASHED: N_("sending broke off at their mail, so they may have it"),
    Reason.JOURNAL_LOST: N_("the sender's journal was lost, so they may have it"),
    Reason.RESENT: N_("sent once more, as they may not have it"),
    Reason.RETRIED: N_("had failed; tried again because staff said so"),
    Reason.BLOCKED: N_("the receiving side refuses us or what we send"),
    Reason.OWN_TIME: N_("wait for the hour where they live"),
    Reason.GIVEN_UP: N_("given up by staff"),
}
"""Reason → msgid; one that is not here stands for itself."""


def say(reason: str, speaks: Translator) -> str:
    """A reason in the reader's language."""
    return speaks.gettext(WORDS[reason]) if reason in WORDS else reason
