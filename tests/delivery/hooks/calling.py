"""Every sending provider as it calls us: documented payloads, signed with real keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from tests.delivery.hooks import parts
from tests.delivery.hooks.callers import (
    brevo,
    mailgun,
    postal,
    postmark,
    resend,
    sendgrid,
    ses,
)
from tests.delivery.hooks.parts import Json, Mail, Sent


class Caller(Protocol):
    """A module of `callers`: what its provider says of a mail, and how it signs that."""

    NAME: str
    IS_SIGNING: bool
    """Whether the body is what it proves; else it brings something along."""
    IS_DATED: bool
    """Whether a time is part of the proof."""

    def hard(self, mail: Mail) -> Json:
        """There is no such mailbox."""
        ...

    def soft(self, mail: Mail) -> Json:
        """The mailbox is full, and it gave up."""
        ...

    def delayed(self, mail: Mail) -> Json:
        """It is tried again."""
        ...

    def complaint(self, mail: Mail) -> Json | None:
        """The reader pressed “spam”; None where nobody would be told."""
        ...

    def delivered(self, mail: Mail) -> Json:
        """The receiving server took it."""
        ...

    def unheard_of(self, mail: Mail) -> Json:
        """An event that was invented after us."""
        ...

    def left(self, mail: Mail) -> Json | None:
        """The reader unsubscribed by the provider's own means; None where there are none."""
        ...

    def call(self, *items: Any, at: datetime, key: int = 0) -> Sent:
        """Items in a body, signed at a moment with the right key, or another."""
        ...


ALL: Sequence[Caller] = (ses, sendgrid, mailgun, postmark, brevo, resend, postal)
BY_NAME = {caller.NAME: caller for caller in ALL}


def sources() -> list[Json]:
    """`[[webhook_source]]` of every provider, each under its provider's name."""
    needs: dict[str, Json] = {
        "ses": {"topic": parts.TOPIC},
        "sendgrid": {"public_key": parts.public(parts.ec_key(0))},
        "mailgun": {"secret": parts.SECRET},
        "postmark": {"secret": parts.SECRET},
        "brevo": {"secret": parts.SECRET},
        "resend": {"secret": parts.SVIX},
        "postal": {"public_key": parts.public(parts.rsa_key(0))},
    }
    return [{"name": name, "provider": name, **values} for name, values in needs.items()]
