"""Reads delivery status notifications (RFC 3464, RFC 6533): one group of fields a recipient."""

import re

from delivery.bounces import judging, mailboxes, statuses
from delivery.bounces.layout import Layout
from delivery.bounces.reading import Headers
from delivery.bounces.returned import Recipient
from delivery.models import BounceKind

_MAX_RECIPIENTS = 1_000
MAX_DIAGNOSTIC = 500
_WHO = ("Final-Recipient", "Original-Recipient", "X-Actual-Recipient", "Recipient")
_TYPE = re.compile(r"\A[\w.-]{1,20}\s*;\s*")
_DONE = frozenset({"delivered", "relayed", "expanded"})


def recipients(layout: Layout) -> list[Recipient]:
    """What a report says of each recipient; none if there is no such report."""
    about = [group for group in layout.groups if _is_about_recipient(group)][:_MAX_RECIPIENTS]
    found = [_recipient(layout, group, is_alone=len(about) == 1) for group in about]
    return [each for each in found if each is not None]


def _is_about_recipient(group: Headers) -> bool:
    return any(name in group for name in _WHO) or ("Action" in group and "Status" in group)


def _recipient(layout: Layout, group: Headers, *, is_alone: bool) -> Recipient | None:
    diagnostic = _diagnostic(group)
    address = _address(group) or (_named_elsewhere(layout, diagnostic) if is_alone else "")
    if not address:
        return None
    first = mailboxes.one(group.get("Original-Recipient"))
    sent_to = "" if mailboxes.normal(first) == mailboxes.normal(address) else first
    action = group.get("Action").lower().partition(" ")[0].strip(";")
    status = statuses.best(group.get("Status"), diagnostic)
    passing = _passing(action, status)
    if passing is not None:
        return Recipient(
            address=address,
            kind=passing,
            status=status,
            diagnostic=diagnostic[:MAX_DIAGNOSTIC],
            sent_to=sent_to,
        )
    judged = judging.judge(diagnostic, status=status)
    if is_alone and judging.says_nothing(diagnostic, judged):
        judged = judging.judge(f"{diagnostic} {layout.words}", status=status)
    return Recipient(
        address=address,
        kind=judged.kind,
        status=judged.status,
        reason=judged.reason,
        diagnostic=diagnostic[:MAX_DIAGNOSTIC],
        sent_to=sent_to,
    )


def _address(group: Headers) -> str:
    """Whom a group is about; a final address within some system alone is nobody outside of it."""
    found = [address for name in _WHO if (address := mailboxes.one(group.get(name)))]
    outside = [address for address in found if "." in address.rpartition("@")[2]]
    return next(iter(outside or found), "")


def _passing(action: str, status: str) -> BounceKind | None:
    """The kind of what is no failure, or not yet."""
    if action == "delayed":
        return BounceKind.DELAYED
    if action in _DONE or (status.startswith("2") and action != "failed"):
        return BounceKind.NONE
    return None


def _diagnostic(group: Headers) -> str:
    """The server's own words; some servers put them behind the status, or into comments."""
    found = [_TYPE.sub("", text) for text in group.all("Diagnostic-Code")]
    comment = group.get("Status").partition(" ")[2].strip(" ()")
    return " ".join(filter(None, [*found, comment]))


def _named_elsewhere(layout: Layout, diagnostic: str) -> str:
    """For a report whose fields hold no address: what the words or the mail's own headers say."""
    named = mailboxes.find(diagnostic) or mailboxes.find(layout.sent.get("To"))
    return named[0] if len(named) == 1 else ""
