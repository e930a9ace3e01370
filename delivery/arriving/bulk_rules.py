"""What Gmail and Yahoo ask of whoever sends to many, against what a look found."""

from collections.abc import Iterable, Sequence

from foundation.findings import Finding, Tone
from foundation.frozen import frozen
from foundation.i18n import N_

_ORDER = (Tone.BAD, Tone.WARN, Tone.NEUTRAL, Tone.GOOD)


@frozen
class Rule:
    """One demand."""

    msgid: str
    codes: Sequence[str]
    """Findings that tell whether we keep to it; without any, every bulletin of ours does."""


RULES = (
    Rule(msgid=N_("Mail is signed with DKIM."), codes=("dkim",)),
    Rule(msgid=N_("SPF lets it through."), codes=("spf", "spf-address")),
    Rule(msgid=N_("The domain has a DMARC record."), codes=("dmarc",)),
    Rule(
        msgid=N_("What stands in From goes with the signature or with SPF."), codes=("alignment",)
    ),
    Rule(msgid=N_("From is of a domain of one's own."), codes=("from",)),
    Rule(msgid=N_("One click unsubscribes, by a signed header."), codes=("one-click",)),
    Rule(msgid=N_("A link to unsubscribe stands in the mail, too."), codes=()),
    Rule(msgid=N_("Sending addresses have names that lead back to them."), codes=("ptr",)),
    Rule(msgid=N_("Mail is handed over under TLS."), codes=("relay-tls",)),
    Rule(msgid=N_("Fewer than 0.3 %% of readers call it spam."), codes=("complaints",)),
)


@frozen
class Judged:
    """A rule, and how we keep to it; neutral where that can't be seen from here."""

    rule: Rule
    tone: Tone


def judge(findings: Iterable[Finding]) -> Sequence[Judged]:
    """Every rule against the lines of a look."""
    found = list(findings)
    return [Judged(rule=rule, tone=_tone(rule, found)) for rule in RULES]


def _tone(rule: Rule, found: Sequence[Finding]) -> Tone:
    if not rule.codes:
        return Tone.GOOD
    tones = {each.tone for each in found if each.code in rule.codes}
    if any(not any(each.code == code for each in found) for code in rule.codes):
        tones.add(Tone.NEUTRAL)
    return next(tone for tone in _ORDER if tone in tones)
