"""What happened with a person, as one story: what they agreed to, were sent, and what came back.

Pure: `people_pages.py` hands in what each floor knows, and shows it.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from foundation.frozen import frozen
from foundation.i18n import N_
from subscribers.people import CameBack, Mail
from subscribers.plainly import Step


class Kind(StrEnum):
    """What an event is about."""

    CONSENT = "consent"
    MAIL = "mail"
    CAME_BACK = "came-back"


WORDS = {
    Kind.CONSENT: N_("Consent"),
    Kind.MAIL: N_("Mail"),
    Kind.CAME_BACK: N_("Came back"),
}
TONES = {Kind.CONSENT: "good", Kind.MAIL: "neutral", Kind.CAME_BACK: "warn"}


@frozen
class Happening:
    """One thing that happened; texts are in the reader's language."""

    at: datetime
    kind: Kind
    what: str
    url: str = ""
    more: str = ""
    """By what way and about which topics, what became of it, or which mail it was."""
    said: str = ""
    """The person's or the office's own words."""
    network: str = ""
    is_unproven: bool = False


def tell(
    steps: Sequence[Step], mails: Sequence[Mail], came_back: Sequence[CameBack]
) -> list[Happening]:
    """Everything in one list, newest first."""
    found = [
        Happening(
            at=step.at,
            kind=Kind.CONSENT,
            what=step.what,
            more=": ".join(filter(None, (step.via, step.topics))),
            said=step.reason,
            network=step.network,
        )
        for step in steps
    ]
    found += [
        Happening(at=mail.at, kind=Kind.MAIL, what=mail.subject, url=mail.url, more=mail.state)
        for mail in mails
    ]
    found += [
        Happening(
            at=each.at,
            kind=Kind.CAME_BACK,
            what=each.what,
            url=each.url,
            more=each.mail,
            is_unproven=each.is_unproven,
        )
        for each in came_back
    ]
    # Of what happened at one moment, what stood later in its list is older.
    return sorted(found, key=lambda each: each.at, reverse=True)
