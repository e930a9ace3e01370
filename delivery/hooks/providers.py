"""Makes a reader for each source of the settings."""

from collections.abc import Mapping

from delivery.hooks.call import Fetch, Hook
from delivery.hooks.source import Source
from delivery.hooks.state import Tally
from foundation import errors
from foundation.config import Settings
from foundation.i18n import N_
from foundation.webhook_sources import NEEDS, Provider, WebhookSource

_MIN_SECRET = 16
"""Characters; a file that is empty would let everybody in."""


def build(settings: Settings, *, fetch: Fetch) -> Mapping[str, Source]:
    """All of them, by name. Raises `errors.ConfigProblem` for a key or secret that can't be used.

    `fetch` gets the certificates of Amazon SNS.
    """
    return {
        source.name: Source(settings=source, hook=_hook(source, fetch), tally=Tally(source.name))
        for source in settings.webhook_source
    }


def _hook(source: WebhookSource, fetch: Fetch) -> Hook:
    """The provider's module is loaded where there is a source of it: some bring much along."""
    try:
        _check_secret(source)
        match source.provider:
            case Provider.SES:
                from delivery.hooks.ses import Ses

                return Ses(source, fetch=fetch)
            case Provider.SENDGRID:
                from delivery.hooks.sendgrid import SendGrid

                return SendGrid(source)
            case Provider.MAILGUN:
                from delivery.hooks.mailgun import Mailgun

                return Mailgun(source)
            case Provider.POSTMARK:
                from delivery.hooks.postmark import Postmark

                return Postmark(source)
            case Provider.BREVO:
                from delivery.hooks.brevo import Brevo

                return Brevo(source)
            case Provider.RESEND:
                from delivery.hooks.resend import Resend

                return Resend(source)
            case Provider.POSTAL:
                from delivery.hooks.postal import Postal

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
