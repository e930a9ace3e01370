"""Settings of sending providers' webhooks: who tells us what became of mail, and how they prove it.

`foundation.config` reads them with all others; `docs/providers.md` says where each value is found.
"""

import ipaddress
from enum import StrEnum
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from foundation.relaying import Section


class Provider(StrEnum):
    """Who sends our mail, and calls us."""

    SES = "ses"
    """Amazon SES, through an SNS topic."""
    SENDGRID = "sendgrid"
    """Twilio SendGrid's signed event webhook."""
    MAILGUN = "mailgun"
    """Sinch Mailgun."""
    POSTMARK = "postmark"
    """Postmark."""
    BREVO = "brevo"
    """Brevo, once Sendinblue."""
    RESEND = "resend"
    """Resend, whose calls are signed by Svix."""
    POSTAL = "postal"
    """A Postal server of one's own."""


NEEDS = {
    Provider.SES: "topic",
    Provider.SENDGRID: "public_key",
    Provider.MAILGUN: "secret",
    Provider.POSTMARK: "secret",
    Provider.BREVO: "secret",
    Provider.RESEND: "secret",
    Provider.POSTAL: "public_key",
}
"""The setting by which each one's calls are told from a stranger's."""


class WebhookSource(Section):
    """A provider that calls `/hooks/NAME`."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    provider: Provider
    secret: str = ""
    secret_file: str = ""
    public_key: str = ""
    topic: Annotated[str, Field(pattern=r"^(arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]+)?$")] = ""
    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]*$")] = ""
    networks: list[str] = []
    tolerance_s: Annotated[int, Field(ge=0)] = 0

    @field_validator("networks")
    @classmethod
    def _are_networks(cls, value: list[str]) -> list[str]:
        for network in value:
            ipaddress.ip_network(network, strict=False)
        return value

    @model_validator(mode="after")
    def _can_be_verified(self) -> "WebhookSource":
        needed = NEEDS[self.provider]
        if not getattr(self, needed) and not (needed == "secret" and self.secret_file):
            raise ValueError(f"{self.provider.value} needs {needed}")
        return self
