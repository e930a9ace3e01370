"""Makes a reader for each source of the settings."""

from collections.abc import Mapping

from delivery.hooks import sns
from delivery.hooks.brevo import Brevo
from delivery.hooks.call import Hook
from delivery.hooks.mailgun import Mailgun
from delivery.hooks.postal import Postal
from delivery.hooks.postmark import Postmark
from delivery.hooks.resend import Resend
from delivery.hooks.sendgrid import SendGrid
from delivery.hooks.ses import Ses
from delivery.hooks.source import Source
from delivery.hooks.state import Tally
from foundation import errors
from foundation.config import Settings
from foundation.i18n import N_
from foundation.webhook_sources import NEEDS, Provider, WebhookSource

_MIN_SECRET = 16
"""Characters; a file that is empty would let everybody in."""


def build(settings: Settings, *, fetch: sns.Fetch) -> Mapping[str, Source]:
    """All of them, by name. Raises `errors.ConfigProblem` for a key or secret that can't be used.

    `fetch` gets the certificates of Amazon SNS.
    """
    return {
        source.name: Source(settings=source, hook=_hook(source, fetch), tally=Tally(source.name))
        for source in settings.webhook_source
    }


def _hook(source: WebhookSource, fetch: sns.Fetch) -> Hook:
    try:
        _check_secret(source)
        match source.provider:
            case Provider.SES:
                return Ses(source, fetch=fetch)
            case Provider.SENDGRID:
                return SendGrid(source)
            case Provider.MAILGUN:
                return Mailgun(source)
            case Provider.POSTMARK:
                return Postmark(source)
            case Provider.BREVO:
                return Brevo(source)
            case Provider.RESEND:
                return Resend(source)
            case Provider.POSTAL:
                return Postal(source)
    except ValueError as problem:
        raise errors.ConfigProblem(
            N_("[[webhook_source]] %(name)s: its key or secret can't be used: %(problem)s."),
            name=source.name,
            problem=str(problem)[:200],
        ) from problem


def _check_secret(source: WebhookSource) -> None:
    if NEEDS[source.provider] == "secret" and len(source.secret) < _MIN_SECRET:
        raise ValueError("it is too short")
