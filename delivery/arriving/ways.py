"""How mail that comes back gets to us: each way that is set up, and how it does."""

import asyncio
import platform
import re
from collections.abc import Iterator, Sequence

from delivery.arriving.names import Names
from delivery.hooks.state import SourceState
from delivery.inbound.models import Way
from delivery.intake_state import WayState
from foundation import errors, findings
from foundation.config import Settings
from foundation.findings import Finding
from foundation.i18n import N_
from foundation.receiving import Protocol

_GREETING = re.compile(r"220[ -]([^\s]+)")
_PORT = 25
_HEAR_S = 5.0
_WAYS = {
    Way.LISTENER: N_("Our own mail server at %(place)s takes returned mail."),
    Way.IMAP: N_("Returned mail is fetched from the mailbox at %(place)s."),
    Way.MAILDIR: N_("Returned mail is taken from the folder %(place)s."),
}
_LAST = {
    Way.LISTENER: N_(
        "Our own mail server at %(place)s takes returned mail; the last came %(last)s."
    ),
    Way.IMAP: N_("Returned mail is fetched from the mailbox at %(place)s; the last came %(last)s."),
    Way.MAILDIR: N_("Returned mail is taken from the folder %(place)s; the last came %(last)s."),
}


def examine(
    states: Sequence[WayState], hooks: Sequence[SourceState], *, returned: int
) -> Iterator[Finding]:
    """Each way, or that there is none; `returned` messages came back in the last thirty days."""
    for state in states:
        yield _way(state)
    for hook in hooks:
        yield of_webhook(hook)
    if states or hooks:
        return
    if returned:
        yield findings.good(
            "returns",
            N_("%(count)s messages that came back in the last thirty days were handed to us."),
            count=returned,
        )
    else:
        yield findings.warn(
            "returns",
            N_("Nothing here takes mail that comes back, so dead addresses stay on the list."),
            N_(
                "Set up [listener], [imap] or [maildir], or your provider's webhook; or have your "
                "mail server hand each message to `handbill bounces ingest -`."
            ),
        )


def _way(state: WayState) -> Finding:
    values = {"place": state.place, "said": state.said}
    if not state.is_in_use:
        return findings.bad(
            "returns",
            N_("The way in at %(place)s is set up, but no running process looks there."),
            N_("See that `handbill serve` runs with these settings."),
            **values,
        )
    if state.said:
        return findings.bad(
            "returns",
            N_("The way in at %(place)s does not work: %(said)s"),
            N_("Mend what it says; nothing is lost meanwhile as long as it waits there."),
            **values,
        )
    if state.last_message_at is None:
        return findings.good("returns", _WAYS[state.way], **values)
    return findings.good("returns", _LAST[state.way], last=state.last_message_at, place=state.place)


def of_webhook(hook: SourceState) -> Finding:
    """How a provider's webhook does."""
    if hook.trouble:
        return findings.bad(
            "webhook",
            N_("The webhook “%(name)s” needs somebody: %(said)s"),
            N_("Look at its settings at the provider; docs/providers.md has the steps."),
            name=hook.name,
            said=errors.HandbillError(hook.trouble),
        )
    if hook.is_refusing:
        # Anybody can make a call that is refused, so this alone is not bad.
        return findings.warn(
            "webhook",
            N_("The last call to the webhook “%(name)s” was refused: %(said)s"),
            N_(
                "If the provider made it, compare the key or secret with the provider's; if a "
                "stranger did, nothing has to be done."
            ),
            name=hook.name,
            said=errors.HandbillError(hook.refusal),
        )
    if hook.last_call_at is None:
        return findings.neutral(
            "webhook",
            N_("The webhook “%(name)s” is set up, but the provider has not called it yet."),
            N_("Send a test from the provider's settings; docs/providers.md says where they are."),
            name=hook.name,
        )
    return findings.good(
        "webhook",
        N_("The webhook “%(name)s” tells us what came back; we last heard from it %(last)s."),
        name=hook.name,
        last=hook.last_call_at,
    )


async def reaches_listener(
    names: Names, settings: Settings, *, domain: str, port: int = _PORT
) -> Sequence[Finding]:
    """Whether the MX of the return path leads to our own server. Raises `names.Unanswered`."""
    listener = settings.listener
    if not listener.enabled or listener.protocol is not Protocol.SMTP:
        return []
    hosts = [each.name for each in await names.mail_hosts(domain) if each.name]
    heard = await asyncio.gather(*(_greeted_by(names, host, port) for host in hosts))
    ours = (listener.hello_name or platform.node()).lower()
    return [_reached(host, name, ours) for host, name in zip(hosts, heard, strict=True)]


async def _greeted_by(names: Names, host: str, port: int) -> str:
    """The name that a mail server greets with; blank when it can't be reached from here."""
    for address in await names.addresses(host):
        try:
            async with asyncio.timeout(_HEAR_S):
                reader, writer = await asyncio.open_connection(str(address), port)
                try:
                    line = (await reader.readline()).decode("ascii", "replace")
                    writer.write(b"QUIT\r\n")
                finally:
                    writer.close()
        except (OSError, TimeoutError, ValueError):
            continue
        found = _GREETING.match(line)
        return found[1].lower() if found else "?"
    return ""


def _reached(host: str, name: str, ours: str) -> Finding:
    values = {"host": host, "name": name, "ours": ours}
    if name == ours:
        return findings.good(
            "mx-listener", N_("Port 25 of %(host)s leads to our own mail server."), **values
        )
    if not name:
        return findings.neutral(
            "mx-listener",
            N_("Port 25 of %(host)s can't be reached from here, which may be our network's rule."),
            N_("Try from elsewhere whether %(ours)s answers there."),
            **values,
        )
    return findings.warn(
        "mx-listener",
        N_("Port 25 of %(host)s leads to %(name)s, not to our own mail server (%(ours)s)."),
        N_("That is fine if %(name)s hands mail on to it. Else let port 25 lead to [listener]."),
        **values,
    )
