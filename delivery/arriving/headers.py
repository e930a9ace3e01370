"""Makes a bulletin as the engine does, and looks whether one click to unsubscribe would count.

Gmail and Yahoo go by `List-Unsubscribe` with `List-Unsubscribe-Post` only where a signature covers
both (RFC 8058 §4).
"""

import email
import email.policy
import re
from collections.abc import Sequence

from delivery import message
from delivery.arriving import tags
from delivery.models import Dispatch, DispatchState, WhenUncertain
from foundation import findings, tokens
from foundation.findings import Finding
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.tokens import Purpose
from templates.plan import Plan

_SIGNED = ("list-unsubscribe", "list-unsubscribe-post")
_WAYS = re.compile(r"<([^<>]+)>")


def examine(ground: Ground, *, author: str) -> Sequence[Finding]:
    """One sample from this address."""
    message = email.message_from_bytes(sample(ground, author=author), policy=email.policy.compat32)
    ways = _WAYS.findall(str(message.get("List-Unsubscribe", "")))
    is_secure = any(way.startswith("https://") for way in ways)
    by_mail = any(way.startswith("mailto:") for way in ways)
    is_one_click = message.get("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    if not (is_secure and by_mail and is_one_click):
        return [
            findings.bad(
                "one-click",
                N_("One click to unsubscribe needs a web address that starts with https://."),
                N_("Set [site] url to the https:// address that readers use."),
            )
        ]
    signatures = [str(each) for each in message.get_all("DKIM-Signature", [])]
    if not signatures:
        return [
            findings.neutral(
                "one-click",
                N_(
                    "One click to unsubscribe is in every bulletin. It counts only when the "
                    "relay's signature covers it."
                ),
                N_(
                    "Look at the source of a test in a mailbox of your own: h= of its "
                    "DKIM-Signature has to name List-Unsubscribe and List-Unsubscribe-Post."
                ),
            )
        ]
    return [_covered(signatures)]


def _covered(signatures: Sequence[str]) -> Finding:
    for signature in signatures:
        value = tags.parse(re.sub(r"\s+", "", signature)).get("h", "")
        named = value.lower().split(":")
        if not all(name in named for name in _SIGNED):
            return findings.bad(
                "one-click",
                N_("Our signature does not cover one click to unsubscribe, so it does not count."),
                N_("This should not happen: please tell those who make Handbill."),
            )
    return findings.good(
        "one-click",
        N_("One click to unsubscribe is in every bulletin, by web and by mail, and is signed."),
    )


def sample(ground: Ground, *, author: str) -> bytes:
    """A short bulletin to nobody, signed as all are."""
    now = ground.clock.now()
    plan = Plan(
        language=ground.settings.site.language,
        subject_segments=("—",),
        text_segments=("—",),
        html_segments=("<p>—</p>",),
    )
    order = Dispatch(
        id=0,
        campaign_id=0,
        name="",
        state=DispatchState.SENT.value,
        from_name=ground.settings.from_name,
        from_address=author,
        default_language=plan.language,
        when_uncertain=WhenUncertain.HOLD.value,
        started_at=now,
    )
    nobody = tokens.number_octets(0)
    head = message.Letterhead(ground, order, plan)
    envelope = head.envelope(
        to="sample@example.org",
        subject=plan.subject({}),
        body=plan.pieces({})[0],
        dated=head.dated(int(now.timestamp()), message.date(now)),
        delivery=nobody,
        subscriber_id=0,
        unsubscribe_token=ground.tokens.sealer(Purpose.UNSUBSCRIBE)(nobody * 3),
        is_8bit=False,
    )
    return b"".join(envelope.signed().pieces)
